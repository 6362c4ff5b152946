"""Measures that put rows in order: streaks, the time between, funnels."""

from __future__ import annotations

from datetime import date

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from tests.spec.specs_by import BY, DAYS
from unspun.book.checks.finding import Span
from unspun.metrics.nodes import Funnel, Streak, TimeBetween

LATE_DAYS = """
    touchpoints
    account_id | occurred   | known_at
    a          | 2024-01-03 | 2024-01-03
    a          | 2024-01-04 | 2024-01-08
    a          | 2024-01-05 | 2024-01-05
    b          | 2024-01-05 | 2024-01-05
    b          | 2024-01-06 | 2024-01-06
"""
MOVED = """
    tickets
    ticket_id | account_id | opened     | known_at
    t1        | a          | 2024-01-03 | 2024-01-03
    t2        | a          | 2024-01-04 | 2024-01-04
    t2        | a          | 2024-01-09 | 2024-01-10
    t3        | a          | 2024-01-05 | 2024-01-05
"""
STREAK = (
    Spec(
        teaches="The longest run of days with a touchpoint: 3, 4 and 5 January. Several rows of one day make one day.",
        tables=DAYS,
        metric="streak: touchpoints",
        expected="""
            account_id | 2024-01-02  | 2024-01-04 | 2024-01-06 | 2024-01-09
            a          | (no_source) | 2          | 3          | 3
            b          | (no_source) | 0          | 0          | 1
            c          | (no_source) | 0          | 0          | 0
        """,
    ),
    Spec(
        teaches="The current run ends on the as-of date, and is 0 as soon as that day has no row.",
        tables=DAYS,
        metric="streak: {of: touchpoints, run: current}",
        expected="""
            account_id | 2024-01-05 | 2024-01-06 | 2024-01-08 | 2024-01-09
            a          | 3          | 0          | 1          | 2
            b          | 0          | 0          | 0          | 1
        """,
    ),
    Spec(
        teaches="With `grace` a run that ended on the day before still counts, as a day that is not over may yet go on with it.",
        tables=DAYS,
        metric="streak: {of: touchpoints, run: current, grace: true}",
        expected="""
            account_id | 2024-01-05 | 2024-01-06 | 2024-01-07 | 2024-01-08
            a          | 3          | 3          | 0          | 1
        """,
    ),
    Spec(
        teaches="A condition says which rows count, and a window cuts a run at its edges.",
        tables=DAYS,
        metric="streak: touchpoints\nwhere: {channel: mail}\nwindow: 6d",
        expected="""
            account_id | 2024-01-05 | 2024-01-08 | 2024-01-09 | 2024-01-10
            a          | 2          | 2          | 2          | 2
        """,
    ),
    Spec(
        teaches="The window begins within the run.",
        tables=DAYS,
        metric="streak: {of: touchpoints, run: current}\nwindow: 2d",
        expected="account_id | 2024-01-05 | 2024-01-09\na | 2 | 2",
        extra=True,
    ),
    Spec(
        teaches="By weeks: a week (from Monday) with a row counts as soon as it has one. 1 January 2024 was a Monday.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-03
            a          | 2024-01-14
            a          | 2024-01-17
            a          | 2024-02-01
        """,
        metric="streak: {of: touchpoints, every: week}",
        expected="""
            account_id | 2024-01-07 | 2024-01-13 | 2024-01-14 | 2024-01-31 | 2024-02-01
            a          | 1          | 1          | 2          | 3          | 3
        """,
    ),
    Spec(
        teaches="The current run of weeks; the week of 15 January has no row until the 17th.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-03\na | 2024-01-14\na | 2024-01-17",
        metric="streak: {of: touchpoints, every: week, run: current}",
        expected="account_id | 2024-01-14 | 2024-01-16 | 2024-01-17 | 2024-01-22\na | 2 | 0 | 3 | 0",
        extra=True,
    ),
    Spec(
        teaches="With grace the week before may be the last, on any day of this one.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-03\na | 2024-01-14\na | 2024-01-17",
        metric="streak: {of: touchpoints, every: week, run: current, grace: true}",
        expected="account_id | 2024-01-14 | 2024-01-16 | 2024-01-17 | 2024-01-28 | 2024-01-29\na | 2 | 2 | 3 | 3 | 0",
        extra=True,
    ),
    Spec(
        teaches="A week that the window does not hold from its Monday on is not of the window.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-03\na | 2024-01-10\na | 2024-01-17",
        metric="streak: {of: touchpoints, every: week}\nwindow: 14d",
        expected="account_id | 2024-01-14 | 2024-01-17\na | 2 | 2",
        extra=True,
    ),
    Spec(
        teaches="The touchpoint of 4 January is known since the 8th: before that, there is a gap on that day.",
        tables=LATE_DAYS,
        metric="streak: touchpoints",
        expected="""
            account_id | 2024-01-05 | 2024-01-07 | 2024-01-08
            a          | 1          | 1          | 3
            b          | 1          | 2          | 2
        """,
    ),
    Spec(
        teaches="A row that a correction moves to another day leaves a gap behind.",
        tables=MOVED,
        metric="streak: tickets",
        expected="account_id | 2024-01-05 | 2024-01-09 | 2024-01-10\na | 3 | 3 | 1",
        extra=True,
    ),
    Spec(
        teaches="The change of the longest run of seven days, by what is known on the as-of date.",
        tables=LATE_DAYS,
        metric="change: {of: {streak: touchpoints, window: 7d}, days: 3}",
        expected="account_id | 2024-01-06 | 2024-01-08\na | 0 | 0\nb | 2 | 1",
        extra=True,
    ),
    Spec(
        teaches="What the current run was three days earlier, the late day known by now.",
        tables=LATE_DAYS,
        metric="before: {of: {streak: {of: touchpoints, run: current}}, days: 3}",
        expected="account_id | 2024-01-07 | 2024-01-08\na | 0 | 3\nb | 0 | 1",
        extra=True,
    ),
    Spec(
        teaches="An outage before a current run began says nothing of it; it may have made the longest one shorter.",
        tables=DAYS,
        metric="streak: {of: touchpoints, run: current}",
        expected="account_id | 2024-01-06 | 2024-01-07 | 2024-01-08 | 2024-01-09\na | (outage) | (outage) | (outage) | (outage)\n"
        "b | (outage) | (outage) | 0 | 1",
        outages={"touchpoints": (Span("stopped", date(2024, 1, 6), date(2024, 1, 7)),)},
    ),
    Spec(
        teaches="The longest run may have been cut by the outage.",
        tables=DAYS,
        metric="streak: touchpoints",
        expected="account_id | 2024-01-05 | 2024-01-09\na | 3 | (outage)",
        outages={"touchpoints": (Span("stopped", date(2024, 1, 6), date(2024, 1, 7)),)},
        extra=True,
    ),
    Spec(
        teaches="Where a table is filled since 8 January only, a current run that began on that day may have been longer.",
        tables="""
            accounts
            account_id | created_on
            a          | 2023-01-01
            b          | 2023-01-01

            events
            account_id | occurred
            a          | 2024-01-08
            a          | 2024-01-09
            b          | 2024-01-09
        """,
        metric="streak: {of: events, run: current}",
        expected="account_id | 2024-01-08 | 2024-01-09\na | (before_source) | (before_source)\nb | (not_seen) | 1",
        extra=True,
        sources="events: {silent_days: 7}",
    ),
    Spec(
        teaches="Before birth there is no streak, and none without rows is 0 from then on.",
        tables="accounts\naccount_id | created_on\na | 2024-01-05\n\ntouchpoints\naccount_id | occurred\na | 2024-01-04\na | 2024-01-05",
        metric="streak: {of: touchpoints, run: current}",
        expected="account_id | 2024-01-04 | 2024-01-05 | 2024-01-06\na | (before_birth) | 2 | 0",
        extra=True,
        fixed=("created_on",),
    ),
    Spec(
        teaches="Before renewals.",
        tables=LATE_DAYS,
        metric="streak: touchpoints",
        expected="account_id | due | 30 | 27\na | 2024-02-04 | 1 | 3\nb | 2024-02-04 | 1 | 2\nb | 2024-02-03 | 0 | 2",
        extra=True,
    ),
    Spec(
        teaches="Since contract start, and in a month that is over.",
        tables="subscriptions\naccount_id | started | ended\na | 2024-01-04 | 2025-01-01\n" + DAYS.replace("    ", "", 1),
        metric="subtract: [{streak: touchpoints, window: contract}, {streak: touchpoints, window: last month}]",
        expected="account_id | 2024-01-05 | 2024-01-09 | 2024-02-10\na | (before_birth) | (before_birth) | -1",
        extra=True,
    ),
)
BETWEEN = (
    Spec(
        teaches="Between 3 and 4 January lies one day, between 5 and 8 three: the mean of 1, 1, 3 and 1. With one day there is no between.",
        tables=DAYS,
        metric="time_between: touchpoints",
        expected="""
            account_id | 2024-01-03     | 2024-01-05     | 2024-01-08     | 2024-01-09
            a          | (too_few_rows) | 1              | 5/3            | 1.5
            b          | (too_few_rows) | (too_few_rows) | (too_few_rows) | (too_few_rows)
        """,
    ),
    Spec(
        teaches="The median: of an even number the mean of the middle two.",
        tables=DAYS,
        metric="time_between: {of: touchpoints, as: median}",
        expected="""
            account_id | 2024-01-05 | 2024-01-08 | 2024-01-09
            a          | 1          | 1          | 1
        """,
    ),
    Spec(
        teaches="The mean of the middle two: of 2 and 5, and of 1, 2, 5 and 9.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-01\na | 2024-01-03\na | 2024-01-08\na | 2024-01-09\na | 2024-01-18",
        metric="time_between: {of: touchpoints, as: median}",
        expected="account_id | 2024-01-08 | 2024-01-09 | 2024-01-18\na | 3.5 | 2 | 3.5",
        extra=True,
    ),
    Spec(
        teaches="Days outside of the window do not count, nor does the time from its first day to the first row in it.",
        tables=DAYS,
        metric="time_between: touchpoints\nwindow: 5d",
        expected="account_id | 2024-01-05 | 2024-01-08 | 2024-01-09 | 2024-01-10\na | 1 | 2 | 2 | 1",
    ),
    Spec(
        teaches="The median over a window that cuts a run.",
        tables=DAYS,
        metric="time_between: {of: touchpoints, as: median}\nwindow: 5d",
        expected="account_id | 2024-01-08 | 2024-01-09 | 2024-01-10\na | 2 | 2 | 1",
        extra=True,
    ),
    Spec(
        teaches="Of the calls only.",
        tables=DAYS,
        metric="time_between: touchpoints\nwhere: {channel: call}",
        expected="account_id | 2024-01-04 | 2024-01-09\na | (too_few_rows) | 1\nb | (too_few_rows) | (too_few_rows)",
        extra=True,
    ),
    Spec(
        teaches="A day that is known late lies between two others from then on.",
        tables=LATE_DAYS,
        metric="time_between: touchpoints",
        expected="account_id | 2024-01-05 | 2024-01-07 | 2024-01-08\na | 2 | 2 | 1\nb | (too_few_rows) | 1 | 1",
    ),
    Spec(
        teaches="The same in the median.",
        tables=LATE_DAYS,
        metric="time_between: {of: touchpoints, as: median}",
        expected="account_id | 2024-01-05 | 2024-01-07 | 2024-01-08\na | 2 | 2 | 1\nb | (too_few_rows) | 1 | 1",
        extra=True,
    ),
    Spec(
        teaches="A corrected day counts where it lies now.",
        tables=MOVED,
        metric="time_between: tickets",
        expected="account_id | 2024-01-05 | 2024-01-09 | 2024-01-10\na | 1 | 1 | 3",
        extra=True,
    ),
    Spec(
        teaches="What it was five days earlier.",
        tables=DAYS,
        metric="change: {of: {time_between: touchpoints, window: 5d}, days: 4}",
        expected="account_id | 2024-01-09\na | 1",
        extra=True,
    ),
    Spec(
        teaches="Days in the book's time zone: both rows are of 10 January in Berlin.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-09T23:30Z\na | 2024-01-10T22:30Z\na | 2024-01-10T23:30Z",
        metric="time_between: touchpoints",
        expected="account_id | 2024-01-10 | 2024-01-11\na | (too_few_rows) | 1",
        time_zone="Europe/Berlin",
        extra=True,
    ),
    Spec(
        teaches="Before renewals.",
        tables=LATE_DAYS,
        metric="time_between: touchpoints",
        expected="account_id | due | 30 | 27\na | 2024-02-04 | 2 | 1\nb | 2024-02-04 | (too_few_rows) | 1",
        extra=True,
    ),
    Spec(
        teaches="An outage in the window.",
        tables=DAYS,
        metric="time_between: touchpoints",
        expected="account_id | 2024-01-05 | 2024-01-09\na | 1 | (outage)",
        outages={"touchpoints": (Span("stopped", date(2024, 1, 6), date(2024, 1, 7)),)},
        extra=True,
    ),
)
STEPS = """
    events
    account_id | occurred          | event
    a          | 2024-01-02T08:00Z | invite
    a          | 2024-01-02T09:00Z | signup
    a          | 2024-01-02T10:00Z | invite
    a          | 2024-01-05T09:00Z | report
    a          | 2024-01-09T09:00Z | export
    b          | 2024-01-03T09:00Z | signup
    b          | 2024-01-04T09:00Z | report
    c          | 2024-01-04T09:00Z | report
"""
ONBOARDING = "funnel:\n  of: events\n  steps: [{event: signup}, {event: invite}, {event: [report, export]}]"
FUNNEL = (
    Spec(
        teaches="Account a signed up, then invited, then had a report. The invitation before the sign-up does not count, nor does a report "
        "without an invitation before it.",
        tables=STEPS,
        metric=ONBOARDING,
        expected="""
            account_id | 2024-01-01  | 2024-01-02 | 2024-01-04 | 2024-01-05
            a          | (no_source) | 2          | 2          | 3
            b          | (no_source) | (not_seen) | 1          | 1
            c          | (no_source) | (not_seen) | 0          | 0
        """,
    ),
    Spec(
        teaches="The days from the first step to the last, once it was reached.",
        tables=STEPS,
        metric=ONBOARDING + "\n  as: days",
        expected="""
            account_id | 2024-01-04    | 2024-01-05    | 2024-01-09
            a          | (not_reached) | 3             | 3
            b          | (not_reached) | (not_reached) | (not_reached)
        """,
    ),
    Spec(
        teaches="Within two days of the first step: the report of the third day after comes too late.",
        tables=STEPS,
        metric=ONBOARDING + "\n  within: 2d",
        expected="""
            account_id | 2024-01-04 | 2024-01-05
            a          | 2          | 2
        """,
    ),
    Spec(
        teaches="On the last day that is within.",
        tables=STEPS,
        metric=ONBOARDING + "\n  within: 3\n  as: days",
        expected="account_id | 2024-01-05\na | 3",
        extra=True,
    ),
    Spec(
        teaches="On the same day, the first included.",
        tables=STEPS,
        metric=ONBOARDING + "\n  within: 0",
        expected="account_id | 2024-01-05\na | 2\nb | 1",
        extra=True,
    ),
    Spec(
        teaches="Of one instant the row that was loaded first comes first: a row takes one step, and the next is a later row.",
        tables="""
            touchpoints
            account_id | occurred   | channel
            a          | 2024-01-02 | call
            a          | 2024-01-02 | mail
            b          | 2024-01-02 | mail
            b          | 2024-01-02 | call
            c          | 2024-01-02 | call
        """,
        metric="funnel: {of: touchpoints, steps: [{channel: call}, {channel: [call, mail]}]}",
        expected="""
            account_id | 2024-01-02
            a          | 2
            b          | 1
            c          | 1
        """,
    ),
    Spec(
        teaches="A funnel over a window begins with the first row of the window that fits the first step.",
        tables="""
            touchpoints
            account_id | occurred   | channel
            a          | 2024-01-02 | mail
            a          | 2024-01-08 | mail
            a          | 2024-01-10 | call
        """,
        metric="funnel: {of: touchpoints, steps: [{channel: mail}, {channel: call}], as: days}\nwindow: 7d",
        expected="account_id | 2024-01-08 | 2024-01-10 | 2024-01-15\na | (not_reached) | 2 | (not_reached)",
    ),
    Spec(
        teaches="A condition of all rows beside those of the steps.",
        tables="touchpoints\naccount_id | occurred | channel | minutes\na | 2024-01-02 | mail | 5\na | 2024-01-03 | call | 1\n"
        "a | 2024-01-04 | call | 9",
        metric="funnel: {of: touchpoints, steps: [{channel: mail}, {channel: call}], as: days}\nwhere: {minutes: {above: 2}}",
        expected="account_id | 2024-01-03 | 2024-01-04\na | (not_reached) | 2",
        extra=True,
    ),
    Spec(
        teaches="A first step that is known late begins the funnel anew, by what is known then.",
        tables="""
            touchpoints
            account_id | occurred   | channel | known_at
            a          | 2024-01-02 | mail    | 2024-01-09
            a          | 2024-01-04 | mail    | 2024-01-04
            a          | 2024-01-05 | call    | 2024-01-05
        """,
        metric="funnel: {of: touchpoints, steps: [{channel: mail}, {channel: call}], as: days}",
        expected="account_id | 2024-01-05 | 2024-01-08 | 2024-01-09\na | 1 | 1 | 3",
    ),
    Spec(
        teaches="A correction takes a step back; the status of a ticket is filled in when it is closed.",
        tables="""
            tickets
            ticket_id | account_id | opened     | closed     | priority | status | known_at
            t1        | a          | 2024-01-02 |            | high     |        | 2024-01-02
            t2        | a          | 2024-01-03 | 2024-01-06 | low      | solved | 2024-01-03
            t1        | a          | 2024-01-02 |            | low      |        | 2024-01-08
        """,
        metric="funnel: {of: tickets, steps: [{priority: high}, {status: solved}]}",
        expected="account_id | 2024-01-05 | 2024-01-06 | 2024-01-07 | 2024-01-08\na | 1 | 2 | 2 | 0",
        extra=True,
    ),
    Spec(
        teaches="An outage counts until the funnel is decided: once the last step was reached, or too many days have passed, a later one "
        "changes nothing.",
        tables=STEPS,
        metric=ONBOARDING + "\n  within: 3",
        sources="events: {silent_days: null}",
        expected="""
            account_id | 2024-01-05 | 2024-01-06 | 2024-01-07
            a          | 3          | 3          | 3
            b          | 1          | (outage)   | (outage)
            c          | 0          | (outage)   | (outage)
        """,
        outages={"events": (Span("stopped", date(2024, 1, 6), date(2024, 1, 7)),)},
    ),
    Spec(
        teaches="An outage of an event that no step asks for does not bear; of one that a step asks for, it does.",
        tables=STEPS,
        metric=ONBOARDING,
        sources="events: {silent_days: null}",
        expected="account_id | 2024-01-05 | 2024-01-07\na | 3 | 3\nb | 1 | 1",
        outages={"events": (Span("stopped", date(2024, 1, 6), date(2024, 1, 7), event="login"),)},
        extra=True,
    ),
    Spec(
        teaches="What was reached a day earlier, and before birth.",
        tables="accounts\naccount_id | created_on\na | 2024-01-04\n" + "\n" + STEPS.strip("\n"),
        metric="change: {of: {funnel: {of: events, steps: [{event: signup}, {event: invite}, {event: report}]}}, days: 1}",
        expected="account_id | 2024-01-03 | 2024-01-04 | 2024-01-05 | 2024-01-06\na | (before_birth) | (before_birth) | 1 | 0",
        fixed=("created_on",),
        extra=True,
    ),
    Spec(
        teaches="Before renewals.",
        tables=STEPS,
        metric=ONBOARDING + "\n  as: days",
        expected="account_id | due | 30 | 29\na | 2024-02-03 | (not_reached) | 3\na | 2024-02-04 | 3 | 3\nb | 2024-02-03 | (not_reached) "
        "| (not_reached)",
        extra=True,
    ),
)
CHAPTER = Chapter(
    "Rows in their order",
    "Measures of which day follows which, and of what came first. `where` and `window` stand beside them as beside any measure.",
    (
        Section("streak", STREAK, (Streak,)),
        Section("time_between", BETWEEN, (TimeBetween,)),
        Section("funnel", FUNNEL, (Funnel,)),
        Section(
            "by",
            BY,
            words="`by` stands beside any measure of rows and beside `open`: it makes one metric more for each value of a column, called "
            "`ID_VALUE`, and with `other` one for all rows of other values or of none. They are metrics like any other.",
        ),
    ),
)
