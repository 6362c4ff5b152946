"""Contracts hold or do not, with the counts that going through the rows one by one gives."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.book.checks.contract_books import AT, Broken, Held, broken
from tests.unit.warehouse.books import START, add_load, new_book
from unspun.app.checks import shape_of
from unspun.book.checks.contracts import CHECKS
from unspun.book.checks.run import run_checks
from unspun.book.checks.shape import BookShape
from unspun.book.entities import Kind
from unspun.book.mapping.book_file import read_definition
from unspun.book.mapping.definition import BookDefinition
from unspun.errors import BadInput
from unspun.warehouse.read import open_book

KINDS: dict[str, Kind] = {
    "word": "text", "amount": "money", "ratio": "number", "seats": "whole", "started": "day", "seen": "instant", "subscription_id": "text",
}  # fmt: skip
WORDS = ["", "  ", "a", "ab", "abc", "it's", "A1", "12", " 7 ", "ä", "x@y.zz"]


def cells(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def days(first: int, last: int) -> st.SearchStrategy[date]:
    return st.integers(first, last).map(lambda number: AT.date() + timedelta(days=number))


instants = st.integers(-400_000, 400_000).map(lambda minutes: AT + timedelta(minutes=minutes))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "word": cells(st.sampled_from(WORDS)),
            "amount": cells(st.integers(-30, 30).map(lambda tenths: Decimal(tenths) / 10)),
            "ratio": cells(st.sampled_from([-1.5, 0.0, 0.1, 0.3, 2.0, 1e9])),
            "seats": cells(st.integers(-2, 9)),
            "started": cells(days(-5, 5)),
            "seen": cells(instants),
            "subscription_id": cells(st.sampled_from(["s", "t", "u", ""])),
        }
    ),
    max_size=25,
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Lima"])


def given_cell(value: object) -> bool:
    return value is not None and str(value).strip(" ") != ""


def holds(rule: str, value: Any, zone: str) -> bool:
    """The rules of RULES below, said a second time in Python."""
    today = AT.astimezone(ZoneInfo(zone)).date()
    return {
        "word.required": lambda: given_cell(value),
        "word.matches": lambda: re.fullmatch("[a-z']+", value) is not None,
        "word.one_of": lambda: value in ("a", "it's"),
        "word.min_length": lambda: len(value) >= 2,
        "word.max_length": lambda: len(value) <= 3,
        "word.type": lambda: re.fullmatch("[+-]?[0-9]+", value.strip(" ")) is not None,
        "amount.min": lambda: value >= Decimal("0.1"),
        "amount.max": lambda: value <= 2,
        "amount.type": lambda: value == int(value),
        "ratio.min": lambda: value >= 0.1,
        "ratio.max": lambda: value <= 2,
        "seats.one_of": lambda: value in (1, 3),
        "seats.required": lambda: value is not None,
        "started.max": lambda: value <= today,
        "started.min": lambda: value >= date(2026, 11, 20),
        "seen.min": lambda: value.astimezone(ZoneInfo(zone)).date() >= today - timedelta(days=30),
        "seen.max": lambda: value.astimezone(ZoneInfo(zone)).date() <= today,
    }[rule]()


RULES: dict[str, dict[str, Any]] = {
    "word": {"required": True, "matches": "[a-z']+", "one_of": ["a", "it's"], "min_length": 2, "max_length": 3, "type": "whole"},
    "amount": {"min": 0.1, "max": 2, "type": "whole"},
    "ratio": {"min": 0.1, "max": 2},
    "seats": {"one_of": [1, 3], "required": True},
    "started": {"min": "2026-11-20", "max": "today"},
    "seen": {"min": "today - 30 days", "max": "today"},
}


@settings(max_examples=25, deadline=None)
@given(ROWS, st.sampled_from([0, 0.2, 0.5]), ZONES)
def test_rules_on_cells_count_what_going_through_the_rows_counts(rows: list[dict[str, Any]], allowed: float, zone: str) -> None:
    entries = {column: {**rules, "allowed": allowed} for column, rules in RULES.items()}
    found = broken(json.dumps({"events": {"columns": entries}}), {"events": Held(KINDS, rows)}, zone=zone)
    expected: dict[str, tuple[tuple[int, int], list[int]]] = {}
    for column, rules in RULES.items():
        for rule in rules:
            asked = [(n, row[column]) for n, row in enumerate(rows, 2) if rule == "required" or given_cell(row[column])]
            wrong = [n for n, value in asked if not holds(f"{column}.{rule}", value, zone)]
            if wrong and len(wrong) / len(asked) > allowed:
                expected[f"events/{column}.{rule}"] = ((len(wrong), len(asked)), wrong)
    assert {name: (one.counts, one.numbers) for name, one in found.items()} == expected


@pytest.mark.parametrize(
    ("wanted", "right", "wrong"),
    [
        ("whole", ["0", "-12", "+3", " 7 ", "007"], ["1.0", "1,000", "1e3", "x", "--1", "1 2"]),
        ("number", ["0", "-1.5", ".5", "3.", "1e-3", " 2 "], ["1,5", "nan", "inf", "1.2.3", "e3", "0x1F", "1_000"]),
        ("money", ["12", "-3.1415", "1.50000"], ["1.23456", "$1", "1e2", "999999999999999"]),
        ("day", ["2026-01-31", "2024-02-29", " 2026-12-01 "], ["2026-02-29", "2026-13-01", "31.01.2026", "2026-1-1", "2026-01-31T00:00"]),
        ("instant", ["2026-01-31", "2026-01-31T23:59", "2026-01-31 12:00:00.5Z", "2026-01-31T12:00:00+02:00"],
         ["2026-02-30T12:00", "2026-01-31T24:00", "now"]),
        ("flag", ["yes", "No", "TRUE", "0", "y"], ["maybe", "2", "ja"]),
        ("email", ["a@b.co", "first.last+tag@mail.example.org"], ["a@b", "a b@c.de", "@c.de", "a@b.", "a@@b.co"]),
        ("url", ["https://example.org", "http://a/b?c=d"], ["example.org", "ftp://x", "https://", "https://a b"]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"]),
        ("currency", ["USD", "EUR"], ["usd", "XXZ", "$", "EURO"]),
        ("text", ["anything", "1"], []),
    ],
)  # fmt: skip
def test_text_reads_as_what_it_is_written_as(wanted: str, right: list[str], wrong: list[str]) -> None:
    book = {"accounts": Held({"own": "text"}, [{"own": text} for text in (*right, *wrong, None)])}
    found = broken(f"{{accounts: {{columns: {{own: {{type: {wanted}}}}}}}}}", book)
    assert [row["own"] for one in found.values() for row in one.rows] == wrong
    assert all(one.counts == (len(wrong), len(right) + len(wrong)) for one in found.values())


@pytest.mark.parametrize(("wrong", "told"), [(28, 0), (29, 0), (30, 1)])
def test_an_allowed_share_is_exact_to_the_last_row(wrong: int, told: int) -> None:
    book = {"accounts": Held({"plan": "text"}, [{"plan": None if n < wrong else "x"} for n in range(100)])}
    found = broken("{accounts: {columns: {plan: {required: true, allowed: 29 %}}}}", book)
    assert len(found) == told
    for one in found.values():
        assert one.finding.message == "30 of 100 rows of accounts (30.0 %) have no plan. Up to 29 % may."


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_rows_that_share_a_key_are_those_that_counting_the_keys_finds(rows: list[dict[str, Any]]) -> None:
    found = broken("{events: {unique: [[word, seats], subscription_id]}}", {"events": Held(KINDS, rows)})
    for columns in (("word", "seats"), ("subscription_id",)):
        keys = {n: tuple(row[name] for name in columns) for n, row in enumerate(rows, 2) if all(given_cell(row[name]) for name in columns)}
        counts = Counter(keys.values())
        twice = sorted(n for n, key in keys.items() if counts[key] > 1)
        one = found.get(f"events/unique.{'+'.join(columns)}")
        assert (sorted(one.numbers) if one else []) == twice
        if one:
            assert one.counts == (len(twice), len(keys))
            assert one.finding.facts["repeated_keys"] == sum(count > 1 for count in counts.values())


@settings(max_examples=25, deadline=None)
@given(ROWS, st.sets(st.sampled_from(["s", "t", "u"])))
def test_values_that_stand_nowhere_are_those_that_looking_each_up_finds(rows: list[dict[str, Any]], there: set[str]) -> None:
    others = Held({"subscription_id": "text"}, [{"subscription_id": one} for one in (*there, None)])
    text = "{events: {columns: {subscription_id: {references: subscriptions.subscription_id}}}}"
    found = broken(text, {"events": Held(KINDS, rows), "subscriptions": others})
    given_ids = {n: row["subscription_id"] for n, row in enumerate(rows, 2) if given_cell(row["subscription_id"])}
    lost = [n for n, value in given_ids.items() if value not in there]
    assert {name: (one.counts, one.numbers) for name, one in found.items()} == (
        {"events/subscription_id.references": ((len(lost), len(given_ids)), lost)} if lost else {}
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-6_000, 500), st.sampled_from(["open", "save", None])), min_size=1, max_size=12),
    st.sampled_from([1, 24, 60]),
)
def test_freshness_is_the_age_of_the_newest_row_that_is_not_of_days_to_come(rows: list[tuple[int, str | None]], hours: int) -> None:
    held = [{"happened_at": AT + timedelta(minutes=minutes), "known_at": AT, "event": event} for minutes, event in rows]
    text = f"{{events: {{freshness: [{{within: {hours} hours}}, {{within: {hours} hours, by: event}}, {{within: 1 hour, dated: known}}]}}}}"
    found = broken(text, {"events": Held({"event": "text"}, held)})

    def stale(minutes: list[int]) -> bool:
        return not any(-hours * 60 <= one <= 0 for one in minutes)

    values = {event for _, event in rows if event}
    stale_values = {value for value in values if stale([minutes for minutes, event in rows if event == value])}
    expected = {"events/freshness.happened"} if stale([minutes for minutes, _ in rows]) else set[str]()
    assert set(found) == expected | ({"events/freshness.happened.event"} if stale_values else set[str]())
    if stale_values:
        one = found["events/freshness.happened.event"]
        assert {row["event"] for row in one.rows} == stale_values
        assert one.counts == (len(stale_values), len(values))
        assert not any(f"'{value}'" in one.finding.message for value in values)  # a value may be a person


def test_a_stale_table_says_its_newest_row_and_says_the_same_a_minute_later() -> None:
    rows = [{"happened_at": AT - timedelta(days=number), "known_at": AT, "event": "e"} for number in (3, 5)]
    text, book = "{events: {freshness: [{within: 2 days}, {within: 2 days, by: event}]}}", {"events": Held({"event": "text"}, rows)}
    now, later = broken(text, book), broken(text, book, AT + timedelta(minutes=1))
    one = now["events/freshness.happened"]
    assert one.finding.message == "The newest row of events happened on 2026-11-20 09:30 UTC; it should be no older than 2 days."
    assert one.numbers == [2]
    assert {name: each.finding for name, each in now.items()} == {name: each.finding for name, each in later.items()}


def series(rows: list[datetime], per: str, zone: str, weekdays: set[int]) -> dict[date, int]:
    """Rows of each whole period, by its first day, walking from day to day."""
    dated = Counter(one.astimezone(ZoneInfo(zone)).date() for one in rows)
    if not dated:
        return {}
    open_from, found = AT.astimezone(ZoneInfo(zone)).date(), dict[date, int]()
    day, last = min(dated), max(max(dated), open_from)
    while day <= last:
        first = day if per == "day" else day - timedelta(days=day.weekday()) if per == "week" else day.replace(day=1)
        found[first] = found.get(first, 0) + dated[day]
        day += timedelta(days=1)
    now = open_from if per == "day" else open_from - timedelta(days=open_from.weekday()) if per == "week" else open_from.replace(day=1)
    return {
        first: count
        for first, count in sorted(found.items())
        if min(dated) <= first < now and (not weekdays or first.isoweekday() in weekdays)
    }


def out_of_usual(found: dict[date, int], per: str, periods: int, factor: float) -> tuple[list[date], int]:
    """Periods beyond a factor of the median of those before, and how many were judged."""
    wrong: list[date] = []
    judged = 0
    for first, count in found.items():
        before = [n for other, n in found.items() if other < first and (per != "day" or other.weekday() == first.weekday())][-periods:]
        usual = statistics.median(before) if len(before) >= min(4, periods) else 0
        judged += usual > 0
        if usual > 0 and (count > factor * usual or count * factor < usual):
            wrong.append(first)
    return wrong, judged


@settings(max_examples=25, deadline=None)
@given(
    per=st.sampled_from(["day", "week", "month"]),
    counts=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    ends=st.integers(-3, 40),
    zone=ZONES,
    periods=st.integers(2, 6),
    weekdays=st.sets(st.integers(1, 7)),
    events=st.booleans(),
)
def test_volumes_are_those_of_walking_from_day_to_day(
    per: str, counts: list[int], ends: int, zone: str, periods: int, weekdays: set[int], events: bool
) -> None:
    step = {"day": 1, "week": 3, "month": 9}[per]
    moments = [AT - timedelta(days=ends + step * back, hours=7 * n) for back, count in enumerate(counts) for n in range(count)]
    rows = [{"happened_at": one, "known_at": AT, "occurred": one, "opened": one} for one in moments]
    table, column = ("events", "occurred") if events else ("tickets", "opened")
    names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    chosen = {"weekdays": [names[number - 1] for number in sorted(weekdays)]} if per == "day" and weekdays else {}
    rule = {"per": per, "min": 2, "max": 3, "factor": 1.5, "periods": periods, **chosen}
    found = broken(json.dumps({table: {"volume": rule}}), {table: Held({column: "instant"}, rows)}, zone=zone)
    expected = series(moments, per, zone, weekdays if chosen else set())
    usual, judged = out_of_usual(expected, per, periods, 1.5)
    wrong = {"min": [d for d, n in expected.items() if n < 2], "max": [d for d, n in expected.items() if n > 3], "factor": usual}
    for bound, periods_wrong in wrong.items():
        one = found.get(f"{table}/volume.{per}.{bound}")
        assert ([row["period"] for row in one.rows] if one else []) == periods_wrong
        if one:
            assert one.counts == (len(periods_wrong), judged if bound == "factor" else len(expected))
            assert [row["rows"] for row in one.rows] == [expected[first] for first in periods_wrong]
            assert "not over yet, is left out" in one.finding.message


def test_volumes_of_loads_are_the_rows_that_each_brought_and_only_the_latest_are_judged() -> None:
    rows = [{"load": load, "known_at": AT} for load, count in ((1, 9), (2, 1), (3, 8), (4, 2), (5, 7)) for _ in range(count)]
    book = {"tickets": Held({}, rows)}
    whole = broken("{tickets: {volume: {per: load, min: 3, factor: 3, periods: 2}}}", book)
    assert {name: [(row["period"], row["rows"]) for row in one.rows] for name, one in whole.items()} == {
        "tickets/volume.load.min": [(2, 1), (4, 2)],
    }
    assert whole["tickets/volume.load.min"].finding.message == (
        "2 of 5 loads (40.0 %) have fewer than 3 rows of tickets (the fewest 1); the latest is load 4."
    )
    latest = broken("{tickets: {volume: {per: load, min: 3, last: 1}}}", book)
    assert latest == {}


def test_a_day_that_is_over_as_of_the_check_is_judged() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)  # as of the 23rd: known before this instant
    rows = [{"happened_at": AT - timedelta(days=number), "known_at": AT, "opened": AT} for number in (0, 1, 1)]
    one = broken("{tickets: {volume: {per: day, min: 2}}}", {"tickets": Held({"opened": "instant"}, rows)}, midnight)
    assert [row["period"] for row in one["tickets/volume.day.min"].rows] == [date(2026, 11, 23)]
    day = {"accounts": Held({"created_on": "day"}, [{"created_on": date(2026, 11, 24)}])}
    assert list(broken("{accounts: {columns: {created_on: {max: today}}}}", day, midnight)) == ["accounts/created_on.max"]


@pytest.mark.parametrize(
    ("contract", "subject", "why", "rules"),
    [
        ("{tickets: {unique: ticket_id, volume: {per: day, min: 1}}}", "tickets/not_asked", "the book holds no tickets", 2),
        ("{accounts: {columns: {regoin: {required: true, min_length: 2}}}}", "accounts/regoin.not_asked",
         "nothing is mapped to accounts.regoin", 2),
        ("{accounts: {unique: [region, plan]}}", "accounts/plan.not_asked", "nothing is mapped to accounts.plan", 1),
        ("{accounts: {freshness: {within: 1 day, by: owner}}}", "accounts/owner.not_asked", "nothing is mapped to accounts.owner", 1),
        ("{accounts: {columns: {region: {max: 3}}}}", "accounts/region.max.not_asked",
         "the column is text, and `max: 3` is for whole or number or money", 1),
        ("{accounts: {columns: {region: {references: contacts.region}}}}", "accounts/region.references.not_asked",
         "the book holds no contacts", 1),
        ("{accounts: {columns: {region: {references: accounts.plan}}}}", "accounts/region.references.not_asked",
         "nothing is mapped to accounts.plan", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_finding_and_never_passed_over(contract: str, subject: str, why: str, rules: int) -> None:
    found = broken(contract, {"accounts": Held({"region": "text"}, [{"region": "x", "happened_at": AT, "known_at": AT}])})
    assert list(found) == [subject]
    finding = found[subject].finding
    assert (finding.severity, finding.count, finding.unit) == ("error", rules, "rules")
    assert finding.message == f"{rules} rule{'s' if rules > 1 else ''} on {subject.partition('/')[0]} cannot be asked: {why}."
    assert "regoin" not in contract or "Did you mean 'region'?" in finding.mend


def test_a_finding_says_how_grave_it_is_why_it_is_asked_and_where_the_rule_stands() -> None:
    text = "\n  accounts:\n    severity: note\n    why: the board reads it.\n    columns:\n"
    text += "      plan: [{required: true, severity: warning}, {one_of: [x]}]"
    found = broken(text, {"accounts": Held({"plan": "text"}, [{"plan": None}, {"plan": "y"}])})
    first, second = (found[f"accounts/plan.{rule}"].finding for rule in ("required", "one_of"))
    assert (first.severity, first.message) == (
        "warning",
        "1 of 2 rows of accounts (50.0 %) have no plan. Why it is asked: the board reads it.",
    )
    assert (second.severity, second.of) == ("note", 1)
    assert first.mend == "Fill the files of accounts and load it again. Or change the rule: line 7 of book.yml."


@pytest.mark.parametrize("word", ["'; DROP TABLE accounts; --", 'a"b', "%_\\", "\u202e"])
def test_no_text_of_a_contract_is_read_as_sql(word: str) -> None:
    book: Mapping[str, Held] = {"accounts": Held({"plan": "text"}, [{"plan": word}, {"plan": "other"}])}
    found: dict[str, Broken] = broken(json.dumps({"accounts": {"columns": {"plan": {"one_of": [word], "matches": re.escape(word)}}}}), book)
    assert {name: one.numbers for name, one in found.items()} == {"accounts/plan.one_of": [3], "accounts/plan.matches": [3]}


def test_a_contract_that_holds_is_silent_and_a_book_without_any_says_so() -> None:
    rows = [{"plan": "x", "happened_at": AT, "known_at": AT}]
    assert (
        broken(
            "{accounts: {columns: {plan: {required: true}}, unique: plan, freshness: {within: 1 day}}}",
            {"accounts": Held({"plan": "text"}, rows)},
        )
        == {}
    )
    (check,) = CHECKS
    assert check.hindrance(BookShape({}, BookDefinition(()), AT)) == "book.yml declares no contracts"


def test_the_volume_of_a_table_of_statements_is_that_of_its_statements(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    for accounts in ("AB", "A", "AB"):
        rows = [{"account_id": one, "happened_at": START, "known_at": START, "segment": accounts} for one in accounts]
        version = add_load(catalog, {"accounts": rows}, START)
    definition = read_definition("contracts: {accounts: {volume: {per: load, min: 2}, columns: {segment: {one_of: [x], severity: note}}}}")
    with open_book(catalog, version) as reader:
        shape = shape_of(version, definition, AT)
        (outcome,) = run_checks(shape, CHECKS, reader.query, reader.register, lambda *_: None)
        found = {finding.subject: (finding, reader.query(finding.rows_sql).to_pylist()) for finding in outcome.findings}
    volume, rows = found["volume.load.min"]
    assert (volume.count, volume.of, rows) == (1, 3, [{"period": 2, "rows": 1}])
    cell, _ = found["segment.one_of"]
    assert (cell.count, cell.of) == (2, 2)  # one row an account, as it is now


def test_the_farthest_days_that_a_contract_can_name_are_compared_too() -> None:
    book = {"events": Held({"seen": "instant"}, [{"seen": AT}])}
    far = "{events: {columns: {seen: [{min: today - 999 years}, {max: 2999-12-31}]}}}"
    assert broken(far, book) == {}
    assert list(broken("{events: {columns: {seen: {min: today + 999 years}}}}", book, zone="Asia/Tokyo")) == ["events/seen.min"]
    with pytest.raises(BadInput):
        broken("{events: {columns: {seen: {max: 9999-12-31}}}}", book)


@pytest.mark.parametrize(("zone", "late", "early"), [("UTC", 0, 0), ("Asia/Tokyo", 1, 0), ("America/Lima", 0, 1)])
def test_a_time_counts_by_its_day_in_the_zone_of_the_book(zone: str, late: int, early: int) -> None:
    rows = [{"seen": datetime(2026, 11, 23, 23, 30, tzinfo=UTC)}, {"seen": datetime(2026, 11, 1, 0, 30, tzinfo=UTC)}]
    text = "{events: {columns: {seen: {min: 2026-11-01, max: 2026-11-23}}}}"
    found = broken(text, {"events": Held({"seen": "instant"}, rows)}, zone=zone)
    assert set(found) == {name for name, wrong in (("events/seen.max", late), ("events/seen.min", early)) if wrong}
