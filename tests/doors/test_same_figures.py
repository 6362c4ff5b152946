"""However a table reaches the audit, its figures are the same: rows shuffled, files split, columns renamed, encoding or format changed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import unspun
from tests.doors.cli_files import write_company
from unspun.reports.result_json import to_json

Table = list[list[str]]  # the header first
FORMATS = ("csv", "semicolons", "tsv", "csv.gz", "jsonl", "json", "xlsx", "parquet")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
ROLES = {
    "scores": {"account_id": "account", "scored_on": "date", "score": "score", "segment": "segment"},
    "renewals": {
        "account_id": "account",
        "due_on": "due",
        "outcome": "outcome",
        "arr_before": "amount_before",
        "arr_after": "amount_after",
        "currency": "currency",
    },
}
NUMBERS = {"score", "arr_before", "arr_after"}


@dataclass(frozen=True, repr=False)
class Company:
    """Two tables of text, and the figures of their audit."""

    scores: Table
    renewals: Table
    figures: dict[str, Any]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    paths = write_company(folder)
    for path in paths:  # a letter that each encoding writes its own way
        path.write_text(path.read_text("utf-8").replace("A0001,", "Zoë 1,"), "utf-8")
    scores, renewals = (list(csv.reader(io.StringIO(path.read_text("utf-8")))) for path in paths)
    return Company(scores, renewals, figures_of(*paths))


def figures_of(scores: object, renewals: object, **options: Any) -> dict[str, Any]:
    """Everything the audit says, but for the names, places and row numbers of its inputs; a score is called as its column is."""
    result = json.loads(to_json(unspun.audit_score(scores, renewals, **options)))
    result.pop("inputs")
    for score in result["scores"]:
        score.pop("name")
    return _without_rows(result)


def _without_rows(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_rows(inner) for key, inner in value.items() if key not in ("row", "source_row")}
    return [_without_rows(inner) for inner in value] if isinstance(value, list) else value


def write_table(table: Table, path: Path, form: str, encoding: str) -> Path:
    """The table in one of FORMATS; the encoding counts for those that are text."""
    header, *rows = table
    path = path.with_suffix(f".{'csv' if form == 'semicolons' else form}")
    records = [dict(zip(header, row, strict=True)) for row in rows]
    if form == "xlsx":
        book = openpyxl.Workbook()
        for row in [header, *([_typed(name, cell) for name, cell in record.items()] for record in records)]:
            book.worksheets[0].append(row)
        book.save(path)
    elif form == "parquet":
        pq.write_table(pa.table({name: [record[name] for record in records] for name in header}), path)
    elif form in ("json", "jsonl"):
        lines = [json.dumps({name: _typed(name, cell) for name, cell in record.items()}) for record in records]
        path.write_text("\n".join(lines) + "\n" if form == "jsonl" else f"[{','.join(lines)}]", "utf-8")
    else:
        text = io.StringIO()
        csv.writer(text, delimiter={"semicolons": ";", "tsv": "\t"}.get(form, ",")).writerows(table)
        content = text.getvalue().encode(encoding)
        path.write_bytes(gzip.compress(content) if form == "csv.gz" else content)
    return path


def _typed(name: str, cell: str) -> object:
    return float(cell) if name in NUMBERS and cell else cell


@dataclass(frozen=True)
class Change:
    """One way for a table to arrive."""

    seed: int
    pieces: int
    form: str
    encoding: str
    renamed: bool


changes = st.builds(Change, st.integers(0, 10_000), st.integers(1, 4), st.sampled_from(FORMATS), st.sampled_from(ENCODINGS), st.booleans())


def arrive(table: Table, role: str, change: Change, folder: Path) -> tuple[Any, dict[str, str]]:
    """The files of a changed table, and the columns to be named for it."""
    header, *rows = table
    rng = random.Random(change.seed)
    rng.shuffle(rows)
    names = {name: f"Spalte {i} ({rng.randrange(1000)})" for i, name in enumerate(header)} if change.renamed else {}
    columns = {f"{role}.{ROLES[role][name]}": given for name, given in names.items()}
    cuts = sorted(rng.sample(range(1, len(rows)), change.pieces - 1))
    files = []
    for i, (low, high) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
        piece = [header, *rows[low:high]]
        path = write_table(piece, folder / f"{role}-{i}", change.form, change.encoding)
        files.append(str(_rename(path, change, names) if names else path))
    return (files[0] if len(files) == 1 else tuple(files)), columns


def _rename(path: Path, change: Change, names: dict[str, str]) -> Path:
    """The same file with other names in its header (or, in JSON lines, in each record)."""
    if change.form == "parquet":
        table = pq.read_table(path)
        pq.write_table(table.rename_columns([names[name] for name in table.column_names]), path)
    elif change.form == "xlsx":
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        for column, (name,) in enumerate(sheet.iter_cols(max_row=1, values_only=True), 1):
            sheet.cell(1, column, names[str(name)])
        book.save(path)
    elif change.form in ("json", "jsonl"):
        text = path.read_text("utf-8")
        for name, given in names.items():
            text = text.replace(f'"{name}":', f'"{given}":')
        path.write_text(text, "utf-8")
    else:
        content = path.read_bytes()
        head, rest = (gzip.decompress(content) if change.form == "csv.gz" else content).decode(change.encoding).split("\r\n", 1)
        separator = {"semicolons": ";", "tsv": "\t"}.get(change.form, ",")
        head = separator.join(names[name] for name in head.split(separator))
        again = f"{head}\r\n{rest}".encode(change.encoding)
        path.write_bytes(gzip.compress(again) if change.form == "csv.gz" else again)
    return path


# Each example is a whole audit, so that a failing one is shown as it was drawn and not shrunk
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scores=changes, renewals=changes)
def test_shuffling_splitting_renaming_and_encoding_change_no_figure(
    company: Company, tmp_path_factory: pytest.TempPathFactory, scores: Change, renewals: Change
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    given_scores, columns = arrive(company.scores, "scores", scores, folder)
    given_renewals, more = arrive(company.renewals, "renewals", renewals, folder)
    assert figures_of(given_scores, given_renewals, columns=columns | more) == company.figures


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_gives_the_same_figures(form: str, company: Company, tmp_path: Path) -> None:
    change = Change(0, 1, form, "utf-8", False)
    files = [arrive(table, role, change, tmp_path)[0] for role, table in (("scores", company.scores), ("renewals", company.renewals))]
    assert figures_of(*files) == company.figures


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_gives_the_same_figures(encoding: str, company: Company, tmp_path: Path) -> None:
    change = Change(0, 1, "csv", encoding, False)
    files = [arrive(table, role, change, tmp_path)[0] for role, table in (("scores", company.scores), ("renewals", company.renewals))]
    assert figures_of(*files) == company.figures


def test_a_changed_score_does_change_the_figures(company: Company, tmp_path: Path) -> None:
    """That the comparison above can fail."""
    scores = [company.scores[0], *([*row[:2], str(-float(row[2])), *row[3:]] for row in company.scores[1:])]
    files = [write_table(table, tmp_path / name, "csv", "utf-8") for name, table in (("s", scores), ("r", company.renewals))]
    assert figures_of(*files) != company.figures
