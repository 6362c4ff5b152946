"""The operations on a published figure for whoever asks: open it, list the figures of an entry, the rows behind one.

What someone may open follows from the kind of the figures. Who is limited to some accounts opens what is said of these, and figures of
all together; a figure of another account is not found, the same as one that does not exist, and rows, which name accounts, are not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from unspun.app.access import Actor, Forbidden, Permission
from unspun.app.evidence.figures import KIND as EVIDENCE
from unspun.app.forecast.figures import FORECAST
from unspun.app.forecast.record import RECORD
from unspun.app.opening import in_place_remarks
from unspun.app.performance.figures import KIND as PERFORMANCE
from unspun.app.portfolio.conditions import within
from unspun.app.proofs import Opened, Published, find_published, open_figure
from unspun.app.retention import KIND as RETENTION
from unspun.app.risk.figures import RISK
from unspun.app.risk.models import MODEL
from unspun.app.workspace import Workspace
from unspun.book.checks.remarks import check_remarks
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.warehouse.read_model import open_read_model

MAY_OPEN: Final[Mapping[str, Permission]] = {
    EVIDENCE: "evidence.see",
    FORECAST: "forecast.see",
    RECORD: "forecast.see",
    PERFORMANCE: "performance.see",
    RETENTION: "portfolio.see",
    RISK: "portfolio.see",
    MODEL: "evidence.see",
}
"""By kind of figures; of other kinds (panels, health scores) it takes to see the data."""
OTHERS: Final[Permission] = "data.see"
OF_ALL: Final = frozenset({EVIDENCE, FORECAST, RECORD, MODEL, RISK})
"""Kinds of which someone who is limited opens what is said of all accounts together."""
PAGE_SIZE: Final = 100
UNKNOWN: Final = "unknown_figure"


@dataclass(frozen=True, slots=True)
class DefinitionUsed:
    """The definition behind a figure: its file, the number of its version among those in the ledger, and when that was recorded.

    `version` 0: the ledger holds no such version.
    """

    name: str
    sha256: str
    version: int
    at: datetime | None
    newest: int

    @property
    def is_current(self) -> bool:
        """Whether nothing was recorded under that name since."""
        return self.version == self.newest


@dataclass(frozen=True, slots=True)
class OpenFigure:
    """A figure and what backs it. `account` is whose it is, None for one of all together, with its `account_name`; `remarks` are what the
    quality gate had found, `gives_rows` whether this actor may have the rows behind it."""

    published: Published
    definition: DefinitionUsed
    account: str | None
    account_name: str | None
    remarks: tuple[str, ...]
    gives_rows: bool

    @property
    def figure(self) -> Mapping[str, Any]:
        """The record as it was published."""
        assert self.published.figure is not None  # one was asked for by name
        return self.published.figure


@dataclass(frozen=True, slots=True)
class FigureList:
    """Figures of an entry, a page of them: `total` fit what was asked for."""

    published: Published
    definition: DefinitionUsed
    figures: tuple[Mapping[str, Any], ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def opened_figure(workspace: Workspace, actor: Actor, address: str) -> OpenFigure:
    """The figure at ENTRY/NAME. Raises Forbidden; BadInput: there is none, or none that this actor may know of."""
    published = _published(workspace, actor, address)
    if published.figure is None:
        raise _unknown(address)
    account = account_of(published)
    name = None if account is None else _name_in_scope(workspace, actor, account, address)
    remarks = (
        *check_remarks(published.figures.book_check, published.figures.book_version),
        *in_place_remarks(published.figures.in_place),
    )
    return OpenFigure(published, definition_used(workspace, published), account, name, remarks, actor.scope.everything)


def listed_figures(workspace: Workspace, actor: Actor, entry: int, text: str = "", page: int = 1) -> FigureList:
    """Figures of an entry whose name or label holds the text. Raises as `opened_figure` does."""
    published = _published(workspace, actor, str(entry))
    words = text.casefold().split()
    allowed = (one for one in _figures_for(workspace, actor, published) if _says(one, words))
    found, first, total = [], PAGE_SIZE * (max(page, 1) - 1), 0
    for total, one in enumerate(allowed, 1):
        if first < total <= first + PAGE_SIZE:
            found.append(one)
    return FigureList(published, definition_used(workspace, published), tuple(found), total, max(page, 1))


def figure_rows(workspace: Workspace, actor: Actor, address: str, progress: Progress = silent) -> Opened:
    """The rows behind a figure, read from its version of the book. Raises Forbidden where rows are not for this actor, and as
    `opened_figure` does."""
    if not opened_figure(workspace, actor, address).gives_rows:
        raise Forbidden(Fault("forbidden", "rows name accounts, and you are limited to some.", address, "Ask an owner of the workspace."))
    return open_figure(workspace, address, progress)


def told_of(published: Published, opened: Opened | None = None) -> dict[str, Any]:
    """What a manifest says of a figure or a set, with its rows where they were opened."""
    figures = published.figures
    known = {
        "figure": published.address,
        "entry": published.anchor,
        "published_at": published.entry.at.isoformat(),
        "question": dict(figures.question),
        "as_of": figures.as_of.isoformat(),
        "definition": {"name": figures.definition_name, "sha256": figures.definition_sha256},
        "book": {"version": figures.book_version, "digest": figures.book_digest},
        "in_place": [dict(one) for one in figures.in_place],
        "engine": f"{figures.engine} {figures.engine_version}",
        "package_version": figures.package_version,
        "queries": dict(figures.queries),
    }
    if published.figure is None or opened is None:
        return {**known, "figures": list(figures.every_figure)}
    beside = {"rows_query": opened.query, "n_rows": opened.rows.num_rows, "erased_by": list(opened.erased)}
    return {**known, "value": published.figure, **beside}


def definition_used(workspace: Workspace, published: Published) -> DefinitionUsed:
    """Which version of its definition the figures were made by."""
    figures = published.figures
    with workspace.catalog() as catalog:
        known = catalog.definitions(figures.definition_name)
    place = next((at for at, one in enumerate(known, 1) if one.sha256 == figures.definition_sha256), 0)
    return DefinitionUsed(figures.definition_name, figures.definition_sha256, place, known[place - 1].at if place else None, len(known))


def account_of(published: Published) -> str | None:
    """Whose the figure is; None for one of all accounts together."""
    columns, figure = published.figures.columns, published.figure
    if columns is None or figure is None or any(one["name"] == figure["name"] for one in published.figures.figures):
        return None
    at = columns.place(figure["name"].rpartition("/")[0])
    return None if at is None else columns.account[at]


def _published(workspace: Workspace, actor: Actor, address: str) -> Published:
    actor.require("figure.open")
    published = find_published(workspace, address)
    actor.require(MAY_OPEN.get(published.figures.kind, OTHERS))
    if not actor.scope.everything and not _is_of_all(published):
        raise _unknown(address)
    return published


def _is_of_all(published: Published) -> bool:
    """Whether its figures are of all accounts together, or of one account each that is named."""
    figures = published.figures
    return figures.kind in OF_ALL or (figures.kind == RETENTION and not figures.question.get("by"))


def _figures_for(workspace: Workspace, actor: Actor, published: Published) -> Iterator[Mapping[str, Any]]:
    """Those that this actor may open: of all together, then of renewals."""
    yield from published.figures.figures
    columns = published.figures.columns
    if columns is None:
        return
    if actor.scope.everything:
        yield from columns
        return
    known = _in_scope(workspace, actor)
    names = [renewal for account, renewal in zip(columns.account, columns.renewals(), strict=True) if account in known]
    yield from (found for renewal in names for key in columns.figures if (found := columns.figure(f"{renewal}/{key}")) is not None)


def _in_scope(workspace: Workspace, actor: Actor) -> frozenset[str]:
    condition = within(actor.scope)
    rows = open_read_model(workspace.warehouse).rows(f"SELECT account_id FROM accounts WHERE {condition.sql}", condition.parameters)
    return frozenset(row[0] for row in rows)


def _name_in_scope(workspace: Workspace, actor: Actor, account: str, address: str) -> str | None:
    """What an account is called. Raises BadInput where it is not in scope."""
    condition = within(actor.scope)
    sql = f"SELECT name FROM accounts WHERE account_id = ? AND {condition.sql}"
    try:
        found = open_read_model(workspace.warehouse).rows(sql, (account, *condition.parameters))
    except BadInput:
        found = []
    if not found and not actor.scope.everything:
        raise _unknown(address)
    return found[0][0] if found else None


def _says(figure: Mapping[str, Any], words: list[str]) -> bool:
    text = f"{figure['name']} {figure['label']}".casefold()
    return all(word in text for word in words)


def _unknown(address: str) -> BadInput:
    return BadInput(Fault(UNKNOWN, "there is no such figure.", address))
