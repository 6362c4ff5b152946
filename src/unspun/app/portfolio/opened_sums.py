"""The operation "open a sum of the portfolio": what backs it, the lines that it adds up, and these as CSV with their manifest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from unspun.app.access import Actor
from unspun.app.portfolio.conditions import Condition, PortfolioFilter, fitting, within
from unspun.app.portfolio.request import PortfolioRequest, check_request
from unspun.app.portfolio.run import in_words
from unspun.app.portfolio.sums import SUM_DEFINITIONS, PortfolioSum, sums_of
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.evidence import Figure
from unspun.reports.row_files import harmless
from unspun.warehouse.read_model import open_read_model

SUM_COLUMNS: Final = ("account_id", "due", "arr", "p_churn", "lost", "base_rate")
"""What each line of a sum is told with, by the names of the read model."""
ADDED: Final[Mapping[str, str]] = {
    "arr": "arr IS NOT NULL",
    "expected_lost": "lost IS NOT NULL",
    "at_base_rate": "lost IS NOT NULL",
}
_RENEWALS = "due IS NOT NULL AND status <> 'decided'"


@dataclass(frozen=True, slots=True)
class OpenedSum:
    """A sum over a filter in one currency, opened: `name` is one of SUM_DEFINITIONS, `figure` carries its value and provenance.

    `key` names the read model that it is of, `rows` are the lines that it adds up (SUM_COLUMNS), `names` those of their accounts, `sql` and
    `parameters` how they are read.
    """

    name: str
    currency: str | None
    words: str
    sums: PortfolioSum
    figure: Figure[object]
    key: str
    entries: Mapping[str, int | None]
    sql: str
    parameters: tuple[object, ...]
    rows: tuple[tuple[Any, ...], ...]
    names: Mapping[str, str]


def opened_sum(
    workspace: Workspace, actor: Actor, asked: PortfolioFilter, name: str, currency: str | None, key: str | None = None
) -> OpenedSum:
    """A sum over the lines that the actor may see and the filter lets through, of the read model `key` (None: the one in force).

    Raises Forbidden; BadInput: faults of the filter, `no_sum` where there is none of that name and currency, `read_model_gone`.
    """
    actor.require("portfolio.see")
    check_request(PortfolioRequest(filter=asked))
    model = open_read_model(workspace.warehouse, key)
    condition, words = within(actor.scope) & fitting(asked), in_words(asked, actor)
    found = next((one for one in sums_of(model, condition, words).sums if one.currency == currency), None)
    if found is None or name not in SUM_DEFINITIONS:
        raise BadInput(Fault("no_sum", "no renewal fits that filter and currency, or nothing is summed under that name.", "name"))
    lines = _added(name, condition, currency)
    rows = tuple(model.rows(lines.sql, lines.parameters))
    names = dict(model.rows(f"SELECT account_id, name FROM lines WHERE {condition.sql}", condition.parameters))
    entries: Mapping[str, int | None] = model.meta["entries"]
    return OpenedSum(name, currency, words, found, found.figures[name], model.key, entries, lines.sql, lines.parameters, rows, names)


def _added(name: str, condition: Condition, currency: str | None) -> Condition:
    where = f"{condition.sql} AND {_RENEWALS} AND {ADDED[name]} AND currency IS ?"
    return Condition(f"SELECT {', '.join(SUM_COLUMNS)} FROM lines WHERE {where} ORDER BY line", (*condition.parameters, currency))


def sum_csv(opened: OpenedSum, name: str) -> tuple[str, Mapping[str, Any]]:
    """The lines of a sum as CSV, safe in a spreadsheet, and the manifest of that file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SUM_COLUMNS)
    writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in opened.rows)
    text, source = out.getvalue(), opened.figure.provenance
    data = text.encode()
    return text, {
        "what": opened.figure.label,
        "definition": source.definition,
        "currency": opened.currency,
        "filters": {"in_words": opened.words, "sql": opened.sql, "parameters": list(opened.parameters)},
        "as_of": source.as_of.isoformat(),
        "book_version": source.book_version,
        "book_digest": source.book_digest,
        "entries": dict(opened.entries),
        "read_model": opened.key,
        "package_version": source.package_version,
        "rows": len(opened.rows),
        "csv": {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
    }
