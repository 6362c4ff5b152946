"""Example rows as the page lays them out: files by name, and no more columns than say something."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from tests.unit.reports import check_sample as sample
from unspun.reports.check_html import render
from unspun.reports.check_rows import MOST_COLUMNS, example_cells, only_file, shown_columns

NAMES = {1: "accounts.csv", 3: "usage <b>.csv"}


def table(files: list[int], **columns: list[object]) -> pa.Table:
    return pa.table({"source_file": pa.array(files, pa.int64()), "source_row": pa.array(range(2, 2 + len(files)), pa.int64()), **columns})


def test_a_file_that_all_rows_stand_in_is_named_once() -> None:
    rows = table([3, 3])
    assert only_file(rows, NAMES) == "usage <b>.csv"
    assert shown_columns(rows, NAMES).column_names == ["source_row"]
    assert only_file(table([9]), NAMES) == ""  # a file that the report does not know
    assert only_file(rows.select(["source_row"]), NAMES) == ""


def test_rows_of_several_files_name_each_and_an_unknown_one_keeps_its_number() -> None:
    rows = table([1, 3, 9])
    shown = shown_columns(rows, NAMES)
    assert [[cell.text for cell in line] for line in example_cells(shown, "UTC", NAMES)] == [
        ["accounts.csv", "2"],
        ["usage <b>.csv", "3"],
        ["9", "4"],
    ]


def test_of_many_columns_those_that_are_empty_in_all_rows_are_left_out() -> None:
    empty: list[object] = [None, None]
    few = table([1, 3], value=[None, 2.0], nothing=empty)
    assert shown_columns(few, NAMES).column_names == few.column_names  # few enough: an empty one may be what is at fault
    many = table([1, 3], value=[None, 2.0], **{f"own_{n}": empty for n in range(MOST_COLUMNS)})
    assert shown_columns(many, NAMES).column_names == ["source_file", "source_row", "value"]


def test_the_page_says_of_which_file_the_rows_are_and_that_columns_are_left_out() -> None:
    empty: list[object] = [None] * 5
    wide = table([3] * 5, **{f"own_{n}": empty for n in range(MOST_COLUMNS)})
    report = sample.report(replace(sample.judged(sample.finding()), examples=wide))
    page = render(replace(report, source_names=NAMES))
    assert "in the query&#39;s order, of usage &lt;b&gt;.csv; columns that are empty in all of them are left out</caption>" in page
    assert "own_0" not in page
    assert "left out</caption>" not in render(replace(sample.report(sample.judged(sample.finding())), source_names=NAMES))
