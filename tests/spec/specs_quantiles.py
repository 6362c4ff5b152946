"""Percentiles, and the time to value."""

from __future__ import annotations

from datetime import date

from tests.spec.harness import Spec
from unspun.book.checks.finding import Span

MINUTES = """
    touchpoints
    account_id | occurred   | minutes | channel
    a          | 2024-01-03 | 30      | call
    a          | 2024-01-03 |         | mail
    a          | 2024-01-04 | 10      | call
    a          | 2024-01-10 | 45      | call
    a          | 2024-01-10 | 20      | mail
    b          | 2024-01-09 | 5       | mail
"""
QUANTILE = (
    Spec(
        teaches="The middle number; of an even number of cells the mean of the middle two. An empty cell is not one.",
        tables=MINUTES,
        metric="median: touchpoints.minutes",
        expected="""
            account_id | 2024-01-03 | 2024-01-04 | 2024-01-10
            a          | 30         | 20         | 25
            b          | (no_rows)  | (no_rows)  | 5
        """,
    ),
    Spec(
        teaches="The 90th percentile of 10, 20, 30 and 45 is at place 2.7 of 0 to 3: 30 and seven tenths of the way to 45.",
        tables=MINUTES,
        metric="percentile: {of: touchpoints.minutes, q: 0.9}",
        expected="""
            account_id | 2024-01-03 | 2024-01-04 | 2024-01-10
            a          | 30         | 28         | 40.5
        """,
    ),
    Spec(
        teaches="Over a window, and of the calls alone.",
        tables=MINUTES,
        metric="median: touchpoints.minutes\nwhere: {channel: call}\nwindow: 7d",
        expected="""
            account_id | 2024-01-04 | 2024-01-10 | 2024-01-11
            a          | 20         | 27.5       | 45
            b          | (no_rows)  | (no_rows)  | (no_rows)
        """,
    ),
    Spec(
        teaches="A percentile that falls on a cell is that cell; nothing is computed of it.",
        tables="touchpoints\naccount_id | occurred | minutes\na | 2024-01-01 | 0.1\na | 2024-01-01 | 0.7\na | 2024-01-01 | 1e-12\n"
        "a | 2024-01-01 | 123456789.123456789\na | 2024-01-01 | -4",
        metric="percentile: {of: touchpoints.minutes, q: 0.25}",
        expected="account_id | 2024-01-01\na | 1e-12",
        extra=True,
    ),
    Spec(
        teaches="Equal cells are cells each; the finest percentile.",
        tables="touchpoints\naccount_id | occurred | minutes\na | 2024-01-01 | 1\na | 2024-01-01 | 1\na | 2024-01-01 | 2",
        metric="percentile: {of: touchpoints.minutes, q: 0.9999}",
        expected="account_id | 2024-01-01\na | 1.9998",
        extra=True,
    ),
    Spec(
        teaches="Of amounts, and of amounts in several currencies.",
        tables="""
            purchases
            account_id | purchased  | amount | currency
            a          | 2024-01-05 | 10.00  | EUR
            a          | 2024-01-06 | 10.01  | EUR
            b          | 2024-01-05 | 1      | EUR
            b          | 2024-01-06 | 2      | USD
        """,
        metric="median: purchases.amount",
        expected="account_id | 2024-01-05 | 2024-01-06\na | 10 | 10.005\nb | 1 | (several_currencies)",
    ),
    Spec(
        teaches="Of whole numbers.",
        tables="touchpoints\naccount_id | occurred | slides (whole)\na | 2024-01-01 | 12\na | 2024-01-02 | 30",
        metric="median: touchpoints.slides",
        expected="account_id | 2024-01-01 | 2024-01-02\na | 12 | 21",
        extra=True,
    ),
    Spec(
        teaches="A row that is known late, and one that is corrected, count as they are known on the as-of date.",
        tables="""
            tickets
            ticket_id | account_id | opened     | effort (number) | known_at
            t1        | a          | 2024-01-02 | 1               | 2024-01-02
            t2        | a          | 2024-01-03 | 5               | 2024-01-06
            t1        | a          | 2024-01-02 | 3               | 2024-01-08
        """,
        metric="median: tickets.effort",
        expected="account_id | 2024-01-05 | 2024-01-06 | 2024-01-08\na | (no_rows) | 5 | 4",
    ),
    Spec(
        teaches="Less than it was: the median of the seven days before.",
        tables=MINUTES,
        metric="change: {of: {median: touchpoints.minutes, window: 7d}, days: 6}",
        expected="account_id | 2024-01-10 | 2024-01-16\na | 0 | 12.5",
        extra=True,
    ),
    Spec(
        teaches="An outage in the window, and before birth.",
        tables="accounts\naccount_id | created_on\nb | 2024-01-10\n" + "\n" + MINUTES.strip("\n"),
        metric="median: touchpoints.minutes\nwindow: 3d",
        expected="account_id | 2024-01-09 | 2024-01-10\na | (outage) | (outage)\nb | (before_birth) | 5",
        outages={"touchpoints": (Span("fell", date(2024, 1, 8), date(2024, 1, 9)),)},
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="An outage of another column's values does not bear.",
        tables=MINUTES,
        metric="median: touchpoints.minutes",
        expected="account_id | 2024-01-10\na | 25",
        outages={"touchpoints": (Span("fell", date(2024, 1, 8), date(2024, 1, 9), measure="channel"),)},
        extra=True,
    ),
    Spec(
        teaches="Since contract start.",
        tables="subscriptions\naccount_id | started | ended\na | 2024-01-04 | 2025-01-01\n" + "\n" + MINUTES.strip("\n"),
        metric="median: touchpoints.minutes\nwindow: contract",
        expected="account_id | 2024-01-05 | 2024-01-10\na | 10 | 20",
        extra=True,
    ),
    Spec(
        teaches="Before renewals.",
        tables=MINUTES,
        metric="median: touchpoints.minutes\nwindow: 7d",
        expected="account_id | due | 30 | 25\na | 2024-02-04 | 20 | 20\nb | 2024-02-04 | (no_rows) | 5",
        extra=True,
    ),
)
FIRSTS = """
    accounts
    account_id | created_on
    a          | 2024-01-05
    b          | 2024-01-05
    c          | 2024-01-05
    d          |

    touchpoints
    account_id | occurred   | channel
    a          | 2024-01-08 | mail
    a          | 2024-01-15 | call
    a          | 2024-01-17 | call
    b          | 2024-01-02 | call
    b          | 2024-01-20 | call
    d          | 2024-01-06 | call
"""
TO_FIRST = (
    Spec(
        teaches="Account a had its first call ten days after it became a customer, b before that. Account c has had none: no 0; of "
        "d it is not known since when it is a customer.",
        tables=FIRSTS,
        metric="days_to_first: touchpoints\nwhere: {channel: call}",
        expected="""
            account_id | 2024-01-04     | 2024-01-14   | 2024-01-15   | 2024-03-01
            a          | (before_birth) | (not_yet)    | 10           | 10
            b          | (before_birth) | 0            | 0            | 0
            c          | (before_birth) | (not_yet)    | (not_yet)    | (not_yet)
            d          | (not_yet)      | (not_stated) | (not_stated) | (not_stated)
        """,
        fixed=("created_on",),
    ),
    Spec(
        teaches="On the day itself it is 0.",
        tables="accounts\naccount_id | created_on\na | 2024-01-05\n\ntouchpoints\naccount_id | occurred\na | 2024-01-05",
        metric="days_to_first: touchpoints",
        expected="account_id | 2024-01-05 | 2024-01-06\na | 0 | 0",
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="From the start of the current term: with each new one it is counted again.",
        tables="""
            subscriptions
            account_id | started    | ended
            a          | 2023-01-10 | 2024-01-10
            a          | 2024-01-10 | 2025-01-10

            touchpoints
            account_id | occurred
            b          | 2023-01-01
            a          | 2023-01-15
            a          | 2024-01-12
            a          | 2024-01-20
        """,
        metric="days_to_first: touchpoints\nwindow: contract",
        expected="""
            account_id | 2023-01-14 | 2024-01-09 | 2024-01-10 | 2024-01-12 | 2024-03-01
            a          | (not_yet)  | 5          | (not_yet)  | 2          | 2
        """,
    ),
    Spec(
        teaches="Without a term there is no start to count from.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-05",
        metric="days_to_first: touchpoints\nwindow: contract",
        expected="account_id | 2024-01-05\na | (no_contract)",
        extra=True,
    ),
    Spec(
        teaches="The first row by what is known on the as-of date: one that is known late counts from then on.",
        tables="accounts\naccount_id | created_on\na | 2024-01-01\n\ntouchpoints\naccount_id | occurred | known_at\n"
        "a | 2024-01-04 | 2024-01-20\na | 2024-01-09 | 2024-01-09\nb | 2024-01-02 | 2024-01-02",
        metric="days_to_first: touchpoints",
        expected="account_id | 2024-01-05 | 2024-01-09 | 2024-01-19 | 2024-01-20\na | (not_yet) | 8 | 8 | 3",
        fixed=("created_on",),
    ),
    Spec(
        teaches="A corrected row happened when it is now said to have.",
        tables="accounts\naccount_id | created_on\na | 2024-01-01\n\ntickets\nticket_id | account_id | opened | known_at\n"
        "t1 | a | 2024-01-04 | 2024-01-04\nt1 | a | 2024-01-07 | 2024-01-09\nt2 | b | 2024-01-02 | 2024-01-02",
        metric="days_to_first: tickets",
        expected="account_id | 2024-01-03 | 2024-01-08 | 2024-01-09\na | (not_yet) | 3 | 6",
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="An outage before the first row, or while there is none, may have hidden an earlier one; a later outage does not matter.",
        tables=FIRSTS,
        metric="days_to_first: touchpoints\nwhere: {channel: call}",
        expected="""
            account_id | 2024-01-09 | 2024-01-12 | 2024-01-15
            a          | (not_yet)  | (outage)   | (outage)
            b          | 0          | 0          | 0
        """,
        fixed=("created_on",),
        outages={"touchpoints": (Span("stopped", date(2024, 1, 11), date(2024, 1, 12)),)},
    ),
    Spec(
        teaches="Where the table is filled later than the account became a customer, its first row was not seen.",
        tables="accounts\naccount_id | created_on\na | 2024-01-01\nb | 2024-01-06\n\nevents\naccount_id | occurred\na | 2024-01-06\n"
        "b | 2024-01-08",
        metric="days_to_first: events",
        expected="account_id | 2024-01-06 | 2024-01-08\na | (before_source) | (before_source)\nb | (not_seen) | 2",
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="What was known of it six days earlier.",
        tables=FIRSTS,
        metric="before: {of: {days_to_first: touchpoints, where: {channel: call}}, days: 6}",
        expected="account_id | 2024-01-20 | 2024-01-21\na | (not_yet) | 10",
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="Before renewals.",
        tables=FIRSTS,
        metric="days_to_first: touchpoints\nwhere: {channel: call}",
        expected="account_id | due | 31 | 30\na | 2024-02-14 | (not_yet) | 10\na | 2024-02-20 | 10 | 10\nb | 2024-02-14 | 0 | 0",
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="Where nothing is stated, the first term is the start.",
        tables="subscriptions\naccount_id | started\na | 2024-01-10\n\ntouchpoints\naccount_id | occurred\na | 2024-01-12\nb | 2024-01-01",
        metric="days_to_first: touchpoints",
        expected="account_id | 2024-01-09 | 2024-01-11 | 2024-01-12\na | (not_yet) | (not_yet) | 2",
        extra=True,
    ),
)
TICKETS = """
    tickets
    ticket_id | account_id | opened            | first_answered    | closed            | priority
    t1        | a          | 2024-01-02T08:00Z | 2024-01-02T09:30Z | 2024-01-03T08:00Z | high
    t2        | a          | 2024-01-03T08:00Z | 2024-01-03T08:15Z | 2024-01-06T20:00Z | low
    t3        | a          | 2024-01-04T08:00Z |                   |                   | low
    t4        | b          | 2024-01-02T08:00Z |                   |                   | low
"""
ELAPSED = (
    Spec(
        teaches="How long tickets take to be closed, in hours, of those that are closed by then.",
        tables=TICKETS,
        metric="average: {of: tickets, from: opened, to: closed}",
        expected="""
            account_id | 2024-01-02 | 2024-01-03 | 2024-01-05 | 2024-01-06
            a          | (no_rows)  | 24         | 24         | 54
            b          | (no_rows)  | (no_rows)  | (no_rows)  | (no_rows)
        """,
    ),
    Spec(
        teaches="The median time to the first answer, in minutes.",
        tables=TICKETS,
        metric="median: {of: tickets, from: opened, to: first_answered, unit: minutes}",
        expected="account_id | 2024-01-02 | 2024-01-03\na | 90 | 52.5\nb | (no_rows) | (no_rows)",
    ),
    Spec(
        teaches="The longest, in days, over tickets that were opened in the window.",
        tables=TICKETS,
        metric="max: {of: tickets, from: opened, to: closed, unit: days}\nwindow: 4d",
        expected="account_id | 2024-01-05 | 2024-01-06 | 2024-01-07\na | 1 | 3.5 | (no_rows)",
    ),
    Spec(
        teaches="The least, and the 90th percentile.",
        tables=TICKETS,
        metric="subtract: [{percentile: {of: tickets, from: opened, to: closed, q: 0.9}}, {min: {of: tickets, from: opened, to: closed}}]",
        expected="account_id | 2024-01-05 | 2024-01-06\na | 0 | 54\nb | (no_rows) | (no_rows)",
        extra=True,
    ),
    Spec(
        teaches="The sum is 0 where there is none; a condition says which rows count.",
        tables=TICKETS,
        metric="sum: {of: tickets, from: opened, to: closed}\nwhere: {priority: low}",
        expected="account_id | 2024-01-05 | 2024-01-06\na | 0 | 84\nb | 0 | 0",
        extra=True,
    ),
    Spec(
        teaches="Thirds of an hour are added exactly, and rounded once.",
        tables="tickets\naccount_id | opened | closed\na | 2024-01-02T08:00Z | 2024-01-02T08:20Z\n"
        "a | 2024-01-02T09:00Z | 2024-01-02T09:20Z\na | 2024-01-02T10:00Z | 2024-01-02T10:20Z",
        metric="sum: {of: tickets, from: opened, to: closed}",
        expected="account_id | 2024-01-02\na | 1",
        extra=True,
    ),
    Spec(
        teaches="A row that ends before it starts counts as it is written.",
        tables="tickets\naccount_id | opened | closed\na | 2024-01-02T08:00Z | 2024-01-02T07:00Z",
        metric="average: {of: tickets, from: opened, to: closed}",
        expected="account_id | 2024-01-02\na | -1",
        extra=True,
    ),
    Spec(
        teaches="Of days: how long terms are.",
        tables="subscriptions\naccount_id | started | ended\na | 2024-01-01 | 2024-01-31\na | 2024-02-01 | 2025-01-31\na | 2024-03-01 |",
        metric="median: {of: subscriptions, from: started, to: ended, unit: days}",
        expected="account_id | 2024-01-15 | 2024-02-15 | 2024-03-15\na | 30 | 197.5 | 197.5",
    ),
    Spec(
        teaches="Of a day and an instant: by the days on which they lie in the book's zone.",
        tables="tickets\naccount_id | opened | promised (day)\na | 2024-01-02T23:30Z | 2024-01-05",
        metric="average: {of: tickets, from: opened, to: promised, unit: days}",
        expected="account_id | 2024-01-03\na | 2",
        time_zone="Europe/Berlin",
        received={1: date(2024, 1, 3)},
        extra=True,
    ),
    Spec(
        teaches="A corrected row counts as it is known on the as-of date.",
        tables="tickets\nticket_id | account_id | opened | closed | known_at\nt1 | a | 2024-01-02 | 2024-01-03 | 2024-01-03\n"
        "t1 | a | 2024-01-02 | 2024-01-04 | 2024-01-09",
        metric="average: {of: tickets, from: opened, to: closed, unit: days}",
        expected="account_id | 2024-01-08 | 2024-01-09\na | 1 | 2",
        extra=True,
    ),
    Spec(
        teaches="Change, outage and before renewals.",
        tables=TICKETS,
        metric="change: {of: {average: {of: tickets, from: opened, to: closed}}, days: 3}",
        expected="account_id | due | 25 | 24\na | 2024-01-31 | 0 | (outage)",
        outages={"tickets": (Span("fell", date(2024, 1, 7), date(2024, 1, 7), measure="closed"),)},
        extra=True,
    ),
)
