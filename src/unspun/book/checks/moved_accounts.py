"""Accounts merged, split or given another id: the same people go on under another account.

People are the users of events and the contacts, by user_id, e-mail address or contact_id. Ids that are only unique within an account
(1, 2, admin) stand under many accounts at once; where most ids that stand under several accounts do so, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.extracts import EVENT_STAYS, AskedBook, FileFacts
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import WRONG_SHARE, counted
from unspun.book.sql_words import local_day, sql_day

HANDOVER_DAYS = 45  # between a person's last row under one account and the first under the other
LEAST_PEOPLE = 3  # one person changes jobs, two may; that three go the same way together is the account's doing
MOST_SHARE = 0.6  # of those who were there at the end (or, of an account that begins, at its beginning)
MOST_ACCOUNTS = 3  # of one person; more, and the id is not one person's
LOCAL_SHARE = 0.5  # of the ids under several accounts: from there on they are taken for ids within an account

SAID = {
    "merged": (
        "seem to have been merged into {others}",
        "Keep one id: name the surviving account in the rows from before the merger, or set parent_id of the old ids to it.",
    ),
    "split": (
        "seem to have been split into {others}",
        "Set parent_id of the new accounts to the old one, so that figures by parent stay whole.",
    ),
    "renumbered": (
        "seem to go on under another id ({others})",
        "Export one id for the whole life of an account, or map old ids to new ones before loading.",
    ),
}


@dataclass(frozen=True, slots=True)
class People:
    """Where people are seen: a table, and the SQL of their stays (person, account_id, first and last day).

    `made_sql` gives the same of an extract.
    """

    table: str
    things: str
    stays_sql: str
    made_sql: str


def _people(shape: BookShape) -> tuple[People, ...]:
    found: list[People] = []
    if shape.has("events", "user_id"):
        first, last = (local_day(instant, shape.definition.time_zone) for instant in ("began", "ended"))
        instants = (
            "(SELECT user_id AS person, account_id, min(occurred) AS began, max(occurred) AS ended FROM events WHERE user_id IS NOT NULL "
            "GROUP BY user_id, account_id)"
        )
        stays = f"SELECT person, account_id, {first} AS first, {last} AS last FROM "
        made = f"(SELECT user_id AS person, account_id, began, ended FROM {EVENT_STAYS})"
        found.append(People("events", "users", stays + instants, stays + made))
    if shape.has("contacts", "account_id"):
        person = "lower(trim(email))" if shape.has("contacts", "email") else "contact_id"
        until = sql_day(shape.at.date())
        stays = (
            "SELECT person, account_id, min(day) AS first, max(until) AS last FROM (SELECT person, account_id, day, coalesce(lead(day) "
            f"OVER (PARTITION BY contact_id ORDER BY happened_at, known_at), {until}) AS until FROM (SELECT {person} AS person, "
            f"account_id, contact_id, happened_at, known_at, {local_day('happened_at', shape.definition.time_zone)} AS day "
            "FROM contacts_history)) WHERE person IS NOT NULL GROUP BY ALL"
        )
        found.append(People("contacts", "contacts", stays, stays))
    return tuple(found)


def _moves_sql(stays: str) -> str:
    """Tables of an SQL WITH: `stays`; `moves` of a person from one account to another; `pairs` of accounts with the kind of their moves."""
    days = HANDOVER_DAYS
    return f"""WITH stays AS MATERIALIZED ({stays}),
several AS (SELECT person, count(*) AS accounts FROM stays GROUP BY person HAVING count(*) > 1),
steps AS (SELECT person, account_id AS left_id, last AS left_on, lead(account_id) OVER same AS joined_id, lead(first) OVER same AS joined_on
    FROM stays SEMI JOIN several USING (person)
    WINDOW same AS (PARTITION BY person ORDER BY first, last, account_id)),
disjoint AS (SELECT person FROM steps JOIN several USING (person) WHERE accounts <= {MOST_ACCOUNTS}
    GROUP BY person HAVING bool_and(coalesce(joined_on >= left_on, true))),
told AS (SELECT (SELECT count(*) FROM disjoint) > {1 - LOCAL_SHARE} * (SELECT count(*) FROM several) AS apart),
lives AS (SELECT account_id, min(first) AS began, max(last) AS ended FROM stays GROUP BY account_id),
counts AS (SELECT account_id, began, ended,
        count(*) FILTER (last >= ended - {days}) AS at_end, count(*) FILTER (first <= began + {days}) AS at_start
    FROM stays JOIN lives USING (account_id) GROUP BY ALL),
