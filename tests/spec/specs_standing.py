"""What stands on a date: open rows, attributes, seats, ARR, numbers."""

from __future__ import annotations

from tests.spec.chapter import Chapter, Section
from tests.spec.harness import Spec
from unspun.metrics.nodes import Arr, Attribute, Constant, DaysToEnd, Open, Seats

TICKETS = """
    tickets
    ticket_id | account_id | opened     | closed     | priority
    t1        | a          | 2024-01-02 | 2024-01-10 | low
    t2        | a          | 2024-01-08 |            | high
    t3        | b          | 2024-01-08 | 2024-01-08 | high
"""
TERMS = """
    subscriptions
    subscription_id | account_id | started    | ended      | amount | seats
    s1              | a          | 2023-03-01 | 2024-03-01 | 1200   | 10
    s2              | a          | 2024-03-01 |            | 1500   | 12
    s3              | a          | 2024-01-01 | 2024-03-01 | 300    |
"""
CONTACTS = """
    contacts
    contact_id | account_id | dated      | role
    p1         | a          | 2024-01-01 | champion
    p2         | a          | 2024-02-01 | user
    p1         | b          | 2024-03-01 | champion
"""
OPEN = (
    Spec(
        teaches="Tickets that were opened and not yet closed. On the day on which it was closed a ticket is no longer open.",
        tables=TICKETS,
        metric="open: tickets",
        expected="""
            account_id | 2024-01-01  | 2024-01-08 | 2024-01-09 | 2024-01-10
            a          | (no_source) | 2          | 2          | 1
            b          | (no_source) | 0          | 0          | 0
        """,
    ),
    Spec(
        teaches="With a condition.",
        tables=TICKETS,
        metric="open: tickets\nwhere: {priority: high}",
        expected="account_id | 2024-01-08 | 2024-01-31\na | 1 | 1\nb | 0 | 0",
        extra=True,
    ),
    Spec(
        teaches="Terms that run. The day in `ended` is the first on which a term runs no longer, unless the rules of retention in "
        "unspun.toml read it as its last.",
        tables=TERMS,
        metric="open: subscriptions",
        expected="""
            account_id | 2023-12-31 | 2024-02-29 | 2024-03-01
            a          | 1          | 2          | 1
            b          | 0          | 0          | 0
        """,
    ),
    Spec(
        teaches="The same where `ended` is the last day of a term.",
        tables=TERMS,
        metric="open: subscriptions",
        expected="account_id | 2024-02-29 | 2024-03-01 | 2024-03-02\na | 2 | 3 | 1",
        ends_inclusive=True,
        extra=True,
    ),
    Spec(
        teaches="With a column, its sum over what is open.",
        tables=TERMS,
        metric="open: subscriptions.amount",
        expected="""
            account_id | 2023-12-31 | 2024-02-29 | 2024-03-01
            a          | 1200       | 1500       | 1500
            b          | 0          | 0          | 0
        """,
    ),
    Spec(
        teaches="Contacts are with the account that was stated last: p1 moves from a to b on 1 March.",
        tables=CONTACTS,
        metric="open: contacts",
        expected="""
            account_id | 2023-12-31  | 2024-01-31 | 2024-02-29 | 2024-03-01
            a          | (no_source) | 1          | 2          | 1
            b          | (no_source) | 0          | 0          | 1
        """,
    ),
    Spec(
        teaches="Contacts of a role.",
        tables=CONTACTS,
        metric="open: contacts\nwhere: {role: champion}",
        expected="account_id | 2024-02-29 | 2024-03-01\na | 1 | 0\nb | 0 | 1",
        extra=True,
    ),
)
ATTRIBUTE = (
    Spec(
        teaches="Each date has the plan that was stated last by then; an empty cell says that there is none.",
        tables="""
            accounts
            account_id | dated      | plan
            a          | 2024-01-01 | Basic
            a          | 2024-03-01 | Pro
            a          | 2024-05-01 |
        """,
        metric="attribute: plan",
        expected="""
            account_id | 2023-12-31   | 2024-02-29 | 2024-03-01 | 2024-05-01
            a          | (not_stated) | Basic      | Pro        | (not_stated)
        """,
    ),
    Spec(
        teaches="A column that book.yml declares fixed (here `industry`) has one value for all dates, also before it was stated.",
        tables="""
            accounts
            account_id | dated      | industry | owner
            a          | 2024-03-01 | Retail   | Kim
        """,
        metric="attribute: industry",
        expected="account_id | 2023-12-31 | 2024-03-31\na | Retail | Retail",
        fixed=("industry",),
    ),
    Spec(
        teaches="Another column of the same rows is not fixed.",
        tables="accounts\naccount_id | dated | industry | owner\na | 2024-03-01 | Retail | Kim",
        metric="attribute: owner",
        expected="account_id | 2023-12-31 | 2024-03-31\na | (not_stated) | Kim",
        fixed=("industry",),
        extra=True,
    ),
    Spec(
        teaches="Of a fixed column the last value that is not empty holds.",
        tables="accounts\naccount_id | dated | industry\na | 2024-01-01 | Retail\na | 2024-02-01 | Food\na | 2024-03-01 |",
        metric="attribute: industry",
        expected="account_id | 2023-12-31 | 2024-03-31\na | Food | Food",
        fixed=("industry",),
        extra=True,
    ),
    Spec(
        teaches="Attributes that are numbers, days and flags.",
        tables="accounts\naccount_id | dated | created_on | churned\na | 2024-01-01 | 2023-06-30 | no",
        metric="attribute: created_on",
        expected="account_id | 2024-01-01\na | 2023-06-30",
        extra=True,
    ),
    Spec(
        teaches="A flag.",
        tables="accounts\naccount_id | dated | churned | tier (whole)\na | 2024-01-01 | no | 2\na | 2024-02-01 | yes | 3",
        metric="attribute: churned",
        expected="account_id | 2024-01-01 | 2024-02-01\na | no | yes",
        extra=True,
    ),
    Spec(
        teaches="A company's own column.",
        tables="accounts\naccount_id | dated | tier (whole)\na | 2024-01-01 | 2\na | 2024-02-01 | 3",
        metric="attribute: tier",
        expected="account_id | 2024-01-01 | 2024-02-01\na | 2 | 3",
        extra=True,
    ),
)
OPEN_SUMS = (
    Spec(
        teaches="A sum is the double nearest to the exact sum: it is rounded once.",
        tables="subscriptions\nsubscription_id | account_id | started | seats\ns1 | a | 2024-01-01 | 9007199.254740993",
        metric="open: subscriptions.seats",
        expected="account_id | 2024-01-31\na | 9007199.254740993",
        extra=True,
    ),
    Spec(
        teaches="Numbers are added exactly: the tenth of a tenth stays, whatever is beside it.",
        tables="""
            subscriptions
            subscription_id | account_id | started    | seats
            s1              | a          | 2024-01-01 | 10000000000000000000
            s2              | a          | 2024-01-01 | 0.01
            s3              | a          | 2024-01-01 | -10000000000000000000
        """,
        metric="open: subscriptions.seats",
        expected="account_id | 2024-01-31\na | 0.01",
        extra=True,
    ),
)
SEATS = (
    Spec(
        teaches="The seats of the running terms: s3 states none.",
        tables=TERMS,
        metric="seats: true",
        expected="""
            account_id | 2023-12-31   | 2024-02-29   | 2024-03-01
            a          | 10           | 10           | 12
            b          | (not_stated) | (not_stated) | (not_stated)
        """,
    ),
    Spec(
        teaches="Where no running term states seats, those stated last of the account hold. A list of accounts loaded today says nothing "
        "of earlier dates, terms do: so one definition serves the history and today.",
        tables=f"accounts\naccount_id | dated | seats\na | 2024-01-15 | 25\nb | 2024-01-15 | 4\n{TERMS}",
        metric="seats: true",
        expected="""
            account_id | 2024-01-01   | 2024-01-31
            a          | 10           | 10
            b          | (not_stated) | 4
        """,
    ),
    Spec(
        teaches="Terms that state none leave it to the account; a book without terms, too.",
        tables="accounts\naccount_id | dated | seats\na | 2024-01-15 | 25\nb | 2024-01-15 |",
        metric="seats: true",
        expected="account_id | 2024-01-01 | 2024-01-31\na | (not_stated) | 25\nb | (not_stated) | (not_stated)",
        extra=True,
    ),
    Spec(
        teaches="No seats stated is not the seat count 0, which is.",
        tables="""
            accounts
            account_id | dated      | seats
            a          | 2024-01-15 | 25
            b          | 2024-01-15 | 25

            subscriptions
            subscription_id | account_id | started    | ended      | seats
            s1              | a          | 2024-01-01 | 2024-03-01 | 0
            s2              | b          | 2024-01-01 | 2024-03-01 |
        """,
        metric="seats: true",
        expected="account_id | 2024-01-31 | 2024-03-05\na | 0 | 25\nb | 25 | 25",
        extra=True,
    ),
    Spec(
        teaches="Before the first term of anybody the book has no source of seats.",
        tables=TERMS,
        metric="seats: true",
        expected="account_id | 2023-02-28 | 2023-03-01\na | (no_source) | 10\nb | (no_source) | (not_stated)",
        extra=True,
    ),
)
ENDS = """
    subscriptions
    subscription_id | account_id | started    | ended      | is_addon
    s1              | a          | 2023-03-01 | 2024-03-01 |
    s2              | a          | 2024-03-01 | 2024-06-01 |
    s3              | a          | 2024-02-01 | 2024-12-01 | yes
    s4              | b          | 2024-01-01 |            | no
"""
TO_END = (
    Spec(
        teaches="Days to 1 March; from then on to the end of the next term. The add-on does not count. The term of b is open.",
        tables=ENDS,
        metric="days_to_end: subscriptions",
        expected="""
            account_id | 2023-02-28     | 2024-01-31     | 2024-02-29   | 2024-03-01
            a          | (no_source)    | 30             | 1            | 92
            b          | (no_source)    | (not_stated)   | (not_stated) | (not_stated)
            c          | (no_source)    | (no_contract)  | (no_contract) | (no_contract)
        """,
    ),
    Spec(
        teaches="The same where `ended` is the last day of a term, which then runs on 1 March, too.",
        tables=ENDS,
        metric="days_to_end: subscriptions",
        expected="account_id | 2024-02-29 | 2024-03-01 | 2024-03-02\na | 2 | 1 | 92",
        ends_inclusive=True,
    ),
    Spec(
        teaches="Of two terms that run, the earlier end is the next renewal; an open one has none.",
        tables="""
            subscriptions
            account_id | started    | ended
            a          | 2024-01-01 | 2024-12-31
            a          | 2024-01-10 | 2024-02-10
            b          | 2024-01-01 | 2024-02-10
            b          | 2024-01-01 | 2024-03-10
            c          | 2024-01-01 | 2024-02-10
            c          | 2024-01-01 |
        """,
        metric="days_to_end: subscriptions",
        expected="account_id | 2024-01-09 | 2024-01-31 | 2024-02-10\na | 357 | 10 | 325\nb | 32 | 10 | 29\nc | 32 | 10 | (not_stated)",
    ),
    Spec(
        teaches="An end that is corrected counts from when that is known; so does what it was five days earlier.",
        tables="""
            subscriptions
            subscription_id | account_id | started    | ended      | known_at
            s1              | a          | 2024-01-01 | 2024-03-01 | 2024-01-01
            s1              | a          | 2024-01-01 | 2024-04-01 | 2024-02-10
        """,
        metric="add: [days, {multiply: [1000, {before: {of: days, days: 5}}]}]",
        beside="days:\n  description: Days to the end.\n  days_to_end: subscriptions",
        expected="account_id | 2024-01-05 | 2024-02-09 | 2024-02-10\na | (before_birth) | 26021 | 56051",
        extra=True,
    ),
    Spec(
        teaches="A term that is known before it begins does not run yet, nor one that is known late before that is so.",
        tables="accounts\naccount_id | created_on\na | 2023-01-01\nb | 2023-01-01\n\n"
        "subscriptions\naccount_id | started | ended | known_at\na | 2024-01-10 | 2024-02-10 | 2024-01-02\n"
        "b | 2024-01-02 | 2024-02-10 | 2024-01-11",
        metric="days_to_end: subscriptions",
        expected="account_id | 2024-01-09 | 2024-01-10 | 2024-01-11\na | (no_source) | 31 | 30\nb | (no_source) | (no_contract) | 30",
        extra=True,
        fixed=("created_on",),
    ),
    Spec(
        teaches="After the last term there is none; once the days of grace are over, the account is no customer.",
        tables="subscriptions\naccount_id | started | ended\na | 2024-01-01 | 2024-02-01",
        metric="days_to_end: subscriptions",
        expected="account_id | 2024-01-31 | 2024-02-01 | 2025-02-01\na | 1 | (no_contract) | (after_churn)",
        extra=True,
    ),
    Spec(
        teaches="Before renewals it is the days before the due day, where that is the end of a term that runs.",
        tables=ENDS,
        metric="days_to_end: subscriptions",
        expected="account_id | due | 90 | 30\na | 2024-03-01 | 90 | 30\na | 2024-06-01 | 90 | 30",
    ),
    Spec(
        teaches="Without subscriptions.",
        tables="accounts\naccount_id | created_on\na | 2024-02-01",
        metric="days_to_end: subscriptions",
        expected="account_id | 2024-01-31 | 2024-02-01\na | (before_birth) | (no_source)",
        fixed=("created_on",),
        extra=True,
    ),
)
ARR = (
    Spec(
        teaches="ARR comes from the same computation as `unspun retention`; here it is given as that tells it. Where that cannot tell "
        "it, the reason stands; 0 is a value.",
        tables="""
            arr_as_of
            account_id | as_of      | arr   | reason
            a          | 2024-01-31 | 12000 |
            a          | 2024-02-29 |       | not_stated
            b          | 2024-02-29 | 0     |
        """,
        metric="arr: true",
        expected="""
            account_id | 2024-01-31   | 2024-02-29
            a          | 12000        | (not_stated)
            b          | (not_stated) | 0
        """,
    ),
)
VALUE = (
    Spec(
        teaches="A number is the same for every account on every date.",
        metric="value: 3",
        expected="account_id | 2024-01-31 | 2024-02-29\na | 3 | 3",
    ),
    Spec(
        teaches="A number that is not whole, and one for an account that is no customer yet.",
        tables="accounts\naccount_id | created_on\na | 2024-02-15",
        metric="value: 0.25",
        expected="account_id | 2024-01-31 | 2024-02-29\na | 0.25 | 0.25",
        extra=True,
    ),
)
CHAPTER = Chapter(
    "What stands on a date",
    "These have no window: they say what is so at the end of the as-of date.",
    (
        Section("open", OPEN + OPEN_SUMS, (Open,)),
        Section("attribute", ATTRIBUTE, (Attribute,)),
        Section("seats", SEATS, (Seats,)),
        Section("days_to_end", TO_END, (DaysToEnd,)),
        Section("arr", ARR, (Arr,)),
        Section("value", VALUE, (Constant,)),
    ),
)
