"""Series made of others."""

from __future__ import annotations

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from unspun.metrics.nodes import Add, Before, Case, Change, Multiply, Ratio, Reference, Share, Subtract, Trend, ZScore

CARE = """
    touchpoints
    account_id | occurred
    a          | 2024-01-03
    a          | 2024-01-10
    a          | 2024-01-20
    b          | 2024-01-05

    tickets
    ticket_id | account_id | opened
    t1        | a          | 2024-01-04
    t2        | a          | 2024-01-12
"""
WEEKS = """
    touchpoints
    account_id | occurred
    a          | 2024-01-03
    a          | 2024-01-10
    a          | 2024-01-12
    a          | 2024-01-13
"""
SCORES = """
    scores
    account_id | dated      | score  | value
    a          | 2024-01-01 | health | 2
    b          | 2024-01-01 | health | 2
    c          | 2024-01-01 | health | 3
    d          | 2024-01-01 | health | 4
    e          | 2024-02-01 | health | 4
"""
CHANNELS = """
    touchpoints
    account_id | occurred   | channel | minutes
    a          | 2024-01-03 | meeting | 60
    a          | 2024-01-10 | call    | 20
    a          | 2024-01-12 | meeting | 60
    a          | 2024-01-13 | mail    |
"""
PLANS = """
    accounts
    account_id | dated      | plan
    a          | 2024-01-01 | Pro
    b          | 2024-01-01 | Basic
    c          | 2024-01-01 |

    tickets
    ticket_id | account_id | opened
    t1        | a          | 2024-01-04
    t2        | a          | 2024-01-12
    t3        | b          | 2024-01-12
"""
RATIO = (
    Spec(
        teaches="Touchpoints for each ticket. Without tickets there is nothing to divide by; before the first ticket in the book there is "
        "no source, and the ratio has that reason.",
        tables=CARE,
        metric="ratio: [{count: touchpoints}, {count: tickets}]",
        expected="""
            account_id | 2024-01-03  | 2024-01-04         | 2024-01-31
            a          | (no_source) | 1                  | 3/2
            b          | (no_source) | (zero_denominator) | (zero_denominator)
        """,
    ),
    Spec(
        teaches="The first operand without a value gives the reason.",
        tables=CARE.replace("ticket_id | account_id | opened", "ticket_id | account_id | opened     | satisfaction")
        .replace("2024-01-04", "2024-01-04 |")
        .replace("2024-01-12", "2024-01-12 |"),
        metric="ratio: {of: {average: tickets.satisfaction}, by: {count: purchases}}",
        expected="account_id | 2024-01-03 | 2024-01-31\na | (no_source) | (no_rows)",
        extra=True,
    ),
)
REFERENCE = (
    Spec(
        teaches="A metric of the file stands for its definition, wherever a series does.",
        tables=CARE,
        metric="ratio: [touchpoints_14d, tickets_14d]",
        beside="touchpoints_14d:\n  description: Touchpoints.\n  count: touchpoints\n  window: 14d\n"
        "tickets_14d:\n  description: Tickets.\n  count: tickets\n  window: 14d",
        expected="""
            account_id | 2024-01-12 | 2024-01-20
            a          | 2/2        | 2/1
        """,
    ),
    Spec(
        teaches="A metric that is another.",
        tables=CARE,
        metric="metric: calls",
        beside="calls:\n  description: Touchpoints.\n  count: touchpoints",
        expected="account_id | 2024-01-31\na | 3\nb | 1",
        extra=True,
    ),
)
ARITHMETIC = (
    Spec(
        teaches="The sum of two counts and a number.",
        tables=CARE,
        metric="add: [{count: touchpoints}, {count: tickets}, 0.5]",
        expected="account_id | 2024-01-04 | 2024-01-31\na | 2.5 | 5.5\nb | 0.5 | 1.5",
    ),
    Spec(
        teaches="The first less the second.",
        tables=CARE,
        metric="subtract: [{count: touchpoints}, {count: tickets}]",
        expected="account_id | 2024-01-04 | 2024-01-31\na | 0 | 1\nb | 0 | 1",
    ),
    Spec(
        teaches="A product; one part without a value leaves the whole without one.",
        tables=CARE,
        metric="multiply: [{count: touchpoints}, {days_since_last: tickets}]",
        expected="account_id | 2024-01-04 | 2024-01-31\na | 0 | 57\nb | (no_rows) | (no_rows)",
    ),
    Spec(
        teaches="Sums of doubles are made from left to right.",
        metric="add: [0.1, 0.2, 0.3, -0.6]",
        expected="account_id | 2024-01-31\na | 1/9007199254740992",
        extra=True,
    ),
)
BEFORE = (
    Spec(
        teaches="The week that ended seven days earlier: as of 12 January, that to 5 January. Seven days before 8 January the book held "
        "no touchpoint yet.",
        tables=WEEKS,
        metric="before: {of: {count: touchpoints, window: 7d}, days: 7}",
        expected="""
            account_id | 2024-01-08  | 2024-01-12 | 2024-01-17 | 2024-01-19
            a          | (no_source) | 1          | 1          | 2
        """,
    ),
    Spec(
        teaches="It is told by what is known on the as-of date: the row of 10 January that came on the 20th counts in the week before "
        "that which ends on the 20th. The same week, as of its own end, did not know it.",
        tables="""
            touchpoints
            account_id | occurred   | known_at
            a          | 2024-01-02 | 2024-01-02
            a          | 2024-01-10 | 2024-01-20
        """,
        metric="before: {of: {count: touchpoints, window: 7d}, days: 7}",
        expected="""
            account_id | 2024-01-17 | 2024-01-19 | 2024-01-20
            a          | 0          | 0          | 1
        """,
    ),
    Spec(
        teaches="Attributes: the plan of 30 days before. The account was no customer before 15 January.",
        tables="""
            accounts
            account_id | dated      | plan  | created_on
            a          | 2024-01-15 | Basic | 2024-01-15
            a          | 2024-02-10 | Pro   | 2024-01-15
        """,
        metric="before: {of: {attribute: plan}, days: 30}",
        expected="""
            account_id | 2024-02-13     | 2024-02-14 | 2024-03-10 | 2024-03-11
            a          | (before_birth) | Basic      | Basic      | Pro
        """,
    ),
    Spec(
        teaches="What was open.",
        tables="tickets\nticket_id | account_id | opened | closed\nt1 | a | 2024-01-04 | 2024-01-10\nt2 | a | 2024-01-09 |",
        metric="before: {of: {open: tickets}, days: 7}",
        expected="account_id | 2024-01-10 | 2024-01-11 | 2024-01-16 | 2024-01-17\na | (no_source) | 1 | 2 | 1",
        extra=True,
    ),
    Spec(
        teaches="Each part of a ratio is of the earlier day; a number is the same.",
        tables=CARE,
        metric="before: {of: {ratio: [{count: touchpoints}, {add: [{count: tickets}, 1]}]}, days: 7}",
        expected="account_id | 2024-01-10 | 2024-01-17 | 2024-01-31\na | (no_source) | 2/2 | 3/3\nb | (no_source) | 1 | 1",
        extra=True,
    ),
    Spec(
        teaches="Days since the last row are counted to the earlier day.",
        tables=WEEKS,
        metric="before: {of: {days_since_last: touchpoints}, days: 1w}",
        expected="account_id | 2024-01-16 | 2024-01-19 | 2024-01-31\na | 6 | 0 | 11",
        extra=True,
    ),
    Spec(
        teaches="`last month`, seen from 31 days earlier.",
        tables="touchpoints\naccount_id | occurred\na | 2024-01-31\na | 2024-02-29\na | 2024-03-31",
        metric="before: {of: {count: touchpoints, window: last month}, days: 31}",
        expected="account_id | 2024-03-31 | 2024-04-01 | 2024-05-31\na | 1 | 1 | 1",
        extra=True,
    ),
)
CHANGE = (
    Spec(
        teaches="Three touchpoints in the week, after one in the week before.",
        tables=WEEKS,
        metric="change: {of: {count: touchpoints, window: 7d}, days: 7}",
        expected="account_id | 2024-01-16 | 2024-01-20\na | 2 | -3\nb | 0 | 0",
    ),
    Spec(
        teaches="As a ratio, by what it was; from nothing there is none.",
        tables=WEEKS,
        metric="change: {of: {count: touchpoints, window: 7d}, days: 7, as: ratio}",
        expected="account_id | 2024-01-16 | 2024-01-20\na | 2 | -1\nb | (zero_denominator) | (zero_denominator)",
    ),
)
TREND = (
    Spec(
        teaches="The weeks to 10, 17 and 24 January had 1, 2 and 0 touchpoints: half a touchpoint less with each week.",
        tables=WEEKS,
        metric="trend: {of: {count: touchpoints, window: 7d}, steps: 3, every: 7d}",
        expected="""
            account_id | 2024-01-16  | 2024-01-24 | 2024-01-30
            a          | (no_source) | -1/2       | -3/2
        """,
    ),
    Spec(
        teaches="Four steps.",
        tables=WEEKS,
        metric="trend: {of: {count: touchpoints, window: 7d}, steps: 4, every: 7d}",
        expected="account_id | 2024-01-24 | 2024-01-31\na | -1/5 | -1/2",
        extra=True,
    ),
)
SHARE = (
    Spec(
        teaches="Two of four touchpoints are meetings. Of none, there is no share.",
        tables=CHANNELS,
        metric="share: {of: {count: touchpoints, window: 30d}, where: {channel: meeting}}",
        expected="account_id | 2024-01-03 | 2024-01-12 | 2024-01-31\na | 1 | 2/3 | 2/4\nb | (zero_denominator) | "
        "(zero_denominator) | (zero_denominator)",
    ),
    Spec(
        teaches="Of a sum with a condition of its own: the minutes of meetings among those of meetings and calls.",
        tables=CHANNELS,
        metric="share: {of: {sum: touchpoints.minutes, where: {channel: [meeting, call]}}, where: {channel: {not: call}}}",
        expected="account_id | 2024-01-03 | 2024-01-31\na | 1 | 120/140",
        extra=True,
    ),
    Spec(
        teaches="Of different values, and of days.",
        tables=CHANNELS,
        metric="add: [{share: {of: {distinct: touchpoints.channel}, where: {minutes: {above: 10}}}}, "
        "{share: {of: {active_days: touchpoints}, where: {channel: mail}}}]",
        expected="account_id | 2024-01-03 | 2024-01-31\na | 1 | 11/12",
        extra=True,
    ),
)
PER = (
    Spec(
        teaches="`per_seat` divides by the seats of the as-of date.",
        tables=f"{CARE}\n\naccounts\naccount_id | dated | seats\na | 2024-01-01 | 10\nb | 2024-01-01 | 0\nc | 2024-01-01 |",
        metric="per_seat: {count: touchpoints}",
        expected="account_id | 2024-01-31\na | 3/10\nb | (zero_denominator)\nc | (not_stated)",
    ),
    Spec(
        teaches="`per_arr` divides by ARR.",
        tables=f"{CARE}\n\narr_as_of\naccount_id | as_of | arr | reason\na | 2024-01-31 | 12000 |\nb | 2024-01-31 | | not_stated",
        metric="per_arr: {count: touchpoints}",
        expected="account_id | 2024-01-31\na | 3/12000\nb | (not_stated)",
    ),
)
Z_SCORE = (
    Spec(
        teaches="Five accounts with a score: their mean is 3, and the standard deviation of the sample 1. In January there are four, which "
        "are too few. Account f has no score and is no peer.",
        tables=SCORES,
        metric="z_score: {last: scores.value}",
        expected="""
            account_id | 2024-01-31  | 2024-02-29
            a          | (few_peers) | -1
            b          | (few_peers) | -1
            c          | (few_peers) | 0
            d          | (few_peers) | 1
            e          | (no_rows)   | 1
            f          | (no_rows)   | (no_rows)
        """,
    ),
    Spec(
        teaches="Within a segment, peers are the accounts of that segment. Account f is alone in its segment, and of "
        "g no segment is known.",
        tables=f"""
            accounts
            account_id | dated      | segment
            a          | 2024-01-01 | SMB
            b          | 2024-01-01 | SMB
            c          | 2024-01-01 | SMB
            d          | 2024-01-01 | SMB
            e          | 2024-01-01 | SMB
            f          | 2024-01-01 | Large
            g          | 2024-01-01 |

            {SCORES.strip()}
            f          | 2024-01-01 | health | 40
            g          | 2024-01-01 | health | 3
        """,
        metric="z_score: {of: {last: scores.value}, within: segment}",
        expected="""
            account_id | 2024-02-29
            a          | -1
            b          | -1
            c          | 0
            d          | 1
            e          | 1
            f          | (few_peers)
            g          | (not_stated)
        """,
    ),
    Spec(
        teaches="Where all peers have the same there is nothing to compare.",
        tables="scores\naccount_id | dated | score | value\n" + "\n".join(f"{account} | 2024-01-01 | health | 0.1" for account in "abcde"),
        metric="z_score: {last: scores.value}",
        expected="account_id | 2024-01-31\n" + "\n".join(f"{account} | (few_peers)" for account in "abcde"),
        extra=True,
    ),
    Spec(
        teaches="Before renewals, peers are units of the same horizon in the 365 days up to the as-of date. That of e is 30 March 2025, "
        "364 days after the others'; a day later they are no longer peers.",
        tables=SCORES,
        metric="z_score: {last: scores.value}",
        expected="""
            account_id | due        | 30
            a          | 2024-04-30 | (few_peers)
            b          | 2024-04-30 | (few_peers)
            c          | 2024-04-30 | (few_peers)
            d          | 2024-04-30 | (few_peers)
            e          | 2025-04-29 | 1
            e          | 2025-04-30 | (few_peers)
        """,
        extra=True,
    ),
)
CASE = (
    Spec(
        teaches="The first case that holds gives the value.",
        tables=PLANS,
        metric="case:\n  - when: {tickets_all: {above: 1}}\n    then: 2\n  - when: {tickets_all: 1}\n    then: 1\n  - otherwise: 0",
        beside="tickets_all:\n  description: Tickets.\n  count: tickets",
        expected="account_id | 2024-01-04 | 2024-01-31\na | 1 | 2\nb | 0 | 1\nc | 0 | 0",
    ),
    Spec(
        teaches="Several criteria must all hold. A metric without a value makes the whole have none: c's plan is not stated. Where no case "
        "holds, there is none either.",
        tables=PLANS,
        metric="case:\n  - when: {plan: Pro, tickets_all: {at_least: 2}}\n    then: {days_since_last: tickets}",
        beside="plan:\n  description: Plan.\n  attribute: plan\ntickets_all:\n  description: Tickets.\n  count: tickets",
        expected="""
            account_id | 2024-01-04   | 2024-01-31
            a          | (no_case)    | 19
            b          | (no_case)    | (no_case)
            c          | (not_stated) | (not_stated)
        """,
    ),
    Spec(
        teaches="Criteria are asked in their order: once one is false, the next is not asked, and it does not matter that it has no value.",
        tables=PLANS,
        metric="case:\n  - when: [{of: {count: tickets}, at_least: 1}, {of: {attribute: plan}, is: [Pro, Basic]}]\n   "
        " then: 1\n  - otherwise: 0",
        expected="account_id | 2024-01-31\na | 1\nb | 1\nc | 0",
        extra=True,
    ),
    Spec(
        teaches="Values that are texts and days.",
        tables=PLANS,
        metric="case:\n  - when: [{of: {count: tickets}, above: 1}]\n    then: {last: tickets.ticket_id}\n  - otherwise: {attribute: plan}",
        expected="account_id | 2024-01-31\na | t2\nb | Basic\nc | (not_stated)",
        extra=True,
    ),
)
CHAPTER = Chapter(
    "Series made of others",
    "Wherever a series stands, a metric's id, a number, or a measure written out may stand. Numbers are computed as "
    "doubles, from left to right; "
    "where a part has no value, the whole has none, for the reason of the first such part.",
    (
        Section("ratio", RATIO, (Ratio,)),
        Section("A metric by its id", REFERENCE, (Reference,)),
        Section("add, subtract, multiply", ARITHMETIC, (Add, Subtract, Multiply)),
        Section("before", BEFORE, (Before,)),
        Section("change", CHANGE, (Change,)),
        Section("trend", TREND, (Trend,)),
        Section("share", SHARE, (Share,)),
        Section("per_seat, per_arr", PER, words="A ratio by `seats` or `arr`."),
        Section("z_score", Z_SCORE, (ZScore,)),
        Section("case", CASE, (Case,)),
    ),
)
