"""Metrics of the crm_sim company: each as metrics.yml declares it, and as plain pandas computes it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from tests.panel.truth import At, Metric, Missing, exact_sum, last_of, ratio, slope, some, those

EVENTS = "events"


def count(at: At, window: tuple[int, int], *names: str) -> int:
    return len(at.rows(EVENTS, window, named(*names)))


def named(*names: str) -> Callable[[pd.DataFrame], pd.Series] | None:
    return (lambda rows: rows.event.isin(names)) if names else None


def deals(at: At, window: tuple[int, int]) -> pd.Series:
    return at.rows(EVENTS, window, named("win_opportunity", "lose_opportunity")).value


def searches_each_week(at: At) -> float:
    return slope([count(at.earlier(7 * back), at.earlier(7 * back).days(7), "search") for back in range(4, -1, -1)])


def running(at: At) -> pd.DataFrame:
    at.check_life(at.day)
    terms = at.visible("subscriptions")
    return those(terms, (terms.day <= at.day) & (terms.ended.isna() | (terms.ended > at.day)))


def relative(now: float, then: float) -> float:
    return ratio(now - then, then)


def size_of_use(at: At) -> float:
    searches = count(at, at.days(28), "search")
    if searches > 60:
        return 2
    return 1 if count(at, at.days(28), "quote") > 0 else 0


def quote_or_deal(rows: pd.DataFrame) -> pd.Series:
    return rows.event.str.startswith("quo") | (rows.event.str.contains("opp") & ~(rows.value < 500))


METRICS: dict[str, tuple[str, Metric]] = {
    "all_7d": ("{count: events, window: 7d}", lambda at: count(at, at.days(7))),
    "all_1d": ("{count: events, window: 1d}", lambda at: count(at, at.days(1))),
    "searches_28d": ("{count: events, where: {event: search}, window: 28d}", lambda at: count(at, at.days(28), "search")),
    "edits_130d": (
        "{count: events, where: {event: [edit_search, edit_contact]}, window: 130d}",
        lambda at: count(at, at.days(130), "edit_search", "edit_contact"),
    ),
    "all_400d": ("{count: events, window: 400d}", lambda at: count(at, at.days(400))),
    "all_ever": ("{count: events}", lambda at: count(at, at.lifetime())),
    "quotes_3mo": ("{count: events, where: {event: quote}, window: 3mo}", lambda at: count(at, at.months(3), "quote")),
    "all_1mo": ("{count: events, window: 1mo}", lambda at: count(at, at.months(1))),
    "this_month": ("{count: events, window: month}", lambda at: count(at, at.period(1))),
    "this_quarter": ("{count: events, window: quarter}", lambda at: count(at, at.period(3))),
    "this_year": ("{count: events, window: year}", lambda at: count(at, at.period(12))),
    "last_month": ("{count: events, window: last month}", lambda at: count(at, at.period(1, 1))),
    "last_quarter": ("{count: events, window: last quarter}", lambda at: count(at, at.period(3, 1))),
    "last_year": ("{distinct: events.user_id, window: last year}", lambda at: at.rows(EVENTS, at.period(12, 1)).user_id.nunique()),
    "in_contract": ("{count: events, window: contract}", lambda at: count(at, at.contract())),
    "deals_90d": (
        "{sum: events.value, where: {event: [win_opportunity, lose_opportunity]}, window: 90d}",
        lambda at: exact_sum(deals(at, at.days(90))),
    ),
    "deal_120d": (
        "{average: events.value, where: {event: [win_opportunity, lose_opportunity]}, window: 120d}",
        lambda at: exact_sum(deals(at, at.days(120))) / len(some(deals(at, at.days(120)).dropna().to_frame())),
    ),
    "least_deal": ("{min: events.value, window: 1mo}", lambda at: some(at.rows(EVENTS, at.months(1)).dropna(subset="value")).value.min()),
    "greatest_deal": ("{max: events.value}", lambda at: some(at.rows(EVENTS, at.lifetime()).dropna(subset="value")).value.max()),
    "users_28d": ("{distinct: events.user_id, window: 28d}", lambda at: at.rows(EVENTS, at.days(28)).user_id.nunique()),
    "users_ever": ("{distinct: events.user_id}", lambda at: at.rows(EVENTS, at.lifetime()).user_id.nunique()),
    "kinds_150d": ("{distinct: events.event, window: 150d}", lambda at: at.rows(EVENTS, at.days(150)).event.nunique()),
    "active_days_28d": ("{active_days: events, window: 28d}", lambda at: at.rows(EVENTS, at.days(28)).day.nunique()),
    "quote_days_200d": (
        "{active_days: events, where: {event: quote}, window: 200d}",
        lambda at: at.rows(EVENTS, at.days(200), named("quote")).day.nunique(),
    ),
    "last_event": ("{last: events.event}", lambda at: last_of(at.rows(EVENTS, at.lifetime(), recency="event"), "event")),
    "last_deal_35d": ("{last: events.value, window: 35d}", lambda at: last_of(at.rows(EVENTS, at.days(35), recency="value"), "value")),
    "since_quote": (
        "{days_since_last: events, where: {event: quote}}",
        lambda at: at.day - some(at.rows(EVENTS, at.lifetime(), named("quote"), "any")).day.max(),
    ),
    "since_first": ("{days_since_first: events, window: year}", lambda at: at.day - some(at.rows(EVENTS, at.period(12))).day.min()),
    "odd_90d": (
        "{count: events, where: {any: [{event: {starts_with: quo}}, {event: {contains: opp}, not: {value: {below: 500}}}]}, window: 90d}",
        lambda at: len(at.rows(EVENTS, at.days(90), quote_or_deal)),
    ),
    "quotes_a_search": (
        "{ratio: [{count: events, where: {event: quote}, window: 28d}, searches_28d]}",
        lambda at: ratio(count(at, at.days(28), "quote"), count(at, at.days(28), "search")),
    ),
    "searches_before": ("{before: {of: searches_28d, days: 28}}", lambda at: count(at.earlier(28), at.earlier(28).days(28), "search")),
    "change_28d": (
        "{change: {of: searches_28d, days: 28}}",
        lambda at: count(at, at.days(28), "search") - count(at.earlier(28), at.earlier(28).days(28), "search"),
    ),
    "change_of_month": (
        "{change: {of: {count: events, window: 1mo}, days: 365, as: ratio}}",
        lambda at: relative(count(at, at.months(1)), count(at.earlier(365), at.earlier(365).months(1))),
    ),
    "trend": ("{trend: {of: {count: events, where: {event: search}, window: 7d}, steps: 5, every: 7d}}", searches_each_week),
    "share_of_quotes": (
        "{share: {of: {count: events, window: 60d}, where: {event: quote}}}",
        lambda at: ratio(count(at, at.days(60), "quote"), count(at, at.days(60))),
    ),
    "size_of_use": (
        "{case: [{when: {searches_28d: {above: 60}}, then: 2}, "
        "{when: [{of: {count: events, where: {event: quote}, window: 28d}, above: 0}], then: 1}, {otherwise: 0}]}",
        size_of_use,
    ),
    "terms_ever": ("{count: subscriptions}", lambda at: len(at.rows("subscriptions", at.lifetime()))),
    "spent_2mo": ("{sum: subscriptions.amount, window: 2mo}", lambda at: exact_sum(at.rows("subscriptions", at.months(2)).amount)),
    "running_terms": ("{open: subscriptions}", lambda at: len(running(at))),
    "running_base": (
        "{open: subscriptions.amount, where: {is_addon: false}}",
        lambda at: exact_sum(those(running(at), ~running(at).is_addon).amount),
    ),
    "per_seat": ("{per_seat: searches_28d}", lambda at: ratio(count(at, at.days(28), "search"), seats(at))),
}  # fmt: skip


def seats(at: At) -> float:
    held = running(at).seats.dropna()
    if held.empty:
        raise Missing("not_stated")
    return exact_sum(held)
