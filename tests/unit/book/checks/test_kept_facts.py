"""What is kept of data files changes nothing that a check finds, whatever was loaded, corrected, undone, compacted or erased before."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from unspun.app.checks import examples_of, finding_record, shape_of
from unspun.book.checks.catalogue import CHECKS as ALL_CHECKS
from unspun.book.checks.run import run_checks
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.warehouse import file_facts
from unspun.warehouse.catalog import Catalog, create_warehouse
from unspun.warehouse.compact import compact
from unspun.warehouse.erase import Subject, erase
from unspun.warehouse.file_facts import FACTS_FOLDER
from unspun.warehouse.load import PlannedFile, load_files
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.undo import undo

CHECKS = tuple(check for check in ALL_CHECKS if check.code in (
    "orphan_accounts", "future_dates", "usage_outside_subscription", "equal_rows", "moved_accounts", "units", "tracking_breaks",
))  # fmt: skip
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENTS = SourceMapping(
    ("events*.csv",),
    "events",
    {name: name for name in ("account_id", "user_id", "event", "occurred", "value", "version")},
    {"version": "text"},
)
KEYED = replace(EVENTS, columns={**EVENTS.columns, "event_id": "event_id"}, key=("event_id",))
ACCOUNTS = SourceMapping(("accounts.csv",), "accounts", {"account_id": "account_id", "region": "region"}, {"region": "text"})
TERMS = SourceMapping(
    ("terms.csv",),
    "subscriptions",
    {name: name for name in ("subscription_id", "account_id", "product", "started", "ended", "amount", "is_addon")},
    currency="EUR",
    amount_months=1.0,
)
DEFINITION = BookDefinition((EVENTS, ACCOUNTS, TERMS), "America/Sao_Paulo", "EUR", text="version: 1\n", sha256="0" * 64)
GONE = "acme-7f3a91"
NAMES = ("login", "report", "export", "")


@pytest.fixture(autouse=True)
def _every_file_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_facts, "LEAST_ROWS", 40)


@contextmanager
def book(folder: Path) -> Iterator[Catalog]:
    with create_warehouse(folder / "warehouse", AT - timedelta(days=400)) as catalog:
        yield catalog


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def random_events(random: Random, first_day: int, days: int, number: int = 0) -> list[dict[str, Any]]:
    """Events about the same accounts, some of them twice, some of days to come, with values that sum up exactly."""
    accounts = [f"A{number}" for number in range(9)] + [GONE, ""]
    rows = [
        {
            "account_id": random.choice(accounts),
            "user_id": f"u{random.randrange(30)}",
            "event": random.choice(NAMES),
            "occurred": (AT - timedelta(days=first_day, seconds=random.randrange(days * 86_400))).isoformat(),
            "value": random.choice(("", "0", "2", "200")),
            "version": random.choice(("1.0", "2.0")),
        }
        for _ in range(number or random.choice((20, 150, 300)))
    ]
    return rows + random.choices(rows, k=8)


def load(catalog: Catalog, folder: Path, name: str, rows: list[dict[str, Any]], mapping: SourceMapping, days_ago: int) -> None:
    path = write(folder / name, rows)
    with catalog.writing():
        load_files(catalog, [PlannedFile(str(path), mapping)], DEFINITION, AT - timedelta(days=days_ago))


def load_others(catalog: Catalog, folder: Path) -> None:
    ids = [f"A{number}" for number in range(8)] + [GONE]
    load(catalog, folder, "accounts.csv", [{"account_id": id_, "region": "EMEA"} for id_ in ids], ACCOUNTS, 300)
    of_all = {"product": "p", "started": "2025-06-01", "ended": "", "amount": "10", "is_addon": "false"}
    terms = [{"subscription_id": f"S{id_}", "account_id": id_, **of_all} for id_ in ids]
    load(catalog, folder, "terms.csv", terms, TERMS, 299)


def found(
    catalog: Catalog, before: datetime | None = None, kept: bool = True, at_a_time: int = 1
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """All that is recorded of every finding, and its example rows."""
    version = catalog.current()
    assert version is not None
    with open_book(catalog, version, before) as reader, reader.beside() as beside:
        arguments = (shape_of(version, DEFINITION, before or AT), CHECKS, reader.query, reader.register, lambda *_: None)
        if at_a_time == 2:
            outcomes = run_checks(*arguments, reader.by_file, beside, reader.holding_sql())
        else:
            outcomes = run_checks(*arguments, reader.by_file) if kept else run_checks(*arguments)
        findings = [finding for outcome in outcomes for finding in outcome.findings]
        return [(finding_record(one), examples_of(reader, one).to_pylist()) for one in findings]


def kept_files(catalog: Catalog) -> list[Path]:
    return sorted((catalog.folder / FACTS_FOLDER).rglob("*.parquet"))


def kept_names(catalog: Catalog) -> list[str]:
    """What is kept, by data file, kind and definition."""
    return [f"{path.parent.name}/{path.stem.rpartition('-')[0]}" for path in kept_files(catalog)]


def agree(catalog: Catalog) -> None:
    """The same is found with what is kept (once it is made, once it is there), without it, where every row is read at once, and by two
    threads; and the same is kept whoever makes it."""
    first, again = found(catalog), found(catalog)
    shutil.rmtree(catalog.folder / FACTS_FOLDER, ignore_errors=True)
    assert first == found(catalog, at_a_time=2) == found(catalog, at_a_time=2)
    names = kept_names(catalog)
    shutil.rmtree(catalog.folder / FACTS_FOLDER, ignore_errors=True)
    assert first == again == found(catalog) == found(catalog, kept=False)
    assert kept_names(catalog) == names


@pytest.mark.parametrize("seed", range(1))
def test_with_and_without_what_is_kept_the_same_is_found(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    with book(tmp_path) as catalog:
        load_others(catalog, tmp_path)
        for step in range(4):
            day = random.choice((-2, 0, 20 * step))
            load(catalog, tmp_path, f"events{step}.csv", random_events(random, day, random.choice((3, 30))), EVENTS, 200 - step)
            if step == 2:
                agree(catalog)
                undo(catalog, AT)
        agree(catalog)
        compact(catalog, AT, keep_days=random.choice((0, 30)))
        agree(catalog)
        erase(catalog, Subject("account", GONE), AT)
        agree(catalog)


def test_rows_that_stand_in_two_files_are_found_though_each_file_is_looked_at_alone(tmp_path: Path) -> None:
    rows = random_events(Random(7), 10, 30, 90)
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", rows, EVENTS, 9)
        load(catalog, tmp_path, "events2.csv", [*rows[:50], *random_events(Random(8), 200, 20, 90)], EVENTS, 8)
        across = {record["id"]: record for record, _ in found(catalog)}["equal_rows/events/across_files"]
        version = catalog.current()
        assert version is not None
        with open_book(catalog, version) as reader:
            held = reader.query("SELECT account_id, user_id, event, occurred, value, version, source_file FROM events").to_pylist()
        files = [{tuple(row.values())[:-1] for row in held if row["source_file"] == number} for number in (1, 2)]
        assert across["count"] == len(files[0] & files[1]) > 40
        assert len(kept_files(catalog)) == 12  # four of counts, stays and repeats of both files


@pytest.mark.parametrize("order", ["by time", "by account and time", "none"])
def test_rows_that_repeat_are_found_in_whatever_order_they_stand(tmp_path: Path, order: str) -> None:
    rows = random_events(Random(21), 10, 60, 900)  # few at one time, but for eight that stand twice
    keys = {"by time": lambda row: row["occurred"], "by account and time": lambda row: (row["account_id"], row["occurred"])}
    if order in keys:
        rows.sort(key=keys[order])
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", rows, EVENTS, 9)
        (within,) = (record for record, _ in found(catalog) if record["id"] == "equal_rows/events/within_file")
        assert within["count"] == len(rows) - len({tuple(row.values()) for row in rows}) > 5
        agree(catalog)


def test_corrected_rows_and_earlier_days_are_read_themselves(tmp_path: Path) -> None:
    rows = [{**row, "event_id": number} for number, row in enumerate(random_events(Random(3), 5, 60, 90))]
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", rows, KEYED, 9)
        found(catalog, AT - timedelta(days=1))
        assert kept_files(catalog) == []  # as of a day
        found(catalog)
        assert kept_files(catalog)
        load(catalog, tmp_path, "events2.csv", [{**row, "value": "7"} for row in rows[::2]], KEYED, 4)
        shutil.rmtree(catalog.folder / FACTS_FOLDER)
        agree(catalog)
        assert kept_files(catalog) == []


def test_after_an_erasure_no_byte_of_the_id_is_left_in_what_is_kept(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", random_events(Random(1), 5, 60, 90), EVENTS, 9)
        load(
            catalog,
            tmp_path,
            "events2.csv",
            [row for row in random_events(Random(2), 5, 60, 90) if row["account_id"] != GONE] * 2,
            EVENTS,
            8,
        )
        found(catalog)
        assert any(GONE.encode() in path.read_bytes() for path in kept_files(catalog))
        erase(catalog, Subject("account", GONE), AT)
        left = kept_files(catalog)
        assert left  # of the file that did not name it
        assert not any(GONE.encode() in path.read_bytes() for path in left)
        found(catalog)
        assert not any(GONE.encode() in path.read_bytes() for path in catalog.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"no Parquet at all"])
def test_what_is_kept_and_damaged_is_made_again(tmp_path: Path, damage: bytes) -> None:
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", random_events(Random(11), 5, 60, 90), EVENTS, 9)
        right = found(catalog)
        for path in kept_files(catalog):
            path.write_bytes(damage or path.read_bytes()[:-9])
        assert found(catalog) == right
        for path in kept_files(catalog):
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        assert found(catalog) == right


def test_where_nothing_can_be_kept_the_rows_are_read(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", random_events(Random(12), 5, 60, 90), EVENTS, 9)
        right = found(catalog)
        shutil.rmtree(catalog.folder / FACTS_FOLDER)
        (catalog.folder / FACTS_FOLDER).write_text("a file where the folder should be")
        assert found(catalog) == right


def test_what_is_kept_after_its_data_file_went_away_is_gone_too(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", random_events(Random(13), 5, 60, 90), EVENTS, 9)
        version = catalog.current()
        assert version is not None
        with open_book(catalog, version) as reader:
            (catalog.folder / version.tables[0].files[0].path).unlink()  # as an erasure does while the check runs
            made = tmp_path / "made.parquet"
            made.write_bytes(GONE.encode())
            assert file_facts.kept_file(catalog.folder, version.tables[0].files[0], "counts", "of rows", lambda: made) is None
            assert isinstance(reader, BookReader)
        assert not made.exists()
        assert kept_files(catalog) == []


def test_days_later_than_the_check_are_told_from_those_before_within_one_day(tmp_path: Path) -> None:
    """The instant of the check lies within a day of the book's zone: what is kept does not depend on it."""
    of_all = {"user_id": "u", "event": "login", "value": "1", "version": "1"}
    rows = [{"account_id": f"A{n % 5}", "occurred": (AT + timedelta(minutes=n - 60)).isoformat(), **of_all} for n in range(120)]
    with book(tmp_path) as catalog:
        load(catalog, tmp_path, "events1.csv", rows, EVENTS, 0)
        version = catalog.current()
        assert version is not None
        for at in (AT, AT - timedelta(minutes=30), AT + timedelta(days=3), AT - timedelta(days=3)):
            with open_book(catalog, version) as reader:
                run_checks(shape_of(version, DEFINITION, at), CHECKS, reader.query, reader.register, lambda *_: None, reader.by_file)
                (ahead,) = (
                    reader.query("SELECT coalesce(sum(rows) FILTER (ahead), 0)::BIGINT AS n FROM event_cells").column("n").to_pylist()
                )
                assert ahead == sum(datetime.fromisoformat(row["occurred"]) >= at for row in rows)
        assert len(kept_files(catalog)) == 6  # four of counts, stays and repeats: one definition each, whatever the instant
