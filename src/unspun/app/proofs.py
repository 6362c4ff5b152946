"""The operations that prove a figure: where it came from, the rows behind it, and the same computation done again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from unspun._version import __version__
from unspun.app.evidence.proof import EVIDENCE, evidence_again, evidence_rows
from unspun.app.forecast.proof import FORECAST_KINDS, forecast_again, forecast_rows
from unspun.app.health.proof import HEALTH, health_again, health_rows, refuse_other_engine
from unspun.app.opening import book_as_published
from unspun.app.panel.engines import EMBEDDED, PanelEngine, answering_engine, engine_kind
from unspun.app.panel.proof import PANEL, panel_again, panel_rows, refuse_rough
from unspun.app.panel.run import ROWS
from unspun.app.performance.proof import PERFORMANCE, performance_again, performance_rows
from unspun.app.publication import FigureSet, canonical_json, figure_bytes, from_document
from unspun.app.retention import KIND as RETENTION
from unspun.app.retention import Progress, answer_retention, figures_of, question_of
from unspun.app.risk.proof import RISK_KINDS, risk_again, risk_rows
from unspun.app.workspace import Workspace
from unspun.book.retention.ask import rows_sql
from unspun.book.retention.judge import account_months
from unspun.engines.panel import PanelDatabase
from unspun.errors import BadInput, Fault, UnspunError
from unspun.evidence import InputVersion, Provenance
from unspun.ledger.chain import Entry, written_anchor
from unspun.warehouse.read import BookReader, end_of_day, open_book
from unspun.warehouse.read_files import file_faults

if TYPE_CHECKING:
    import pyarrow as pa

    from unspun.warehouse.versions import BookVersion

NUMBER = re.compile("[0-9]{1,18}")
Verdict = Literal["same", "erased", "differs"]


@dataclass(frozen=True, slots=True)
class Proof:
    """How figures of one kind are proved: `rows` gives the rows behind one of them and the SQL that selects them, `again` all figures by
    name, computed again from the open book."""

    rows: Callable[[Workspace, BookReader, FigureSet, str, Progress], tuple[pa.Table, str]]
    again: Callable[[Workspace, BookReader, FigureSet, Progress, PanelDatabase], dict[str, Mapping[str, Any]]]


def _of_book(
    rows: Callable[[BookReader, FigureSet, str, Progress], tuple[pa.Table, str]],
    again: Callable[[BookReader, FigureSet, Progress, PanelDatabase], dict[str, Mapping[str, Any]]],
) -> Proof:
    """The proof of figures that need nothing but the open book."""
    return Proof(
        lambda _workspace, reader, figures, name, progress: rows(reader, figures, name, progress),
        lambda _workspace, reader, figures, progress, database: again(reader, figures, progress, database),
    )


PROOFS: Mapping[str, Proof] = {
    PANEL: _of_book(panel_rows, panel_again),
    EVIDENCE: _of_book(evidence_rows, evidence_again),
    HEALTH: _of_book(health_rows, health_again),
    **dict.fromkeys(RISK_KINDS, Proof(risk_rows, risk_again)),
    **dict.fromkeys(FORECAST_KINDS, Proof(forecast_rows, forecast_again)),
    PERFORMANCE: Proof(performance_rows, performance_again),
}
"""By kind of figures, all that a panel's engine may compute; retention, which has rows of its own, is not among them."""