moves AS (SELECT steps.* FROM steps SEMI JOIN disjoint USING (person), told WHERE apart AND joined_on - left_on <= {days}),
joined AS (SELECT left_id, joined_id, count(*) AS moved, count(*) FILTER (left_on >= o.ended - {days}) AS moved_at_end,
        count(*) FILTER (joined_on <= n.began + {days}) AS moved_at_start, any_value(o.at_end) AS at_end, any_value(n.at_start) AS at_start,
        any_value(o.ended) AS ended, any_value(n.began) AS began
    FROM moves JOIN counts o ON o.account_id = left_id JOIN counts n ON n.account_id = joined_id
    GROUP BY left_id, joined_id HAVING count(*) >= {LEAST_PEOPLE}),
shared AS (SELECT *, sum(moved_at_end) OVER (PARTITION BY left_id) >= greatest({LEAST_PEOPLE}, {MOST_SHARE} * at_end) AS emptied,
        count(*) OVER (PARTITION BY left_id) AS ways,
        moved_at_start >= {MOST_SHARE} * at_start AND moved_at_start >= {LEAST_PEOPLE} AS filled
    FROM joined),
judged AS (SELECT *, count(*) FILTER (emptied) OVER (PARTITION BY joined_id) AS sources FROM shared),
pairs AS (SELECT left_id, joined_id, moved, CASE WHEN emptied AND ways > 1 OR filled AND NOT emptied THEN 'split'
    WHEN emptied AND (sources > 1 OR began < ended - {days}) THEN 'merged' WHEN emptied THEN 'renumbered' END AS kind FROM judged)"""


def _ask(shape: BookShape) -> dict[str, str]:
    """Of the moves from account to account by kind: how many accounts they concern, and of how many."""
    return {
        people.table: f"{_moves_sql(people.made_sql)} SELECT kind, count(DISTINCT left_id) AS accounts, "
        "count(DISTINCT joined_id) AS others, sum(moved) AS people, (SELECT count(*) FROM lives) AS held "
        "FROM pairs WHERE kind IS NOT NULL GROUP BY kind ORDER BY kind"
        for people in _people(shape)
    }


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for people in _people(shape):
        for row in answers[people.table].to_pylist():
            yield _moved(people, row["kind"], row["accounts"], row["others"], int(row["people"]), row["held"])


def _moved(people: People, kind: str, count: int, others: int, moved: int, held: int) -> Finding:
    said, mend = SAID[kind]
    return Finding(
        check="moved_accounts",
        table=people.table,
        subject=kind,
        severity="error" if count >= WRONG_SHARE * held else "warning",
        count=count,
        of=held,
        unit="accounts",
        message=f"{counted(count, held, f'accounts with {people.things}')} "
        f"{said.format(others=f'{others:,} accounts' if others > 1 else 'one account')}: "
        f"{moved:,} of their {people.things}, most of those who were there, go on under the other within {HANDOVER_DAYS} days.",
        affects=("account counts", "retention: GRR, NRR, logo churn", "score audits with events"),
        mend=mend,
        rows_sql=f"{_moves_sql(people.stays_sql)} SELECT left_id, joined_id, person, left_on, joined_on FROM moves "
        "JOIN pairs USING (left_id, joined_id) "
        f"WHERE kind = '{kind}' ORDER BY left_id, joined_id, person",
        facts={"people": moved, "other_accounts": others},
    )


def _hindrance(shape: BookShape) -> str:
    return "" if _people(shape) else "no events.user_id and no contacts with an account are mapped"


def _prepare(book: AskedBook) -> None:
    if book.shape.has("events", "user_id"):
        book.make(EVENT_STAYS)


def _facts(book: AskedBook) -> tuple[FileFacts, ...]:
    return (book.stays_facts(),) if book.shape.has("events", "user_id") else ()


MOVED_ACCOUNTS = Check(
    "moved_accounts",
    "accounts merged, split or given another id",
    ("events", "contacts"),
    _hindrance,
    _ask,
    _judge,
    prepare=_prepare,
    facts=_facts,
)
