"""`user_days`: on how many days each value of a column had a row."""

from __future__ import annotations

from datetime import date

from tests.spec.harness import Spec
from unspun.book.checks.finding import Span

USERS = """
    events
    account_id | occurred          | event  | user_id
    a          | 2024-01-01T08:00Z | login  | ann
    a          | 2024-01-01T09:00Z | export | ann
    a          | 2024-01-01T10:00Z | login  | bob
    a          | 2024-01-02T08:00Z | login  | ann
    a          | 2024-01-02T09:00Z | login  |
    a          | 2024-01-04T09:00Z | export | bob
    b          | 2024-01-03T09:00Z | login  | cyd
"""
LATE = """
    events
    account_id | occurred   | user_id | known_at
    a          | 2024-01-02 | ann     | 2024-01-05
    a          | 2024-01-02 | ann     | 2024-01-03
    a          | 2024-01-02 | bob     | 2024-01-06
    a          | 2024-01-03 | ann     | 2024-01-03
"""
CHANGED = """
    tickets
    ticket_id | account_id | opened     | priority | known_at
    t1        | a          | 2024-01-02 | high     | 2024-01-02
    t2        | a          | 2024-01-02 | high     | 2024-01-04
    t3        | a          | 2024-01-02 | low      | 2024-01-02
    t1        | a          | 2024-01-03 | high     | 2024-01-06
    t2        | a          | 2024-01-02 | low      | 2024-01-08
"""
USER_DAYS = (
    Spec(
        teaches="On 1 January ann and bob, which is two, though ann came twice; on the 2nd ann once more. The event without a user "
        "does not count.",
        tables=USERS,
        metric="user_days: events.user_id",
        expected="""
            account_id | 2024-01-01 | 2024-01-02 | 2024-01-03 | 2024-01-04
            a          | 2          | 3          | 3          | 4
            b          | (not_seen) | (not_seen) | 1          | 1
        """,
    ),
    Spec(
        teaches="By the days of the window it is how many users there were on a day, on average: 4 in two days, then 1 in two.",
        tables=USERS,
        metric="ratio: [{user_days: events.user_id, window: 2d}, 2]",
        expected="""
            account_id | 2024-01-02 | 2024-01-03 | 2024-01-04 | 2024-01-05 | 2024-01-06
            a          | 1.5        | 0.5        | 0.5        | 0.5        | 0
        """,
    ),
    Spec(
        teaches="Of the logins only; and the share that they are of all days of users.",
        tables=USERS,
        metric="share: {of: {user_days: events.user_id}, where: {event: login}}",
        expected="account_id | 2024-01-01 | 2024-01-04\na | 1 | 0.75\nb | (not_seen) | 1",
    ),
    Spec(
        teaches="By seat, and by how many users there were: days a user.",
        tables=USERS,
        metric="ratio: [{user_days: events.user_id, where: {event: login}}, {distinct: events.user_id}]",
        expected="account_id | 2024-01-02 | 2024-01-04\na | 1.5 | 1.5\nb | (not_seen) | 1",
        extra=True,
    ),
    Spec(
        teaches="A day of a user that two rows tell of counts once, from when the first of them is known.",
        tables=LATE,
        metric="user_days: events.user_id",
        expected="account_id | 2024-01-02 | 2024-01-03 | 2024-01-05 | 2024-01-06\na | (no_source) | 2 | 2 | 3",
    ),
    Spec(
        teaches="Over a month that is over; and as it was 27 days earlier, by what is known now.",
        tables=LATE,
        metric="subtract:\n- {user_days: events.user_id, window: last month}\n"
        "- {before: {of: {user_days: events.user_id, window: 31d}, days: 27}}",
        expected="account_id | 2024-02-03 | 2024-02-29\na | 0 | 2",
        sources="events: {silent_days: null}",
        extra=True,
    ),
    Spec(
        teaches="A correction takes a day away only where no other row tells of it: t1 moved to the 3rd, and t2 was still high on the 2nd.",
        tables=CHANGED,
        metric="user_days: tickets.priority",
        expected="""
            account_id | 2024-01-02 | 2024-01-04 | 2024-01-06 | 2024-01-08
            a          | 2          | 2          | 3          | 2
        """,
    ),
    Spec(
        teaches="The same over a window, and of a condition.",
        tables=CHANGED,
        metric="add: [{multiply: [10, {user_days: tickets.priority, window: 4d}]}, {user_days: tickets.priority, where: {priority: high}}]",
        expected="account_id | 2024-01-02 | 2024-01-05 | 2024-01-06 | 2024-01-07 | 2024-01-08\na | 21 | 21 | 12 | 2 | 1",
        extra=True,
    ),
    Spec(
        teaches="Before renewals, and since the start of the contract.",
        tables="subscriptions\naccount_id | started | ended\na | 2024-01-02 | 2024-02-03\n" + USERS.replace("    ", "", 1),
        metric="user_days: events.user_id\nwindow: contract",
        expected="account_id | due | 32 | 31 | 30\na | 2024-02-03 | 1 | 1 | 2",
        extra=True,
    ),
    Spec(
        teaches="Corrected rows, before renewals.",
        tables=CHANGED,
        metric="user_days: tickets.priority",
        expected="account_id | due | 29 | 27 | 25\na | 2024-02-02 | 2 | 3 | 2\na | 2024-02-01 | 2 | 2 | 3",
        extra=True,
    ),
    Spec(
        teaches="Days are those of the book's time zone, those of instants in a column, too.",
        tables="touchpoints\naccount_id | occurred | follow_up (instant)\na | 2024-01-09T22:30Z | 2024-02-01T22:30Z\n"
        "a | 2024-01-09T23:30Z | 2024-02-01T22:45Z\na | 2024-01-10T22:30Z | 2024-02-01T21:00Z\na | 2024-01-10T22:40Z | 2024-02-01T23:30Z",
        metric="user_days: touchpoints.follow_up",
        expected="account_id | 2024-01-09 | 2024-01-10\na | 1 | 3",
        time_zone="Europe/Berlin",
        extra=True,
    ),
    Spec(
        teaches="It has no value over days on which users were not told.",
        tables=USERS,
        metric="user_days: events.user_id\nwindow: 2d",
        expected="account_id | 2024-01-01 | 2024-01-03 | 2024-01-05\na | 2 | (outage) | 1",
        outages={"events": (Span("stopped", date(2024, 1, 3), date(2024, 1, 3), measure="user_id"),)},
    ),
    Spec(
        teaches="Before birth there is none, and 0 from then on where nobody came.",
        tables="accounts\naccount_id | created_on\na | 2024-01-05\n\ntouchpoints\naccount_id | occurred | channel\na | 2024-01-04 | call",
        metric="user_days: touchpoints.channel\nwindow: 1d",
        expected="account_id | 2024-01-04 | 2024-01-05\na | (before_birth) | 0",
        extra=True,
        fixed=("created_on",),
    ),
)
