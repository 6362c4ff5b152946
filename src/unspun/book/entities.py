"""The tables of the book and their standard columns: what a company's own files are mapped to.

A table also holds a company's own columns, under the names that `book.yml` gives them, and the columns of every row version
(ROW_COLUMNS): when it happened, when it was known, in which zone its time was written, and the load, file and row it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "whole", "number", "money", "day", "instant", "flag"]
"""text; 64-bit integer; float; DECIMAL(18,4); calendar day; UTC instant to the microsecond; true or false."""

TableName = Literal[
    "accounts", "contacts", "subscriptions", "renewals", "churns", "purchases", "events", "tickets", "responses", "touchpoints",
    "forecasts", "scores", "rates",
]  # fmt: skip
MONEY_PRECISION, MONEY_SCALE = 18, 4


@dataclass(frozen=True, slots=True)
class Column:
    """A standard column. A row without a `required` one is rejected; one that is `named` need not be in the file at all."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the book.

    `happened` names the column that says when a row happened (its instant is `happened_at` of the row version). `key` is the key
    where a mapping declares none and all its columns are mapped; the rows of a table without a key are identified by their file
    and row number. A `state` table holds dated statements about a thing (an account's plan): as of a date, each column of each
    `key[0]` has the value that was stated last. In a state table `happened` may be unmapped: the statement then dates from its receipt.
    Of the columns in `one_of` each row needs at least one.
    """

    name: TableName
    meaning: str
    columns: tuple[Column, ...]
    happened: str
    key: tuple[str, ...] = ()
    state: bool = False
    one_of: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        """The standard column of that name; None where there is none (an own column, or a slip)."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    @property
    def row_columns(self) -> tuple[tuple[str, Kind], ...]:
        """The columns that every row version of the table has, before its data columns."""
        return (*ROW_COLUMNS, STATED) if self.state else ROW_COLUMNS


ROW_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("happened_at", "instant"),
    ("known_at", "instant"),
    ("happened_zone", "text"),
    ("load", "whole"),
    ("source_file", "whole"),
    ("source_row", "whole"),
)
"""First in every table. `known_at` is never empty; `happened_zone` is the zone or offset the source wrote its time in;
`source_file` is the number of the source file in the warehouse's catalogue; `source_row` counts from 1 and includes the header."""

STATED: tuple[str, Kind] = ("stated", "text")
"""After them in a state table: the columns that the row states, sorted, with commas between: those that its source maps, but for its key
and its date. An empty cell of such a column states that there is nothing; of any other column the row says nothing."""

ACCOUNT = Column("account_id", "text", "the account (customer) it belongs to", required=True)
OWNER = Column("owner", "text", "the customer success manager who owns it")
CURRENCY = Column("currency", "text", "ISO 4217 code of the amounts of the row")
CONTACT = Column("contact_id", "text", "the person at the customer")


def _table(
    name: TableName, meaning: str, happened: str, key: str, *columns: Column, state: bool = False, one_of: tuple[str, ...] = ()
) -> Table:
    return Table(name, meaning, columns, happened, tuple(key.split()), state, one_of)


