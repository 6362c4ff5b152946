"""Every odd file that analysts have sent, or could: each is read as said in expected.toml, or refused in the words that stand there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.book.workbooks import WORKBOOKS
from unspun.book.accounts import read_accounts
from unspun.book.events import read_events
from unspun.book.extras import Accounts, Events, Forecasts
from unspun.book.forecasts import read_forecasts
from unspun.book.purchases import read_purchases
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import OUTCOMES, Codes, Purchases, ReadingOptions, Renewals, ScoreHistory, Source, Subscriptions
from unspun.errors import BadInput

Table = ScoreHistory | Renewals | Subscriptions | Purchases | Events | Forecasts | Accounts
READERS: dict[str, Callable[[object, ReadingOptions], Table]] = {
    "scores": read_scores,
    "renewals": read_renewals,
    "subscriptions": read_subscriptions,
    "purchases": read_purchases,
    "events": read_events,
    "forecasts": read_forecasts,
    "accounts": read_accounts,
}

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
    reading = ReadingOptions(date_format=options.get("date_format"), time_zone=options.get("time_zone", "UTC"))
    try:
        table = READERS[role](str(path), reading)
    except BadInput as refusal:
        folder = f"{path.parent}/"
        return {"said": [" ".join(f"{f.where}: {f.message} {f.hint}".replace(folder, "").split()) for f in refusal.faults]}
    lines = lines_of(table)
    aside = aside_lines(table.source)
    held = sum(len(one.rows) for one in table.source.rejections) + len(table.row)
    assert table.source.rows_read == held, "rows read are rows in the table and rows set aside"
    return {"read": lines, **({"aside": aside} if aside else {}), "notes": list(table.source.notes)}


def lines_of(table: Table) -> list[str]:
    """Each row of a table with what was read from it."""
    if isinstance(table, ScoreHistory):
        return _score_lines(table)
    if isinstance(table, Events):
        days = table.day.astype("datetime64[D]")
        return [f"{_word(table.account, at)}, {days[at]}, {table.amount[at]:.10g} {table.counted}" for at in range(len(days))]
    told = {
        Renewals: _renewal_line,
        Subscriptions: _subscription_line,
        Purchases: _purchase_line,
        Forecasts: _forecast_line,
        Accounts: _account_line,
    }[type(table)]
    return [f"row {row}: {_word(table.account, at)}, {told(table, at)}" for at, row in enumerate(table.row.tolist())]


def _score_lines(history: ScoreHistory) -> list[str]:
    lines = []
    for series in history.series:
        rows = np.arange(len(history.row)) if series.rows is None else series.rows
        for at, value in zip(rows.tolist(), series.values.tolist(), strict=True):
            said = "no score" if np.isnan(value) else series.bands[int(value)] if series.bands else f"{value:.10g}"
            lines.append(f"row {history.row[at]}: {_word(history.account, at)}, {_time(history.dated[at])}, {series.name} {said}")
    return lines


def _word(codes: Codes, at: int) -> str:
    return codes.names[codes.codes[at]] if codes.codes[at] >= 0 else ""


def _time(moment: np.datetime64) -> str:
    return str(moment).removesuffix(".000000").removesuffix("T00:00:00")


def _renewal_line(renewals: Renewals, at: int) -> str:
    outcome = int(renewals.outcome[at])
    line = f"{renewals.due[at]}, {OUTCOMES[outcome] if outcome >= 0 else 'undecided'}"
    if renewals.amount_before is not None and not np.isnan(renewals.amount_before[at]):
        currency = "" if renewals.currency is None else f" {_word(renewals.currency, at)}"
        line += f", {renewals.amount_before[at]:.10g}{currency}".rstrip()
    return line


def _subscription_line(terms: Subscriptions, at: int) -> str:
    end = "open" if np.isnat(terms.end[at]) else f"to {terms.end[at]}"
    addon = ", an add-on" if terms.is_addon[at] else ""
    return f"{terms.start[at]} {end}{addon}" + ("" if terms.amount is None else f", {terms.amount[at]:.10g}")


def _purchase_line(purchases: Purchases, at: int) -> str:
    return f"{purchases.date[at]}" + ("" if purchases.amount is None else f", {purchases.amount[at]:.10g}")


def _forecast_line(forecasts: Forecasts, at: int) -> str:
    value = float(forecasts.value[at])
    return f"{_time(forecasts.made[at])}, {f'{value:.10g}' if forecasts.probability else forecasts.calls[int(value)]}"


def _account_line(accounts: Accounts, at: int) -> str:
    segment = [] if accounts.segment is None else [f"segment {_word(accounts.segment, at)}"]
    told = [
        f"{one.name} {'' if one.numbers is None else f'{one.numbers[at]:.10g}'}{'' if one.codes is None else _word(one.codes, at)}"
        for one in accounts.attributes
    ]
    return ", ".join(segment + told)


def aside_lines(source: Source) -> list[str]:
    """Every row set aside with its reason."""
    return [f"row {row}: {one.reason}" for one in source.rejections for row in one.rows.tolist()]
