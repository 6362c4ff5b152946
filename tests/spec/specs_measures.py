"""Measures of rows."""

from __future__ import annotations

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from tests.spec.specs_quantiles import ELAPSED, QUANTILE, TO_FIRST
from tests.spec.specs_user_days import USER_DAYS
from unspun.metrics.nodes import (
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToFirst,
    Distinct,
    Elapsed,
    LastValue,
    Maximum,
    Minimum,
    Quantile,
    Sum,
    UserDays,
)

TOUCHPOINTS = """
    touchpoints
    account_id | occurred   | channel | minutes
    a          | 2024-01-03 | call    | 30
    a          | 2024-01-03 | mail    |
    a          | 2024-01-10 | meeting | 45
    b          | 2024-01-09 | mail    | 5
"""
EVENTS = """
    events
    account_id | occurred   | event  | user_id
    a          | 2024-01-29 | login  | ann
    a          | 2024-01-30 | login  | ann
    a          | 2024-01-30 | export | bob
    a          | 2024-01-31 | login  |
    b          | 2024-01-31 | login  | cyd
"""
SCORES = """
    scores
    account_id | dated      | score  | value | band
    a          | 2024-01-01 | health | 80    | green
    a          | 2024-02-01 | health | 55    | amber
    a          | 2024-03-01 | health | 40    |
"""

