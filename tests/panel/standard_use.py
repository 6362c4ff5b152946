"""The standard metrics of use and of contracts, of the crm_sim company, as plain pandas counts them; and those of purchases."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import median

import pandas as pd

from tests.panel.crm_metrics import count, named, relative, running, seats
from tests.panel.truth import At, Metric, Missing, Value, exact_sum, ratio, some, those

EVENTS = "events"
CHOSEN: dict[str, tuple[str, ...]] = {
    "active": ("search", "quote", "add_contact"), "key_actions": ("quote", "meeting"), "logins": ("search",), "sessions": ("edit_search",),
    "onboarding": ("add_contact", "create_opportunity", "win_opportunity"), "usage_numbers": ("value",),
    "failed_payments": ("lose_opportunity",), "payments": ("win_opportunity",), "overdue_invoices": ("disqualify_opportunity",),
}  # fmt: skip
ACTIVE, KEY, STEPS = CHOSEN["active"], CHOSEN["key_actions"], CHOSEN["onboarding"]


def used(at: At, days: int = 28) -> pd.DataFrame:
    return at.rows(EVENTS, at.days(days), named(*ACTIVE))


def users(at: At, days: int = 28) -> int:
    return used(at, days).user_id.nunique()


def since_last(at: At, table: str, where: Callable[[pd.DataFrame], pd.Series] | None = None) -> int:
    return at.day - some(at.rows(table, at.lifetime(), where, "any")).day.max()


def longest_weeks(at: At) -> int:
    """The longest run of weeks that begin in the 90 days, each with a row in them."""
    first = at.days(90)[0]
    mondays = sorted({day - (day - 1) % 7 for day in used(at, 90).day if day - (day - 1) % 7 >= first})
    longest = run = 0
    for n, monday in enumerate(mondays):
        run = run + 1 if n and monday - mondays[n - 1] == 7 else 1
        longest = max(longest, run)
    return longest


def between(rows: pd.DataFrame) -> float:
    days = sorted(set(rows.day))
    if len(days) < 2:
        raise Missing("too_few_rows")
    return median([float(late - early) for early, late in pairwise(days)])


def days_to_first(at: At, *names: str) -> int:
    rows = at.rows(EVENTS, at.lifetime(), named(*names))
    if rows.empty:
        raise Missing("not_yet")
    assert at.born is not None
    return max(0, int(rows.day.min()) - at.born)


def steps_taken(at: At) -> list[int]:
    """The days of the steps of onboarding, as far as they were taken in their order."""
    rows = at.rows(EVENTS, at.lifetime(), named(*STEPS)).sort_values(by="at", kind="stable")
    taken: list[int] = []
    for name, day in zip(rows.event, rows.day, strict=True):
        if len(taken) < len(STEPS) and name == STEPS[len(taken)]:
            taken.append(int(day))
    return taken


def onboarding_days(at: At) -> int:
    taken = steps_taken(at)
    if len(taken) < len(STEPS):
        raise Missing("not_reached")
    return taken[-1] - taken[0]


def arr(at: At) -> float:
    return exact_sum(running(at).amount * 12)


def change(metric: Callable[[At], float], at: At, days: int) -> float:
    now = metric(at)
    return relative(now, metric(at.earlier(days)))


def key_users(at: At) -> int:
    return at.rows(EVENTS, at.days(28), named(*KEY)).user_id.nunique()


def addons(at: At) -> int:
    return int(running(at).is_addon.sum())


def days_to_renewal(at: At) -> int:
    terms = running(at)
    terms = terms[~terms.is_addon]
    if terms.empty:
        raise Missing("no_contract")
    if terms.ended.isna().all():
        raise Missing("not_stated")
    return int(terms.ended.min()) - at.day


def daily_users(at: At) -> float:
    """The people of each of 28 days, each day by itself."""
    return int(used(at).groupby("day").user_id.nunique().sum()) / 28


USE: dict[str, Metric] = {
    "average_daily_users_28d": daily_users,
    "stickiness_28d": lambda at: ratio(daily_users(at), users(at)),
    "active_days_per_user_28d": lambda at: 28 * ratio(daily_users(at), users(at)),
    "active_users_28d": users,
    "active_users_7d": lambda at: users(at, 7),
    "events_28d": lambda at: len(used(at)),
    "active_days_28d": lambda at: used(at).day.nunique(),
    "days_since_active": lambda at: since_last(at, EVENTS, named(*ACTIVE)),
    "active_users_change_28d": lambda at: change(users, at, 28),
    "events_change_28d": lambda at: change(lambda then: len(used(then)), at, 28),
    "logins_28d": lambda at: count(at, at.days(28), "search"),
    "value_sum_28d": lambda at: exact_sum(at.rows(EVENTS, at.days(28)).value),
    "features_used_28d": lambda at: used(at).event.nunique(),
    "key_actions_used_28d": lambda at: at.rows(EVENTS, at.days(28), named(*KEY)).event.nunique() / 2,
    "key_action_users_share_28d": lambda at: ratio(key_users(at), users(at)),
    "events_per_user_28d": lambda at: ratio(len(used(at)), users(at)),
    "key_actions_28d": lambda at: count(at, at.days(28), *KEY),
    "key_actions_per_user_28d": lambda at: ratio(count(at, at.days(28), *KEY), users(at)),
    "sessions_28d": lambda at: count(at, at.days(28), "edit_search"),
    "sessions_per_user_28d": lambda at: ratio(count(at, at.days(28), "edit_search"), users(at)),
    "quote_28d": lambda at: count(at, at.days(28), "quote"),
    "meeting_28d": lambda at: count(at, at.days(28), "meeting"),
    "seat_utilisation_28d": lambda at: ratio(users(at), seats(at)),
    "seats_unused_28d": lambda at: seats(at) - users(at),
    "events_per_seat_28d": lambda at: ratio(len(used(at)), seats(at)),
    "weekly_stickiness_28d": lambda at: ratio(users(at, 7), users(at)),
    "active_days_share_28d": lambda at: used(at).day.nunique() / 28,
    "longest_streak_90d": longest_weeks,
    "days_between_use_90d": lambda at: between(used(at, 90)),
    "days_to_first_use": lambda at: days_to_first(at, *ACTIVE),
    "days_to_first_key_action": lambda at: days_to_first(at, *KEY),
    "onboarding_steps": lambda at: len(steps_taken(at)),
    "onboarding_days": onboarding_days,
    "failed_payments_90d": lambda at: count(at, at.days(90), "lose_opportunity"),
    "overdue_invoices_365d": lambda at: count(at, at.days(365), "disqualify_opportunity"),
    "days_since_payment": lambda at: since_last(at, EVENTS, named("win_opportunity")),
    "arr": arr,
    "arr_per_seat": lambda at: ratio(arr(at), seats(at)),
    "seats": seats,
    "seats_change_365d": lambda at: change(seats, at, 365),
    "amount_change_365d": lambda at: change(lambda then: exact_sum(running(then).amount), at, 365),
    "running_terms": lambda at: len(running(at)),
    "addons": addons,
    "days_as_customer": lambda at: at.day - some(at.rows("subscriptions", at.lifetime())).day.min(),
    "days_to_renewal": days_to_renewal,
    "days_into_term": lambda at: at.day - some(at.rows("subscriptions", at.contract())).day.min(),
}  # fmt: skip


# Purchases


def bought(at: At) -> pd.DataFrame:
    return at.rows("purchases", at.days(365))


def spent(at: At) -> float:
    return exact_sum(bought(at).amount)


def returned(at: At) -> Value:
    return ratio(len(those(bought(at), bought(at).Quantity < 0)), len(bought(at)))


PURCHASES: dict[str, Metric] = {
    "days_since_purchase": lambda at: since_last(at, "purchases"),
    "orders_365d": lambda at: bought(at).InvoiceNo.nunique(),
    "spend_365d": spent,
    "average_order_365d": lambda at: ratio(spent(at), bought(at).InvoiceNo.nunique()),
    "quantity_365d": lambda at: exact_sum(bought(at).Quantity),
    "products_365d": lambda at: bought(at).StockCode.nunique(),
    "returned_share_365d": returned,
    "days_between_purchases_365d": lambda at: between(bought(at)),
    "spend_change_365d": lambda at: change(spent, at, 365),
}
