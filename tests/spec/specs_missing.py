"""Why there is no value."""

from __future__ import annotations

from datetime import date

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from unspun.book.checks.finding import Span

OTHERS = """
    touchpoints
    account_id | occurred
    z          | 2023-12-01
"""
EVENTS = """
    accounts
    account_id | created_on
    a          | 2023-06-01
    b          | 2024-01-15
    c          | 2023-06-01

    events
    account_id | occurred
    a          | 2024-01-10
    a          | 2024-01-20
    b          | 2024-01-20
    a          | 2024-02-05
"""
LOGINS = """
    events
    account_id | occurred   | event  | value | platform (text)
    a          | 2024-01-08 | login  | 1     | web
    a          | 2024-01-11 | export | 5     | web
    a          | 2024-01-13 | login  | 1     | web
    a          | 2024-01-15 | login  | 1     | ios
    b          | 2024-01-13 | login  | 1     | web
"""


def with_outage(teaches: str, metric: str, expected: str, extra: bool = False, **span: object) -> Spec:
    """The logins of 10 to 12 January were not recorded; or what `span` says."""
    outages = {"events": (Span(**{"kind": "stopped", "first": date(2024, 1, 10), "last": date(2024, 1, 12), "event": "login", **span}),)}  # pyright: ignore[reportArgumentType]
    return Spec(teaches=teaches, tables=LOGINS, metric=metric, expected=expected, outages=outages, extra=extra)


