"""The operations on the portfolio: a page of its lines with sums over all of them, search, and the lines as CSV."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from unspun._version import __version__
from unspun.app.access import Actor, Scope
from unspun.app.portfolio.conditions import NOT_KNOWN, Condition, PortfolioFilter, can_be_held, fitting, naming, within
from unspun.app.portfolio.request import SORT_COLUMNS, Cursor, PortfolioRequest, check_request, no_place, read_cursor
from unspun.app.portfolio.sums import PortfolioSum, sums_of
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.reports.row_files import harmless
from unspun.warehouse.read_model import ReadModel, kept_keys, open_read_model

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class PortfolioRow:
    """A renewal that is not decided yet, or an account whose term runs on without one (`status` "decided" or "no renewal").

    Probabilities are shares of 1, None where none is told; then `cannot_tell` or the status says why, `why` in a sentence. `base_rate` is
    that of renewals as long before they are due, of terms as long. `reason` are the first two reasons in short, `reasons` counts all.
    `figure` is what its figures in the ledger are named after: `{entry}/{figure}/churn`; "" it has none. `last_touch` is the day of the
    last contact with the customer.
    """

    line: int
    account_id: str
    name: str
    segment: str | None
    owner: str | None
    product: str | None
    country: str | None
    due: date | None
    lead_days: int | None
    status: str
    term: str | None
    arr: float | None
    currency: str | None
    p_churn: float | None
    p_low: float | None
    p_high: float | None
    p_contraction: float | None
    p_flat: float | None
    p_expansion: float | None
    lost: float | None
    lost_low: float | None
    lost_high: float | None
    cannot_tell: str
    why: str
    base_rate: float | None
    band: str
    reason: str
    reasons: int
    coverage_with: int | None
    coverage_of: int | None
    last_touch: date | None
    figure: str


COLUMNS: Final = tuple(one.name for one in fields(PortfolioRow))
_DAYS = ("due", "last_touch")


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A page of the portfolio: `rows` of `total` lines that fit, how many accounts and top parents these are of, and their sums.

    `cursor` leads to the next page; None: this is the last. `entries` are the ledger entries of the refresh by name: risk, model, forecast,
    record, check, retention; `words` say what the filter is.
    """

    rows: tuple[PortfolioRow, ...]
    total: int
    accounts: int
    parents: int
    sums: tuple[PortfolioSum, ...]
    cursor: str | None
    as_of: date
    key: str
    book_version: int
    entries: Mapping[str, int | None]
    words: str


def portfolio(workspace: Workspace, actor: Actor, request: PortfolioRequest) -> Portfolio:
    """A page of the lines that the actor may see and the filter lets through.

    Raises Forbidden; BadInput: nothing was refreshed yet, faults of the request, a cursor whose refresh is no longer kept.
    """
    actor.require("portfolio.see")
    check_request(request)
    cursor = None if request.cursor is None else read_cursor(request.cursor, request)
    model = open_read_model(workspace.warehouse, None if cursor is None else cursor.key)
    condition, words = within(actor.scope) & fitting(request.filter), in_words(request.filter, actor)
    column = SORT_COLUMNS[request.sort]
    asked = condition if cursor is None else condition & cursor.after(column, _value_at(model, column, cursor))
    rows = lines_of(model, asked, request.order_sql, request.size + 1)
    page = rows[: request.size]
    found = sums_of(model, condition, words)
    return Portfolio(
        rows=page,
        total=found.total,
        accounts=found.accounts,
        parents=found.parents,
        sums=found.sums,
        cursor=Cursor(model.key, request.sort, request.downwards, page[-1].line).text() if len(rows) > request.size else None,
        as_of=as_of(model),
        key=model.key,
        book_version=model.meta["book_version"],
        entries=model.meta["entries"],
        words=words,
    )


def lines_of(model: ReadModel, condition: Condition, order: str = "line", limit: int = -1) -> tuple[PortfolioRow, ...]:
    """The lines that meet a condition, in an order."""
    sql = f"SELECT {', '.join(COLUMNS)} FROM lines WHERE {condition.sql} ORDER BY {order} LIMIT ?"
    return tuple(_row(one) for one in model.rows(sql, (*condition.parameters, limit)))


def _row(cells: tuple[Any, ...]) -> PortfolioRow:
    values: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    values |= {name: None if values[name] is None else date.fromisoformat(values[name]) for name in _DAYS}
    return PortfolioRow(**values)


def _value_at(model: ReadModel, column: str, cursor: Cursor) -> object:
    found = model.rows(f"SELECT {column} FROM lines WHERE line = ?", (cursor.line,))
    if not found:
        raise no_place()
    return found[0][0]


def as_of(model: ReadModel) -> date:
    """The day that a read model is of."""
    return date.fromisoformat(model.meta["as_of"])


def book_zone(workspace: Workspace) -> str:
    """The time zone of the book, as the refresh in force had it; UTC where there is none yet."""
    return open_read_model(workspace.warehouse).meta["time_zone"] if kept_keys(workspace.warehouse) else "UTC"


def in_words(asked: PortfolioFilter, actor: Actor) -> str:
    """A filter as a reader would say it."""
    parts = [f"{what} {' or '.join(one or 'not known' for one in names)}" for what, names in _named(asked) if names]
    parts += [] if asked.due_within is None else [f"due within {asked.due_within:,} days"]
    parts += [f"naming “{asked.text.strip()}”"] if asked.text.strip() else []
    told = ", ".join(parts) or "all"
    return told if actor.scope.everything else f"{told}; within the accounts of {actor.name}"


