"""A score's history as entries: what each set, against what was known when it was recorded, and who set it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.audit.company import codes, day, scores
from unspun.audit.frame import ScoreIndex
from unspun.audit.gaming.entries import BLOCK, Entries, changes_of, collect, set_by_people
from unspun.audit.gaming.period_end import ends_period
from unspun.book.tables import Codes, ScoreHistory, ScoreSeries, Source


def entries(text: str, sign: float = -1.0, as_of: str = "2026-06-30", set_by: Codes | None = None) -> Entries:
    history = replace(scores(text), set_by=set_by)
    index = ScoreIndex(history, ("ann", "bob"), day(as_of))
    series = history.series[0]
    return collect(index.lookup(series), series, sign, history, index.account, np.array([0, 1]), day(as_of))


REVISED = """
    account dated      recorded   value
    ann     2026-01-01 2026-01-01 60
    ann     2026-02-01 2026-02-01 50
    ann     2026-03-01 2026-03-01 50
    ann     2026-02-01 2026-04-20 20
    bob     2026-02-01 2026-02-03 70
    bob     2026-01-01 2026-05-01 90
"""


def test_a_value_is_compared_with_the_last_one_recorded_in_time_for_the_same_date_or_before() -> None:
    found = entries(REVISED)
    assert found.row.tolist() == [0, 1, 3, 2, 5, 4]  # by account, date and recording
    # ann's rewritten February is 30 below what February was, and March is compared with February as it was
    assert found.change.tolist() == pytest.approx([np.nan, -10, -30, 0, np.nan, np.nan], nan_ok=True)
    assert found.late.tolist() == [False, False, True, False, True, False]


def test_a_value_that_stays_is_not_newly_set_and_a_first_one_has_not_moved() -> None:
    found = entries(REVISED)
    assert found.newly_set.tolist() == [True, True, True, False, True, True]
    assert found.moved.tolist() == [False, True, True, False, False, False]


def test_where_lower_is_healthier_a_falling_value_is_a_rising_health() -> None:
    assert entries(REVISED, sign=1.0).change[1] == 10


def test_what_was_recorded_after_the_as_of_date_is_not_looked_at() -> None:
    assert entries(REVISED, as_of="2026-04-19").row.tolist() == [0, 1, 2, 4]


def test_without_days_of_recording_a_value_was_set_on_its_date() -> None:
    found = entries("account dated value\n ann 2026-01-05 1\n ann 2026-01-09 2")
    assert found.recorded is None
    assert found.set_on.tolist() == [day("2026-01-05"), day("2026-01-09")]
    assert not found.late.any()


def test_people_are_told_from_systems_by_their_names() -> None:
    names = codes(["manual", "Ann Lee", "CSM", "override", "system", "Rule engine", "auto-import", "model v2", "-"])
    expected = {"manual": True, "Ann Lee": True, "CSM": True, "override": True}
    found = dict(zip(names.names, set_by_people(names)[:-1].tolist(), strict=True))
    assert found == {name: expected.get(name, False) for name in names.names}
    assert not set_by_people(names)[-1]  # an empty cell
    made = entries(REVISED, set_by=codes(["system", "Ann", "Ann", "system", "-", "Ann"]))
    assert made.by_person is not None
    assert made.by_person[np.argsort(made.row)].tolist() == [False, True, True, False, False, True]


def test_a_period_ends_with_its_last_three_business_days_and_the_weekend_after_them() -> None:
    days = np.array(["2026-01-27", "2026-01-28", "2026-01-31", "2026-02-01", "2026-05-26", "2026-05-27", "2026-05-31"], "datetime64[D]")
    assert ends_period(days.astype(np.int32), 1).tolist() == [False, True, True, False, False, True, True]
    assert not ends_period(days.astype(np.int32), 3).any()
    quarter_end = np.array(["2026-03-26", "2026-03-27", "2026-06-30"], "datetime64[D]")
    assert ends_period(quarter_end.astype(np.int32), 3).tolist() == [False, True, True]


def long_history(n: int) -> ScoreHistory:
    """Rows of 50 accounts in no order, several of a day, one in ten recorded late, one in fifty without a day of recording."""
    rng = np.random.default_rng(6)
    dated = np.datetime64("2024-01-01", "us") + rng.integers(0, 600 * 86_400, n).astype("timedelta64[s]")
    delay = np.where(rng.random(n) < 0.1, rng.integers(8, 90, n), 0) * 86_400 + rng.integers(0, 86_400, n)
    recorded = np.where(rng.random(n) < 0.02, np.datetime64("NaT"), dated + delay.astype("timedelta64[s]"))
    source = Source("scores", "made", "", "made", n, {}, (), ())
    account = Codes(rng.integers(0, 50, n).astype(np.int32), tuple(f"a{i:02}" for i in range(50)))
    return ScoreHistory(
        source, np.arange(n) + 2, account, dated, (ScoreSeries("score", rng.integers(0, 9, n).astype(np.float64)),), recorded
    )


def test_a_long_history_is_ordered_and_compared_as_row_by_row() -> None:
    history = long_history(BLOCK + 20_000)  # more than are worked on together
    as_of = day("2025-06-30")
    index = ScoreIndex(history, history.account.names, as_of)
    found = collect(index.lookup(history.series[0]), history.series[0], -1.0, history, index.account, np.arange(50) // 2, as_of)
    assert history.recorded is not None
    dated = history.dated.astype("datetime64[D]").astype(int)
    recorded = np.where(np.isnat(history.recorded), dated, history.recorded.astype("datetime64[D]").astype(int))
    rows = np.flatnonzero(np.maximum(dated, recorded) <= as_of)
    rows = rows[np.lexsort((recorded[rows], dated[rows], history.account.codes[rows]))]
    assert (found.row == rows).all()
    assert (found.cluster == history.account.codes[rows] // 2).all()
    in_time: dict[int, float] = {}
    change = []
    for account, value, late in zip(
        history.account.codes[rows].tolist(), history.series[0].values[rows].tolist(), (recorded - dated)[rows] > 7, strict=True
    ):
        change.append(value - in_time.get(account, np.nan))
        if not late:
            in_time[account] = value
    np.testing.assert_array_equal(found.change, change)


def test_changes_by_kind_are_those_of_the_entries() -> None:
    history = long_history(5_000)
    index = ScoreIndex(history, history.account.names, day("2025-12-31"))
    series = history.series[0]
    found = collect(index.lookup(series), series, -1.0, history, index.account, np.arange(50), day("2025-12-31"))
    changes = changes_of(found, found.moved)
    assert (changes.day[changes.kind] == found.set_on[found.moved]).all()
    assert (changes.raised[changes.kind] == (found.change > 0)[found.moved]).all()
    assert (changes.late[changes.kind] == found.late[found.moved]).all()
    assert changes.count.sum() == len(changes) == found.moved.sum()
    late, other = changes.places(np.where(changes.late, 0, 1), 2)
    assert late.tolist() == np.flatnonzero(found.moved & found.late).tolist()
    assert len(late) + len(other) == len(changes)
