"""A panel made of what is kept of data files equals the panel made of all rows, whatever happened to the book in between."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from tests.panel.histories import LOADED, History, history, kept_files
from tests.panel.random_books import ACCOUNTS, SmallBook, kinds_of
from tests.panel.random_metrics import random_metrics
from unspun.metrics.asof import Dates
from unspun.metrics.conditions import IsIn
from unspun.metrics.lower.day_state import DAY_KEYS
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Count, Distinct, Rows
from unspun.metrics.question import HeldTable
from unspun.metrics.windows import Days
from unspun.warehouse import panel_state
from unspun.warehouse.compact import compact
from unspun.warehouse.erase import Subject, erase

SEEDS = range(2)
STEPS = 4
LOGINS = MetricSet((Metric("rows_28d", Count(Rows("events", None, Days(28)))), Metric("users", Distinct(Rows("events"), "user_id"))))


@pytest.fixture(autouse=True)
def _every_file_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_state, "LEAST_ROWS", 1)
    monkeypatch.setattr(panel_state, "MOST_CORRECTED", 1.0)


HELD = SmallBook({}, {str(name): HeldTable(kinds_of(name)) for name in LOADED}, (), ())
"""What the writer of metrics has to know of a book."""


def check(told: History, metrics: MetricSet, what: str) -> panel_state.StateUse:
    """Both ways agree: with what is kept made now, or there already."""
    question = told.question(metrics, told.renewals() if told.random.random() < 0.2 else None)
    kept, use = told.of_kept(question)
    assert kept.equals(told.of_rows(question)), what
    return use


def some_metrics(told: History) -> MetricSet:
    """Metrics written at random, and two that can be served by what is kept."""
    return MetricSet((*LOGINS.metrics, *random_metrics(told.random, HELD, 4).metrics))


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_history_the_panel_of_what_is_kept_is_that_of_the_rows(tmp_path: Path, seed: int) -> None:
    with history(tmp_path, seed) as told:
        told.load("accounts", told.new_rows("accounts", 6))
        told.load("events", told.new_rows("events", 40))
        metrics = some_metrics(told)
        uses, steps = [check(told, metrics, "at first")], told.steps(STEPS)
        for place, what in enumerate(steps):
            told.step(what)
            if told.random.random() < 0.3:
                metrics = some_metrics(told)
            if told.random.random() < 0.1:
                told.maker.zone = told.random.choice(("UTC", "Asia/Kathmandu"))
            uses.append(check(told, metrics, f"{seed} {steps[: place + 1]}"))
        assert any(use.rows_kept for use in uses)
        assert any(use.rows_corrected for use in uses)


def loaded(told: History, *numbers: int) -> None:
    """Accounts, and a load of events for each of some numbers of rows."""
    told.load("accounts", told.new_rows("accounts", 4))
    for number in numbers:
        told.load("events", told.new_rows("events", number))


def test_after_a_load_only_the_new_file_is_read(tmp_path: Path) -> None:
    with history(tmp_path, 1) as told:
        loaded(told, 30, 20)
        question = told.question(LOGINS)
        first = told.of_kept(question)[1]
        assert (first.files_read, first.rows_read, first.files_kept) == (2, 50, 0)
        told.load("events", told.new_rows("events", 7))
        kept, use = told.of_kept(told.question(LOGINS))
        assert (use.files_read, use.rows_read, use.files_kept, use.rows_kept) == (1, 7, 2, 50)
        assert kept.num_rows


def test_other_dates_need_no_rows(tmp_path: Path) -> None:
    with history(tmp_path, 2) as told:
        loaded(told, 40)
        told.of_kept(told.question(LOGINS))
        daily = Dates(tuple(told.maker.anchor - timedelta(days=day) for day in reversed(range(130))))
        question = told.question(LOGINS, daily)
        kept, use = told.of_kept(question)
        assert use.rows_read == 0
        assert kept.equals(told.of_rows(question))


def test_a_new_metric_leaves_what_is_kept_of_the_others(tmp_path: Path) -> None:
    with history(tmp_path, 3) as told:
        loaded(told, 40)
        told.of_kept(told.question(LOGINS))
        before = kept_files(told)
        named = Metric("named", Count(Rows("events", IsIn("event", ("login",)), Days(28))))
        question = told.question(MetricSet((*LOGINS.metrics, named)))
        assert told.of_kept(question)[0].equals(told.of_rows(question))
        added = [path for path in kept_files(told) if path not in before]
        assert set(before) < set(kept_files(told))
        assert len(added) == 1
        assert len(pq.read_schema(added[0]).names) == len(DAY_KEYS) + 1


def days_of_corrected(rows: list[dict[str, Any]], key: str, zone: str) -> set[tuple[str, date]]:
    """The days of accounts on which a row lies of which there are several versions."""
    often = Counter(row[key] for row in rows)
    return {account_day(row, zone) for row in rows if often[row[key]] > 1}


def account_day(row: dict[str, Any], zone: str) -> tuple[str, date]:
    return row["account_id"], row["happened_at"].astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_of_a_corrected_table_only_the_rows_of_days_with_a_corrected_row_are_read(tmp_path: Path, zone: str) -> None:
    with history(tmp_path, 8) as told:
        told.maker.zone = zone
        loaded(told, 200, 50)
        told.of_kept(told.question(LOGINS))
        told.load_corrections()
        question = told.question(LOGINS)
        kept, use = told.of_kept(question)
        assert kept.equals(told.of_rows(question))
        rows = told.versions("events")
        touched = days_of_corrected(rows, "event_id", zone)
        assert use.rows_corrected == sum(account_day(row, zone) in touched for row in rows)
        assert 5 < use.rows_corrected < 40
        assert (use.rows_kept, use.rows_read) == (250, len(rows) - 250)


def test_where_corrections_touch_many_days_all_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_state, "MOST_CORRECTED", 0.1)
    with history(tmp_path, 9) as told:
        loaded(told, 30)
        told.load_corrections()
        question = told.question(LOGINS)
        kept, use = told.of_kept(question)
        assert (use.unkept, use.tables) == ({"events": panel_state.CORRECTED_OFTEN}, ())
        assert kept.equals(told.of_rows(question))


def test_after_an_undone_correction_nothing_is_corrected(tmp_path: Path) -> None:
    with history(tmp_path, 10) as told:
        loaded(told, 60)
        told.load_corrections()
        assert told.of_kept(told.question(LOGINS))[1].rows_corrected
        told.undo()
        question = told.question(LOGINS)
        kept, use = told.of_kept(question)
        assert use.rows_corrected == 0
        assert kept.equals(told.of_rows(question))


def test_no_fact_of_a_correction_names_an_erased_account(tmp_path: Path) -> None:
    with history(tmp_path, 11) as told:
        loaded(told, 30)
        row = next(row for row in told.rows["events"])
        others = [account for account in ACCOUNTS if account != row["account_id"]]
        told.load("events", [{**row, "account_id": others[0], "known_at": row["happened_at"] + timedelta(days=9)}])
        told.of_kept(told.question(LOGINS))
        assert row["account_id"] in accounts_in_facts(told)
        erase(told.catalog, Subject("account", row["account_id"]), told.at)
        assert row["account_id"] not in accounts_in_facts(told)
        question = told.question(LOGINS)
        assert told.of_kept(question)[0].equals(told.of_rows(question))


def accounts_in_facts(told: History) -> set[str]:
    """The accounts that what is kept of data files names."""
    return {account for path in kept_files(told) for account in pq.read_table(path).column("account_id").to_pylist()}


def test_in_another_zone_other_days_are_kept(tmp_path: Path) -> None:
    with history(tmp_path, 4) as told:
        loaded(told, 40)
        for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
            question = replace(told.question(LOGINS), time_zone=zone)
            kept, use = told.of_kept(question)
            assert use.rows_read == 40
            assert kept.equals(told.of_rows(question))


def test_two_readers_that_keep_at_once_agree(tmp_path: Path) -> None:
    with history(tmp_path, 5) as told:
        loaded(told, 40)
        question = told.question(LOGINS)
        with ThreadPoolExecutor(2) as readers:
            one, other = readers.map(told.of_kept, (question, question))
        assert one[0].equals(other[0])
        assert told.of_kept(question)[0].equals(told.of_rows(question))


@pytest.mark.parametrize("bytes_left", [0, 4, 300])
def test_what_was_cut_is_made_again(tmp_path: Path, bytes_left: int) -> None:
    with history(tmp_path, 6) as told:
        loaded(told, 40)
        question = told.question(LOGINS)
        right, _ = told.of_kept(question)
        for path in kept_files(told):
            path.write_bytes(path.read_bytes()[:bytes_left])
        again, use = told.of_kept(question)
        assert again.equals(right)
        assert use.rows_read == 40


def test_what_is_kept_goes_with_the_data_file(tmp_path: Path) -> None:
    with history(tmp_path, 7) as told:
        loaded(told, 20, 20)
        told.of_kept(told.question(LOGINS))
        user = next(row["user_id"] for row in told.rows["events"] if row["user_id"])
        assert len(kept_files(told)) == 4
        erase(told.catalog, Subject("user", user), told.at)
        compact(told.catalog, told.at, keep_days=0)
        assert kept_files(told) == []
