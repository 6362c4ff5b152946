"""A load: all or nothing, idempotent, resumable, dry if asked, and clear about what stands in its way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.unit.warehouse.loaded_books import (
    ACCOUNTS,
    DATED_ACCOUNTS,
    DEFINITION,
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
from unspun.book.mapping.definition import SourceMapping
from unspun.errors import BadInput, UnspunError
from unspun.warehouse import load as loading
from unspun.warehouse import staging
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.load_rejected import MENDED_TABLE
from unspun.warehouse.undo import undo

ALL = "SELECT ticket_id, status, known_at FROM tickets_versions ORDER BY ALL"


def purchases(path: Path, *rows: str) -> Path:
    return write(path, "account,day,amount,product", *rows)


def two_files(folder: Path) -> tuple[tuple[Path, SourceMapping], ...]:
    return (
        (tickets(folder / "t.csv", "1,t1,2024-01-01,open,low", "1,t2,2024-01-02,open,low"), TICKETS),
        (purchases(folder / "p.csv", "1,2024-01-01,5,a", ",2024-01-02,5,a", "1,2024-01-03,6,a"), PURCHASES),
    )


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def stored_files(catalog: Catalog) -> set[str]:
    return {path.relative_to(catalog.folder).as_posix() for path in catalog.folder.glob("tables/*/*.parquet")}


def test_a_load_is_one_version_over_all_its_tables_with_its_counts_in_the_ledger(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        result = load(catalog, "2024-02-01", *two_files(tmp_path))
        assert counts(result) == ((2, 2, 0, 0, 0), (3, 2, 0, 0, 1))
        assert result.version is not None
        assert {table.name: table.rows for table in result.version.tables} == {"tickets": 2, "purchases": 2, "rejected": 1}
        assert (result.load, result.version.version, result.version.load) == (1, 1, 1)
        rows = catalog.connection.execute("SELECT body FROM ledger WHERE kind = 'load'").fetchall()
        assert len(rows) == 1
        assert [source["rows_read"] for source in json.loads(rows[0][0])["sources"]] == [2, 3]
        assert "t.csv" not in rows[0][0]


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    files = two_files(tmp_path)
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", *files)
        before = stored_files(catalog)
        again = load(catalog, "2024-02-02", *files)
        assert (counts(again), again.version, again.load) == (((2, 0, 0, 2, 0), (3, 0, 0, 3, 0)), None, None)
        assert all(source.already_loaded for source in again.sources)
        assert again.notes == ("nothing new: the book stays as it is",)
        assert (stored_files(catalog), len(catalog.versions())) == (before, 1)


def test_the_same_bytes_under_two_names_are_loaded_once(tmp_path: Path) -> None:
    first, second = (purchases(tmp_path / name, "1,2024-01-01,5,a") for name in ("a.csv", "b.csv"))
    with book(tmp_path) as catalog:
        assert counts(load(catalog, "2024-02-01", (first, PURCHASES), (second, PURCHASES))) == ((1, 1, 0, 0, 0), (1, 0, 0, 1, 0))
        assert read(catalog, "SELECT count(*) FROM purchases") == [(1,)]


def test_a_dry_run_counts_as_the_load_does_and_leaves_the_book_as_it_is(tmp_path: Path) -> None:
    files = two_files(tmp_path)
    more = (tickets(tmp_path / "t2.csv", "1,t1,2024-01-01,closed,low", "2,t9,2023-12-02,open,low"), TICKETS)
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", *files)
        state = (stored_files(catalog), catalog.versions(), catalog.load_lines(), catalog.source_files())
        others = (more, (purchases(tmp_path / "p2.csv", "1,2024-01-01,5,a", "2,2024-01-05,1,b"), PURCHASES))
        dry = load(catalog, "2024-03-01", *others, dry_run=True)
        assert (dry.dry_run, dry.load, dry.version) == (True, None, None)
        assert (stored_files(catalog), catalog.versions(), catalog.load_lines(), catalog.source_files()) == state
        real = load(catalog, "2024-03-01", *others)
        assert counts(dry) == counts(real) == ((2, 1, 1, 0, 0), (2, 2, 0, 0, 0))
        assert dry.notes == real.notes
        assert len(real.notes) == 3, "late tickets, late purchases, a purchase that is in another file too"


def test_rows_of_the_past_are_told_as_history(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (tickets(tmp_path / "a.csv", "1,t1,2024-01-10,open,"), TICKETS))
        result = load(catalog, "2024-02-02", (tickets(tmp_path / "b.csv", "1,t2,2024-01-05,open,", "1,t3,2024-01-20,open,"), TICKETS))
        assert result.notes[0].startswith("tickets: 1 new row happened before 2024-01-10")


def test_undo_then_load_again_gives_the_same_rows(tmp_path: Path) -> None:
    files = two_files(tmp_path)
    change = (tickets(tmp_path / "t2.csv", "1,t1,2024-01-01,closed,low"), TICKETS)
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", *files)
        before = read(catalog, ALL)
        load(catalog, "2024-03-01", change)
        after = read(catalog, ALL)
        undo(catalog, day("2024-03-02"))
        assert read(catalog, ALL) == before
        assert counts(load(catalog, "2024-03-01", change)) == ((1, 0, 1, 0, 0),)
        assert read(catalog, ALL) == after


def test_a_column_that_is_added_is_empty_in_older_rows(tmp_path: Path) -> None:
    wider = replace(TICKETS, columns={**TICKETS.columns, "team": "team"}, kinds={"team": "text"})
    second = write(tmp_path / "b.csv", "account,ticket,opened,status,priority,team", "1,t2,2024-01-05,open,low,red")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (tickets(tmp_path / "a.csv", "1,t1,2024-01-01,open,low"), TICKETS))
        load(catalog, "2024-02-02", (second, wider))
        assert read(catalog, "SELECT ticket_id, team FROM tickets ORDER BY 1") == [("t1", None), ("t2", "red")]


def test_another_kind_or_key_is_refused_for_all_sources_together(tmp_path: Path) -> None:
    number = replace(TICKETS, columns={**TICKETS.columns, "team": "team"}, kinds={"team": "whole"}, line=12)
    keyed = replace(PURCHASES, key=("product",), line=20)
    text = replace(number, kinds={"team": "text"})
    with book(tmp_path) as catalog:
        header = "account,ticket,opened,status,priority,team"
        load(catalog, "2024-02-01", (write(tmp_path / "a.csv", header, "1,t1,2024-01-01,open,low,7"), text), two_files(tmp_path)[1])
        again = (
            (write(tmp_path / "b.csv", header, "1,t2,2024-01-01,open,low,7"), number),
            (purchases(tmp_path / "q.csv", "1,2024-01-01,5,a"), keyed),
        )
        with pytest.raises(BadInput) as refusal:
            load(catalog, "2024-02-02", *again)
        assert {(fault.code, fault.where) for fault in refusal.value.faults} == {
            ("other_kind", "book.yml:12"),
            ("other_key", "book.yml:20"),
        }


def test_where_one_file_fails_none_is_loaded(tmp_path: Path) -> None:
    good, _ = two_files(tmp_path)
    bad, worse = (purchases(tmp_path / f"{day}.csv", f"1,{day},5,a") for day in ("no day", "nor this"))
    with book(tmp_path) as catalog:
        with pytest.raises(BadInput) as refusal:
            load(catalog, "2024-02-01", (bad, PURCHASES), good, (worse, PURCHASES))
        assert [fault.where for fault in refusal.value.faults] == [f"{bad}:2:day", f"{worse}:2:day"]
        assert (catalog.current(), stored_files(catalog)) == (None, set())


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = two_files(tmp_path)
    recorded = staging._refuse_changed  # pyright: ignore[reportPrivateUsage]

    def written_meanwhile(plan: staging.SourcePlan) -> None:
        if plan.mapping.table == "purchases":
            purchases(Path(plan.path), "1,2024-01-01,500,a")
        recorded(plan)

    monkeypatch.setattr(staging, "_refuse_changed", written_meanwhile)
    with book(tmp_path) as catalog:
        with pytest.raises(BadInput, match="changed while it was read"):
            load(catalog, "2024-02-01", *files)
        assert catalog.current() is None


def test_a_load_that_died_is_taken_up_where_a_file_was_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = two_files(tmp_path)
    with book(tmp_path) as catalog:
        with monkeypatch.context() as patch:
            patch.setattr(loading, "publish_load", full_disk)
            with pytest.raises(UnspunError, match="the disk is full") as refusal:
                load(catalog, "2024-02-01", *files)
        assert "what was read whole is not read again" in refusal.value.faults[0].hint
        assert catalog.current() is None
        result = load(catalog, "2024-02-05", *files)
        assert counts(result) == ((2, 2, 0, 0, 0), (3, 2, 0, 0, 1))
        assert all("taken up from an earlier run of this load, not read again" in source.notes for source in result.sources)
        assert result.load == 1
        assert stored_files(catalog) == catalog.files_in_use()
        assert not (catalog.folder / ".staging").exists()


def test_staged_rows_that_depend_on_the_receipt_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = (purchases(tmp_path / "p.csv", "1,2024-01-01,5,a"), replace(PURCHASES, known="received"))
    with book(tmp_path) as catalog:
        with monkeypatch.context() as patch:
            patch.setattr(loading, "publish_load", full_disk)
            with pytest.raises(UnspunError):
                load(catalog, "2024-02-01", feed)
        load(catalog, "2024-02-05", feed)
        assert read(catalog, "SELECT known_at FROM purchases") == [(day("2024-02-05"),)]


def test_a_file_read_anew_under_another_mapping_takes_care_of_its_rejected_rows(tmp_path: Path) -> None:
    file = purchases(tmp_path / "p.csv", "1,2024-01-01,5,a", ",2024-01-02,5,a", "1,2024-01-03,6,a")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (file, PURCHASES))
        again = replace(PURCHASES, columns={"account_id": "account", "purchased": "day", "amount": "amount"})
        load(catalog, "2024-02-02", (file, again))
        rejected = read(catalog, "SELECT load, source_row FROM rejected ORDER BY 1")
        version = catalog.current()
        assert version is not None
        assert rejected == [(1, 3), (2, 3)]
        table = version.table("mended")
        assert table is not None
        assert table.rows == 1


@pytest.mark.parametrize("keyed", [False, True])
def test_mended_rows_that_are_accepted_are_marked_as_mended(tmp_path: Path, keyed: bool) -> None:
    mapping = TICKETS if keyed else PURCHASES
    header, bad, good = (
        ("account,ticket,opened,status,priority", ",t{},2024-01-01,open,low", "1,t{},2024-01-01,open,low")
        if keyed
        else ("account,day,amount,product", ",2024-01-01,{},a", "1,2024-01-01,{},a")
    )
    first = write(tmp_path / "p.csv", header, *(bad.format(n) for n in (1, 2, 3)), *(good.format(n) for n in (4, 5, 6)))
    mends = (("1,1,2,", good.format(1)), ("1,1,3,", bad.format(2)), (",,,", good.format(9)))
    mended = write(tmp_path / "m.csv", "unspun_load,unspun_file,unspun_row,unspun_reason," + header, *(",".join(pair) for pair in mends))
    with book(tmp_path) as catalog:
        assert counts(load(catalog, "2024-02-01", (first, mapping))) == ((6, 3, 0, 0, 3),)
        assert counts(load(catalog, "2024-02-02", (mended, mapping))) == ((3, 2, 0, 0, 1),)
        version = catalog.current()
        assert version is not None
        table = version.table(MENDED_TABLE)
        assert table is not None
        assert pq.read_table(catalog.folder / table.files[0].path).to_pylist() == [
            {"load": 2, "source_file": 2, "source_row": 2, "mended_load": 1, "mended_file": 1, "mended_row": 2}
        ]
        main = version.table(mapping.table)
        assert main is not None
        assert not any(name.startswith("mends") for file in main.files for name in pq.read_schema(catalog.folder / file.path).names)


def test_a_state_table_keeps_the_columns_that_are_fixed(tmp_path: Path) -> None:
    fixed = replace(ACCOUNTS, fixed=("plan",))
    file = write(tmp_path / "a.csv", "account,plan,seats", "1,basic,5")
    with book(tmp_path) as catalog:
        result = load(catalog, "2024-02-01", (file, fixed))
        assert result.version is not None
        assert (result.version.tables[0].fixed, result.version.tables[0].key) == (("plan",), ("account_id",))


def test_an_instant_without_a_zone_is_a_slip_of_the_caller(tmp_path: Path) -> None:
    with book(tmp_path) as catalog, pytest.raises(ValueError, match="instants with a zone"):
        load(catalog, "2024-02-01", known_at=day("2024-02-02"))


def test_mappings_of_the_same_state_table_may_date_their_rows_or_not(tmp_path: Path) -> None:
    dated = write(tmp_path / "a.csv", "account,plan,seats,from", "1,basic,5,2024-01-01")
    snapshot = write(tmp_path / "b.csv", "account,plan,seats", "1,pro,5")
    with book(tmp_path) as catalog:
        result = load(catalog, "2024-02-01", (dated, DATED_ACCOUNTS), (snapshot, ACCOUNTS))
        assert counts(result) == ((1, 1, 0, 0, 0), (1, 0, 1, 0, 0))
        assert [read(catalog, "SELECT plan FROM accounts", day(at)) for at in ("2024-01-15", "2024-02-02")] == [[("basic",)], [("pro",)]]
    assert DEFINITION.sha256