BORN = (
    Spec(
        teaches="An account that became a customer on 1 March has no value before that day. `created_on` says so; "
        "here it is declared fixed, "
        "so that it is known for all dates.",
        tables=f"accounts\naccount_id | created_on\na | 2024-03-01\n{OTHERS}",
        metric="count: touchpoints\nwindow: 28d",
        expected="account_id | 2024-02-29 | 2024-03-01\na | (before_birth) | 0\nb | 0 | 0",
        fixed=("created_on",),
    ),
    Spec(
        teaches="Where `created_on` is not stated, the first term counts, also one that was sold before it began.",
        tables=f"subscriptions\naccount_id | started | known_at\na | 2024-03-01 | 2024-01-10\n{OTHERS}",
        metric="count: touchpoints\nwindow: 28d",
        expected="account_id | 2024-01-09 | 2024-01-10 | 2024-02-29 | 2024-03-01\na | 0 | (before_birth) | (before_birth) | 0",
        extra=True,
    ),
    Spec(
        teaches="Of customers without a contract, the first purchase. A window that ended before it has no value.",
        tables="purchases\naccount_id | purchased | amount\nz | 2024-01-05 | 10\na | 2024-02-10 | 25\na | 2024-03-02 | 30",
        metric="sum: purchases.amount\nwindow: last month",
        expected="account_id | 2024-02-29 | 2024-03-31 | 2024-04-01\na | (before_birth) | 25 | 30",
    ),
    Spec(
        teaches="An account that the book did not name by then was no customer either: its first statement (a first term, purchase or "
        "event would do as well) is of 5 March. It is not an account with 0 touchpoints.",
        tables=f"accounts\naccount_id | dated | plan\na | 2024-03-05 | Pro\n{OTHERS}",
        metric="count: touchpoints",
        expected="account_id | 2024-03-04 | 2024-03-05\na | (before_birth) | 0",
    ),
    Spec(
        teaches="A term, a purchase or an event makes an account known, from when it was known itself; a touchpoint alone does not.",
        tables="accounts\naccount_id | dated | plan\na | 2024-06-01 | Pro\nb | 2024-06-01 | Pro\nz | 2023-01-01 |\n\n"
        "touchpoints\naccount_id | occurred\nz | 2023-12-01\na | 2024-03-05\n\n"
        "events\naccount_id | occurred | known_at\nb | 2024-03-05 | 2024-03-08",
        metric="count: touchpoints",
        expected="account_id | 2024-03-05 | 2024-03-07 | 2024-03-08 | 2024-06-01\n"
        "a | (before_birth) | (before_birth) | (before_birth) | 1\nb | (before_birth) | (before_birth) | 0 | 0\nz | 1 | 1 | 1 | 1",
        extra=True,
    ),
    Spec(
        teaches="Of a creation, a first term and a first purchase, the first counts: who bought before was a customer.",
        tables="purchases\naccount_id | purchased\na | 2024-01-05\nb | 2024-01-05\n\n"
        "subscriptions\naccount_id | started | known_at\na | 2024-03-01 | 2024-01-10",
        metric="count: purchases",
        expected="account_id | 2024-01-09 | 2024-01-10 | 2024-03-01\na | 1 | 1 | 1\nb | 1 | 1 | 1",
        extra=True,
    ),
    Spec(
        teaches="A series of earlier days has no value where one of them lies before the birth.",
        tables=f"accounts\naccount_id | created_on\na | 2024-03-01\n{OTHERS}",
        metric="change: {of: {count: touchpoints, window: 28d}, days: 28}",
        expected="account_id | 2024-03-28 | 2024-03-29\na | (before_birth) | 0",
    ),
    Spec(
        teaches="Before its birth an account has no attributes, seats or ARR either; a number it has.",
        tables="accounts\naccount_id | created_on | plan | seats\na | 2024-03-01 | Pro | 5",
        metric="add: [1, {seats: true}]",
        expected="account_id | 2024-02-29 | 2024-03-01\na | (before_birth) | 6",
        extra=True,
    ),
)
LEFT = (
    Spec(
        teaches="The term ended on 1 February. Until a renewal might still come in late, for seven days (`grace_days`), the account is no "
        "lost one; from 8 February it has left, until the day on which a new term begins.",
        tables="""
            subscriptions
            account_id | started    | ended
            a          | 2023-02-01 | 2024-02-01
            a          | 2024-03-01 |

            touchpoints
            account_id | occurred
            a          | 2024-01-20
            a          | 2024-02-20
        """,
        metric="count: touchpoints\nwindow: 28d",
        expected="""
            account_id | 2024-01-31 | 2024-02-07 | 2024-02-08    | 2024-03-01
            a          | 1          | 1          | (after_churn) | 1
        """,
    ),
    Spec(
        teaches="Without terms, a recorded departure counts, until the account buys again. Every row of `churns` is a departure: "
        "`is_reactivation` says that the account had left once before.",
        tables=f"""
            churns
            account_id | churned    | is_reactivation
            a          | 2024-02-10 |
            b          | 2024-02-10 | no
            c          | 2024-02-10 |
            c          | 2024-03-01 | yes

            purchases
            account_id | purchased
            b          | 2024-02-20
            {OTHERS}
        """,
        metric="count: touchpoints",
        expected="""
            account_id | 2024-02-09 | 2024-02-10    | 2024-02-20    | 2024-03-01
            a          | 0          | (after_churn) | (after_churn) | (after_churn)
            b          | 0          | (after_churn) | 0             | 0
            c          | 0          | (after_churn) | (after_churn) | (after_churn)
        """,
    ),
    Spec(
        teaches="A departure counts from when it was known; terms go before it, and add-ons do not keep an account.",
        tables=f"""
            subscriptions
            account_id | started    | ended      | is_addon
            b          | 2024-01-01 |            |
            c          | 2023-01-01 | 2024-01-01 |
            c          | 2023-06-01 |            | yes

            churns
            account_id | churned    | known_at
            a          | 2024-02-10 | 2024-02-15
            b          | 2024-02-10 | 2024-02-10
            {OTHERS}
        """,
        metric="count: touchpoints",
        expected="""
            account_id | 2024-01-07 | 2024-01-08    | 2024-02-14    | 2024-02-15
            a          | 0          | 0             | 0             | (after_churn)
            b          | 0          | 0             | 0             | 0
            c          | 0          | (after_churn) | (after_churn) | (after_churn)
        """,
        extra=True,
    ),
)
SOURCE = (
    Spec(
        teaches="`no_source`: before the first ticket of anybody, the book cannot tell that an account had none.",
        tables="tickets\nticket_id | account_id | opened | known_at\nt1 | b | 2024-01-10 | 2024-01-12",
        metric="count: tickets",
        expected="account_id | 2024-01-09 | 2024-01-11 | 2024-01-12\na | (no_source) | (no_source) | 0",
    ),
    Spec(
        teaches="A table that the book does not hold at all is no source.",
        metric="count: tickets",
        expected="account_id | 2024-01-31\na | (no_source)",
        extra=True,
    ),
    Spec(
        teaches="`source_silent`: events are expected all the time. When nobody had one for more than seven days, the table counts as not "
        "filled, and no account has a value, rather than all of them 0.",
        tables="events\naccount_id | occurred\na | 2024-01-20\nb | 2024-01-24",
        metric="count: events\nwindow: 28d",
        expected="account_id | 2024-01-31 | 2024-02-01\na | 1 | (source_silent)\nb | 1 | (source_silent)",
    ),
    Spec(
        teaches="`sources` of metrics.yml says otherwise: here that silence means nothing, and that every account is connected.",
        tables="events\naccount_id | occurred\na | 2024-01-20\nb | 2024-01-24",
        metric="count: events\nwindow: 28d",
        sources="events: {covers: every account, silent_days: null}",
        expected="account_id | 2024-01-31 | 2024-02-25\na | 1 | 0\nb | 1 | 0\nc | 0 | 0",
    ),
    Spec(
        teaches="Any table can be declared to be expected all the time.",
        tables=OTHERS,
        metric="count: touchpoints",
        sources="touchpoints: {covers: seen accounts, silent_days: 14}",
        expected="account_id | 2023-12-15 | 2023-12-16\na | (not_seen) | (source_silent)\nz | 1 | (source_silent)",
        extra=True,
    ),
    Spec(
        teaches="`before_source`: events begin on 10 January. Account a was a customer before, so what it did earlier in the window is not "
        "known; b came later, and its window begins with it. As of 6 February the window lies within the events for both.",
        tables=EVENTS,
        metric="count: events\nwindow: 28d",
        expected="""
            account_id | 2024-01-20      | 2024-02-05      | 2024-02-06
            a          | (before_source) | (before_source) | 3
            b          | 1               | 1               | 1
            c          | (before_source) | (before_source) | (not_seen)
        """,
    ),
    Spec(
        teaches="Days since the last event need nothing from before that event.",
        tables=EVENTS,
        metric="days_since_last: events",
        expected="""
            account_id | 2024-01-20      | 2024-02-06
            a          | 0               | 1
            b          | 0               | 17
            c          | (before_source) | (before_source)
        """,
    ),
    Spec(
        teaches="Days since the first one do.",
        tables=EVENTS,
        metric="days_since_first: events",
        expected="account_id | 2024-01-20 | 2024-02-06\na | (before_source) | (before_source)\nb | 0 | 17",
        extra=True,
    ),
    Spec(
        teaches="`not_seen`: an account that has not appeared in the events is not connected; from its first event on, 0 is a value.",
        tables="events\naccount_id | occurred\na | 2024-01-08\na | 2024-01-20\nb | 2024-01-10",
        metric="count: events\nwindow: 7d",
        expected="account_id | 2024-01-09 | 2024-01-16 | 2024-01-17 | 2024-01-20\na | 1 | 0 | 0 | 1\nb | (not_seen) | "
        "1 | 0 | 0\nc | (not_seen) | (not_seen) | (not_seen) | (not_seen)",
    ),
)
OUTAGE = (
    with_outage(
        "`outage`: the check of tracking found that logins of 10 to 12 January were not recorded. A window that holds "
        "one of these days has "
        "no value; b is new on the 13th, and its window begins with it.",
        "count: events\nwhere: {event: login}\nwindow: 3d",
        """
            account_id | 2024-01-09 | 2024-01-10 | 2024-01-14 | 2024-01-15
            a          | 1          | (outage)   | (outage)   | 2
            b          | (not_seen) | (not_seen) | 1          | 1
        """,
    ),
    with_outage(
        "A measure of other events is as it was.",
        "count: events\nwhere: {event: export}\nwindow: 3d",
        "account_id | 2024-01-12 | 2024-01-14\na | 1 | 0",
    ),
    with_outage(
        "A measure of all events is not.",
        "count: events\nwindow: 3d",
        "account_id | 2024-01-12 | 2024-01-15\na | (outage) | 2",
        extra=True,
    ),
    with_outage(
        "A condition that does not plainly leave the event out does not help: here one that asks for what is no export.",
        "count: events\nwhere: {event: {not: export}}\nwindow: 3d",
        "account_id | 2024-01-12\na | (outage)",
        extra=True,
    ),
    with_outage(
        "Days since the last login: between 8 and 12 January one may be missing. Since one is known of the 13th, nothing is.",
        "days_since_last: events\nwhere: {event: login}",
        "account_id | 2024-01-09 | 2024-01-12 | 2024-01-13 | 2024-01-14\na | 1 | (outage) | 0 | 1",
    ),
    with_outage(
        "Days since the first login depend on the days up to it.",
        "days_since_first: events\nwhere: {event: login}",
        "account_id | 2024-01-12 | 2024-01-15\na | 4 | 7\nb | (not_seen) | 2",
        extra=True,
    ),
    with_outage(
        "The last value depends on the days since.",
        "last: events.value\nwhere: {event: login}",
        "account_id | 2024-01-09 | 2024-01-12 | 2024-01-13\na | 1 | (outage) | 1",
        extra=True,
    ),
    with_outage(
        "An outage that goes on.",
        "count: events\nwhere: {event: login}\nwindow: 3d",
        "account_id | 2024-01-09 | 2024-01-15\na | 1 | (outage)",
        extra=True,
        last=None,
    ),
    with_outage(
        "An outage of one column bears on measures that read it.",
        "subtract: [{count: events, where: {event: login}, window: 3d}, {sum: events.value, where: {event: export}, window: 3d}]",
        "account_id | 2024-01-09 | 2024-01-12 | 2024-01-15\na | 1 | (outage) | 2",
        extra=True,
        event="",
        measure="value",
    ),
    with_outage(
        "A count does not read the column.",
        "count: events\nwindow: 3d",
        "account_id | 2024-01-09 | 2024-01-12 | 2024-01-15\na | 1 | 1 | 2",
        extra=True,
        event="",
        measure="value",
    ),
    with_outage(
        "An outage of one part of the book bears on every measure that is not plainly of other parts.",
        "count: events\nwhere: {platform: web}\nwindow: 3d",
        "account_id | 2024-01-12\na | 1",
        extra=True,
        event="",
        where=("platform", "ios"),
    ),
    with_outage(
        "Such as this one.",
        "count: events\nwindow: 3d",
        "account_id | 2024-01-12\na | (outage)",
        extra=True,
        event="",
        where=("platform", "ios"),
    ),
    Spec(
        teaches="An outage of the accounts of one region bears on those, and on accounts of which no region is known.",
        tables="accounts\naccount_id | dated | region (text)\na | 2023-01-01 | EMEA\nb | 2023-01-01 | APAC\nb | 2024-01-12 | EMEA\n"
        "c | 2023-01-01 |\n\nevents\naccount_id | occurred\na | 2024-01-08\nb | 2024-01-08\nc | 2024-01-08\nb | 2024-01-15",
        metric="add: [{count: events, window: 3d}, {days_since_last: events}]",
        expected="account_id | 2024-01-09 | 2024-01-11 | 2024-01-12 | 2024-01-15\n"
        "a | 2 | (outage) | (outage) | (outage)\nb | 2 | 3 | (outage) | 1\nc | 2 | (outage) | (outage) | (outage)",
        outages={"events": (Span("fell", date(2024, 1, 10), date(2024, 1, 12), where=("accounts.region", "EMEA")),)},
    ),
)
FIRST = (
    Spec(
        teaches="Of several reasons the first in the order of the list is given. Before its birth an account has no "
        "contract, and the book no "
        "tickets; after its churn it has no contract either.",
        tables="subscriptions\naccount_id | started | ended | known_at\na | 2024-03-01 | 2024-04-01 | 2024-01-01",
        metric="count: tickets\nwindow: contract",
        expected="account_id | 2024-02-01 | 2024-03-01 | 2024-04-05 | 2024-04-08\na | (before_birth) | (no_source) | "
        "(no_contract) | (after_churn)\nb | (no_contract) | (no_contract) | (no_contract) | (no_contract)",
    ),
    Spec(
        teaches="A silent source goes before one that began within the window; that before an account that was not "
        "seen, an outage and no rows.",
        tables=EVENTS,
        metric="average: events.value\nwindow: 28d",
        expected="""
            account_id | 2024-01-27      | 2024-01-29      | 2024-02-06 | 2024-02-14
            a          | (before_source) | (source_silent) | (outage)   | (source_silent)
            b          | (no_rows)       | (source_silent) | (outage)   | (source_silent)
            c          | (before_source) | (source_silent) | (not_seen) | (source_silent)
        """,
        outages={"events": (Span("fell", date(2024, 2, 6), date(2024, 2, 7)),)},
        extra=True,
    ),
)
CURRENCIES = (
    Spec(
        teaches="An amount of euros and one of dollars have no sum, nor have one of euros and one of which nothing is stated. "
        "Where no currency is stated at all, amounts are taken to be in one.",
        tables="""
            purchases
            account_id | purchased  | amount | currency
            a          | 2024-01-05 | 10     | EUR
            a          | 2024-02-05 | 20     | USD
            b          | 2024-01-05 | 1      | EUR
            b          | 2024-02-05 | 2      |
            c          | 2024-01-05 | 3      |
            c          | 2024-02-05 | 4      |
            d          | 2024-01-05 |        | USD
            d          | 2024-02-05 | 5      | EUR
        """,
        metric="sum: purchases.amount",
        expected="""
            account_id | 2024-01-31 | 2024-02-29
            a          | 10         | (several_currencies)
            b          | 1          | (several_currencies)
            c          | 3          | 7
            d          | 0          | 5
        """,
    ),
    Spec(
        teaches="A condition on the currency says which is meant. The rows that do not fit do not matter, nor those of other days.",
        tables="purchases\naccount_id | purchased | amount | currency\na | 2024-01-05 | 10 | EUR\na | 2024-02-05 | 20 | USD",
        metric="subtract: [{max: purchases.amount, where: {currency: USD}}, {average: purchases.amount, window: month}]",
        expected="account_id | 2024-02-04 | 2024-02-05 | 2024-03-01\na | (no_rows) | 0 | (no_rows)",
        extra=True,
    ),
    Spec(
        teaches="The last amount is one row's, and has its currency.",
        tables="purchases\naccount_id | purchased | amount | currency\na | 2024-01-05 | 10 | EUR\na | 2024-02-05 | 20 | USD",
        metric="last: purchases.amount",
        expected="account_id | 2024-01-31 | 2024-02-29\na | 10 | 20",
        extra=True,
    ),
    Spec(
        teaches="The least of amounts in several currencies is none; nor is there a sum of terms that run.",
        tables="subscriptions\naccount_id | started | ended | amount | currency\n"
        "a | 2024-01-01 | | 10 | EUR\na | 2024-02-01 | 2024-04-01 | 20 | CHF\nb | 2024-01-01 | | 7 | EUR",
        metric="subtract: [{open: subscriptions.amount}, {min: subscriptions.amount, window: month}]",
        expected="account_id | 2024-01-31 | 2024-02-29 | 2024-04-01\n"
        "a | 0 | (several_currencies) | (no_rows)\nb | 0 | (no_rows) | (no_rows)",
        extra=True,
    ),
)
CHAPTER = Chapter(
    "Why there is no value",
    "Missing is not zero. Where a metric has no value, the column `<id>__missing` says why; of several reasons, the first in this order:",
    (
        Section(
            "before_birth",
            BORN,
            words="The account was no customer yet: by the first of `created_on` of accounts, its first term and its first purchase.",
        ),
        Section("after_churn", LEFT, words="The account had left: by its terms, else by the departures in `churns`."),
        Section("no_source, source_silent, before_source, not_seen", SOURCE, words="The table cannot tell."),
        Section("outage", OUTAGE, words="The window holds days of a recorded tracking outage that nobody accepted."),
        Section("several_currencies", CURRENCIES, words="Amounts are put together in one currency only, where the table has `currency`."),
        Section("Several at once", FIRST),
    ),
)