COUNT = (
    Spec(
        teaches="Rows count from the day on which they happened. An account without rows has 0: of touchpoints, none is none.",
        tables=TOUCHPOINTS,
        metric="count: touchpoints",
        expected="""
            account_id | 2024-01-03 | 2024-01-31
            a          | 2          | 3
            b          | 0          | 1
            c          | 0          | 0
        """,
    ),
    Spec(
        teaches="With a condition and a window, those rows count that fit and that happened in it.",
        tables=TOUCHPOINTS,
        metric="count: touchpoints\nwhere: {channel: mail}\nwindow: 7d",
        expected="""
            account_id | 2024-01-09 | 2024-01-10
            a          | 1          | 0
            b          | 1          | 1
        """,
    ),
)
SUM = (
    Spec(
        teaches="Empty cells add nothing, and no rows add up to 0.",
        tables=TOUCHPOINTS,
        metric="sum: touchpoints.minutes\nwindow: 7d",
        expected="""
            account_id | 2024-01-09 | 2024-01-10
            a          | 30         | 45
            b          | 5          | 5
            c          | 0          | 0
        """,
    ),
    Spec(
        teaches="Amounts are added exactly, returns among them.",
        tables="""
            purchases
            account_id | purchased  | amount
            a          | 2024-01-05 | 100.10
            a          | 2024-01-06 | -20.05
            a          | 2024-01-07 | 0.0001
        """,
        metric="sum: purchases.amount",
        expected="""
            account_id | 2024-01-06 | 2024-01-07
            a          | 80.05      | 80.0501
        """,
    ),
    Spec(
        teaches="A tenth and two tenths are three tenths: the sum does not depend on the order of rows.",
        tables="""
            touchpoints
            account_id | occurred   | minutes
            a          | 2024-01-01 | 0.1
            a          | 2024-01-01 | 0.2
            b          | 2024-01-01 | 1e15
            b          | 2024-01-01 | 0.25
            b          | 2024-01-01 | -1e15
        """,
        metric="sum: touchpoints.minutes",
        expected="""
            account_id | 2024-01-01
            a          | 0.3
            b          | 0.25
        """,
    ),
    Spec(
        teaches="Each number enters rounded to nine decimals, halves away from zero.",
        tables="""
            touchpoints
            account_id | occurred   | minutes
            a          | 2024-01-01 | 0.0000000006
            a          | 2024-01-01 | 0.0000000004
            b          | 2024-01-01 | -0.0000000015
        """,
        metric="sum: touchpoints.minutes",
        expected="""
            account_id | 2024-01-01
            a          | 0.000000001
            b          | -0.000000002
        """,
        extra=True,
    ),
    Spec(
        teaches="The sum of a column of whole numbers.",
        tables="""
            touchpoints
            account_id | occurred   | slides (whole)
            a          | 2024-01-01 | 12
            a          | 2024-01-02 | 30
        """,
        metric="sum: touchpoints.slides",
        expected="""
            account_id | 2024-01-01 | 2024-01-02
            a          | 12         | 42
        """,
        extra=True,
    ),
)
AVERAGE = (
    Spec(
        teaches="The mail of 3 January has no minutes, so it is not in the average of that day; without any minutes there is none.",
        tables=TOUCHPOINTS,
        metric="average: touchpoints.minutes",
        expected="""
            account_id | 2024-01-03 | 2024-01-31
            a          | 30         | 37.5
            b          | (no_rows)  | 5
            c          | (no_rows)  | (no_rows)
        """,
    ),
    Spec(
        teaches="The average of amounts.",
        tables="""
            purchases
            account_id | purchased  | amount
            a          | 2024-01-05 | 10.00
            a          | 2024-01-06 | 10.01
            a          | 2024-01-07 | 0.01
        """,
        metric="average: purchases.amount",
        expected="""
            account_id | 2024-01-06 | 2024-01-07
            a          | 10.005     | 6.673333333333333
        """,
        extra=True,
    ),
)
LEAST = (
    Spec(
        teaches="The least number of a column.",
        tables=TOUCHPOINTS,
        metric="min: touchpoints.minutes",
        expected="""
            account_id | 2024-01-03 | 2024-01-31
            a          | 30         | 30
            b          | (no_rows)  | 5
        """,
    ),
    Spec(
        teaches="An instant is read as its day in the book's time zone: half past eleven in the evening, UTC, is the next day in Berlin.",
        tables="""
            responses
            account_id | answered   | invited
            a          | 2024-03-12 | 2024-03-10T23:30Z
            a          | 2024-03-13 | 2024-03-11T23:30Z
        """,
        metric="min: responses.invited",
        expected="""
            account_id | 2024-03-13
            a          | 2024-03-11
        """,
        time_zone="Europe/Berlin",
        extra=True,
    ),
    Spec(
        teaches="The least of whole numbers and of amounts is a number.",
        tables="""
            purchases
            account_id | purchased  | amount | items (whole)
            a          | 2024-01-05 | 12.50  | 3
            a          | 2024-01-06 | 9.25   | 7
        """,
        metric="subtract: [{max: purchases.items}, {min: purchases.amount}]",
        expected="""
            account_id | 2024-01-05 | 2024-01-06
            a          | -9.5       | -2.25
        """,
        extra=True,
    ),
)
GREATEST = (
    Spec(
        teaches="Of a column of days, the last day: the latest due date that anybody gave a forecast for.",
        tables="""
            forecasts
            account_id | made       | due
            a          | 2024-01-05 | 2024-09-30
            a          | 2024-02-01 | 2024-06-30
            b          | 2024-02-01 | 2025-01-31
        """,
        metric="max: forecasts.due",
        expected="""
            account_id | 2024-01-31 | 2024-02-29
            a          | 2024-09-30 | 2024-09-30
            b          | (no_rows)  | 2025-01-31
        """,
    ),
)
DISTINCT = (
    Spec(
        teaches="Different users: ann counts once, and the event without a user not at all. Account c never appears in the events, so it "
        "is not connected, and has no value rather than 0.",
        tables=EVENTS,
        metric="distinct: events.user_id\nwindow: 7d",
        expected="""
            account_id | 2024-01-29 | 2024-01-31
            a          | 1          | 2
            b          | (not_seen) | 1
            c          | (not_seen) | (not_seen)
        """,
    ),
    Spec(
        teaches="Users who come again in several windows count once in each of them.",
        tables="""
            events
            account_id | occurred   | user_id
            a          | 2024-01-01 | ann
            a          | 2024-01-08 | ann
            a          | 2024-01-08 | bob
            a          | 2024-01-15 | ann
        """,
        metric="distinct: events.user_id\nwindow: 8d",
        expected="""
            account_id | 2024-01-01 | 2024-01-08 | 2024-01-09 | 2024-01-15 | 2024-01-16
            a          | 1          | 2          | 2          | 2          | 1
        """,
        extra=True,
    ),
    Spec(
        teaches="Different numbers, days and flags.",
        tables="""
            touchpoints
            account_id | occurred   | minutes | follow_up (day) | billed (flag)
            a          | 2024-01-01 | 30      | 2024-02-01      | yes
            a          | 2024-01-01 | 30.0    | 2024-02-02      | no
            a          | 2024-01-01 | 0       | 2024-02-01      |
        """,
        metric="add: [{distinct: touchpoints.minutes}, {multiply: [10, {distinct: touchpoints.follow_up}]}, "
        "{multiply: [100, {distinct: touchpoints.billed}]}]",
        expected="""
            account_id | 2024-01-01
            a          | 222
        """,
        extra=True,
    ),
)
ACTIVE = (
    Spec(
        teaches="Two events on one day are one active day.",
        tables=EVENTS,
        metric="active_days: events\nwindow: 7d",
        expected="""
            account_id | 2024-01-29 | 2024-01-30 | 2024-01-31
            a          | 1          | 2          | 3
            b          | (not_seen) | (not_seen) | 1
        """,
    ),
    Spec(
        teaches="Active days of a window of more than two months.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-01
            a          | 2024-01-01
            a          | 2024-02-29
            a          | 2024-03-01
            a          | 2024-03-31
        """,
        metric="active_days: touchpoints\nwindow: 91d",
        expected="""
            account_id | 2024-03-30 | 2024-03-31 | 2024-04-01
            a          | 3          | 4          | 3
        """,
        extra=True,
    ),
)
LAST = (
    Spec(
        teaches="The last band: the score of March has none, so that of February stands.",
        tables=SCORES,
        metric="last: scores.band",
        expected="""
            account_id | 2024-01-31 | 2024-02-29 | 2024-03-31
            a          | green      | amber      | amber
            b          | (no_rows)  | (no_rows)  | (no_rows)
        """,
    ),
    Spec(
        teaches="The last value within a window.",
        tables=SCORES,
        metric="last: scores.value\nwhere: {score: health}\nwindow: 31d",
        expected="""
            account_id | 2024-01-31 | 2024-03-02 | 2024-03-31 | 2024-04-01
            a          | 80         | 40         | 40         | (no_rows)
        """,
    ),
    Spec(
        teaches="Of two rows of one instant, the one further down in the file is the last.",
        tables="""
            touchpoints
            account_id | occurred          | channel
            a          | 2024-01-01T10:00Z | call
            a          | 2024-01-01T10:00Z | mail
            a          | 2024-01-01T09:00Z | meeting
        """,
        metric="last: touchpoints.channel",
        expected="""
            account_id | 2024-01-01
            a          | mail
        """,
        extra=True,
    ),
    Spec(
        teaches="The last value of a flag and of a day is a flag and a day.",
        tables="""
            subscriptions
            account_id | started    | is_addon
            a          | 2024-01-01 | no
            a          | 2024-02-01 | yes
        """,
        metric="last: subscriptions.is_addon",
        expected="""
            account_id | 2024-01-31 | 2024-02-29
            a          | no         | yes
        """,
        extra=True,
    ),
)
SINCE_LAST = (
    Spec(
        teaches="0 on the day of the last row; without a row there is nothing to date.",
        tables=TOUCHPOINTS,
        metric="days_since_last: touchpoints",
        expected="""
            account_id | 2024-01-09 | 2024-01-10 | 2024-01-31
            a          | 6          | 0          | 21
            b          | 0          | 1          | 22
            c          | (no_rows)  | (no_rows)  | (no_rows)
        """,
    ),
    Spec(
        teaches="With a window, a row before it does not count.",
        tables=TOUCHPOINTS,
        metric="days_since_last: touchpoints\nwhere: {channel: [call, meeting]}\nwindow: 14d",
        expected="""
            account_id | 2024-01-09 | 2024-01-23 | 2024-01-24
            a          | 6          | 13         | (no_rows)
        """,
        extra=True,
    ),
)
SINCE_FIRST = (
    Spec(
        teaches="How long ago the first of all touchpoints was.",
        tables=TOUCHPOINTS,
        metric="days_since_first: touchpoints",
        expected="""
            account_id | 2024-01-03 | 2024-01-31
            a          | 0          | 28
            b          | (no_rows)  | 22
        """,
    ),
    Spec(
        teaches="The first row within a window moves as the window does.",
        tables=TOUCHPOINTS,
        metric="days_since_first: touchpoints\nwindow: 8d",
        expected="""
            account_id | 2024-01-10 | 2024-01-11
            a          | 7          | 1
        """,
        extra=True,
    ),
)
CHAPTER = Chapter(
    "Measures of rows",
    "A measure looks at the rows of one table that fit a condition (`where`) and that happened in a window. Both may "
    "be left out: all rows, "
    "over the account's lifetime.",
    (
        Section("count", COUNT, (Count,)),
        Section("sum", SUM, (Sum,)),
        Section("average", AVERAGE, (Average,)),
        Section("min", LEAST, (Minimum,)),
        Section("max", GREATEST, (Maximum,)),
        Section("distinct", DISTINCT, (Distinct,)),
        Section("active_days", ACTIVE, (ActiveDays,)),
        Section("user_days", USER_DAYS, (UserDays,)),
        Section("last", LAST, (LastValue,)),
        Section("days_since_last", SINCE_LAST, (DaysSinceLast,)),
        Section("days_since_first", SINCE_FIRST, (DaysSinceFirst,)),
        Section("median and percentile", QUANTILE, (Quantile,)),
        Section(
            "The time from one cell to another",
            ELAPSED,
            (Elapsed,),
            "It is written as `average`, `sum`, `min`, `max`, `median` or `percentile`, of a table, `from` one column `to` another.",
        ),
        Section("days_to_first", TO_FIRST, (DaysToFirst,)),
    ),
)
