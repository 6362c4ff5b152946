"""From a company's file to typed rows: every row comes out, with the right value or with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.typed import REJECTED_COLUMNS, TypedPart, TypedSource, arrow_schema, open_typed
from unspun.errors import BadInput

SUBSCRIPTIONS = SourceMapping(
    ("*",),
    "subscriptions",
    {"account_id": "Account", "started": "Start", "ended": "End", "amount": "MRR", "note": "Note"},
    amount_months=1.0,
)
BERLIN = BookDefinition((), time_zone="Europe/Berlin", currency="EUR")
HEADER = "Account,Start,End,MRR,Note\n"
GOOD = "".join(f"A{i},2025-01-{i:02},2025-12-31,{i}.50,n\n" for i in range(1, 21))


def _open(path: Path, mapping: SourceMapping = SUBSCRIPTIONS, definition: BookDefinition = BERLIN) -> TypedSource:
    return open_typed(str(path), mapping, definition)


def _csv(folder: Path, text: str, name: str = "book.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _read(source: TypedSource) -> tuple[pa.Table, pa.Table]:
    parts = list(source.parts())
    return pa.concat_tables([part.rows for part in parts]), pa.concat_tables([part.rejected for part in parts])


def _faults(path: Path, mapping: SourceMapping = SUBSCRIPTIONS, definition: BookDefinition = BERLIN) -> list[str]:
    with pytest.raises(BadInput) as caught:
        _read(_open(path, mapping, definition))
    return [fault.code for fault in caught.value.faults]


def test_a_row_comes_out_with_its_place_its_time_and_the_constants_of_its_mapping(tmp_path: Path) -> None:
    rows, rejected = _read(_open(_csv(tmp_path, HEADER + "A1,2025-07-01,,1200.5,n\n")))
    first = ["happened_at", "known_at", "happened_zone", "source_row"]
    assert rows.column_names == [*first, "account_id", "started", "ended", "amount", "note", "amount_months", "currency"]
    row = rows.to_pylist()[0]
    assert str(row["happened_at"]) == "2025-06-30 22:00:00+00:00"  # midnight in Berlin
    assert (row["known_at"], row["happened_zone"], row["source_row"]) == (None, "Europe/Berlin", 2)
    assert (str(row["started"]), row["ended"], str(row["amount"])) == ("2025-07-01", None, "1200.5000")
    assert (row["amount_months"], row["currency"]) == (1.0, "EUR")
    assert rejected.schema == arrow_schema(REJECTED_COLUMNS)


@pytest.mark.parametrize(
    ("line", "code", "column", "value"),
    [
        (",2025-01-05,,5,n", "no_account", "Account", None),
        ("A1,,,5,n", "no_date", "Start", None),
        ("A1,2025-02-30,,5,n", "unreadable_date", "Start", "2025-02-30"),
        ("A1,1901-01-01,,5,n", "impossible_date", "Start", "1901-01-01"),
        ("A1,2025-01-05,,five,n", "unreadable_amount", "MRR", "five"),
        ("A1,2025-01-05,,100000000000000,n", "amount_out_of_range", "MRR", "100000000000000"),
        ("A1,2025-01-05,,-5,n", "negative_amount", "MRR", "-5"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_keeps_all_of_its_cells(
    tmp_path: Path, line: str, code: str, column: str, value: str | None
) -> None:
    source = _open(_csv(tmp_path, HEADER + GOOD + line + "\n"))
    rows, rejected = _read(source)
    assert (len(rows), len(rejected), source.rows_read) == (20, 1, 21)
    row = rejected.to_pylist()[0]
    assert (row["table"], row["code"], row["column"], row["value"], row["source_row"]) == ("subscriptions", code, column, value, 22)
    assert json.loads(row["cells"]) == dict(zip(HEADER.strip().split(","), [cell or None for cell in line.split(",")], strict=True))


def test_lines_that_are_no_rows_are_rejected_too(tmp_path: Path) -> None:
    text = HEADER + GOOD + "\nA1,2025-01-05\nAccount,Start,End,MRR,Note\nTotal,,,999,\n"
    source = _open(_csv(tmp_path, text))
    rows, rejected = _read(source)
    assert len(rows) + len(rejected) == source.rows_read == 24
    found = {row["code"]: row for row in rejected.to_pylist()}
    assert {code: row["source_row"] for code, row in found.items()} == {
        "blank_line": 22, "malformed_row": 23, "repeated_header": 24, "totals_row": 25,
    }  # fmt: skip
    assert json.loads(found["malformed_row"]["cells"]) == {"": "A1,2025-01-05"}
    assert json.loads(found["totals_row"]["cells"])["MRR"] == "999"


def test_all_faults_of_a_mapping_are_told_together(tmp_path: Path) -> None:
    wrong = replace(
        SUBSCRIPTIONS,
        columns={"account_id": "Acount", "started": "Start", "amount": "MMR"},
        values={"is_addon": "perhaps"},
        time_zone="Berlin",
    )
    with pytest.raises(BadInput) as caught:
        _open(_csv(tmp_path, HEADER + GOOD), wrong)
    assert {fault.code for fault in caught.value.faults} == {"unknown_time_zone", "no_such_column", "bad_constant"}
    fault = next(fault for fault in caught.value.faults if fault.code == "no_such_column")
    assert "'Acount'" in fault.message and "'MMR'" in fault.message and "'Note'" in fault.message
    assert "Did you mean 'Account'?" in fault.hint


def test_a_title_above_the_header_does_not_hide_what_is_wrong_with_the_mapping(tmp_path: Path) -> None:
    wrong = replace(SUBSCRIPTIONS, columns={**SUBSCRIPTIONS.columns, "account_id": "Acount"})
    path = _csv(tmp_path, "Export of today\n" + HEADER + GOOD)
    assert _faults(path, wrong) == ["no_such_column"]
    assert len(_read(_open(path))[0]) == 20


def test_a_column_that_the_table_needs_must_be_mapped(tmp_path: Path) -> None:
    without = replace(SUBSCRIPTIONS, columns={"account_id": "Account"}, key=("number",))
    with pytest.raises(BadInput) as caught:
        _open(_csv(tmp_path, HEADER + GOOD), without)
    assert [fault.code for fault in caught.value.faults] == ["unmapped_column"]
    assert "'started'" in str(caught.value) and "'number'" in str(caught.value)


def test_columns_nobody_mapped_are_listed_and_ignored_ones_are_not(tmp_path: Path) -> None:
    few = replace(SUBSCRIPTIONS, columns={"account_id": "Account", "started": "Start"}, ignored=("note",))
    assert _open(_csv(tmp_path, HEADER + GOOD), few).unlisted == ("End", "MRR")


def test_a_column_of_which_more_than_a_fifth_cannot_be_read_is_a_fault_of_the_file(tmp_path: Path) -> None:
    good = [f"A{i},2025-01-0{i},,5,n\n" for i in range(1, 9)]
    assert _faults(_csv(tmp_path, HEADER + "".join(good) + "B,soon,,5,n\n" * 3)) == ["unreadable_column"]
    rows, rejected = _read(_open(_csv(tmp_path, HEADER + "".join(good) + "B,soon,,5,n\n" * 2)))
    assert (len(rows), len(rejected)) == (8, 2)


def test_a_file_no_row_of_which_can_be_used_is_a_fault(tmp_path: Path) -> None:
    assert _faults(_csv(tmp_path, HEADER + ",2025-01-01,,5,n\n")) == ["no_usable_rows"]


def test_dates_that_can_be_read_two_ways_are_a_fault_until_the_mapping_says(tmp_path: Path) -> None:
    path = _csv(tmp_path, HEADER + "A1,01/02/2025,,5,n\nA2,03/04/2025,,5,n\n")
    assert _faults(path) == ["ambiguous_dates"]
    rows, _ = _read(_open(path, replace(SUBSCRIPTIONS, date_format="%m/%d/%Y")))
    assert [str(day) for day in rows["started"].to_pylist()] == ["2025-01-02", "2025-03-04"]


def test_an_open_term_may_be_written_as_a_year_that_never_comes(tmp_path: Path) -> None:
    rows, rejected = _read(_open(_csv(tmp_path, HEADER + "A1,2025-01-02,9999-12-31,5,n\n")))
    assert rows["ended"].to_pylist() == [None] and len(rejected) == 0


def test_a_month_is_its_last_day_where_nobody_can_have_known_it_earlier(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "scores", {"account_id": "a", "dated": "when", "value": "v"}, values={"score": "health"})
    rows, _ = _read(_open(_csv(tmp_path, "a,when,v\nA,2025-02,1\n"), mapping, BookDefinition(())))
    assert str(rows["dated"][0].as_py()) == "2025-02-28 00:00:00+00:00"
    rows, _ = _read(_open(_csv(tmp_path, HEADER + "A,2025-02,2025-04,5,n\n")))
    assert (str(rows["started"][0].as_py()), str(rows["ended"][0].as_py())) == ("2025-02-01", "2025-04-30")


def test_a_renewal_happened_when_it_was_decided_else_when_it_was_due(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "renewals", {"account_id": "a", "due": "due", "decided": "decided", "outcome": "o"})
    text = "a,due,decided,o\nA,2025-03-01,2025-02-01 10:00,Closed Won\nB,2025-03-01,,\n"
    rows, _ = _read(_open(_csv(tmp_path, text), mapping, BookDefinition(())))
    assert [str(moment)[:16] for moment in rows["happened_at"].to_pylist()] == ["2025-02-01 10:00", "2025-03-01 00:00"]
    assert rows["outcome"].to_pylist() == ["renewed", "undecided"]


def test_a_word_for_an_outcome_is_explained_by_the_mapping_or_is_a_fault(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "renewals", {"account_id": "a", "due": "due", "outcome": "o"})
    path = _csv(tmp_path, "a,due,o\nA,2025-03-01,gekündigt\nB,2025-03-01,won\n")
    assert _faults(path, mapping) == ["unknown_outcomes"]
    rows, _ = _read(_open(path, replace(mapping, words={"outcome": {"Gekündigt": "churned"}})))
    assert rows["outcome"].to_pylist() == ["churned", "renewed"]


def test_flags_are_read_by_the_mappings_words(tmp_path: Path) -> None:
    mapping = SourceMapping(
        ("*",), "subscriptions", {"account_id": "a", "started": "s", "is_addon": "f"}, words={"is_addon": {"J": "yes", "N": "no", "?": ""}}
    )
    lines = "".join(f"{i},2025-01-01,{flag}\n" for i, flag in enumerate(["j", "N", "?", "", "yes", "add-on", "perhaps"]))
    rows, rejected = _read(_open(_csv(tmp_path, f"a,s,f\n{lines}"), mapping))
    assert rows["is_addon"].to_pylist() == [True, False, None, None, True, True]
    assert [row["code"] for row in rejected.to_pylist()] == ["unreadable_flag"]


def test_a_state_table_without_dates_has_rows_that_happened_on_receipt(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "accounts", {"account_id": "id", "segment": "seg"})
    path = _csv(tmp_path, "id,seg,since\nA,big,2025-01-01\nB,n/a,\n")
    rows, rejected = _read(_open(path, mapping))
    assert rows["happened_at"].to_pylist() == [None, None] and rows["segment"].to_pylist() == ["big", None] and not len(rejected)
    rows, rejected = _read(_open(path, replace(mapping, columns={**mapping.columns, "dated": "since"})))
    assert (len(rows), rejected["code"].to_pylist()) == (1, ["no_date"])


def test_what_somebody_said_is_kept_where_it_is_a_word_for_nothing(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "responses", {"account_id": "a", "answered": "d", "verbatim": "v", "survey": "s"})
    rows, _ = _read(_open(_csv(tmp_path, "a,d,v,s\nA,2025-01-01,None,n/a\n"), mapping))
    assert (rows["verbatim"].to_pylist(), rows["survey"].to_pylist()) == (["None"], [None])


def test_rows_without_a_part_of_their_key_are_rejected(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "forecasts", {"account_id": "a", "due": "due", "made": "m", "made_by": "by"})
    text = "a,due,m,by\nA,2025-05-01,2025-01-01,Ann\nA,,2025-01-01,Ann\nA,2025-05-01,2025-01-01,\n"
    rows, rejected = _read(_open(_csv(tmp_path, text), mapping))
    assert len(rows) == 1
    assert [(row["code"], row["column"]) for row in rejected.to_pylist()] == [("no_key", "due"), ("no_key", "by")]


def test_ids_are_text_and_whole_numbers_lose_the_point_that_a_gap_gave_them(tmp_path: Path) -> None:
    mapping = SourceMapping(("*",), "events", {"account_id": "a", "occurred": "t", "user_id": "u", "event": "e"})
    frame = pd.DataFrame(
        {"a": [7.0, 12345678901.0, None, 1.5], "t": pd.to_datetime(["2025-01-01"] * 4), "u": [1, 2, 3, 4], "e": ["1.0"] * 4}
    )
    frame.to_parquet(tmp_path / "e.parquet")
    frame.to_csv(tmp_path / "e.csv", index=False)
    for name in ("e.parquet", "e.csv"):
        rows, rejected = _read(_open(tmp_path / name, mapping))
        assert rows["account_id"].to_pylist() == ["7", "12345678901", "1.5"]
        assert rows["user_id"].to_pylist() == ["1", "2", "4"] and rows["event"].to_pylist() == ["1.0"] * 3
        assert rejected["code"].to_pylist() == ["no_account"]
    source = _open(_csv(tmp_path, "a,t,u,e\n1.23457E+11,2025-01-01,1,x\n007,2025-01-01,1,x\n"), mapping)
    assert _read(source)[0]["account_id"].to_pylist() == ["1.23457E+11", "007"]
    assert any("scientific notation" in note for note in source.notes)


def test_mended_rows_say_which_rejected_row_they_take_the_place_of(tmp_path: Path) -> None:
    text = (
        "unspun_load,unspun_file,unspun_row,unspun_reason,"
        + HEADER
        + "3,1,22,bad,A1,2025-01-01,,5,n\n,,,,A2,2025-01-01,,5,n\n4,1,7,x,,2025-01-01,,5,n\n"
    )
    source = _open(_csv(tmp_path, text))
    assert source.unlisted == ()
    parts = list(source.parts())
    assert parts[0].mends is not None
    assert parts[0].mends.to_pylist() == [{"load": 3, "file": 1, "row": 22}, {"load": None, "file": None, "row": None}]
    assert all(part.mends is None for part in _open(_csv(tmp_path, HEADER + GOOD)).parts())


def test_the_rows_of_several_sheets_have_numbers_of_their_own(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for i, name in enumerate(("2024", "2025")):
        sheet = book.create_sheet(name)
        sheet.append(HEADER.strip().split(","))
        for j in range(3):
            sheet.append([f"A{i}{j}", f"{name}-01-01", "", 5 + j, "n"])
    del book["Sheet"]
    book.save(tmp_path / "b.xlsx")
    rows, _ = _read(_open(tmp_path / "b.xlsx"))
    assert rows["source_row"].to_pylist() == [2, 3, 4, 6, 7, 8]


def test_a_table_with_a_column_a_month_needs_a_key(tmp_path: Path) -> None:
    path = _csv(tmp_path, "account,2025-01,2025-02\nA,1,2\nB,3,4\n")
    mapping = SourceMapping(("*",), "scores", {"account_id": "account", "dated": "date", "value": "score"})
    assert _faults(path, mapping) == ["no_key"]
    rows, _ = _read(_open(path, replace(mapping, values={"score": "health"}), BookDefinition(())))
    assert sorted((row["account_id"], str(row["dated"])[:10], row["value"]) for row in rows.to_pylist()) == [
        ("A", "2025-01-31", 1.0), ("A", "2025-02-28", 2.0), ("B", "2025-01-31", 3.0), ("B", "2025-02-28", 4.0),
    ]  # fmt: skip


CELLS = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(-(10**20), 10**20).map(str),
    st.dates().map(str),
    st.sampled_from(["1,5", "2.50", "n/a", "yes"]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=12))
def test_every_row_of_any_table_comes_out_once_or_the_file_is_refused(tmp_path_factory: pytest.TempPathFactory, cells: list[tuple]) -> None:
    lines = [("A", "2025-01-05", "", "5", "")] * (4 * len(cells)) + cells
    table = pa.table({name: pa.array([line[i] for line in lines], pa.string()) for i, name in enumerate(HEADER.strip().split(","))})
    path = tmp_path_factory.mktemp("any") / "any.parquet"
    pq.write_table(table, path)
    try:
        source = _open(path)
        parts: list[TypedPart] = list(source.parts())
    except BadInput:
        return
    numbers = [n for part in parts for table in (part.rows, part.rejected) for n in table["source_row"].to_pylist()]
    assert sorted(numbers) == list(range(2, len(lines) + 2)) and source.rows_read == len(lines)
    for part in parts:
        assert part.rows.schema == parts[0].rows.schema
        assert part.rows["account_id"].null_count == part.rows["started"].null_count == part.rows["happened_at"].null_count == 0


def test_one_table_in_four_formats_gives_the_same_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "Account": ["A1", "A2", "7", "", "A5", "A6"],
            "Start": ["2025-01-05", "2025-02-28", "2024-02-29", "2025-01-01", "2025-01-01", "soon"],
            "End": ["2025-12-31", "", "2026-01-31", "", "", ""],
            "MRR": ["1200.50", "0.1", "0.00005", "5", "-1", "5"],
            "Note": ["ä", "x y", "", "n/a", "n", "n"],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t", encoding="utf-16")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.json", orient="records")
    found = []
    for name in ("t.csv", "t.tsv", "t.xlsx", "t.parquet", "t.json"):
        rows, rejected = _read(_open(tmp_path / name))
        found.append((rows.drop_columns(["source_row"]).to_pylist(), [row["code"] for row in rejected.to_pylist()]))
    assert found[0] == found[1] == found[2] == found[3] == found[4]
    assert found[0][1] == ["no_account", "negative_amount", "unreadable_date"]


def test_the_currency_of_an_amount_is_its_own_else_that_of_its_source(tmp_path: Path) -> None:
    text = HEADER + "A1,2025-01-05,,$5,n\nA2,2025-01-05,,5 GBP,n\nA3,2025-01-05,,5,n\n"
    path = _csv(tmp_path, text)
    for usual, expected in (("CAD", ["CAD", "GBP", "CAD"]), ("EUR", ["$", "GBP", "EUR"]), (None, ["$", "GBP", None])):
        source = _open(path, replace(SUBSCRIPTIONS, currency=usual), BookDefinition(()))
        assert _read(source)[0]["currency"].to_pylist() == expected
        assert any("only as '$'" in note for note in source.notes) == (usual != "CAD")
    mapped = replace(SUBSCRIPTIONS, columns={**SUBSCRIPTIONS.columns, "currency": "Note"})
    rows, _ = _read(_open(_csv(tmp_path, HEADER + "A1,2025-01-05,,$5,usd\nA2,2025-01-05,,5,\n"), mapped))
    assert rows["currency"].to_pylist() == ["USD", "EUR"] and rows.column_names.count("currency") == 1
