"""Every odd file that analysts have sent, or could: each is read as said in expected.toml, or refused in the words that stand there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.book.workbooks import WORKBOOKS
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import OUTCOMES, ReadingOptions, Renewals, ScoreHistory, Source
from unspun.errors import BadInput

CORPUS = Path(__file__).parents[2] / "corpus"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((CORPUS / "expected.toml").read_text("utf-8"))
FILES = sorted(path.name for path in CORPUS.iterdir() if path.name != "expected.toml")


@pytest.fixture(scope="session")
def workbooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workbooks of the corpus, made afresh: cells are easier to review in code than in a zip archive."""
    folder = tmp_path_factory.mktemp("workbooks")
    for name, make in WORKBOOKS.items():
        make(folder / name)
    return folder


def test_the_corpus_holds_more_than_seventy_files_and_each_has_its_expectation() -> None:
    assert len(EXPECTED) >= 70
    assert sorted(EXPECTED) == sorted([*FILES, *WORKBOOKS])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_odd_file_is_read_or_refused_as_expected(name: str, workbooks: Path) -> None:
    expected = EXPECTED[name]
    folder = CORPUS if name in FILES else workbooks
    seen = read_file(folder / name, expected["as"], expected.get("options", {}))
    wanted = {key: value for key, value in expected.items() if key not in ("as", "options", "notes", "why")}
    assert {key: value for key, value in seen.items() if key in ("read", "aside", "said")} == wanted
    for note in expected.get("notes", ()):
        assert any(note in given for given in seen.get("notes", ())), (note, seen)


def read_file(path: Path, role: str, options: dict[str, Any]) -> dict[str, list[str]]:
    """The rows read and set aside, or the faults, as lines of text; files are named without their folder."""
    reading = ReadingOptions(**{name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})
    try:
        table = read_scores(str(path), reading) if role == "scores" else read_renewals(str(path), reading)
    except BadInput as refusal:
        folder = f"{path.parent}/"
        return {"said": [" ".join(f"{f.where}: {f.message} {f.hint}".replace(folder, "").split()) for f in refusal.faults]}
    lines = _score_lines(table) if isinstance(table, ScoreHistory) else _renewal_lines(table)
    aside = aside_lines(table.source)
    held = sum(len(one.rows) for one in table.source.rejections) + len(table.row)
    assert table.source.rows_read == held, "rows read are rows in the table and rows set aside"
    return {"read": lines, **({"aside": aside} if aside else {}), "notes": list(table.source.notes)}


def _score_lines(history: ScoreHistory) -> list[str]:
    lines = []
    for series in history.series:
        rows = np.arange(len(history.row)) if series.rows is None else series.rows
        for at, value in zip(rows.tolist(), series.values.tolist(), strict=True):
            account = history.account.names[history.account.codes[at]]
            said = "no score" if np.isnan(value) else series.bands[int(value)] if series.bands else f"{value:.10g}"
            when = str(history.dated[at]).removesuffix(".000000").removesuffix("T00:00:00")
            lines.append(f"row {history.row[at]}: {account}, {when}, {series.name} {said}")
    return lines


def _renewal_lines(renewals: Renewals) -> list[str]:
    lines = []
    for at, row in enumerate(renewals.row.tolist()):
        account, outcome = renewals.account.names[renewals.account.codes[at]], int(renewals.outcome[at])
        line = f"row {row}: {account}, {renewals.due[at]}, {OUTCOMES[outcome] if outcome >= 0 else 'undecided'}"
        if renewals.amount_before is not None and not np.isnan(renewals.amount_before[at]):
            code = -1 if renewals.currency is None else int(renewals.currency.codes[at])
            line += f", {renewals.amount_before[at]:.10g}" + ("" if renewals.currency is None or code < 0 else f" {renewals.currency.names[code]}")
        lines.append(line)
    return lines


def aside_lines(source: Source) -> list[str]:
    """Every row set aside with its reason."""
    return [f"row {row}: {one.reason}" for one in source.rejections for row in one.rows.tolist()]
