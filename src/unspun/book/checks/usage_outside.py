"""Usage outside any subscription: outside the one that it names, else outside every term of its account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.extracts import EVENT_DAYS
from unspun.book.checks.finding import Finding
from unspun.book.checks.reach import REACHED
from unspun.book.checks.running import GRACE_DAYS, OPEN, spans_sql
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, plural
from unspun.book.sql_words import local_day

CODE = "usage_outside_subscription"


def _hindrance(shape: BookShape) -> str:
    return shape.lacks("events", "subscriptions")


def _names(shape: BookShape) -> bool:
    return shape.has("events", "subscription_id") and shape.has("subscriptions", "subscription_id")


def _ask(shape: BookShape) -> Mapping[str, str]:
    unnamed = {"account": _counts_sql("account_id", _unnamed(shape), GRACE_DAYS)}
    return {"named": _counts_sql("subscription_id", "true", 0), **unnamed} if _names(shape) else unnamed


def _unnamed(shape: BookShape) -> str:
    return "subscription_id IS NULL" if _names(shape) else "true"


def _counts_sql(key: str, which: str, slack_days: int) -> str:
    """Rows and accounts by where their days lie; "no term" where nothing was sold under the key."""
    used = f"{key} IN (SELECT DISTINCT {key} FROM {EVENT_DAYS})"
    begun = "len(list_filter(firsts, lambda first: first <= day))"  # the spans of a key do not touch, and stand in order
    return (
        f"WITH spans AS ({spans_sql(key, slack_days, used)}), "
        "terms AS MATERIALIZED (SELECT key, list(first ORDER BY first) AS firsts, list(last ORDER BY first) AS lasts, max(last) AS final "
        "FROM spans GROUP BY key), "
        f"days AS (SELECT {key} AS key, account_id, day, rows, {begun} AS begun, lasts, final FROM {EVENT_DAYS} LEFT JOIN terms "
        f"ON {key} = key WHERE {key} IS NOT NULL AND {which}), "
        "places AS (SELECT account_id, rows, CASE WHEN final IS NULL THEN 'no term' WHEN begun = 0 THEN 'before' "
        f"WHEN day - lasts[begun] <= {slack_days} THEN 'inside' WHEN lasts[begun] < final THEN 'between' ELSE 'after' END AS place "
        "FROM days) "
        "SELECT place, CAST(sum(rows) AS BIGINT) AS rows, count(account_id) AS accounts FROM "
        "(SELECT place, account_id, sum(rows) AS rows FROM places GROUP BY ALL) GROUP BY place"
    )


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    if _names(shape):
        yield from _outside_named(shape, _by_place(answers, "named"))
    places = _by_place(answers, "account")
    yield from _outside_account(shape, places)
    yield from _without_term(shape, places)


def _by_place(answers: Answers, name: str) -> dict[str, dict[str, int]]:
    return {row["place"]: row for row in answers[name].to_pylist()}


def _rows(places: Mapping[str, Mapping[str, int]], *names: str) -> int:
    return sum(places[name]["rows"] for name in names if name in places)


def _outside_named(shape: BookShape, places: Mapping[str, Mapping[str, int]]) -> Iterator[Finding]:
    before, between, after = (_rows(places, name) for name in ("before", "between", "after"))
    outside, of = before + between + after, _rows(places, "before", "between", "after", "inside")
    if outside:
        yield Finding(
            check=CODE,
            table="events",
            severity=gravity(outside, of),
            count=outside,
            of=of,
            unit="rows",
            message=f"{counted(outside, of, 'events')} lie outside the subscription that they name: {before:,} before it starts, "
            f"{between + after:,} after it has ended.",
            affects=REACHED["events"],
            mend="Find out which is wrong: the day of the usage, the subscription that it names, or that subscription's start and end. "
            "Until then use no figure that ties usage to a subscription's time.",
            rows_sql=_rows_sql(shape, "subscription_id", "true", 0),
            facts={"before": before, "between": between, "after": after},
        )


def _outside_account(shape: BookShape, places: Mapping[str, Mapping[str, int]]) -> Iterator[Finding]:
    before, between, after = (_rows(places, name) for name in ("before", "between", "after"))
    outside, of = before + between + after, _rows(places, "before", "between", "after", "inside")
    if not outside:
        return
    late = gravity(between + after, of)
    yield Finding(
        check=CODE,
        table="events",
        subject="by_account" if _names(shape) else "",
        severity=late if late == "error" else gravity(outside, of, most="warning"),  # before the first term it may be a trial
        count=outside,
        of=of,
        unit="rows",
        message=f"{counted(outside, of, 'events')} lie outside every term of their account: {before:,} before its first, "
        f"{between:,} between terms, {after:,} more than {GRACE_DAYS} days after its last.",
        affects=REACHED["events"],
        mend="Load the terms that are missing from the subscriptions' export. Usage before the first term may be a trial; usage after "
        "the last one means that an end is wrong, a renewal is missing, or nobody switched the product off.",
        rows_sql=_rows_sql(shape, "account_id", _unnamed(shape), GRACE_DAYS),
        facts={"before": before, "between": between, "after": after, "grace_days": GRACE_DAYS},
    )


def _without_term(shape: BookShape, places: Mapping[str, Mapping[str, int]]) -> Iterator[Finding]:
    nothing = places.get("no term")
    if nothing is None:
        return
    of = sum(place["rows"] for place in places.values())
    yield Finding(
        check=CODE,
        table="events",
        subject="no_term",
        severity="note",
        count=nothing["rows"],
        of=of,
        unit="rows",
        message=f"{counted(nothing['rows'], of, 'events')} are of {plural(nothing['accounts'], 'account')} without any subscription term.",
        affects=("usage trends", "account counts"),
        mend="Nothing to mend where these are prospects or users of a free plan. Else load the export with their subscriptions.",
        rows_sql="SELECT source_file, source_row, account_id, occurred FROM events WHERE account_id IS NOT NULL AND "
        f"{_unnamed(shape)} AND account_id NOT IN (SELECT key FROM ({spans_sql('account_id', GRACE_DAYS)})) "
        "ORDER BY source_file, source_row",
        facts={"accounts": nothing["accounts"]},
    )


def _rows_sql(shape: BookShape, key: str, which: str, slack_days: int) -> str:
    """The events whose key has terms, and none about their day, each with the first day of the first and the last of the last."""
    day = local_day("occurred", shape.definition.time_zone)
    return (
        f"WITH spans AS MATERIALIZED ({spans_sql(key, slack_days)}), known AS (SELECT key, min(first) AS first_term_started, "
        f"nullif(max(last), {OPEN}) AS last_term_ended FROM spans GROUP BY key) "
        f"SELECT source_file, source_row, account_id, {'subscription_id, ' if _names(shape) else ''}occurred, known.first_term_started, "
        f"known.last_term_ended FROM events JOIN known ON events.{key} = known.key WHERE {which} AND NOT EXISTS (SELECT 1 FROM spans "
        f"WHERE spans.key = events.{key} AND {day} >= spans.first AND {day} - spans.last <= {slack_days}) ORDER BY source_file, source_row"
    )


CHECK = Check(
    code=CODE,
    title="usage outside any subscription",
    tables=("events", "subscriptions"),
    hindrance=_hindrance,
    ask=_ask,
    judge=_judge,
    extracts=(EVENT_DAYS,),
)
