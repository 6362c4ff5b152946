"""Conditions on rows."""

from __future__ import annotations

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from unspun.metrics.conditions import Compare, HasText, IsEmpty, IsIn

TOUCHPOINTS = """
    touchpoints
    account_id | occurred   | channel | minutes | subject
    a          | 2024-01-02 | call    | 30      | Renewal 2024
    a          | 2024-01-03 | mail    |         | early renewal
    a          | 2024-01-04 | meeting | 60      | Kick-off
    a          | 2024-01-05 |         | 15      |
"""


def on_touchpoints(teaches: str, where: str, count: int, extra: bool = False) -> Spec:
    """How many of the four touchpoints fit a condition."""
    expected = f"account_id | 2024-01-31\na | {count}"
    return Spec(teaches=teaches, tables=TOUCHPOINTS, metric=f"count: touchpoints\nwhere: {where}", expected=expected, extra=extra)


EQUAL = (
    on_touchpoints("One value.", "{channel: call}", 1),
    on_touchpoints("One of several values.", "{channel: [call, mail, letter]}", 2),
    on_touchpoints("Case counts, and nothing is trimmed.", "{channel: Call}", 0),
    on_touchpoints(
        "`is` says the same as the plain value, and stands beside other tests.", "{minutes: {is: [15, 30, 45], above: 15}}", 1, True
    ),
    Spec(
        teaches="Values are data: one with quotes, semicolons or SQL in it is compared as it stands.",
        tables="""
            events
            account_id | occurred   | event
            a          | 2024-01-02 | o'clock"; DROP TABLE events; --
            a          | 2024-01-02 | click
        """,
        metric="""count: events\nwhere: {event: "o'clock\\"; DROP TABLE events; --"}""",
        expected="account_id | 2024-01-02\na | 1",
    ),
    Spec(
        teaches="An amount is compared exactly with the number as it is written: 19.99 is 19.99, and 0.1 is a tenth.",
        tables="purchases\naccount_id | purchased | amount\na | 2024-01-02 | 19.99\na | 2024-01-02 | 0.10\na | 2024-01-02 | 0.11",
        metric="count: purchases\nwhere: {amount: [19.99, 0.1]}",
        expected="account_id | 2024-01-02\na | 2",
    ),
    Spec(
        teaches="A flag is true or false; where it is empty it is neither.",
        tables="""
            subscriptions
            account_id | started    | is_addon
            a          | 2024-01-01 | yes
            a          | 2024-01-01 | no
            a          | 2024-01-01 |
        """,
        metric="count: subscriptions\nwhere: {is_addon: false}",
        expected="account_id | 2024-01-02\na | 1",
        extra=True,
    ),
    Spec(
        teaches="Days: one of several.",
        tables="forecasts\naccount_id | made | due\na | 2024-01-01 | 2024-06-30\na | 2024-01-01 | 2024-07-31",
        metric='count: forecasts\nwhere: {due: ["2024-06-30", "2024-06-29"]}',
        expected="account_id | 2024-01-02\na | 1",
        extra=True,
    ),
    Spec(
        teaches="Whole numbers compare with a number as it is written.",
        tables="touchpoints\naccount_id | occurred | slides (whole)\na | 2024-01-01 | 9007199254740993\na | 2024-01-01 | 9007199254740992",
        metric="count: touchpoints\nwhere: {slides: 9007199254740993}",
        expected="account_id | 2024-01-02\na | 1",
        extra=True,
    ),
    Spec(
        teaches="Letters beyond ASCII, and a name in the decomposed form of another, are texts of their own.",
        tables="touchpoints\naccount_id | occurred | channel\na | 2024-01-01 | caf\u00e9\na | 2024-01-01 | "
        "cafe\u0301\na | 2024-01-01 | 会议",
        metric='count: touchpoints\nwhere: {channel: ["caf\u00e9", "会议"]}',
        expected="account_id | 2024-01-02\na | 2",
        extra=True,
    ),
)
COMPARED = (
    on_touchpoints("Above a number: the number itself is not.", "{minutes: {above: 30}}", 1),
    on_touchpoints("At least: the number itself is.", "{minutes: {at_least: 30}}", 2),
    on_touchpoints("Below: an empty cell is not below anything.", "{minutes: {below: 30}}", 1),
    on_touchpoints("At most.", "{minutes: {at_most: 30}}", 2, True),
    on_touchpoints("From one to another, both included.", "{minutes: {between: [15, 30]}}", 2),
    Spec(
        teaches="Days are compared likewise, and an instant is the day on which it lies in the book's time zone.",
        tables="""
            responses
            account_id | answered   | invited
            a          | 2024-03-20 | 2024-03-09T22:30Z
            a          | 2024-03-20 | 2024-03-09T23:30Z
            a          | 2024-03-20 | 2024-03-10T23:30Z
        """,
        metric='count: responses\nwhere: {invited: {at_most: "2024-03-10", above: "2024-03-09"}}',
        expected="account_id | 2024-03-31\na | 1",
        time_zone="Europe/Berlin",
    ),
    Spec(
        teaches="Amounts: 0.1 is not above 0.1.",
        tables="purchases\naccount_id | purchased | amount\na | 2024-01-02 | 0.1\na | 2024-01-02 | 0.3",
        metric="count: purchases\nwhere: {amount: {above: 0.1, at_most: 0.3}}",
        expected="account_id | 2024-01-02\na | 1",
        extra=True,
    ),
)
TEXTS = (
    on_touchpoints("How a text begins.", "{subject: {starts_with: Renewal}}", 1),
    on_touchpoints("How it ends.", '{subject: {ends_with: "2024"}}', 1),
    on_touchpoints("What it contains; case counts.", "{subject: {contains: renewal}}", 1),
    on_touchpoints("Two tests of one column must both hold.", "{subject: {contains: enewal, starts_with: early}}", 1, True),
    Spec(
        teaches="Signs that mean something elsewhere (%, _, \\) are plain signs here.",
        tables="touchpoints\naccount_id | occurred | subject\na | 2024-01-02 | 100% sure\na | 2024-01-02 | 100 "
        "sure\na | 2024-01-02 | a_b\\c",
        metric='add: [{count: touchpoints, where: {subject: {contains: "0%"}}}, {multiply: [10, {count: touchpoints, where: '
        '{subject: {starts_with: "a_"}}}]}, {multiply: [100, {count: touchpoints, where: {subject: {ends_with: "\\\\c"}}}]}]',
        expected="account_id | 2024-01-02\na | 111",
        extra=True,
    ),
)
EMPTY = (
    on_touchpoints("Empty cells.", "{channel: {empty: true}}", 1),
    on_touchpoints("Cells that are not.", "{channel: {empty: false}}", 3, True),
)
LOGIC = (
    on_touchpoints("Conditions on several columns must all hold.", "{channel: call, minutes: {at_least: 30}}", 1),
    on_touchpoints(
        "`all` says so as a list, which may ask twice of one column.",
        "{all: [{subject: {contains: r}}, {subject: {contains: y}}]}",
        1,
        True,
    ),
    on_touchpoints("`any`: one of them.", "{any: [{channel: mail}, {minutes: {above: 30}}]}", 2),
    on_touchpoints(
        "`not` before a condition: minutes that are not above 30, which the empty cell is not.", "{not: {minutes: {above: 30}}}", 3
    ),
    on_touchpoints("`not` of a value: an empty channel is no call either.", "{channel: {not: call}}", 3),
    on_touchpoints("A condition within a condition.", "{not: {any: [{channel: [call, mail]}, {subject: {empty: true}}]}}", 1, True),
    Spec(
        teaches="A column that is called as a word of the language.",
        tables="touchpoints\naccount_id | occurred | all (text) | not (number)\na | 2024-01-02 | x | 1\na | 2024-01-02 | y | 2",
        metric="count: touchpoints\nwhere: {all: [{column: all, is: y}, {column: not, above: 1}]}",
        expected="account_id | 2024-01-02\na | 1",
        extra=True,
    ),
    Spec(
        teaches="Columns of a company's own, of any name.",
        tables='touchpoints\naccount_id | occurred | deal "size", kEUR (number)\na | 2024-01-02 | 5\na | 2024-01-02 | 7',
        metric="""sum: touchpoints.deal "size", kEUR\nwhere: {'deal "size", kEUR': {above: 5}}""",
        expected="account_id | 2024-01-02\na | 7",
        extra=True,
    ),
)
CHAPTER = Chapter(
    "Conditions",
    "`where` says which rows count. A comparison with an empty cell is false, so its negation is true.",
    (
        Section("A value, or one of several", EQUAL, (IsIn,)),
        Section("above, below, at_least, at_most, between", COMPARED, (Compare,)),
        Section("starts_with, ends_with, contains", TEXTS, (HasText,)),
        Section("empty", EMPTY, (IsEmpty,)),
        Section("all, any, not", LOGIC, words="Conditions are joined by `all` and `any` and turned round by `not`."),
    ),
)
