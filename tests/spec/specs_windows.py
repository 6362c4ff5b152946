"""Windows: the days that a measure looks at."""

from __future__ import annotations

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, SinceContractStart, ThisPeriod

DAYS = (
    Spec(
        teaches="Seven days as of 10 January are 4 to 10 January.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-03
            a          | 2024-01-04
            a          | 2024-01-10
        """,
        metric="count: touchpoints\nwindow: 7d",
        expected="""
            account_id | 2024-01-09 | 2024-01-10 | 2024-01-11
            a          | 2          | 2          | 1
        """,
    ),
    Spec(
        teaches="A leap day is a day like any other: four weeks to 1 March begin on 3 February in 2024, and on 2 February in 2023.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2023-02-01
            a          | 2023-02-02
            a          | 2024-02-02
            a          | 2024-02-03
            a          | 2024-02-29
        """,
        metric="count: touchpoints\nwindow: 4w",
        expected="""
            account_id | 2023-03-01 | 2024-02-29 | 2024-03-01
            a          | 1          | 3          | 2
        """,
    ),
    Spec(
        teaches="A window of one day is the as-of date alone.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-03\na | 2024-01-04",
        metric="count: touchpoints\nwindow: 1d",
        expected="account_id | 2024-01-03 | 2024-01-04 | 2024-01-05\na | 1 | 1 | 0",
        extra=True,
    ),
    Spec(
        teaches="A window may be far longer than the book.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-03\na | 2024-01-04",
        metric="count: touchpoints\nwindow: 36600d",
        expected="account_id | 2024-01-03 | 2024-01-04 | 2030-01-01\na | 1 | 2 | 2",
        extra=True,
    ),
)
MONTHS = (
    Spec(
        teaches="A month before 29 March is 29 February of a leap year, so the month begins on 1 March; before 29 "
        "February it is 29 January. "
        "There is no 30 February.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-29
            a          | 2024-01-30
            a          | 2024-02-29
            a          | 2024-03-01
        """,
        metric="count: touchpoints\nwindow: 1mo",
        expected="""
            account_id | 2024-02-29 | 2024-03-28 | 2024-03-29 | 2024-03-30 | 2024-03-31
            a          | 2          | 2          | 1          | 1          | 1
        """,
    ),
    Spec(
        teaches="Twelve months to 28 February 2025 begin on the leap day of 2024.",
        tables="touchpoints\naccount_id | occurred\na | 2024-02-28\na | 2024-02-29\na | 2024-03-01",
        metric="count: touchpoints\nwindow: 12mo",
        expected="account_id | 2024-02-29 | 2025-02-28 | 2025-03-01\na | 2 | 2 | 0",
        extra=True,
    ),
)
PERIODS = (
    Spec(
        teaches="`month` is the calendar month so far.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-31
            a          | 2024-02-01
            a          | 2024-02-29
            a          | 2024-03-01
        """,
        metric="count: touchpoints\nwindow: month",
        expected="""
            account_id | 2024-01-31 | 2024-02-28 | 2024-02-29 | 2024-03-01
            a          | 1          | 1          | 2          | 1
        """,
    ),
    Spec(
        teaches="`quarter` follows the fiscal year. Where it begins in February, 31 January is the last day of a quarter.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-31
            a          | 2024-02-01
            a          | 2024-04-30
            a          | 2024-05-01
        """,
        metric="count: touchpoints\nwindow: quarter",
        expected="""
            account_id | 2024-01-31 | 2024-02-01 | 2024-04-30 | 2024-05-01
            a          | 1          | 1          | 2          | 1
        """,
        fiscal_year_starts=2,
    ),
    Spec(
        teaches="`year` is the fiscal year so far: here from 1 April.",
        tables="touchpoints\naccount_id | occurred\na | 2023-03-31\na | 2023-04-01\na | 2024-03-31\na | 2024-04-01",
        metric="count: touchpoints\nwindow: year",
        expected="account_id | 2023-04-01 | 2024-03-31 | 2024-04-01\na | 1 | 2 | 1",
        fiscal_year_starts=4,
        extra=True,
    ),
)
LAST_PERIODS = (
    Spec(
        teaches="`last month` is the whole calendar month before, on whichever day of the month one asks.",
        tables="""
            touchpoints
            account_id | occurred
            a          | 2024-01-31
            a          | 2024-02-01
            a          | 2024-02-29
            a          | 2024-03-01
        """,
        metric="count: touchpoints\nwindow: last month",
        expected="""
            account_id | 2024-02-29 | 2024-03-01 | 2024-03-31 | 2024-04-01
            a          | 1          | 2          | 2          | 1
        """,
    ),
    Spec(
        teaches="`last quarter`, of a fiscal year that begins in February.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-31\na | 2024-02-01\na | 2024-04-30\na | 2024-05-01",
        metric="count: touchpoints\nwindow: last quarter",
        expected="account_id | 2024-02-15 | 2024-05-01 | 2024-08-01\na | 1 | 2 | 1",
        fiscal_year_starts=2,
        extra=True,
    ),
    Spec(
        teaches="`last year`, of a fiscal year that begins in April.",
        tables="touchpoints\naccount_id | occurred\na | 2023-03-31\na | 2023-04-01\na | 2024-03-31\na | 2024-04-01",
        metric="count: touchpoints\nwindow: last year",
        expected="account_id | 2023-12-31 | 2024-04-01 | 2025-04-01\na | 1 | 2 | 1",
        fiscal_year_starts=4,
        extra=True,
    ),
    Spec(
        teaches="Days since the last row of last month are counted to the as-of date.",
        tables="touchpoints\naccount_id | occurred\na | 2024-02-20\na | 2024-03-05",
        metric="days_since_last: touchpoints\nwindow: last month",
        expected="account_id | 2024-03-01 | 2024-03-31\na | 10 | 40",
        extra=True,
    ),
)
CONTRACT = (
    Spec(
        teaches="The window begins with the term that runs; an add-on does not begin one. Account b never had a contract, and c's ended on "
        "1 January 2024: a week later it has left.",
        tables="""
            subscriptions
            account_id | started    | ended      | is_addon
            a          | 2023-03-01 | 2024-03-01 | no
            a          | 2024-01-01 | 2024-03-01 | yes
            a          | 2024-03-01 |            |
            c          | 2023-01-01 | 2024-01-01 |

            touchpoints
            account_id | occurred
            a          | 2023-02-28
            a          | 2023-03-01
            a          | 2024-02-10
            a          | 2024-03-05
        """,
        metric="count: touchpoints\nwindow: contract",
        expected="""
            account_id | 2024-01-05    | 2024-02-15    | 2024-03-31
            a          | 1             | 2             | 1
            b          | (no_contract) | (no_contract) | (no_contract)
            c          | (no_contract) | (after_churn) | (after_churn)
        """,
    ),
    Spec(
        teaches="Of two terms that run, the one that began last; a term that was not known by then does not count.",
        tables="""
            subscriptions
            account_id | started    | ended      | known_at
            a          | 2024-01-01 | 2025-01-01 | 2024-01-01
            a          | 2024-02-01 | 2025-02-01 | 2024-03-01

            touchpoints
            account_id | occurred
            a          | 2024-01-15
            a          | 2024-02-15
        """,
        metric="count: touchpoints\nwindow: contract",
        expected="""
            account_id | 2024-02-29 | 2024-03-01
            a          | 2          | 1
        """,
        extra=True,
    ),
    Spec(
        teaches="Where `ended` is the last day of a term, the term still runs on it.",
        tables="""
            subscriptions
            account_id | started    | ended
            a          | 2024-01-01 | 2024-01-31
            a          | 2024-03-01 |

            touchpoints
            account_id | occurred
            a          | 2024-01-31
        """,
        metric="count: touchpoints\nwindow: contract",
        expected="""
            account_id | 2024-01-31 | 2024-02-01    | 2024-03-01
            a          | 1          | (no_contract) | 0
        """,
        ends_inclusive=True,
        extra=True,
    ),
)
LIFETIME = (
    Spec(
        teaches="This is meant where no window is given.",
        tables="touchpoints\naccount_id | occurred\na | 2014-05-01\na | 2024-01-31\na | 2024-02-01",
        metric="count: touchpoints\nwindow: lifetime",
        expected="account_id | 2014-05-01 | 2024-01-31 | 2024-02-01\na | 1 | 2 | 3",
    ),
)
CHAPTER = Chapter(
    "Windows",
    "A window says which days a measure looks at, counted back from the as-of date. Days are calendar days in the book's time zone.",
    (
        Section("28d, 4w", DAYS, (Days,)),
        Section("3mo", MONTHS, (Months,)),
        Section("month, quarter, year", PERIODS, (ThisPeriod,)),
        Section("last month, last quarter, last year", LAST_PERIODS, (LastPeriod,)),
        Section("contract", CONTRACT, (SinceContractStart,)),
        Section("lifetime", LIFETIME, (Lifetime,)),
    ),
)