TABLES: dict[TableName, Table] = {
    table.name: table
    for table in (
        _table(
            "accounts", "customers, their place in a hierarchy, and what is said of them, dated", "dated", "account_id",
            ACCOUNT,
            Column("dated", "instant", "from when the row's statements hold"),
            Column("name", "text", "the account's name"),
            Column("parent_id", "text", "the account it belongs to (the top of the hierarchy is found by following it)"),
            Column("segment", "text", "segment or tier"),
            OWNER,
            Column("plan", "text", "plan or edition"),
            Column("seats", "whole", "seats bought"),
            Column("industry", "text", "industry"),
            Column("country", "text", "country"),
            Column("created_on", "day", "day on which it became a customer or signed up"),
            Column("churned", "flag", "whether the company says that it has left"),
            state=True,
        ),
        _table(
            "contacts", "people at the customers, dated", "dated", "contact_id",
            Column("contact_id", "text", "the person", required=True),
            Column("account_id", "text", "the account the person belongs to", required=True),
            Column("dated", "instant", "from when the row's statements hold"),
            Column("name", "text", "the person's name"),
            Column("email", "text", "e-mail address"),
            Column("role", "text", "role or title"),
            state=True,
        ),
        _table(
            "subscriptions", "subscription terms as they were sold, a line each", "started", "subscription_id",
            ACCOUNT,
            Column("subscription_id", "text", "the subscription line"),
            Column("started", "day", "first day of the term", required=True),
            Column("ended", "day", "end of the term (empty: open)"),
            Column("amount", "money", "what the line costs for `amount_months` months, not negative"),
            Column("amount_months", "number", "months that `amount` covers: 1 for MRR, 12 for ARR, 0 for the whole term"),
            CURRENCY,
            Column("product", "text", "product or plan"),
            Column("is_addon", "flag", "whether the line is an add-on to a base product"),
            Column("seats", "number", "seats or units"),
            Column("notice", "day", "day on which notice was given"),
            Column("cancelled_on", "day", "day on which it was cancelled"),
            Column("churned", "flag", "whether the company says that the line was churned"),
        ),
        _table(
            "renewals", "renewals due and what became of them, as a company records them itself", "decided", "account_id due",
            ACCOUNT,
            Column("due", "day", "day on which the renewal is due", required=True),
            Column("outcome", "text", "renewed, churned, contracted, expanded or undecided"),
            Column("decided", "instant", "when the outcome was known"),
            Column("amount_before", "money", "ARR before"),
            Column("amount_after", "money", "ARR after"),
            CURRENCY,
            Column("term_start", "day", "first day of the term that ends"),
            Column("notice", "day", "day on which notice was given"),
        ),
        _table(
            "churns", "customers that left, as a company records it itself, a departure each", "churned", "churn_id",
            ACCOUNT,
            Column("churn_id", "text", "the record of the departure"),
            Column("churned", "day", "day on which it left", required=True),
            Column("reason", "text", "why it left, in words or as a code"),
            Column("arr_lost", "money", "ARR that was lost"),
            Column("refunded", "money", "what was paid back"),
            CURRENCY,
            Column("subscription_id", "text", "the subscription that ended"),
            Column("is_reactivation", "flag", "whether the account had left before and come back"),
            Column("verbatim", "text", "why it left, in the customer's words"),
        ),
        _table(
            "purchases", "purchases of customers without a contract, a line each", "purchased", "",
            ACCOUNT,
            Column("purchased", "instant", "when it was bought", required=True),
            Column("purchase_id", "text", "the order or invoice"),
            Column("amount", "money", "amount of the line (a return is negative)"),
            CURRENCY,
            Column("product", "text", "what was bought"),
            Column("quantity", "number", "how many"),
        ),
        _table(
            "events", "product usage: who did what when", "occurred", "",
            Column("account_id", "text", "the account (customer) it belongs to; empty: that of its subscription"),
            Column("subscription_id", "text", "the subscription it belongs to"),
            Column("occurred", "instant", "when it happened", required=True),
            Column("event_id", "text", "the event, where the source numbers them"),
            Column("event", "text", "name of the event"),
            Column("user_id", "text", "the user who did it"),
            Column("value", "number", "a quantity that belongs to it"),
            one_of=("account_id", "subscription_id"),
        ),
        _table(
            "tickets", "support requests", "opened", "ticket_id",
            ACCOUNT,
            Column("ticket_id", "text", "the ticket", required=True),
            Column("opened", "instant", "when it was opened", required=True),
            Column("first_answered", "instant", "when it was first answered"),
            Column("closed", "instant", "when it was closed"),
            Column("priority", "text", "priority"),
            Column("status", "text", "status"),
            Column("subject", "text", "subject"),
            CONTACT,
            Column("satisfaction", "number", "the customer's rating of the answer"),
        ),
        _table(
            "responses", "answers to surveys, one question each", "answered", "",
            ACCOUNT,
            Column("response_id", "text", "the response"),
            CONTACT,
            Column("survey", "text", "the survey (NPS, CSAT, CES or a company's own)"),
            Column("question", "text", "the question, as it was asked"),
            Column("answered", "instant", "when it was answered", required=True),
            Column("invited", "instant", "when the invitation went out"),
            Column("answer", "number", "the answer as a number"),
            Column("verbatim", "text", "the answer in the customer's words"),
            Column("weight", "number", "weight of the response"),
        ),
        _table(
            "touchpoints", "contacts between the team and a customer: meetings, mails, calls", "occurred", "",
            ACCOUNT,
            Column("touchpoint_id", "text", "the touchpoint"),
            Column("occurred", "instant", "when it took place", required=True),
            Column("channel", "text", "meeting, mail, call or another"),
            OWNER,
            CONTACT,
            Column("direction", "text", "to or from the customer"),
            Column("minutes", "number", "how long it took"),
            Column("subject", "text", "subject"),
        ),
        _table(
            "forecasts", "what somebody expected of a renewal, when they said it", "made", "account_id due made made_by",
            ACCOUNT,
            Column("due", "day", "due date of the renewal meant"),
            Column("made", "instant", "when the forecast was made", required=True),
            Column("made_by", "text", "who made it"),
            Column("probability", "number", "probability of renewal, 0 to 1"),
            Column("call", "text", "the call in words (commit, at risk)"),
            Column("amount", "money", "ARR expected"),
            CURRENCY,
        ),
        _table(
            "scores", "health scores as a company records them", "dated", "account_id score dated",
            ACCOUNT,
            Column("dated", "instant", "the day or time that the score is for", required=True),
            Column("score", "text", "the score's name"),
            Column("value", "number", "the score"),
            Column("band", "text", "the score's band (red, amber, green)"),
            Column("set_by", "text", "who or what set it"),
        ),
        _table(
            "rates", "rates of exchange, dated: what one unit of a currency is worth in another", "day", "currency into day",
            CURRENCY,
            Column("into", "text", "ISO 4217 code of the currency it is worth that much in", required=True),
            Column("day", "day", "the day of the rate", required=True),
            Column("rate", "number", "what one unit is worth", required=True),
        ),
    )
}  # fmt: skip
