"""What the book says of accounts, read in bulk: a query for each kind of thing over all accounts, never one for each account.

Everything is as it was known at the end of the as-of day, dated in the book's time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from unspun.app.portfolio.lines import AccountFacts, KnownAccount
from unspun.app.trial.book import TrialDay, holds
from unspun.engines.embedded import sql_text
from unspun.progress import Progress
from unspun.warehouse.read import BookReader

MONTHS, WEEKS, EVENT_KINDS, MOST_ITEMS = 24, 13, 8, 50
OTHER_EVENTS: Final = "all others"
CHUNK = 1_000
"""Accounts whose pages are made at a time."""


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of thing in an account's page: the table it is of, and SQL of rows (account_id, body) whose body is a JSON list."""

    name: str
    table: str
    sql: str


def account_facts(known: BookReader, day: TrialDay) -> AccountFacts:
    """Names, products, last touches and running subscriptions of all accounts."""
    names = known.query(
        "SELECT account_id, name, segment, owner, parent_id, country FROM accounts WHERE account_id IS NOT NULL ORDER BY account_id"
    )
    touched = known.query(
        f"SELECT account_id, CAST(max({day.local('happened_at')}) AS DATE) AS day FROM touchpoints "
        "WHERE account_id IS NOT NULL AND happened_at IS NOT NULL GROUP BY account_id"
    )
    runs = _running(day.day)
    bought = known.query(
        f"SELECT account_id, list(DISTINCT product ORDER BY product) AS products FROM subscriptions WHERE {runs} AND product IS NOT NULL "
        "GROUP BY account_id"
    )
    return AccountFacts(
        known={row["account_id"]: KnownAccount(**row) for row in names.to_pylist()},
        products={row["account_id"]: tuple(row["products"]) for row in bought.to_pylist()},
        last_touch={row["account_id"]: row["day"].isoformat() for row in touched.to_pylist()},
        running={row["account_id"]: (row["arr"], row["currency"]) for row in known.query(_RUNNING_ARR.format(runs)).to_pylist()},
    )


def _running(day: date) -> str:
    on = f"DATE '{day.isoformat()}'"
    return (
        f"account_id IS NOT NULL AND started <= {on} AND (ended IS NULL OR ended > {on}) AND (cancelled_on IS NULL OR cancelled_on > {on})"
    )


_RUNNING_ARR = """
SELECT account_id, CASE WHEN count(*) = count(a) AND count(DISTINCT coalesce(currency, '')) = 1 THEN CAST(sum(a) AS DOUBLE) END AS arr,
  CASE WHEN count(DISTINCT coalesce(currency, '')) = 1 THEN min(currency) END AS currency
FROM (SELECT account_id, currency, CASE WHEN amount_months > 0 THEN amount * 12 / amount_months END AS a FROM subscriptions WHERE {})
GROUP BY account_id ORDER BY account_id
"""


# Sections


def sections(day: TrialDay) -> tuple[Section, ...]:
    """What the pages of accounts are made of."""
    tickets = {
        **_same("ticket_id", "subject", "priority", "status", "satisfaction", "contact_id"),
        "first_answered": _day_of(day, "first_answered"),
        "closed": _day_of(day, "closed"),
    }
    calls = {**_same("made_by", "probability", "call"), "due": "CAST(due AS VARCHAR)", "amount": "CAST(amount AS VARCHAR)"}
    people = _listed("contacts", "name NULLS LAST, contact_id", _same("contact_id", "name", "email", "role"))
    return (
        Section("months", "events", _events(day, "month", f"INTERVAL {MONTHS} MONTH")),
        Section("weeks", "events", _events(day, "week", f"INTERVAL {WEEKS} WEEK")),
        _latest(day, "tickets", tickets),
        _latest(day, "responses", _same("survey", "question", "answer", "verbatim", "contact_id")),
        _latest(day, "touchpoints", _same("channel", "owner", "direction", "minutes", "subject", "contact_id")),
        Section("calls", "forecasts", _latest(day, "forecasts", calls).sql),
        _latest(day, "churns", _same("reason", "verbatim", "is_reactivation")),
        _subscriptions(day),
        Section("contacts", "contacts", people),
        Section("statements", "accounts", _statements(day)),
    )


def _same(*names: str) -> dict[str, str]:
    """Fields that are columns as they are."""
    return {name: name for name in names}


def _day_of(day: TrialDay, column: str) -> str:
    return f"CAST(CAST({day.local(column)} AS DATE) AS VARCHAR)"


def _listed(table: str, order: str, fields: Mapping[str, str]) -> str:
    packed = ", ".join(f"{sql_text(name)}: {sql}" for name, sql in fields.items())
    return (
        f"SELECT account_id, CAST(to_json(list({{{packed}}} ORDER BY {order})) AS VARCHAR) AS body FROM {table} "
        f"WHERE account_id IS NOT NULL GROUP BY account_id"
    )


