"""What is asked of the events: counts by event and day, of the whole book, of its parts, and of single accounts that are watched."""

from __future__ import annotations

from unspun.book.checks.shape import BookShape
from unspun.book.drift.profile import is_of_sorts
from unspun.book.entities import TABLES
from unspun.book.sql_words import sql_name, sql_text

TRACKING_DAYS, EVENT_CELLS = "tracking_days", "event_cells"
EVENTS = 100  # the most frequent event names, each looked at by itself; the others together
OTHERS = "(all others)"
EVENTS_IN_PARTS = 20  # of these, looked at in each part of the book as well
VALUES = 12  # a property with more values than this is no part of the book
MEASURES = 12
WATCHED = 200  # accounts looked at one by one, chosen by rank of size
WATCHED_CELLS = 1_500_000  # and not more rows than about this
LARGEST = 20  # the largest accounts are always among the watched
NO_NAME = "(no name)"  # rows without an event name, where others have one
PEOPLE = ("account_id", "name", "owner", "parent_id")  # of an account: these are no parts of the book


def measures(shape: BookShape) -> tuple[str, ...]:
    """The columns of events that are summed: `value` and own columns that hold numbers."""
    found = [*shape.kinds("events", "whole"), *shape.kinds("events", "number")]
    standard = {column.name for column in TABLES["events"].columns} - {"value"}
    return tuple(name for name in found if name not in standard)[:MEASURES]


def event_properties(shape: BookShape) -> tuple[str, ...]:
    """Own text columns of events that speak of sorts, not of people: which of them have few values is asked of the data."""
    standard = {column.name for column in TABLES["events"].columns} | {"subscription_id"}
    return tuple(name for name in shape.kinds("events", "text") if name not in standard and is_of_sorts(name))


def account_properties(shape: BookShape) -> tuple[str, ...]:
    """Text columns of accounts that may divide the book: of sorts, for a part's name is kept with what is found."""
    return tuple(name for name in shape.kinds("accounts", "text") if name not in PEOPLE and is_of_sorts(name))


def tracking_days_sql(shape: BookShape) -> str:
    """The extract `tracking_days`: part, value, event, day, place, rows and the sums `m0`, `m1` ... of the `measures`, in their order.

    All of it is made of `event_cells`. `part` is "" for the whole book, the property (`events.version`, `accounts.region`) for its parts,
    and `watched` for one account, whose `place` is its rank by rows. A row with a `place` and a property says which value the account of
    the watched has.
    """
    of_events, of_accounts = event_properties(shape), account_properties(shape)
    sums = "".join(f", m{i}" for i in range(len(measures(shape))))
    whole = "sum(rows)::BIGINT AS rows" + "".join(f", sum(m{i})::DOUBLE AS m{i}" for i in range(len(measures(shape))))
    named = f"CASE WHEN event IN (SELECT event FROM frequent) THEN event ELSE {sql_text(OTHERS)} END"
    parts = [
        f"SELECT '' AS part, '' AS value, {named} AS event, day, NULL::INTEGER AS place, {whole} FROM sorts GROUP BY ALL",
        f"SELECT 'watched', '', {named}, day, place, rows{sums} FROM placed WHERE place IS NOT NULL",
    ]
    parts += [_part(f"events.{name}", f"p{i}", "sorts", whole) for i, name in enumerate(of_events)]
    parts += [_part(f"accounts.{name}", f"a{i}", "sorts JOIN profiles USING (profile)", whole) for i, name in enumerate(of_accounts)]
    nothing = "".join(", 0" for _ in measures(shape))
    parts += [
        f"SELECT {sql_text(f'accounts.{name}')}, a{i}, '', NULL, place, 0{nothing} FROM watched JOIN attributes USING (account_id) "
        f"WHERE a{i} IS NOT NULL"
        for i, name in enumerate(of_accounts)
    ]
    by = "".join(f", p{i}" for i in range(len(of_events)))
    placed = f"placed AS MATERIALIZED (SELECT event, day{by}, profile, place, rows{sums} FROM cells LEFT JOIN told USING (account_id))"
    sorts = f"sorts AS MATERIALIZED (SELECT event, day{by}, profile, {whole} FROM placed GROUP BY ALL)"
    return f"WITH {_CELLS}{_attributes(of_accounts)}, {placed}, {sorts}, {_FREQUENT} {' UNION ALL '.join(parts)}"


_CELLS = (
    f"cells AS NOT MATERIALIZED (SELECT * REPLACE (coalesce(event, {sql_text(NO_NAME)}) AS event) FROM {EVENT_CELLS} WHERE NOT ahead), "
    "sizes AS MATERIALIZED (SELECT account_id, row_number() OVER (ORDER BY sum(rows) DESC, account_id) - 1 AS place, "
    f"greatest(1, ceil(count(*) OVER () / {WATCHED}), ceil(sum(count(*)) OVER () / {WATCHED_CELLS})) AS step "
    "FROM cells GROUP BY account_id), "
    f"watched AS MATERIALIZED (SELECT account_id, place::INTEGER AS place FROM sizes WHERE place < {LARGEST} OR place % step = 0)"
)
"""The cells that had happened, the accounts by size, and the watched. `placed` are the cells with the place of a watched account, and
with a number for what is said of an account (`profile`) in place of its id: each cell is looked up once, and grouped by numbers."""
_FREQUENT = (
    "frequent AS MATERIALIZED (SELECT event, row_number() OVER (ORDER BY sum(rows) DESC, event) AS rank "
    f"FROM sorts GROUP BY event QUALIFY rank <= {EVENTS})"
)
"""The most frequent events; `sorts` are the cells without their accounts, by what divides the book."""


def is_part_sql(name: str, least: int = 0) -> str:
    """Whether the values of a column are few, `least` at least, and none of them is an e-mail address: an aggregate."""
    of_people = f"coalesce(bool_or(contains({sql_name(name)}, '@')), false)"
    return f"count(DISTINCT {sql_name(name)}) BETWEEN {least} AND {VALUES} AND NOT {of_people}"


def _attributes(properties: tuple[str, ...]) -> str:
    """Tables of an SQL WITH: `attributes` of each account; the different ones as `profiles`; `told` of each account with events."""
    if not properties:
        return ", told AS MATERIALIZED (SELECT account_id, NULL::INTEGER AS profile, place FROM watched)"
    chosen = ", ".join(
        f"CASE WHEN (SELECT {is_part_sql(name, 2)} FROM accounts) THEN min({sql_name(name)}) END AS a{i}"
        for i, name in enumerate(properties)
    )
    every = ", ".join(f"a{i}" for i in range(len(properties)))
    return (
        f", attributes AS MATERIALIZED (SELECT account_id, {chosen} FROM accounts GROUP BY account_id), "
        f"told AS MATERIALIZED (SELECT account_id, dense_rank() OVER (ORDER BY {every})::INTEGER AS profile, watched.place, {every} "
        "FROM sizes LEFT JOIN attributes USING (account_id) LEFT JOIN watched USING (account_id)), "
        f"profiles AS MATERIALIZED (SELECT DISTINCT profile, {every} FROM told)"
    )


def _part(part: str, column: str, rows: str, sums: str) -> str:
    return (
        f"SELECT {sql_text(part)}, {column}, event, day, NULL, {sums} FROM {rows} "
        f"WHERE {column} IS NOT NULL AND event IN (SELECT event FROM frequent WHERE rank <= {EVENTS_IN_PARTS}) "
        f"GROUP BY {column}, event, day"
    )
