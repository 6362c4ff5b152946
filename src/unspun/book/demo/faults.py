"""Faults planted in the finished records: what a check of the book should find, each cell written down with what it should say.

They are drawn from a stream of their own after everything else, and replace cells: no row comes or goes, and nothing that renewals,
scores, usage or subscriptions say changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

Tables = Mapping[str, pa.Table]
PER_ACCOUNTS = 2_000
"""Accounts to which the counts of FAULTS apply. A company of another size has its share of them, a small one none."""
LONGEST_BEFORE_DAYS = 400
TRUTH_COLUMNS = ("check", "table", "row_id", "column", "recorded", "true_value")


@dataclass(frozen=True, slots=True)
class Planted:
    """One cell that says what is not so: its row (index in its table), its column, and what it says instead."""

    row: int
    column: str
    recorded: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: the check that should find it, where it is planted, how often, and what becomes of which cells."""

    check: str
    table: str
    count: int
    plant: Callable[[np.random.Generator, Tables, int], list[Planted]]


def plant_faults(rng: np.random.Generator, tables: Tables) -> dict[str, pa.Table]:
    """The tables that hold faults now, and `truth_faults`: a row for each cell that was changed."""
    changed = dict(tables)
    said: list[tuple[str, ...]] = []
    for fault in FAULTS:
        count = fault.count * len(tables["accounts"]) // PER_ACCOUNTS
        planted = fault.plant(rng, changed, count) if count else []
        said += [_said(fault, changed[fault.table], one) for one in planted]
        changed[fault.table] = _with(changed[fault.table], planted)
    names = {fault.table for fault in FAULTS}
    truth = {name: pa.array([row[i] for row in said], pa.string()) for i, name in enumerate(TRUTH_COLUMNS)}
    return {name: changed[name] for name in sorted(names)} | {"truth_faults": pa.table(truth)}


def _said(fault: Fault, table: pa.Table, planted: Planted) -> tuple[str, ...]:
    key = table.column_names[0]
    row_id, true = (table[name][planted.row].as_py() for name in (key, planted.column))
    return (fault.check, fault.table, str(row_id), planted.column, _written(planted.recorded), _written(true))


def _written(value: Any) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _with(table: pa.Table, planted: Sequence[Planted]) -> pa.Table:
    for column in sorted({one.column for one in planted}):
        values = table[column].to_pylist()
        for one in planted:
            if one.column == column:
                values[one.row] = one.recorded
        place = table.column_names.index(column)
        table = table.set_column(place, table.schema.field(column), pa.array(values, table.schema.field(column).type))
    return table


def _chosen(rng: np.random.Generator, fitting: Sequence[int], count: int) -> list[int]:
    """Some of the rows that fit, in their order."""
    return sorted(rng.choice(np.array(fitting, np.int64), min(count, len(fitting)), replace=False).tolist())


def _signed(tables: Tables) -> dict[str, date]:
    accounts = tables["accounts"]
    return dict(zip(accounts["account_id"].to_pylist(), accounts["signed_on"].to_pylist(), strict=True))


def _tickets_of_an_older_helpdesk(rng: np.random.Generator, tables: Tables, count: int) -> list[Planted]:
    """Tickets that were imported under the account of a customer who had not signed yet."""
    tickets, signed = tables["tickets"], _signed(tables)
    planted: list[Planted] = []
    for row in _chosen(rng, range(len(tickets)), count):
        opened, closed = (tickets[name][row].as_py() for name in ("opened_at", "closed_at"))
        first = datetime.combine(signed[tickets["account_id"][row].as_py()], opened.time(), UTC)
        earlier = opened - (first - timedelta(days=int(rng.integers(20, LONGEST_BEFORE_DAYS))))
        planted.append(Planted(row, "opened_at", opened - earlier))
        planted += [Planted(row, "closed_at", closed - earlier)] if closed is not None else []
    return planted


def _closed_in_last_year(rng: np.random.Generator, tables: Tables, count: int) -> list[Planted]:
    """Tickets closed in a January under the year before: typed by hand at the turn of the year."""
    tickets, signed = tables["tickets"], _signed(tables)
    accounts, opened = tickets["account_id"].to_pylist(), tickets["opened_at"].to_pylist()
    closed = tickets["closed_at"].to_pylist()
    fitting = [
        row
        for row, (account, begun, done) in enumerate(zip(accounts, opened, closed, strict=True))
        if done is not None and begun.month == done.month == 1 and begun.date() >= signed[account]
    ]
    return [Planted(row, "closed_at", closed[row].replace(year=closed[row].year - 1)) for row in _chosen(rng, fitting, count)]


def _mistyped_accounts(rng: np.random.Generator, tables: Tables, count: int) -> list[Planted]:
    """Touchpoints of an account whose number was typed with the letter O in the place of a zero."""
    accounts = tables["touchpoints"]["account_id"].to_pylist()
    rows = _chosen(rng, [row for row, account in enumerate(accounts) if "0" in account], count)
    return [Planted(row, "account_id", accounts[row].replace("0", "O", 1)) for row in rows]


def _shared_addresses(rng: np.random.Generator, tables: Tables, count: int) -> list[Planted]:
    """Contacts of one account under the e-mail address of a contact of another that has nothing to do with it."""
    contacts, accounts = tables["contacts"], tables["accounts"]
    parents = dict(zip(accounts["account_id"].to_pylist(), accounts["parent_id"].to_pylist(), strict=True))
    alone = {account for account, parent in parents.items() if parent is None} - set(parents.values())
    rows: dict[str, int] = {}
    for row, account in enumerate(contacts["account_id"].to_pylist()):
        if account in alone:
            rows.setdefault(account, row)
    chosen = rng.permutation(_chosen(rng, list(rows.values()), 2 * count)).tolist()
    pairs = zip(chosen[0::2], chosen[1::2], strict=False)
    return [Planted(row, "email", contacts["email"][other].as_py()) for row, other in pairs]


FAULTS: tuple[Fault, ...] = (
    Fault("before_signup", "tickets", 14, _tickets_of_an_older_helpdesk),
    Fault("dates_in_wrong_order", "tickets", 6, _closed_in_last_year),
    Fault("id_spelling", "touchpoints", 9, _mistyped_accounts),
    Fault("shared_emails", "contacts", 3, _shared_addresses),
)
