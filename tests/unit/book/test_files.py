"""Files: whatever the encoding, separator, compression or container, the same values; and clear words where nothing can be read."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unspun.book import archives, files
from unspun.book.delimited import parse_delimited
from unspun.book.files import open_table
from unspun.book.inputs import read_inputs
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, ScoreHistory
from unspun.errors import BadInput

NOTHING = ReadingOptions()
COLUMNS = {
    "account_id": ["A1", "B\u00e9", "C,3", "A1"],
    "date": ["2026-01-01", "2026-01-02", "2026-01-03", "2026-02-01"],
    "score": [1.5, -2.0, 80.25, 7.0],
    "owner": ["Ann", "", 'Zo "Z" \u00eb', "Ann"],
}
TABLE = pa.table(COLUMNS)


def text(separator: str = ",", order: tuple[str, ...] = tuple(COLUMNS), end: str = "\n") -> str:
    def cell(value: object) -> str:
        plain = str(value)
        return '"' + plain.replace('"', '""') + '"' if set(plain) & {separator, '"'} else plain

    rows = [order, *zip(*(COLUMNS[name] for name in order), strict=True)]
    return end.join(separator.join(cell(value) for value in row) for row in rows) + end


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def workbook(dated: Callable[[str], Any]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (tuple(COLUMNS), *((a, dated(str(d)), s, o or None) for a, d, s, o in zip(*COLUMNS.values(), strict=True))):
        sheet.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def records() -> list[dict[str, object]]:
    """After an empty first record their rows have the numbers that they have under a header."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


def content(history: ScoreHistory) -> tuple[object, ...]:
    accounts = [history.account.names[code] for code in history.account.codes]
    assert history.owner is not None
    owners = [history.owner.names[code] if code >= 0 else None for code in history.owner.codes]
    return history.row.tolist(), accounts, history.dated.tolist(), history.series[0].values.tolist(), owners


def dated(table: pa.Table, kind: pa.DataType) -> pa.Table:
    return table.set_column(1, "date", table["date"].cast(pa.date32()).cast(kind))


SAME: dict[str, Callable[[], object]] = {
    "CSV": lambda: text().encode(),
    "semicolons": lambda: text(";").encode(),
    "TSV": lambda: text("\t").encode(),
    "vertical bars": lambda: text("|").encode(),
    "Windows line ends": lambda: text(end="\r\n").encode(),
    "old Mac line ends": lambda: text(end="\r").encode(),
    "no line end at the end": lambda: text().rstrip("\n").encode(),
    "byte order mark": lambda: text().encode("utf-8-sig"),
    "UTF-16": lambda: text().encode("utf-16"),
    "UTF-16, big-endian": lambda: ("\ufeff" + text()).encode("utf-16-be"),
    "UTF-16 without a mark": lambda: text().encode("utf-16-le"),
    "UTF-16, big-endian, without a mark": lambda: text().encode("utf-16-be"),
    "Windows-1252": lambda: text().encode("cp1252"),
    "another order of columns": lambda: text(order=("owner", "score", "account_id", "date")).encode(),
    "gzip": lambda: gzip.compress(text().encode()),
    "gzip in two members": lambda: gzip.compress(text()[:40].encode()) + gzip.compress(text()[40:].encode()),
    "zip": lambda: zipped({"scores.csv": text().encode()}),
    "zip with what a Mac adds": lambda: zipped({"scores.csv": text().encode(), "__MACOSX/._scores.csv": b"x", ".DS_Store": b"y"}),
    "zip of Parquet": lambda: zipped({"scores": parquet(TABLE)}),
    "a workbook": lambda: workbook(str),
    "a workbook with dates": lambda: workbook(date.fromisoformat),
    "JSON": lambda: json.dumps([{}, *records()]).encode(),
    "JSON in UTF-16": lambda: json.dumps({"next": None, "records": [{}, *records()]}).encode("utf-16"),
    "JSON lines": lambda: "\n".join(map(json.dumps, [{}, *records()])).encode(),
    "Parquet": lambda: parquet(TABLE),
    "Parquet in gzip": lambda: gzip.compress(parquet(TABLE)),
    "Parquet with dates": lambda: parquet(dated(TABLE, pa.date32())),
    "Parquet with times": lambda: parquet(dated(TABLE, pa.timestamp("ns"))),
    "Parquet with times in UTC": lambda: parquet(dated(TABLE, pa.timestamp("us", "UTC"))),
    "Parquet with dictionaries": lambda: parquet(TABLE.set_column(0, "account_id", TABLE["account_id"].dictionary_encode())),
    "Arrow": lambda: TABLE,
    "Arrow with large text": lambda: TABLE.set_column(3, "owner", TABLE["owner"].cast(pa.large_string())),
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "pandas with an index": lambda: pd.DataFrame(COLUMNS, index=[7, 3, 9, 1]),
    "pandas with dates": lambda: pd.DataFrame(COLUMNS).assign(date=lambda frame: pd.to_datetime(frame["date"])),
    "pandas with categories": lambda: pd.DataFrame(COLUMNS).astype({"account_id": "category"}),
    "pandas with objects": lambda: pd.DataFrame(COLUMNS).astype(object),
    "Polars": lambda: pl.DataFrame(COLUMNS),
    "Polars with dates": lambda: pl.DataFrame(COLUMNS).with_columns(pl.col("date").str.to_date()),
    "an open file": lambda: io.BytesIO(text().encode()),
    "an open text file": lambda: io.StringIO(text()),
}


