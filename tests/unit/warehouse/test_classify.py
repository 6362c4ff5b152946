"""What a row of a file is to the book: new, changed, unchanged, or in conflict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.warehouse.loaded_books import (
    ACCOUNTS,
    DATED_ACCOUNTS,
    DATED_TICKETS,
    PURCHASES,
    TICKETS,
    book,
    counts,
    day,
    load,
    read,
    tickets,
    write,
)

STATUS = "SELECT ticket_id, status FROM tickets ORDER BY 1"
DATED_HEADER = "account,ticket,opened,status,priority,updated"


def test_rows_with_a_key_are_new_once_then_unchanged_or_changed(tmp_path: Path) -> None:
    first = tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,low", "1,t2,2024-01-02,open,low")
    second = tickets(tmp_path / "b.csv", "1,t1,2024-01-01,closed,low", "1,t2,2024-01-02,open,low", "2,t3,2024-01-05,open,")
    with book(tmp_path) as catalog:
        assert counts(load(catalog, "2024-02-01", (first, TICKETS))) == ((2, 2, 0, 0, 0),)
        assert counts(load(catalog, "2024-03-01", (second, TICKETS))) == ((3, 1, 1, 1, 0),)
        assert read(catalog, STATUS) == [("t1", "closed"), ("t2", "open"), ("t3", "open")]


def test_a_history_is_known_as_it_happens_and_a_change_when_it_is_received(tmp_path: Path) -> None:
    first, second = tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,low"), tickets(tmp_path / "b.csv", "1,t1,2024-01-01,closed,low")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (first, TICKETS))
        load(catalog, "2024-03-01", (second, TICKETS))
        assert read(catalog, STATUS, day("2024-01-01")) == []
        assert read(catalog, STATUS, day("2024-01-02")) == [("t1", "open")]
        assert read(catalog, STATUS, day("2024-03-01")) == [("t1", "open")]
        assert read(catalog, STATUS, day("2024-03-02")) == [("t1", "closed")]


def test_what_is_received_counts_as_known_on_receipt_where_the_mapping_says_so(tmp_path: Path) -> None:
    file = tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,low")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (file, replace(TICKETS, known="received")))
        assert read(catalog, STATUS, day("2024-02-01")) == []
        assert read(catalog, STATUS, day("2024-02-02")) == [("t1", "open")]


def test_what_is_still_to_come_is_known_since_its_receipt(tmp_path: Path) -> None:
    for mapping, file in (
        (TICKETS, tickets(tmp_path / "t.csv", "1,t1,2025-01-01,planned,low")),
        (PURCHASES, write(tmp_path / "p.csv", "account,day,amount,product", "1,2025-01-01,5,a")),
    ):
        (tmp_path / mapping.table).mkdir()
        with book(tmp_path / mapping.table) as catalog:
            load(catalog, "2024-02-01", (file, mapping))
            assert read(catalog, f"SELECT known_at FROM {mapping.table}") == [(day("2024-02-01"),)]


def test_the_day_given_for_the_receipt_stands_for_it(tmp_path: Path) -> None:
    file = tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,low")
    with book(tmp_path) as catalog:
        load(catalog, "2024-05-01", (file, replace(TICKETS, known="received")), known_at=day("2024-02-01"))
        assert read(catalog, STATUS, day("2024-02-02")) == [("t1", "open")]


def test_equal_rows_of_a_load_count_once_and_unequal_ones_are_all_rejected(tmp_path: Path) -> None:
    first = tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,low", "1,t1,2024-01-01,open,low", "1,t2,2024-01-01,open,low")
    second = tickets(tmp_path / "b.csv", "1,t2,2024-01-01,closed,low", "1,t1,2024-01-01,open,low", "1,t3,2024-01-01,open,")
    with book(tmp_path) as catalog:
        result = load(catalog, "2024-02-01", (first, TICKETS), (second, TICKETS))
        assert counts(result) == ((3, 1, 0, 1, 1), (3, 1, 0, 1, 1))
        assert [code for source in result.sources for code, _, _ in source.rejected] == ["conflict", "conflict"]
        assert read(catalog, STATUS) == [("t1", "open"), ("t3", "open")]
        kept = read(catalog, 'SELECT "table", code, "column", value, source_row, cells FROM rejected ORDER BY source_file')
        assert [row[:5] for row in kept] == [("tickets", "conflict", "ticket", "t2", 4), ("tickets", "conflict", "ticket", "t2", 2)]
        assert '"status": "closed"' in kept[1][5]


def test_empty_values_are_equal_to_each_other_and_to_nothing_else(tmp_path: Path) -> None:
    first = tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,", "1,t2,2024-01-01,open,low")
    second = tickets(tmp_path / "b.csv", "1,t1,2024-01-01,open,", "1,t2,2024-01-01,open,", "")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (first, TICKETS))
        assert counts(load(catalog, "2024-03-01", (second, TICKETS)))[0][1:4] == (0, 1, 1)


def test_versions_that_say_when_they_were_known_are_taken_in_any_order(tmp_path: Path) -> None:
    late = write(tmp_path / "a.csv", DATED_HEADER, "1,t1,2024-01-01,closed,low,2024-01-20")
    early = write(tmp_path / "b.csv", DATED_HEADER, "1,t1,2024-01-01,open,low,2024-01-02", "1,t1,2024-01-01,held,low,2024-01-10")
    with book(tmp_path) as catalog:
        assert counts(load(catalog, "2024-02-01", (late, DATED_TICKETS))) == ((1, 1, 0, 0, 0),)
        assert counts(load(catalog, "2024-02-02", (early, DATED_TICKETS))) == ((2, 0, 2, 0, 0),)
        seen = [read(catalog, STATUS, day(at)) for at in ("2024-01-02", "2024-01-03", "2024-01-11", "2024-01-21")]
        assert seen == [[], [("t1", "open")], [("t1", "held")], [("t1", "closed")]]


def test_two_values_known_at_the_same_time_are_rejected_within_a_load_and_against_the_book(tmp_path: Path) -> None:
    inside = write(tmp_path / "a.csv", DATED_HEADER, "1,t1,2024-01-01,open,,2024-01-02", "1,t1,2024-01-01,held,,2024-01-02",
                   "1,t2,2024-01-01,open,,2024-01-02")  # fmt: skip
    against = write(tmp_path / "b.csv", DATED_HEADER, "1,t2,2024-01-01,held,,2024-01-02", "1,t3,2024-01-01,open,,2024-01-02")
    with book(tmp_path) as catalog:
        first = load(catalog, "2024-02-01", (inside, DATED_TICKETS))
        assert (counts(first), first.sources[0].rejected[0][0]) == (((3, 1, 0, 0, 2),), "two_values")
        second = load(catalog, "2024-02-02", (against, DATED_TICKETS))
        assert (counts(second), second.sources[0].rejected[0][0]) == (((2, 1, 0, 0, 1),), "two_values")
        assert read(catalog, STATUS) == [("t2", "open"), ("t3", "open")]


def test_nothing_is_known_before_it_is_received(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", DATED_HEADER, "1,t1,2024-01-01,open,,2024-03-02", "1,t2,2024-01-01,open,,2024-02-01")
    events = write(tmp_path / "p.csv", "account,day,amount,product,seen", "1,2024-01-01,5,a,2024-03-02", "1,2024-01-01,5,b,2024-01-03")
    seen = replace(PURCHASES, columns={**PURCHASES.columns, "known_at": "seen"})
    with book(tmp_path) as catalog:
        result = load(catalog, "2024-02-01", (file, DATED_TICKETS), (events, seen))
        assert counts(result) == ((2, 1, 0, 0, 1), (2, 1, 0, 0, 1))
        assert {source.rejected[0][0] for source in result.sources} == {"known_in_future"}


def test_a_statement_without_a_date_counts_from_its_receipt_and_only_where_it_says_something_else(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "account,plan,seats", "1,basic,5", "2,basic,1")
    second = write(tmp_path / "b.csv", "account,plan,seats", "1,pro,5", "2,basic,1")
    back = write(tmp_path / "c.csv", "account,plan,seats", "1,basic,5", "3,basic,1")
    with book(tmp_path) as catalog:
        found = [counts(load(catalog, f"2024-0{n}-01", (file, ACCOUNTS)))[0] for n, file in enumerate((first, second, back), 2)]
        assert found == [(2, 2, 0, 0, 0), (2, 0, 1, 1, 0), (2, 1, 1, 0, 0)]
        plans = [read(catalog, "SELECT plan FROM accounts WHERE account_id = '1'", day(f"2024-0{n}-02")) for n in (2, 3, 4)]
        assert plans == [[("basic",)], [("pro",)], [("basic",)]]
        version = catalog.current()
        assert version is not None
        assert version.tables[0].several_versions is False  # every statement is there in one version


def test_a_snapshot_of_the_same_bytes_is_another_statement_only_with_a_day_of_its_own(tmp_path: Path) -> None:
    first, second = (write(tmp_path / f"{plan}.csv", "account,plan,seats", f"1,{plan},5") for plan in ("basic", "pro"))
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (first, ACCOUNTS))
        load(catalog, "2024-03-01", (second, ACCOUNTS))
        again = load(catalog, "2024-05-01", (first, ACCOUNTS))
        assert (counts(again), again.version) == (((1, 0, 0, 1, 0),), None)
        assert "load it with `--known-at` and its day" in again.sources[0].notes[1]
        for expected in ((1, 0, 1, 0, 0), (1, 0, 0, 1, 0)):
            assert counts(load(catalog, "2024-05-01", (first, ACCOUNTS), known_at=day("2024-04-01"))) == (expected,)
        assert [read(catalog, "SELECT plan FROM accounts", day(at)) for at in ("2024-03-02", "2024-04-02")] == [[("pro",)], [("basic",)]]


def test_dated_statements_are_identified_by_thing_and_date(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "account,plan,seats,from", "1,basic,5,2024-01-01", "1,pro,5,2024-02-01")
    second = write(tmp_path / "b.csv", "account,plan,seats,from", "1,pro,5,2024-02-01", "1,max,5,2024-03-01", "1,free,5,2024-01-01")
    with book(tmp_path) as catalog:
        assert counts(load(catalog, "2024-04-01", (first, DATED_ACCOUNTS))) == ((2, 2, 0, 0, 0),)
        assert counts(load(catalog, "2024-04-02", (second, DATED_ACCOUNTS))) == ((3, 1, 1, 1, 0),)
        plans = [read(catalog, "SELECT plan FROM accounts", day(at)) for at in ("2024-01-15", "2024-02-15", "2024-03-15")]
        assert plans == [[("basic",)], [("pro",)], [("max",)]]


def test_rows_without_a_key_are_new_in_a_file_never_seen_and_equal_ones_of_other_files_are_told(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "account,day,amount,product", "1,2024-01-01,5,a", "1,2024-01-01,5,a", "1,2024-01-09,6,b")
    second = write(tmp_path / "b.csv", "account,day,amount,product", "1,2024-01-01,5,a", "1,2024-01-03,7,c")
    with book(tmp_path) as catalog:
        assert counts(load(catalog, "2024-02-01", (first, PURCHASES))) == ((3, 3, 0, 0, 0),)
        result = load(catalog, "2024-02-02", (second, PURCHASES))
        assert counts(result) == ((2, 2, 0, 0, 0),)
        assert "purchases: 1 rows of b.csv are equal in every column to rows of a.csv; both are kept" in result.notes
        assert read(catalog, "SELECT count(*), sum(amount)::DOUBLE FROM purchases") == [(5, 28.0)]


def test_a_file_without_a_key_that_is_mapped_otherwise_is_compared_row_by_row(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "account,day,amount,product,kind", "1,2024-01-01,5,a,x", "1,2024-01-02,6,b,")
    wider = replace(PURCHASES, columns={**PURCHASES.columns, "kind": "kind"}, kinds={"kind": "text"})
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (file, PURCHASES))
        assert counts(load(catalog, "2024-02-02", (file, wider))) == ((2, 0, 1, 1, 0),)
        assert read(catalog, "SELECT product, kind FROM purchases ORDER BY 1") == [("a", "x"), ("b", None)]
        assert counts(load(catalog, "2024-02-03", (file, PURCHASES))) == ((2, 0, 1, 1, 0),)
