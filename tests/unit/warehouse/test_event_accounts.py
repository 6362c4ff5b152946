"""An event that only names its subscription belongs to that one's account, as the book knows it: in any order, as of any date."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from tests.unit.warehouse.loaded_books import DEFINITION, book, counts, day, load, read, write
from unspun.book.mapping.definition import SourceMapping
from unspun.book.typed import open_typed
from unspun.errors import BadInput
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.erase import Subject, erase
from unspun.warehouse.read import open_book
from unspun.warehouse.undo import undo

LINES = SourceMapping(("lines*.csv",), "subscriptions", {"account_id": "account", "subscription_id": "line", "started": "start"})
USAGE = SourceMapping(("usage*.csv",), "events", {"subscription_id": "line", "occurred": "day", "event": "what"})
BOTH = replace(USAGE, columns={**USAGE.columns, "account_id": "account"})
ACCOUNTS_OF_EVENTS = "SELECT event, account_id FROM events ORDER BY event"
Files = tuple[tuple[Path, SourceMapping], ...]


def lines(folder: Path, *rows: str, name: str = "lines.csv") -> tuple[Path, SourceMapping]:
    """`account,line,start` rows."""
    return write(folder / name, "account,line,start", *rows), LINES


def usage(folder: Path, *rows: str, name: str = "usage.csv") -> tuple[Path, SourceMapping]:
    """`line,day,what` rows."""
    return write(folder / name, "line,day,what", *rows), USAGE


def accounts(catalog: Catalog, before: datetime | None = None, sql: str = ACCOUNTS_OF_EVENTS) -> dict[str, str | None]:
    return {str(event): account for event, account in read(catalog, sql, before)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_account_is_the_same_in_whatever_order_files_are_loaded(tmp_path: Path, order: tuple[int, ...]) -> None:
    files = (
        lines(tmp_path, "A,S1,2024-01-01", "B,S2,2024-01-01"),
        usage(tmp_path, "S1,2024-02-01,one", "S3,2024-02-01,lost"),
        usage(tmp_path, "S2,2024-02-02,two", name="usage2.csv"),
    )
    with book(tmp_path) as catalog:
        for number, file in enumerate(order):
            load(catalog, f"2024-06-{number + 1:02}", files[file])
        assert accounts(catalog) == {"one": "A", "two": "B", "lost": None}
        assert accounts(catalog, sql="SELECT event, account_id FROM events_versions") == {"one": "A", "two": "B", "lost": None}


def test_an_event_is_known_of_an_account_no_sooner_than_its_subscription_is(tmp_path: Path) -> None:
    known = "SELECT event, strftime(known_at, '%Y-%m-%d') FROM events_versions"
    with book(tmp_path) as catalog:
        load(catalog, "2024-04-01", lines(tmp_path, "A,S1,2024-02-01"), usage(tmp_path, "S1,2024-01-05,early", "S1,2024-03-01,late"))
        assert accounts(catalog, sql=known) == {"early": "2024-02-01", "late": "2024-03-01"}


def test_as_of_a_date_it_is_the_account_of_the_subscription_as_known_then(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, "2024-04-01", lines(tmp_path, "A,S1,2024-02-01"), usage(tmp_path, "S1,2024-01-05,early", "S1,2024-03-01,late"))
        load(catalog, "2024-05-01", lines(tmp_path, "B,S1,2024-02-01", name="lines_corrected.csv"))
        assert accounts(catalog, day("2024-01-10")) == {"early": None}
        assert accounts(catalog, day("2024-04-30")) == {"early": "A", "late": "A"}
        assert accounts(catalog) == {"early": "B", "late": "B"}
        undo(catalog, day("2024-06-01"))
        assert accounts(catalog) == {"early": "A", "late": "A"}


def test_a_row_that_names_an_account_keeps_it_and_one_that_names_neither_is_rejected(tmp_path: Path) -> None:
    file = write(
        tmp_path / "usage.csv",
        "account,line,day,what",
        "B,S1,2024-02-01,own",
        ",S1,2024-02-01,its",
        "C,,2024-02-01,bare",
        ",,2024-02-01,none",
    )
    with book(tmp_path) as catalog:
        result = load(catalog, "2024-06-01", lines(tmp_path, "A,S1,2024-01-01"), (file, BOTH))
        assert counts(result)[1] == (4, 3, 0, 0, 1)
        assert accounts(catalog) == {"own": "B", "its": "A", "bare": "C"}
        assert read(catalog, "SELECT code, reason FROM rejected") == [("no_account", "no account and no subscription_id")]


def test_events_need_a_column_for_one_of_the_two(tmp_path: Path) -> None:
    file, _ = usage(tmp_path, "S1,2024-02-01,one")
    neither = replace(USAGE, columns={"occurred": "day", "event": "what"})
    with pytest.raises(BadInput, match=r"rows of events need 'account_id' .* or 'subscription_id'"):
        open_typed(str(file), neither, DEFINITION)


def test_a_subscription_whose_lines_name_two_accounts_has_that_of_the_line_known_last(tmp_path: Path) -> None:
    by_term = replace(LINES, key=("subscription_id", "started"))
    file, _ = lines(tmp_path, "B,S1,2025-01-01", "A,S1,2024-01-01")
    with book(tmp_path) as catalog:
        load(catalog, "2025-06-01", (file, by_term), usage(tmp_path, "S1,2024-03-01,one"))
        assert accounts(catalog, day("2024-12-01")) == {"one": "A"}
        assert accounts(catalog) == {"one": "B"}


def test_a_book_whose_events_all_name_an_account_is_read_without_its_subscriptions(tmp_path: Path) -> None:
    file = write(tmp_path / "usage.csv", "account,line,day,what", "A,S1,2024-02-01,one")
    with book(tmp_path) as catalog:
        load(catalog, "2024-06-01", lines(tmp_path, "B,S1,2024-01-01"), (file, BOTH))
        version = catalog.current()
        assert version is not None
        with open_book(catalog, version) as reader:
            assert "subscriptions" not in reader.view_sql("events")
        load(catalog, "2024-06-02", usage(tmp_path, "S1,2024-02-02,two", name="usage2.csv"))
        assert accounts(catalog) == {"one": "A", "two": "B"}


def test_erasing_an_account_takes_the_events_that_only_name_its_subscriptions(tmp_path: Path) -> None:
    told = [*(f"S{n},2024-02-01,of {n}" for n in (1, 2, 3, 4)), *(f"S4,2024-02-{n:02},more" for n in range(1, 9))]
    with book(tmp_path) as catalog:
        load(catalog, "2024-05-01", lines(tmp_path, "gone-17,S1,2024-01-01", "gone-17,S2,2024-01-01", "kept-03,S3,2024-01-01"))
        load(catalog, "2024-05-02", usage(tmp_path, *told, "S1,no day,bad", "S3,no day,other"))
        load(catalog, "2024-05-03", lines(tmp_path, "kept-03,S2,2024-01-01", name="corrected.csv"))
        result = erase(catalog, Subject("account", "gone-17"), day("2024-06-01"))
        assert dict(result.rows) == {"subscriptions": 2, "events": 1, "rejected": 1}
        assert accounts(catalog) == {"of 2": "kept-03", "of 3": "kept-03", "of 4": None, "more": None}
        for line in catalog.versions():
            with open_book(catalog, catalog.version(line.version)) as reader:
                assert reader.query("SELECT count(*) AS n FROM events WHERE event = 'of 1'").to_pylist() == [{"n": 0}]


def test_events_are_erased_with_an_account_that_only_a_correction_since_undone_took_them_from(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, "2024-05-01", lines(tmp_path, "gone-17,S1,2024-01-01"), usage(tmp_path, "S1,2024-02-01,one", "S9,2024-02-01,two"))
        load(catalog, "2024-05-02", lines(tmp_path, "kept-03,S1,2024-01-01", name="corrected.csv"))
        undo(catalog, day("2024-05-03"))
        erase(catalog, Subject("account", "gone-17"), day("2024-06-01"))
        assert accounts(catalog) == {"two": None}


@pytest.mark.parametrize("seed", range(6))
def test_any_history_of_subscriptions_gives_what_following_it_by_hand_gives(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    known = replace(LINES, columns={**LINES.columns, "known_at": "known"}, key=("subscription_id",))
    said: dict[tuple[str, str], str] = {}
    events = [(f"S{random.randint(1, 6)}", f"2024-02-{random.randint(1, 28):02}", f"e{number}") for number in range(30)]
    with book(tmp_path) as catalog:
        load(catalog, "2024-09-01", usage(tmp_path, *(",".join(event) for event in events)))
        for number in range(5):
            now = {(f"S{random.randint(1, 5)}", f"2024-{random.randint(1, 8):02}-{number + 1:02}"): random.choice("ABC") for _ in range(4)}
            said |= now
            rows = [f"{account},{line},2024-01-01,{at}" for (line, at), account in now.items()]
            load(catalog, f"2024-09-{number + 2:02}", (write(tmp_path / f"lines{number}.csv", "account,line,start,known", *rows), known))
        if seed % 2:
            compact(catalog, day("2024-12-01"))
        for before in ("2024-02-15", "2024-04-01", "2024-06-10", "2024-12-01"):
            by_line = {line: account for (line, at), account in sorted(said.items(), key=lambda one: one[0][1]) if at < before}
            expected = {event: by_line.get(line) for line, at, event in events if at < before}
            assert accounts(catalog, day(before)) == expected