@pytest.mark.parametrize("form", SAME)
def test_every_format_gives_the_same_values(form: str) -> None:
    assert content(read_scores(SAME[form](), NOTHING)) == (
        [2, 3, 4, 5],
        ["A1", "B\u00e9", "C,3", "A1"],
        [pd.Timestamp(day).to_pydatetime() for day in COLUMNS["date"]],
        [1.5, -2.0, 80.25, 7.0],
        ["Ann", None, 'Zo "Z" \u00eb', "Ann"],
    )


def test_the_format_is_told_by_the_content_and_not_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(gzip.compress(parquet(TABLE)))
    source = read_scores(path, NOTHING).source
    assert (source.format, source.name) == ("Parquet, gzip", str(path))
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_detected_is_noted() -> None:
    notes = read_scores(text(";").encode("cp1252"), NOTHING).source.notes
    assert "encoding Windows-1252 (the bytes are not valid UTF-8)" in notes and "separator semicolon" in notes


def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(text("\t").encode()))))
    history = read_scores("-", NOTHING)
    assert (history.source.name, history.source.format, len(history.row)) == ("stdin", "TSV, gzip", 4)
    with pytest.raises(BadInput, match="one of the two files only"):
        read_inputs("-", "-", NOTHING)


def test_a_table_in_memory_has_the_hash_of_its_arrow_form() -> None:
    one, again = read_scores(TABLE, NOTHING).source, read_scores(pa.table(COLUMNS), NOTHING).source
    other = read_scores(TABLE.slice(1), NOTHING).source
    assert one.name == "scores" and one.sha256 == again.sha256 != other.sha256


def test_whole_numbers_that_a_missing_neighbour_made_floats_stay_whole() -> None:
    frame = pd.DataFrame({"account": [22.0, np.nan, 22.0], "date": ["2026-01-01", "2026-01-02", "2026-01-03"], "score": [1, 2, 3]})
    history = read_scores(frame, NOTHING)
    assert history.account.names == ("22",) and history.row.tolist() == [2, 4]


def test_a_dictionary_that_holds_a_word_twice_or_none_is_one_word() -> None:
    accounts = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), pa.array(["A", " A", "A", None]))
    table = pa.table({"account": accounts, "date": [f"2026-01-0{i}" for i in range(1, 5)], "score": [1, 2, 3, 4]})
    history = read_scores(table, NOTHING)
    assert (history.account.names, history.account.codes.tolist()) == (("A",), [0, 0, 0])
    assert [rejection.code for rejection in history.source.rejections] == ["no_account"]


def test_a_spreadsheets_separator_line_is_obeyed_and_blank_lines_before_the_header_passed_over() -> None:
    history = read_scores(b"sep=;\r\naccount;date;score\r\nA,1;2026-01-01;5\r\n", NOTHING)
    assert history.account.names == ("A,1",) and history.row.tolist() == [3]
    assert read_scores(b"\n\naccount,date,score\nA,2026-01-01,5\n", NOTHING).row.tolist() == [4]


def test_nested_columns_are_noted_and_not_read() -> None:
    table = TABLE.append_column("tags", pa.array([["a"], [], None, ["b"]]))
    assert any("'tags'" in note for note in read_scores(table, NOTHING).source.notes)


REFUSED: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "the file is empty"),
    "only blank lines": (b"\n \r\n\n", "the file is empty"),
    "only a header": (b"account,date,score\n", "there is a header but no row"),
    "a header without a line end": (b"account,date,score", "there is a header but no row"),
    "binary rubbish": (bytes(range(256)) * 20, "this is no text"),
    "a torn archive": (b"PK\x03\x04rest", "the zip archive or workbook is damaged"),
    "an old workbook, torn": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "the workbook is damaged"),
    "a web page": (b"<html><table><tr><td>account</td></tr></table></html>", "looks like HTML or XML"),
    "UTF-32": (text().encode("utf-32"), "the text is in UTF-32"),
    "a PDF": (b"%PDF-1.7 ...", "this is a PDF"),
    "gzip in gzip": (gzip.compress(gzip.compress(text().encode())), "an archive within an archive"),
    "damaged gzip": (gzip.compress(b"account,date,score\n" * 99)[:-9], "the gzip file is damaged"),
    "gzip of rubbish": (b"\x1f\x8b\x08garbage", "the gzip file is damaged"),
    "damaged Parquet": (parquet(TABLE)[:-20], "the Parquet file is damaged or cut off"),
    "half of UTF-16": (b"\xff\xfea\x00b", "marked as UTF-16, but not all of it is"),
    "an open quote": (b'account,date,score,x\nA,2026-01-01,5,"never\nB,2026-01-01,5,x\n', "a quote is opened in this row and never closed"),
    "an open quote early": (b'account,date,score\nA,"2026-01-01,5\nB,2026-01-02,6\n', "a quote is opened in this row and never closed"),
    "another separator below": (b"account,date,score\nA;2026-01-01;5\nB;2026-01-02;5\n", "another number of cells than the header"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_in_one_clear_sentence(case: str) -> None:
    raw, message = REFUSED[case]
    with pytest.raises(BadInput, match=message) as caught:
        read_scores(raw, NOTHING)
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].where.startswith("scores")


