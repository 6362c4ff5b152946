"""The last call known on a unit, found again by looking at every call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.audit import company
from unspun.audit.calls import ANYBODY, NEAR_DAYS, NOWHERE, CallIndex
from unspun.audit.terms import Terms
from unspun.audit.units import Units, active_months, landmark_units, renewal_units
from unspun.book.extras import Forecasts
from unspun.book.tables import Codes, Source

NAMES = ("a", "b", "stranger")
TERMS = company.terms("""
    account  start       due         outcome
    a        2023-01-01  2024-01-10  renewed
    a        2024-01-10  2024-02-21  renewed
    a        2024-02-21  2024-04-01  churned
    b        2023-03-01  2024-03-15  renewed
    b        2024-03-15  2024-06-15  contracted
""")
FIRST = company.day("2023-10-01")
Row = tuple[int, int, int, int]  # account, due, made, days until recorded; days count from FIRST
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(60, 280), st.integers(0, 280), st.sampled_from([0, 0, 5, 60])), max_size=25)


def forecasts(rows: list[Row], *, due: bool = True, by: Codes | None = None) -> Forecasts:
    account, days, made, delay = (np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else [()] * 4))
    source = Source("forecasts", "forecasts.csv", "0" * 64, "CSV", len(rows), {}, (), ())
    return Forecasts(
        source=source,
        row=np.arange(len(rows)) + 2,
        account=Codes(account.astype(np.int32), NAMES),
        made=(FIRST + made).astype("datetime64[D]").astype("datetime64[us]"),
        value=np.linspace(0, 1, len(rows)),
        probability=True,
        due=(FIRST + days).astype("datetime64[D]") if due else None,
        recorded=(FIRST + made + delay).astype("datetime64[D]").astype("datetime64[us]"),
        by=by,
    )


def units_of(design: str) -> Units:
    return renewal_units(TERMS, 30) if design == "renewal" else landmark_units(TERMS, active_months(TERMS), 60)


def latest(rows: list[Row], design: str, *, due: bool = True) -> NDArray[np.int64]:
    index = CallIndex(forecasts(rows, due=due), TERMS)
    return index.latest(units_of(design), np.ones(len(rows), dtype=bool))


def nearest(terms: Terms, account: int, due: int) -> int:
    """The account's renewal due nearest to a day; of two equally near the later."""
    own = [(abs(int(terms.due[i]) - due), -int(terms.due[i]), i) for i in range(len(terms.due)) if terms.account[i] == account]
    close = [one for one in own if one[0] <= NEAR_DAYS]
    return min(close)[2] if close else -1


def by_loop(rows: list[Row], design: str, *, due: bool) -> list[int]:
    units, found = units_of(design), []
    for account, as_of, row in zip(units.account.tolist(), units.as_of.tolist(), units.terms_row.tolist(), strict=True):
        best: tuple[int, int, int] | None = None
        for i, (theirs, days, made, delay) in enumerate(rows):
            known = FIRST + made + delay
            about = theirs == account
            if due and design == "renewal":
                about &= nearest(TERMS, account, FIRST + days) == row
            elif due:
                about &= as_of < FIRST + days <= as_of + units.horizon_days
            if about and known <= as_of:
                best = max(best or (-1, -1, -1), (FIRST + made, known, i))
        if best is not None and not due and design == "renewal" and best[0] < TERMS.start[row]:
            best = None
        found.append(best[2] if best else NOWHERE)
    return found


def made_and_recorded(rows: list[Row], found: list[int]) -> list[tuple[int, int] | None]:
    """What is the same of two calls made and recorded at one time, of which either may be found."""
    return [None if i < 0 else (rows[i][2], rows[i][3]) for i in found]


@pytest.mark.parametrize("design", ["renewal", "landmark"])
@pytest.mark.parametrize("due", [True, False])
@given(rows=ROWS)
def test_the_last_call_known_is_the_one_a_loop_over_all_calls_finds(rows: list[Row], design: str, due: bool) -> None:
    found = latest(rows, design, due=due).tolist()
    assert made_and_recorded(rows, found) == made_and_recorded(rows, by_loop(rows, design, due=due))