def _named(asked: PortfolioFilter) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (("segment", asked.segments), ("owner", asked.owners), ("product", asked.products), ("risk", asked.bands))
    yield "currency", asked.currencies


# Choices and search


def choices(workspace: Workspace, actor: Actor) -> Mapping[str, tuple[str, ...]]:
    """By filter ("segment", "owner", "currency", "product") the names that occur in lines within the scope, "" where some state none."""
    actor.require("portfolio.see")
    model, scope = open_read_model(workspace.warehouse), within(actor.scope)
    found: dict[str, tuple[str, ...]] = {}
    for column in ("segment", "owner", "currency"):
        rows = model.rows(f"SELECT DISTINCT {column} FROM lines WHERE {scope.sql}", scope.parameters)
        found[column] = tuple(sorted(one or NOT_KNOWN for (one,) in rows))
    sql = f"SELECT DISTINCT product FROM products WHERE account_id IN (SELECT account_id FROM lines WHERE {scope.sql})"
    found["product"] = tuple(sorted(one for (one,) in model.rows(sql, scope.parameters)))
    return found


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account that a search found."""

    account_id: str
    name: str
    segment: str | None
    owner: str | None


def search(workspace: Workspace, actor: Actor, text: str, limit: int = MOST_FOUND) -> tuple[FoundAccount, ...]:
    """Accounts within the scope whose name, id, segment, owner or product hold each word: those that matter most first, then those
    without a line by name; () for no word."""
    actor.require("portfolio.see")
    asked = naming(text)
    if not asked.parameters:
        return ()
    model, condition = open_read_model(workspace.warehouse), within(actor.scope) & asked
    first = "(SELECT min(line) FROM lines WHERE lines.account_id = accounts.account_id)"
    order = f"{first} IS NULL, {first}, name, account_id"
    sql = f"SELECT account_id, name, segment, owner FROM accounts WHERE {condition.sql} ORDER BY {order} LIMIT ?"
    return tuple(FoundAccount(*one) for one in model.rows(sql, (*condition.parameters, limit)))


def no_account(account: str) -> BadInput:
    """What is said of an account that is not there, and of one that is out of scope."""
    return BadInput(Fault("no_account", f"there is no account '{account[:80]}' that you can see.", "account", "Search for it by its name."))


def find_account(model: ReadModel, scope: Scope, account: str) -> FoundAccount:
    """The account of that id, where it is within the scope and has a page. Raises BadInput `no_account` else."""
    condition = Condition("account_id = ? AND EXISTS (SELECT 1 FROM detail WHERE detail.account_id = ?)", (account, account)) & within(
        scope
    )
    sql = f"SELECT account_id, name, segment, owner FROM accounts WHERE {condition.sql}"
    rows = model.rows(sql, condition.parameters) if can_be_held(account) else []
    if not rows:
        raise no_account(account)
    return FoundAccount(*rows[0])


def account_in_scope(workspace: Workspace, actor: Actor, account: str) -> FoundAccount:
    """The same in the read model in force."""
    return find_account(open_read_model(workspace.warehouse), actor.scope, account)


# CSV


@dataclass(frozen=True, slots=True)
class PortfolioCsv:
    """Lines as CSV, safe in a spreadsheet, and the manifest of that file."""

    text: str
    manifest: Mapping[str, Any]


def portfolio_csv(
    workspace: Workspace, actor: Actor, request: PortfolioRequest, name: str = "portfolio.csv", columns: tuple[str, ...] = COLUMNS
) -> PortfolioCsv:
    """All lines that the actor may see and the filter lets through, in the order of the request. Raises as `portfolio` does."""
    actor.require("portfolio.see")
    check_request(request)
    model = open_read_model(workspace.warehouse)
    condition = within(actor.scope) & fitting(request.filter)
    rows = lines_of(model, condition, request.order_sql)
    kept = tuple(one for one in COLUMNS if one in columns)
    text = _csv(rows, kept, model.meta["entries"].get("risk"))
    sql = f"SELECT {', '.join(kept)} FROM lines WHERE {condition.sql} ORDER BY {request.order_sql}"
    data = text.encode()
    manifest = {
        "what": "lines of the portfolio",
        "filters": {"in_words": in_words(request.filter, actor), "sql": sql, "parameters": list(condition.parameters)},
        "as_of": model.meta["as_of"],
        "book_version": model.meta["book_version"],
        "book_digest": model.meta["book_digest"],
        "entries": model.meta["entries"],
        "read_model": model.key,
        "package_version": __version__,
        "rows": len(rows),
        "csv": {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
    }
    return PortfolioCsv(text, manifest)


def _csv(rows: tuple[PortfolioRow, ...], columns: tuple[str, ...], entry: int | None) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(_value(one, name, entry)) for name in columns] for one in rows)
    return out.getvalue()


def _value(row: PortfolioRow, name: str, entry: int | None) -> object:
    """A cell; the figure as its address."""
    return f"{entry}/{row.figure}/churn" if name == "figure" and row.figure and entry is not None else getattr(row, name)


def _cell(value: object) -> object:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else value