NO_TABLES = (None, 5, [1, 2], {"a": object()}, np.zeros(3), pd.DataFrame(), pa.table({"account": pa.array([], pa.string())}))


@pytest.mark.parametrize("source", NO_TABLES)
def test_what_is_not_even_a_file_is_refused(source: object) -> None:
    with pytest.raises(BadInput):
        read_scores(source, NOTHING)


def test_a_missing_file_and_an_empty_folder_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_inputs(tmp_path / "none.csv", tmp_path, NOTHING)
    assert [(fault.code, fault.message) for fault in caught.value.faults] == [
        ("no_such_file", "there is no such file."), ("no_such_file", "the folder holds no file that could be a table."),
    ]  # fmt: skip


def test_an_archive_of_several_tables_names_them() -> None:
    with pytest.raises(BadInput, match=r"holds 2 files \('a.csv', 'b.csv'\), and one table is wanted"):
        read_scores(zipped({"a.csv": b"x", "b.csv": b"y"}), NOTHING)


@pytest.mark.parametrize(
    ("entry", "what"), [("xl/workbook.bin", "a binary workbook"), ("word/document.xml", "Word"), ("ppt/presentation.xml", "PowerPoint")]
)
def test_what_office_programs_keep_in_archives_is_called_by_its_name(entry: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read_scores(zipped({entry: b"x"}), NOTHING)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped({"scores.csv": content})])
def test_a_file_that_inflates_out_of_all_proportion_is_refused(pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    long = text().encode() * 2_000
    assert len(pack(long)) * archives.MOST_RATIO < len(long)
    read_scores(pack(long), NOTHING)  # large as it gets, it is below the bound in bytes
    monkeypatch.setattr(archives, "MOST_INFLATED_BYTES", len(long) - 1)
    with pytest.raises(BadInput, match="inflates to more than"):
        read_scores(pack(long), NOTHING)


def test_a_file_is_not_copied_into_memory_to_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[pa.Buffer] = []
    path = tmp_path / "scores.csv"
    path.write_text(text())
    monkeypatch.setattr(files, "parse_delimited", lambda buffer, name: seen.append(buffer) or parse_delimited(buffer, name))
    allocated = pa.total_allocated_bytes()
    read_scores(path, NOTHING)
    with path.open("r+b") as file:  # what is mapped shows what is written to the file
        file.write(b"ACCOUNT")
    assert seen[0][:7].to_pybytes() == b"ACCOUNT" and pa.total_allocated_bytes() <= allocated + len(text()) * 100


def test_lines_above_the_header_are_passed_over_and_rows_keep_their_numbers() -> None:
    lines = 'Report: "Health, all"\nGenerated;2026-01-01\n\naccount;date;score\nA;2026-01-01;5\nB;2026-01-02;x\nC;2026-01-02;7;9\n'
    lines += "".join(f"D{i};2026-01-02;{i}\n" for i in range(9))
    history = read_scores(lines.encode(), NOTHING, "report.csv")
    assert history.row.tolist() == [5, *range(8, 17)] and "lines above the header in row 4 not read: 3" in history.source.notes
    assert {r.code: r.rows.tolist() for r in history.source.rejections} == {"malformed_row": [7], "unreadable_score": [6]}


def test_totals_notes_and_a_header_that_comes_again_are_set_aside_with_their_reasons() -> None:
    rows = "account,date,score\nA,2026-01-01,5\naccount,date,score\nTotal,2026-01-02,6\nGrand total,,11\n,,\nExported by the CS team,,\n"
    history = read_scores(rows.encode(), NOTHING)
    assert {r.reason: r.rows.tolist() for r in history.source.rejections} == {
        "the header again": [3], "totals row": [5], "blank line": [6], "note below the table": [7],
    }  # fmt: skip
    assert history.row.tolist() == [2, 4]  # an account may be called Total: its score is dated


def test_categories_of_polars_are_read_as_their_text() -> None:
    words = ["A", "B", "A", None]
    for kind in (pl.Categorical, pl.Enum(["A", "B"])):
        table = open_table(pl.DataFrame({"account": pl.Series(words, dtype=kind)}), "scores")
        assert table.columns[0].to_pylist() == words
        held = io.BytesIO()
        pl.DataFrame({"account": pl.Series(words, dtype=kind)}).write_parquet(held)
        assert open_table(held.getvalue(), "scores").columns[0].to_pylist() == words
