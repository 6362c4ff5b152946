"""As-of dates: what was known by then, in which time zone, before which renewal."""

from __future__ import annotations

from datetime import date

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec

TERMS = """
    subscriptions
    subscription_id | account_id | started    | amount | known_at
    s1              | a          | 2024-01-10 | 100    | 2024-01-10
    s1              | a          | 2024-01-10 | 120    | 2024-03-05
    s2              | a          | 2024-01-20 | 80     | 2024-04-02
"""
EXPORT = """
    tickets
    ticket_id | account_id | opened     | closed     | status | satisfaction
    t1        | a          | 2024-01-05 | 2024-01-20 | solved | 5
    t2        | a          | 2024-01-08 |            | open   |
"""
SAID = """
    accounts
    account_id | dated      | segment
    a          | 2024-01-01 | Small
    a          | 2024-03-01 | Large

    accounts
    account_id | dated      | owner
    a          | 2024-02-01 | Kim
    a          | 2024-04-01 |
"""
KNOWN = (
    Spec(
        teaches="The amount of s1 was corrected on 5 March, and s2 was reported on 2 April, late. Each date has what was known by its end; "
        "what came in later never changes it.",
        tables=TERMS,
        metric="sum: subscriptions.amount",
        expected="account_id | 2024-01-31 | 2024-03-04 | 2024-03-05 | 2024-04-01 | 2024-04-02\na | 100 | 100 | 120 | 120 | 200",
    ),
    Spec(
        teaches="Of two versions that were known on one day, the later counts.",
        tables="tickets\nticket_id | account_id | opened | known_at | priority\nt1 | a | 2024-01-05 | 2024-01-05T08:00Z | low\n"
        "t1 | a | 2024-01-05 | 2024-01-05T17:00Z | high\nt1 | a | 2024-01-05 | 2024-01-07T08:00Z | urgent",
        metric="last: tickets.priority",
        expected="account_id | 2024-01-05 | 2024-01-06 | 2024-01-07\na | high | high | urgent",
        extra=True,
    ),
    Spec(
        teaches="A correction may move a row to another day, or to another account.",
        tables="tickets\nticket_id | account_id | opened | known_at\nt1 | a | 2024-01-05 | 2024-01-05\nt1 | b | 2024-01-03 | 2024-01-10",
        metric="days_since_first: tickets",
        expected="account_id | 2024-01-05 | 2024-01-09 | 2024-01-10\na | 0 | 4 | (no_rows)\nb | (no_rows) | (no_rows) | 7",
        extra=True,
    ),
    Spec(
        teaches="Where one key has one row only, no version takes the place of another.",
        tables="subscriptions\nsubscription_id | account_id | started | amount\ns1 | a | 2024-01-01 | 5\ns1 | a | 2024-02-01 | 7",
        metric="sum: subscriptions.amount",
        key=(),
        expected="account_id | 2024-01-31 | 2024-02-29\na | 5 | 12",
        extra=True,
    ),
)
SETTLED = (
    Spec(
        teaches="An export of today holds how a ticket ended. As of 10 January nobody knew that t1 would be solved on "
        "the 20th, so its status "
        "is empty until then; that of t2, which nobody has closed, says nothing of any past date.",
        tables=EXPORT,
        metric="count: tickets\nwhere: {status: solved}",
        expected="account_id | 2024-01-10 | 2024-01-19 | 2024-01-20\na | 0 | 0 | 1",
    ),
    Spec(
        teaches="From the day on which the export was received (1 June), all its cells are read.",
        tables=EXPORT,
        metric="count: tickets\nwhere: {status: open}",
        expected="account_id | 2024-01-10 | 2024-05-31 | 2024-06-01\na | 0 | 0 | 1",
        received={1: date(2024, 6, 1)},
    ),
    Spec(
        teaches="The rating of a ticket is settled by its closing, too.",
        tables=EXPORT,
        metric="average: tickets.satisfaction",
        expected="account_id | 2024-01-19 | 2024-01-20\na | (no_rows) | 5",
        extra=True,
    ),
    Spec(
        teaches="A version that came to be known after the ticket was opened was written by somebody who knew it as it stood: "
        "`pending` is read from 15 January on, and `solved` from the 22nd.",
        tables="""
            tickets
            ticket_id | account_id | opened     | closed     | status  | known_at
            t1        | a          | 2024-01-05 |            | new     | 2024-01-05
            t1        | a          | 2024-01-05 |            | pending | 2024-01-15
            t1        | a          | 2024-01-05 | 2024-01-20 | solved  | 2024-01-22
        """,
        metric="last: tickets.status",
        expected="account_id | 2024-01-14 | 2024-01-15 | 2024-01-21 | 2024-01-22\na | (no_rows) | pending | pending | solved",
    ),
    Spec(
        teaches="The first answer settles itself, and so does a term's cancellation.",
        tables="tickets\nticket_id | account_id | opened | first_answered | closed\nt1 | a | 2024-01-05 | 2024-01-07 | 2024-01-20",
        metric="max: tickets.first_answered",
        expected="account_id | 2024-01-06 | 2024-01-07\na | (no_rows) | 2024-01-07",
        extra=True,
    ),
    Spec(
        teaches="A notice is not known before the day on which it was given; whether a line was churned, not before its end.",
        tables="subscriptions\naccount_id | started | ended | notice | churned\na | 2024-01-01 | 2024-12-31 | 2024-09-30 | yes",
        metric="add: [{count: subscriptions, where: {notice: {empty: false}}}, {multiply: [10, {count: subscriptions, "
        "where: {churned: true}}]}]",
        expected="account_id | 2024-09-29 | 2024-09-30 | 2024-12-30 | 2024-12-31\na | 0 | 1 | 1 | 11",
        extra=True,
    ),
    Spec(
        teaches="A company's own columns of tickets are settled by the closing; those of other tables are there from the start.",
        tables="""
            tickets
            ticket_id | account_id | opened     | closed     | effort (number)
            t1        | a          | 2024-01-05 | 2024-01-20 | 3

            touchpoints
            account_id | occurred   | effort (number)
            a          | 2024-01-05 | 4
        """,
        metric="add: [{sum: tickets.effort}, {sum: touchpoints.effort}]",
        expected="account_id | 2024-01-05 | 2024-01-20\na | 4 | 7",
        extra=True,
    ),
)
STATED = (
    Spec(
        teaches="Two files say different things of an account: one its segment, one its owner. Each column has what was said of it last; "
        "the empty cell of 1 April says that the account has no owner.",
        tables=SAID,
        metric="attribute: owner",
        expected="account_id | 2024-01-31 | 2024-02-29 | 2024-03-31 | 2024-04-30\na | (not_stated) | Kim | Kim | (not_stated)",
    ),
    Spec(
        teaches="The other column of the same accounts.",
        tables=SAID,
        metric="attribute: segment",
        expected="account_id | 2024-01-31 | 2024-02-29 | 2024-03-31 | 2024-04-30\na | Small | Small | Large | Large",
        extra=True,
    ),
    Spec(
        teaches="A statement counts from when it was known, and among those known by the day from which it holds: "
        "what came on 1 April about "
        "15 January does not undo what was said of 1 February.",
        tables="""
            accounts
            account_id | dated      | plan  | known_at
            a          | 2024-01-01 | Basic | 2024-01-01
            a          | 2024-02-01 | Pro   | 2024-03-10
            a          | 2024-01-15 | Mini  | 2024-04-01
        """,
        metric="attribute: plan",
        expected="account_id | 2024-02-29 | 2024-03-10 | 2024-04-01\na | Basic | Pro | Pro",
    ),
    Spec(
        teaches="Seen 50 days earlier, by what is known on 1 April, it was Mini.",
        tables="""
            accounts
            account_id | dated      | plan  | known_at
            a          | 2024-01-01 | Basic | 2024-01-01
            a          | 2024-02-01 | Pro   | 2024-03-10
            a          | 2024-01-15 | Mini  | 2024-04-01
        """,
        metric="before: {of: {attribute: plan}, days: 70}",
        expected="account_id | 2024-03-26 | 2024-04-01 | 2024-04-11\na | Basic | Mini | Pro",
        extra=True,
    ),
    Spec(
        teaches="A statement that is corrected: of one date, what was known last.",
        tables="accounts\naccount_id | dated | plan | known_at\na | 2024-01-01 | Basic | 2024-01-01\na | 2024-01-01 | Pro | 2024-02-01",
        metric="attribute: plan",
        expected="account_id | 2024-01-31 | 2024-02-01\na | Basic | Pro",
        extra=True,
    ),
)
ZONES = (
    Spec(
        teaches="Days are those of the book's time zone. In Berlin clocks go forward on 31 March 2024, which has 23 "
        "hours: it begins at 23:00 "
        "UTC and ends at 22:00 UTC.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-03-30T22:59Z
            a          | 2024-03-30T23:00Z
            a          | 2024-03-31T21:59Z
            a          | 2024-03-31T22:00Z
        """,
        metric="count: touchpoints\nwindow: 1d",
        expected="account_id | 2024-03-30 | 2024-03-31 | 2024-04-01\na | 1 | 2 | 1",
        time_zone="Europe/Berlin",
    ),
    Spec(
        teaches="27 October has 25 hours; half past two stands twice on its clock.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-10-26T21:59Z
            a          | 2024-10-26T22:00Z
            a          | 2024-10-27T00:30Z
            a          | 2024-10-27T01:30Z
            a          | 2024-10-27T22:59Z
            a          | 2024-10-27T23:00Z
        """,
        metric="count: touchpoints\nwindow: 1d",
        expected="account_id | 2024-10-26 | 2024-10-27 | 2024-10-28\na | 1 | 4 | 1",
        time_zone="Europe/Berlin",
    ),
    Spec(
        teaches="What was known by the end of a day, too, is told by the clock of the book's zone.",
        tables="touchpoints\naccount_id | occurred | known_at\na | 2024-01-10T05:00Z | 2024-01-12T07:59Z\na | "
        "2024-01-10T05:00Z | 2024-01-12T08:00Z",
        metric="active_days: touchpoints",
        expected="account_id | 2024-01-10 | 2024-01-11 | 2024-01-12\na | (no_source) | 1 | 1",
        time_zone="America/Los_Angeles",
        extra=True,
    ),
    Spec(
        teaches="In Sao Paulo the clock went from midnight to one on 4 November 2018.",
        tables="touchpoints\naccount_id | occurred\na | 2018-11-04T02:59Z\na | 2018-11-04T03:00Z\na | "
        "2018-11-05T01:59Z\na | 2018-11-05T02:00Z",
        metric="count: touchpoints\nwindow: 1d",
        expected="account_id | 2018-11-03 | 2018-11-04 | 2018-11-05\na | 1 | 2 | 1",
        time_zone="America/Sao_Paulo",
        extra=True,
    ),
    Spec(
        teaches="Samoa left out 30 December 2011.",
        tables="touchpoints\naccount_id | occurred\na | 2011-12-30T09:59Z\na | 2011-12-30T10:00Z",
        metric="active_days: touchpoints\nwindow: 2d",
        expected="account_id | 2011-12-29 | 2011-12-30 | 2011-12-31 | 2012-01-01\na | 1 | 1 | 1 | 1",
        time_zone="Pacific/Apia",
        extra=True,
    ),
    Spec(
        teaches="Kathmandu is five hours and three quarters ahead.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-09T18:14Z\na | 2024-01-09T18:15Z",
        metric="count: touchpoints\nwindow: 1d",
        expected="account_id | 2024-01-09 | 2024-01-10\na | 1 | 1",
        time_zone="Asia/Kathmandu",
        extra=True,
    ),
    Spec(
        teaches="Terms begin on a day, which is the same everywhere.",
        tables="subscriptions\naccount_id | started\na | 2024-01-10\na | 2024-01-11",
        metric="count: subscriptions\nwindow: 1d",
        expected="account_id | 2024-01-10 | 2024-01-11 | 2024-01-12\na | 1 | 1 | 0",
        time_zone="America/Los_Angeles",
        extra=True,
    ),
    Spec(
        teaches="The days of instants before 1970 and at its midnight.",
        tables="purchases\naccount_id | purchased\na | 1969-12-31T23:59Z\na | 1970-01-01T00:00Z\na | 1969-12-30T00:00Z",
        metric="count: purchases\nwindow: 1d",
        expected="account_id | 1969-12-30 | 1969-12-31 | 1970-01-01\na | 1 | 1 | 1",
        extra=True,
    ),
)
ROWS_BEFORE_RENEWALS = """
    touchpoints
    account_id | occurred   | known_at
    b          | 2024-01-05 | 2024-01-05
    a          | 2024-03-20 | 2024-03-20
    b          | 2024-04-10 | 2024-04-10
    a          | 2024-05-15 | 2024-05-15
    a          | 2024-05-20 | 2024-06-10
    a          | 2024-06-15 | 2024-06-15
"""
RENEWALS = (
    Spec(
        teaches="So many days before each renewal: 90 days before 30 June is 1 April, 30 days before is 31 May, when "
        "the touchpoint of 20 May "
        "was not known yet.",
        tables=ROWS_BEFORE_RENEWALS,
        metric="count: touchpoints\nwindow: 30d",
        expected="""
            account_id | due        | 90 | 30 | 10
            a          | 2024-06-30 | 1  | 1  | 1
            b          | 2024-05-31 | 0  | 1  | 0
        """,
    ),
    Spec(
        teaches="An account with several renewals has rows for each; a horizon of 0 is the due day itself.",
        tables=ROWS_BEFORE_RENEWALS,
        metric="days_since_last: touchpoints",
        expected="""
            account_id | due        | 30        | 0
            a          | 2024-04-19 | 0         | 30
            a          | 2024-06-30 | 16        | 15
            a          | 2024-05-19 | 30        | 4
            b          | 2024-05-31 | 21        | 51
        """,
        extra=True,
    ),
)
CHAPTER = Chapter(
    "As-of dates",
    "An as-of date is the end of a day in the book's time zone. A metric reads what had happened and was known by then, and nothing else.",
    (
        Section("Late rows and corrections", KNOWN),
        Section("Cells that are filled in later", SETTLED),
        Section("What is said of accounts", STATED),
        Section("Time zones", ZONES),
        Section("Before renewals", RENEWALS),
    ),
)