@pytest.mark.parametrize("design", ["renewal", "landmark"])
@pytest.mark.parametrize("due", [True, False])
@given(rows=ROWS, more=ROWS)
def test_a_call_made_or_recorded_after_the_last_unit_was_looked_at_changes_nothing(
    rows: list[Row], more: list[Row], design: str, due: bool
) -> None:
    last = int(units_of(design).as_of.max()) - FIRST
    later = [row for row in more if row[2] + row[3] > last]
    assert latest(rows + later, design, due=due).tolist() == latest(rows, design, due=due).tolist()


def test_a_call_is_about_the_renewal_due_nearest_to_the_day_it_names() -> None:
    rows = [(0, day, 0, 0) for day in (101, 101 - NEAR_DAYS, 101 - NEAR_DAYS - 1, 121, 122)]  # due on days 101 and 143
    index = CallIndex(forecasts(rows), TERMS)
    assert index.terms_row is not None
    assert index.terms_row.tolist() == [0, 0, NOWHERE, 0, 1]


def test_outcomes_never_choose_the_call_of_a_landmark() -> None:
    # A unit that churns is listed under the renewal that churned; its call must be found without knowing that.
    other = replace(TERMS, outcome=np.zeros(5, dtype=np.int8))
    rows = [(0, 101, 30, 0), (0, 143, 50, 0), (0, 183, 60, 0)]
    found = {}
    for terms in (TERMS, other):
        units = landmark_units(terms, active_months(terms), 60)
        row = CallIndex(forecasts(rows), terms).latest(units, np.ones(3, dtype=bool))
        found[id(terms)] = dict(zip(zip(units.account.tolist(), units.as_of.tolist(), strict=True), row.tolist(), strict=True))
    shared = found[id(TERMS)].keys() & found[id(other)].keys()
    assert len(shared) > 5
    assert all(found[id(TERMS)][unit] == found[id(other)][unit] for unit in shared)


def test_few_forecasters_are_judged_each_and_many_together() -> None:
    rows = [(0, 101, day, 0) for day in range(6)]
    few = Codes(np.array([0, 1, 0, 1, -1, 0], dtype=np.int32), ("manager", "CSM"))
    many = Codes(np.arange(6, dtype=np.int32), tuple("uvwxyz"))
    named = dict(CallIndex(forecasts(rows, by=few), TERMS).forecasters)
    assert {name: theirs.tolist().count(True) for name, theirs in named.items()} == {
        "forecast by CSM": 2,
        "forecast by manager": 3,
        "forecast, not said by whom": 1,
    }
    index = CallIndex(forecasts(rows, by=few), TERMS)
    assert {name: int(index.latest(units_of("renewal"), theirs).max()) for name, theirs in named.items()} == {
        "forecast by CSM": 3,
        "forecast by manager": 5,
        "forecast, not said by whom": 4,
    }
    assert [name for name, _ in CallIndex(forecasts(rows, by=many), TERMS).forecasters] == [ANYBODY]
    assert [name for name, _ in CallIndex(forecasts(rows), TERMS).forecasters] == [ANYBODY]


@pytest.mark.parametrize("design", ["renewal", "landmark"])
@pytest.mark.parametrize("due", [True, False])
def test_the_order_of_rows_chooses_no_call_and_of_calls_at_one_time_the_worst_counts(design: str, due: bool) -> None:
    rows = [(0, 101, day, 0) for day in (40, 40, 40, 20, 20)] + [(1, 166, 60, 0), (1, 166, 60, 0)]
    made = forecasts(rows, due=due)
    found = set()
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(rows))
        parts = {"account": Codes(made.account.codes[order], NAMES), "made": made.made[order], "value": made.value[order]}
        parts |= {"due": None if made.due is None else made.due[order], "recorded": None}
        shuffled = replace(made, **parts)
        row = CallIndex(shuffled, TERMS).latest(units_of(design), np.ones(len(rows), dtype=bool))
        found.add(tuple(np.where(row >= 0, shuffled.value[row], -1).tolist()))
    (values,) = found
    assert made.value[0] in values
    assert not {made.value[1], made.value[2], made.value[6]} & set(values)