@dataclass(frozen=True, slots=True)
class Published:
    """A published set and its ledger entry; `figure` is the one that was asked for, None where the whole set was.

    `anchor` is the entry's number and hash, to be kept elsewhere.
    """

    entry: Entry
    figures: FigureSet
    figure: Mapping[str, Any] | None

    @property
    def anchor(self) -> str:
        return written_anchor(self.entry)

    @property
    def provenance(self) -> Provenance:
        """Where the figures came from, as they were published."""
        figures = self.figures
        return Provenance(
            definition=figures.definition_name,
            definition_version=figures.definition_sha256[:12],
            as_of=figures.as_of,
            inputs=(InputVersion(f"book version {figures.book_version}", figures.book_digest), *_read_in_place(figures)),
            query="\n\n".join(f"-- {name}\n{sql}" for name, sql in figures.queries.items()),
            settings=tuple((name, canonical_json(value)) for name, value in figures.question.items()),
            package_version=figures.package_version,
            definition_sha256=figures.definition_sha256,
            book_version=figures.book_version,
            book_digest=figures.book_digest,
            engine=figures.engine,
            engine_version=figures.engine_version,
        )

    @property
    def address(self) -> str:
        return str(self.entry.seq) if self.figure is None else f"{self.entry.seq}/{self.figure['name']}"


