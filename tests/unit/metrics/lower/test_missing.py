"""Why there is no value: outages, silence and the begin of a source, held against days counted one by one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from tests.unit.metrics.lower.in_memory import Row, answers, held, question_of, row
from unspun.book.checks.finding import Span
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, IsIn, Not
from unspun.metrics.lower.missing import CODES, bearing
from unspun.metrics.metric import SourceRules
from unspun.metrics.missing import REASON_CODES
from unspun.metrics.nodes import ActiveDays, Count, DaysSinceFirst, DaysSinceLast, Distinct, Measure, Rows, Sum
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Days, FixedWindow, LastPeriod, Lifetime, Window

FIRST = date(2024, 1, 1)
DATES = tuple(FIRST + timedelta(days=n) for n in range(0, 120, 5))
TABLES = {"accounts": held("accounts", ("account_id",), fixed=("created_on",)), "events": held("events")}
LOGIN = IsIn("event", ("login",))
WINDOWS: tuple[FixedWindow | Lifetime, ...] = (Days(1), Days(10), Days(40), LastPeriod("month"), Lifetime())


def event(account: str, day: date, number: int = 2, **cells: object) -> Row:
    return {**row(day, source_row=number), "account_id": account, "event": "login", **cells}


def account(name: str, created: date | None) -> Row:
    return {**row(FIRST - timedelta(days=400)), "account_id": name, "created_on": created, "stated": "created_on"}


def asked(measure: Measure, dates: Sequence[date], spans: Sequence[Span], rules: SourceRules) -> PanelQuestion:
    made = question_of({"m": measure}, TABLES, dates, {"events": rules})
    return PanelQuestion(made.metrics, made.asked, made.as_of, made.tables, outages={"events": tuple(spans)})


def outage(chance: random.Random) -> Span:
    first = FIRST + timedelta(days=chance.randrange(-5, 100))
    return Span("stopped", first, first + timedelta(days=chance.randrange(10)) if chance.random() < 0.9 else None)


def days_of(first: date, last: date) -> set[date]:
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


@pytest.mark.parametrize("made", [Count, DaysSinceLast, DaysSinceFirst])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_an_outage_counts_where_a_day_of_it_could_change_the_value(
    window: FixedWindow | Lifetime, made: type[Count | DaysSinceLast | DaysSinceFirst]
) -> None:
    chance = random.Random(f"{window} {made}")
    spans = [outage(chance) for _ in range(3)]
    created = {"a": FIRST, "b": FIRST + timedelta(days=33), "c": None}
    happened = sorted((name, FIRST + timedelta(days=chance.randrange(100))) for name in "abc" for _ in range(6))
    happened += [(name, FIRST) for name in "ac"] + [("b", FIRST + timedelta(days=33))]
    rows = {
        "accounts": [account(name, day) for name, day in created.items()],
        "events": [event(name, day, number) for number, (name, day) in enumerate(happened)],
    }
    found = answers(asked(made(Rows("events", LOGIN, window)), DATES, spans, SourceRules(True, None)), rows, "m")
    for (name, as_of), value in found.items():
        low, high = (date.min, as_of) if isinstance(window, Lifetime) else (window.first(as_of), window.last(as_of))
        began = created[name] or min(day for one, day in happened if one == name)
        there = sorted(day for one, day in happened if one == name and low <= day <= high)
        first, last = max(low, began), high
        if there and made is DaysSinceLast:
            first = there[-1]
        if there and made is DaysSinceFirst:
            last = there[0]
        # an outage that has not begun yet is none
        bad = {day for span in spans for day in days_of(span.first, span.last or DATES[-1])}
        if created[name] is not None and high < began:
            assert value == "(before_birth)"
        elif began <= as_of:
            assert (value == "(outage)") == bool(days_of(first, last) & bad), (name, as_of, value)


BEARING: tuple[tuple[Span, Measure, bool], ...] = (
    (Span("stopped", FIRST, None, event="login"), Count(Rows("events", LOGIN)), True),
    (Span("stopped", FIRST, None, event="login"), Count(Rows("events", IsIn("event", ("export", "share")))), False),
    (
        Span("stopped", FIRST, None, event="login"),
        Count(Rows("events", AllOf((Compare("value", "above", 1), IsIn("event", ("export",)))))),
        False,
    ),
    (
        Span("stopped", FIRST, None, event="login"),
        Count(Rows("events", AnyOf((IsIn("event", ("export",)), Compare("value", "above", 1))))),
        True,
    ),
    (Span("stopped", FIRST, None, event="login"), Count(Rows("events", Not(LOGIN))), True),
    (Span("stopped", FIRST, None, measure="user_id"), Count(Rows("events")), False),
    (Span("stopped", FIRST, None, measure="user_id"), Distinct(Rows("events"), "user_id"), True),
    (Span("stopped", FIRST, None, measure="value"), ActiveDays(Rows("events", Compare("value", "above", 1))), True),
    (Span("stopped", FIRST, None, where=("platform", "web")), Sum(Rows("events"), "value"), True),
    (Span("stopped", FIRST, None, where=("value", "1")), Count(Rows("events", IsIn("value", (1,)))), True),  # a number is no text
    (Span("stopped", FIRST, None, where=("platform", "web")), Sum(Rows("events", IsIn("platform", ("ios",))), "value"), False),
)


@pytest.mark.parametrize(("span", "measure", "bears"), BEARING)
def test_an_outage_bears_on_what_it_is_not_plainly_kept_from(span: Span, measure: Measure, bears: bool) -> None:
    assert bearing([span], measure) == ((span,) if bears else ())


def reasons(rules: SourceRules, condition: Condition | None = None, window: Window | None = None) -> list[object]:
    """What a count of events gives for a, a customer since long ago, whose events lie on the days 20 to 40; b has none."""
    rows = {
        "accounts": [account("a", FIRST - timedelta(days=300)), account("b", FIRST - timedelta(days=300))],
        "events": [event("a", FIRST + timedelta(days=n), n) for n in range(20, 41)],
    }
    dates = [FIRST + timedelta(days=n) for n in (10, 20, 35, 40, 47, 48)]
    found = answers(asked(Count(Rows("events", condition, window or Days(10))), dates, [], rules), rows, "m")
    return [found[name, day] for name in "ab" for day in dates]


def test_a_source_begins_falls_silent_and_does_not_know_everybody() -> None:
    dense = reasons(SourceRules(covers_every_account=False, silent_days=7))
    assert dense[:6] == ["(no_source)", "(before_source)", 10, 10, 3, "(source_silent)"]
    assert dense[6:] == ["(no_source)", "(before_source)", "(not_seen)", "(not_seen)", "(not_seen)", "(source_silent)"]


def test_a_source_that_is_said_to_cover_everybody_has_zeros() -> None:
    sparse = reasons(SourceRules(covers_every_account=True, silent_days=None))
    assert sparse == ["(no_source)", 1, 10, 10, 3, 2, "(no_source)", 0, 0, 0, 0, 0]


def test_reasons_are_numbered_in_their_order() -> None:
    assert tuple(CODES) == REASON_CODES
    assert list(CODES.values()) == list(range(len(REASON_CODES)))