def _latest(day: TrialDay, table: str, fields: Mapping[str, str]) -> Section:
    """The latest rows of each account, the newest first, each with its day and how many there are in all."""
    order = "happened_at DESC, source_file DESC, source_row DESC"
    rows = (
        f"(SELECT *, count(*) OVER (PARTITION BY account_id) AS of_all FROM {table} WHERE happened_at IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY {order}) <= {MOST_ITEMS})"
    )
    return Section(table, table, _listed(rows, order, {"day": _day_of(day, "happened_at"), **fields, "of": "of_all"}))


def _subscriptions(day: TrialDay) -> Section:
    days = {name: f"CAST({name} AS VARCHAR)" for name in ("started", "ended", "amount", "notice", "cancelled_on")}
    fields = {**_same("subscription_id", "product", "amount_months", "currency", "seats", "is_addon"), **days, "running": _running(day.day)}
    rows = f"(SELECT * FROM subscriptions QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY started DESC) <= {MOST_ITEMS})"
    return Section("subscriptions", "subscriptions", _listed(rows, "started DESC, subscription_id, source_row", fields))


def _events(day: TrialDay, span: str, back: str) -> str:
    """Events by week or month and kind: an account's commonest kinds by name, the others together. Weeks begin on Monday."""
    on = f"CAST({day.local('happened_at')} AS DATE)"
    first = f"date_trunc('{span}', DATE '{day.day.isoformat()}') - {back}"
    return f"""
WITH counted AS (
  SELECT account_id, date_trunc('{span}', {on}) AS span, coalesce(event, 'event') AS kind, count(*) AS n
  FROM events WHERE account_id IS NOT NULL AND happened_at >= CAST({first} AS TIMESTAMP) - INTERVAL 2 DAY AND {on} > {first} GROUP BY ALL
), named AS (
  SELECT account_id, kind FROM counted GROUP BY account_id, kind
  QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY sum(n) DESC, kind) <= {EVENT_KINDS}
), told AS (
  SELECT c.account_id, span, CASE WHEN named.kind IS NULL THEN {sql_text(OTHER_EVENTS)} ELSE c.kind END AS kind, sum(n) AS n
  FROM counted c LEFT JOIN named ON c.account_id = named.account_id AND c.kind = named.kind GROUP BY ALL
)
{_listed("told", "span DESC, n DESC, kind", {"first": "CAST(CAST(span AS DATE) AS VARCHAR)", "kind": "kind", "n": "CAST(n AS BIGINT)"})}"""


_STATED = ("segment", "owner", "plan", "seats", "churned", "parent_id")


def _statements(day: TrialDay) -> str:
    """Changes of what is said of an account: the day, what, and from what to what."""
    before = ", ".join(f"lag({name}) OVER one AS was_{name}" for name in _STATED)
    changes = " UNION ALL ".join(
        f"SELECT account_id, happened_at, '{name}' AS what, CAST(was_{name} AS VARCHAR) AS was, CAST({name} AS VARCHAR) AS now "
        f"FROM history WHERE since > 1 AND {name} IS DISTINCT FROM was_{name}"
        for name in _STATED
    )
    fields = {"day": _day_of(day, "happened_at"), **_same("what", "was", "now")}
    return (
        f"WITH history AS (SELECT *, row_number() OVER one AS since, {before} FROM accounts_history WHERE account_id IS NOT NULL "
        f"WINDOW one AS (PARTITION BY account_id ORDER BY happened_at)), changes AS ({changes}) "
        + _listed("changes", "happened_at DESC, what", fields)
    )


def gathered(known: BookReader, day: TrialDay, accounts: Sequence[str], progress: Progress) -> Iterator[tuple[str, dict[str, str]]]:
    """Each account with its sections as JSON, by name; a section without rows is left out. `accounts` are in ascending order."""
    there = [one for one in sections(day) if holds(known, one.table)]
    for done, one in enumerate(there):
        progress("gathering what the pages show", done, len(there))
        known.query(f"CREATE OR REPLACE TEMP TABLE page_{one.name} AS {one.sql}")
    for first in range(0, len(accounts), CHUNK):
        progress("writing pages of accounts", first, len(accounts))
        chunk = accounts[first : first + CHUNK]
        bodies: dict[str, dict[str, str]] = {account: {} for account in chunk}
        for one in there:
            rows = known.query(f"SELECT account_id, body FROM page_{one.name} WHERE account_id BETWEEN ? AND ?", [chunk[0], chunk[-1]])
            _into(bodies, one.name, rows["account_id"].to_pylist(), rows["body"].to_pylist())
        yield from bodies.items()


def _into(bodies: dict[str, dict[str, str]], name: str, accounts: list[Any], texts: list[Any]) -> None:
    for account, text in zip(accounts, texts, strict=True):
        if account in bodies:
            bodies[account][name] = text