@dataclass(frozen=True, slots=True)
class Opened:
    """The rows behind a figure and the SQL that selects them. `erased` names the ledger entries whose erasures took rows out."""

    published: Published
    rows: pa.Table
    query: str
    erased: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The outcome of computing again. `now` holds the figures that came out otherwise, by name, beside what was published."""

    published: Published
    verdict: Verdict
    compared: int
    then: Mapping[str, Mapping[str, Any]]
    now: Mapping[str, Mapping[str, Any] | None]
    erased: tuple[int, ...]
    notes: tuple[str, ...]


def find_published(workspace: Workspace, address: str) -> Published:
    """The set or figure at `ENTRY` or `ENTRY/FIGURE`. Raises BadInput: no such entry or figure, or its text was erased."""
    number, _, name = address.partition("/")
    if not NUMBER.fullmatch(number):
        hint = "A figure is ENTRY/NAME, such as 17/grr/2023-12: unspun ledger show lists the entries."
        raise BadInput(Fault("bad_address", f"'{address}' is not the address of a figure.", "FIGURE", hint))
    with workspace.catalog() as catalog:
        held = catalog.publication(int(number))
    if held.document is None:
        message = f"not recomputable: erased (ledger entry {held.erased_by})."
        raise BadInput(Fault("erased", message, address, "The entry still proves that figures were published, and when."))
    figures = from_document(held.document)
    return Published(held.entry, figures, figures.figure(name) if name else None)


def open_figure(workspace: Workspace, address: str, progress: Progress) -> Opened:
    """The rows behind one figure, read from the version of the book that it was made from."""
    published = find_published(workspace, address)
    if published.figure is None:
        raise BadInput(
            Fault("no_figure", "this is a whole set; rows belong to one figure of it.", address, f"Such as {address}/{_first(published)}.")
        )
    with _reading(workspace, published.figures) as (book, reader):
        if (proof := PROOFS.get(published.figures.kind)) is not None:
            rows, query = proof.rows(workspace, reader, published.figures, published.figure["name"], progress)
            return Opened(published, rows, query, _erasures(book, published))
        question = question_of(published.figures)
        _, tables = answer_retention(reader, question, published.figures.queries, progress)
        query = rows_sql(question, published.figure["name"])
        for name, rows in account_months(question, tables).items():
            reader.register(name, rows)
        return Opened(published, reader.query(query), query, _erasures(book, published))


def recompute(workspace: Workspace, address: str, progress: Progress, engine: str | None = None) -> Recomputed:
    """Compute a figure (or a whole set) again: the recorded question and queries, over the recorded version of the book.

    `engine` computes a panel (None: the workspace's where that is of the kind that computed it, else the embedded one). Raises BadInput
    where that version is no longer kept, or the engine cannot prove the figures.
    """
    published = find_published(workspace, address)
    figures = published.figures
    wanted = tuple(figures.every_figure) if published.figure is None else (published.figure,)
    with _proving(workspace, figures, engine) as proving, _reading(workspace, figures) as (book, reader):
        erased = _erasures(book, published)
        database = proving.database(reader)
        if figures.kind == PANEL and any(one["name"] == ROWS for one in wanted):
            refuse_rough(figures, database.kind, address)
        if figures.kind == HEALTH:
            refuse_other_engine(figures, database.kind, address)
        found = _computed_again(workspace, reader, figures, progress, bool(erased), database)
        changed = [one for one in wanted if one["name"] not in found or figure_bytes(one) != figure_bytes(found[one["name"]])]
        files = [file for table in book.tables for file in table.files] if changed else []
        edited = file_faults(reader.catalog.folder, files, hashed=True)
    verdict: Verdict = "same" if not changed else "erased" if erased and not edited else "differs"
    then, notes = {one["name"]: one for one in changed}, (*map(str, edited), *_other_software(figures, database))
    return Recomputed(published, verdict, len(wanted), then, {name: found.get(name) for name in then}, erased, notes)


def _proving(workspace: Workspace, figures: FigureSet, engine: str | None) -> AbstractContextManager[PanelEngine]:
    """The engine that computes figures again."""
    usual = workspace.settings.engine
    named = engine or (usual if usual and engine_kind(usual) == figures.engine else EMBEDDED)
    return answering_engine(workspace, named if figures.kind in PROOFS else EMBEDDED, workspace.settings.memory)


def _computed_again(
    workspace: Workspace, reader: BookReader, figures: FigureSet, progress: Progress, is_erased: bool, database: PanelDatabase
) -> dict[str, Mapping[str, Any]]:
    """The figures by name; none where an erasure left too little to answer the question."""
    try:
        if (proof := PROOFS.get(figures.kind)) is not None:
            return proof.again(workspace, reader, figures, progress, database)
        result, _ = answer_retention(reader, question_of(figures), figures.queries, progress)
    except BadInput:
        if not is_erased:
            raise
        return {}
    return {one["name"]: one for one in figures_of(result)}


@contextmanager
def _reading(workspace: Workspace, figures: FigureSet) -> Iterator[tuple[BookVersion, BookReader]]:
    if figures.kind != RETENTION and figures.kind not in PROOFS:
        raise BadInput(Fault("unknown_kind", f"figures of kind '{figures.kind}' are not known to this Unspun.", "", "Use a newer one."))
    before = end_of_day(figures.as_of, question_of(figures).time_zone) if figures.kind == RETENTION else None
    with workspace.catalog() as catalog:
        book = catalog.version(figures.book_version)
        if book.digest != figures.book_digest:
            message = f"book version {book.version} is not the one that the figures were made from: its digest differs."
            raise UnspunError(Fault("changed_catalog", message, hint="Run `unspun ledger verify`."))
        with (
            book_as_published(workspace, catalog, book, figures.in_place) as whole,
            open_book(catalog, whole, before, workspace.settings.memory) as reader,
        ):
            yield book, reader


def _erasures(book: BookVersion, published: Published) -> tuple[int, ...]:
    """The ledger entries of the erasures that took rows out of this version after the figures were published."""
    return tuple(seq for seq in book.erasures if seq > published.entry.seq)


def _other_software(figures: FigureSet, database: PanelDatabase) -> tuple[str, ...]:
    """What else could explain a difference: the software is not the one that published."""
    then = ((f"Unspun {figures.package_version}", f"Unspun {__version__}"),)
    engines = ((f"{figures.engine} {figures.engine_version}", f"{database.kind} {database.version}"),)
    return tuple(f"published by {old}, computed again by {new}" for old, new in (*then, *engines) if old != new)


def _read_in_place(figures: FigureSet) -> Iterator[InputVersion]:
    """The tables that stay in databases, as they were read for the figures."""
    for record in figures.in_place:
        yield InputVersion(f"{record['source']}, read in place at {record['read_at']}", record["sha256"])


def _first(published: Published) -> str:
    first = next(published.figures.every_figure, None)
    return "NAME" if first is None else str(first["name"])
