"""Loading files into the book: opened, staged, classified, committed and published, all or nothing."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.checks.finding import Finding
from unspun.book.drift.profile import FileProfile, profile_file, source_of
from unspun.book.mapping.definition import BookDefinition
from unspun.book.typed_schema import REJECTED_COLUMNS, arrow_schema
from unspun.engines.embedded import connect
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import canonical
from unspun.progress import Progress
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_lines import LoadFile
from unspun.warehouse.catalog_profiles import StoredProfile
from unspun.warehouse.classify import Candidate, Receipt, Verdict, classify
from unspun.warehouse.delta import recover
from unspun.warehouse.load_commit import Commit, publish_load
from unspun.warehouse.load_faults import translating
from unspun.warehouse.load_notes import duplicate_notes, late_notes
from unspun.warehouse.load_plan import Opened, PlannedFile, is_undated, layouts, may_hold, open_sources
from unspun.warehouse.load_rejected import superseded
from unspun.warehouse.staging import MENDED, REJECTED, ROWS, STAGING_FOLDER, SourcePlan, Staged, stage
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

if TYPE_CHECKING:
    import duckdb

__all__ = ["LoadResult", "PlannedFile", "Progress", "SourceOutcome", "load_files", "silent"]

MOST_REFUSED = 1_000  # rejected rows of a file that a dry run gives
UNNUMBERED = -1  # stands for the number of a source file in a dry run, which registers none


def silent(_name: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What became of one file. rows_read = new + changed + unchanged + the rejected; `rejected` is (code, reason, rows)."""

    name: str
    table: str
    sha256: str
    format: str
    rows_read: int
    new: int
    changed: int
    unchanged: int
    rejected: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...]
    unlisted_columns: tuple[str, ...]
    already_loaded: bool

    def __post_init__(self) -> None:
        if self.rows_read != self.new + self.changed + self.unchanged + self.rows_rejected:
            raise RuntimeError(f"{self.name}: {self.rows_read} rows were read and not all of them are accounted for")

    @property
    def rows_rejected(self) -> int:
        return sum(count for _, _, count in self.rejected)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did, or would do (`dry_run`). `version` is the one it published; None where nothing was new or it was dry.

    `profiles` are of the files that were read: what their columns hold. `drift` is how they differ from those of the load before, where
    somebody compared them. `refused` are, of a dry run, the rejected rows of each file by its place among `sources`, the first MOST_REFUSED
    of them, in the columns of REJECTED_COLUMNS: no book keeps them.
    """

    load: int | None
    version: BookVersion | None
    sources: tuple[SourceOutcome, ...]
    notes: tuple[str, ...]
    dry_run: bool
    profiles: tuple[StoredProfile, ...] = ()
    drift: tuple[Finding, ...] = ()
    refused: tuple[tuple[int, pa.Table], ...] = ()


def load_files(
    catalog: Catalog,
    files: Sequence[PlannedFile],
    definition: BookDefinition,
    received_at: datetime,
    dry_run: bool = False,
    memory: str = "1500MB",
    progress: Progress = silent,
    known_at: datetime | None = None,
    cursors: Mapping[str, object] | None = None,
) -> LoadResult:
    """Load files into the book as one new version, all or nothing; dry, count what it would do and publish nothing.

    Call it as the one writer (`catalog.writing`). `received_at` is the present instant; `known_at`, where given, stands for the
    receipt of rows that do not say when they were known. `cursors` say how far the load has read each database source; they are kept
    with the load, and taken back with it. A load that died is taken up where a file of it was read whole.
    Raises BadInput (files, columns or keys that do not fit, a file that changed while it was read) and UnspunError (disk, memory).
    """
    if received_at.tzinfo is None or (known_at is not None and (known_at.tzinfo is None or known_at > received_at)):
        raise ValueError("received_at and known_at are instants with a zone, and known_at is not later")
    with translating(catalog.folder):
        recover(catalog)
        opened = open_sources(catalog, files, definition, known_at is not None)
        tables = layouts(opened, definition, catalog.current())
        receipt = Receipt((known_at or received_at).astimezone(UTC), received_at.astimezone(UTC))
        load = _Load(catalog, definition, receipt, opened, tables, dry_run, progress, cursors or {})
        with connect(memory, catalog.folder / STAGING_FOLDER / "spill", [catalog.folder]) as connection:
            return load.run(connection)


@dataclass(slots=True)
class _Load:
    """One load on its way."""

    catalog: Catalog
    definition: BookDefinition
    receipt: Receipt
    opened: tuple[Opened, ...]
    tables: dict[str, TableVersion]
    dry_run: bool
    progress: Progress
    cursors: Mapping[str, object]
    number: int = 0
    staged: dict[int, Staged] = field(default_factory=dict[int, Staged])
    plans: dict[int, SourcePlan] = field(default_factory=dict[int, SourcePlan])
    verdicts: dict[int, Verdict] = field(default_factory=dict[int, Verdict])
    profiles: dict[int, FileProfile] = field(default_factory=dict[int, FileProfile])
    added: dict[str, list[DataFile]] = field(default_factory=dict[str, list[DataFile]])
    mended: list[pa.Table] = field(default_factory=list[pa.Table])
    notes: list[str] = field(default_factory=list[str])

    @property
    def folder(self) -> Path:
        return self.catalog.folder

    @property
    def place(self) -> Path:
        """Where this load's classified rows lie until they are committed."""
        return self.folder / STAGING_FOLDER / ("dry" if self.dry_run else f"load-{self.number}")

    def run(self, connection: duckdb.DuckDBPyConnection) -> LoadResult:
        self.begin()
        try:
            self.stage_all()
            self.classify_all(connection)
            self.find_superseded(connection)
            self.notes += self.compared(connection)
            outcomes = tuple(self.outcome(place) for place in range(len(self.opened)))
            return self.finish(outcomes)
        finally:
            self.clean()

    def clean(self) -> None:
        """Remove what no later run can take up: classified rows and, of a dry run, rows without the number of a load."""
        shutil.rmtree(self.place, ignore_errors=True)
        for place, staged in self.staged.items():
            if self.dry_run and self.plans[place].direct:
                shutil.rmtree(self.folder / STAGING_FOLDER / staged.key, ignore_errors=True)

    def begin(self) -> None:
        if not self.dry_run and any(item.is_read for item in self.opened):
            read = [[item.source.sha256, item.mapping_sha256] for item in self.opened if item.is_read]
            identity: dict[str, object] = {"files": read, "known_at": self.receipt.counts_from.isoformat() if self.is_dated_back else None}
            reached = {"cursors": dict(self.cursors)} if self.cursors else {}
            identity |= reached
            fingerprint = hashlib.sha256(canonical(identity).encode()).hexdigest()
            self.number = self.catalog.begin_load(self.receipt.received_at, fingerprint, {"definition": self.definition.sha256, **reached})

    @property
    def is_dated_back(self) -> bool:
        return self.receipt.counts_from != self.receipt.received_at

    # Staging

    def stage_all(self) -> None:
        """Read every source; where one cannot be used, read the others too, so that all faults are told (and none is read twice)."""
        faults: list[Fault] = []
        for place, item in enumerate(self.opened):
            if item.is_read:
                try:
                    self.stage_one(place, item)
                except BadInput as refusal:
                    faults += refusal.faults
        if faults:
            raise BadInput(faults)

    def stage_one(self, place: int, item: Opened) -> None:
        plan, of = self.plan(place, item), len(self.opened)
        self.progress(f"reading {item.source.name}", place, of)
        if not item.source.is_mended:
            zone = ZoneInfo(item.mapping.time_zone or self.definition.time_zone)
            self.profiles[place] = profile_file(item.source.sample(), item.mapping, zone)
        staged = stage(self.folder, plan, lambda rows: self.progress(f"reading {item.source.name}: {rows:,} rows", place, of))
        self.plans[place], self.staged[place] = plan, staged
        if plan.direct and staged.rows:
            path = (self.folder / STAGING_FOLDER / staged.key / ROWS).relative_to(self.folder).as_posix()
            file = DataFile(plan.mapping.table, path, staged.sha256, staged.size_bytes, staged.rows, (self.number,))
            self.added.setdefault(plan.mapping.table, []).append(file)
            if staged.has_mends:
                mended = pq.read_table(self.folder / STAGING_FOLDER / staged.key / MENDED)
                self.mended += [mended] if mended.num_rows else []

    def plan(self, place: int, item: Opened) -> SourcePlan:
        source_file = self.source_file(place, item)
        direct = self.is_direct(place, item, source_file)
        return SourcePlan(
            item.path,
            item.mapping,
            item.mapping_sha256,
            item.source,
            item.stamp,
            source_file,
            self.number,
            self.receipt.counts_from,
            self.receipt.received_at,
            direct,
        )

    def source_file(self, place: int, item: Opened) -> int:
        source = item.source
        if not self.dry_run:
            return self.catalog.source_file(source.sha256, source.name, source.size_bytes, source.format)
        known = {file.sha256: file.number for file in self.catalog.source_files()}
        return known.get(source.sha256, UNNUMBERED - place)

    def is_direct(self, place: int, item: Opened, source_file: int) -> bool:
        """Whether no row of the source can be in the book: rows without a key, from a file that the table has never seen."""
        table = self.tables[item.mapping.table]
        rival = any(
            other.is_read and other.source.sha256 == item.source.sha256 and other.mapping.table == item.mapping.table
            for at, other in enumerate(self.opened)
            if at != place
        )
        return not table.key and not rival and not may_hold(self.folder, table, source_file)

    # Classifying

    def classify_all(self, connection: duckdb.DuckDBPyConnection) -> None:
        for name, table in self.tables.items():
            places = [
                place for place, plan in self.plans.items() if not plan.direct and plan.mapping.table == name and self.staged[place].rows
            ]
            if not places:
                continue
            self.progress(f"comparing {name} with the book", len(self.opened), len(self.opened))
            self.place.mkdir(parents=True, exist_ok=True)
            candidates = [self.candidate(place) for place in places]
            verdicts, files = classify(connection, self.folder, table, candidates, self.receipt, self.number, self.place)
            self.verdicts.update(zip(places, verdicts, strict=True))
            self.added.setdefault(name, []).extend(files)
            self.mended += [rows for verdict in verdicts for rows in verdict.mended if rows.num_rows]

    def candidate(self, place: int) -> Candidate:
        staged, plan = self.staged[place], self.plans[place]
        path = self.folder / STAGING_FOLDER / staged.key / ROWS
        return Candidate(path, plan.mapping, plan.source_file, staged.columns, staged.has_mends)

    def find_superseded(self, connection: duckdb.DuckDBPyConnection) -> None:
        """A file read again under another mapping is judged anew: its earlier rejected rows are taken care of."""
        current = self.catalog.current()
        for plan in self.plans.values():
            if current is not None and plan.source_file > 0:
                found = superseded(connection, self.folder, current, plan.mapping.table, plan.source_file, self.number)
                self.mended += [found] if found is not None else []

    def compared(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Notes on what is new beside what the book has: rows of the past, and rows that are in another file too."""
        names = {file.number: file.name for file in self.catalog.source_files()}
        names |= {plan.source_file: plan.source.name for plan in self.plans.values()}
        notes: list[str] = []
        for name, added in self.added.items():
            table = self.tables[name]
            plans = [plan for plan in self.plans.values() if plan.mapping.table == name]
            histories = [p.source_file for p in plans if p.mapping.known == "happened" and "known_at" not in p.mapping.columns]
            notes += late_notes(connection, self.folder, table, added, histories, self.definition.time_zone)
            if not table.key:
                notes += duplicate_notes(connection, self.folder, table, added, names)
        return notes

    # What became of it

    def outcome(self, place: int) -> SourceOutcome:
        item = self.opened[place]
        if item.loaded_by is not None:
            return self.already_loaded(item, item.loaded_by)
        if item.twin is not None:
            return self.repeated(item, item.twin)
        staged, verdict = self.staged[place], self.verdicts.get(place, Verdict())
        rejected = (*staged.rejected, *((code, reason, count) for (code, reason), count in verdict.rejected.items()))
        judged = place in self.verdicts or not self.plans[place].direct
        new = verdict.fates["new"] if judged else staged.rows
        notes = (*staged.notes, *(("taken up from an earlier run of this load, not read again",) if staged.taken_up else ()))
        return _outcome(item, staged.rows_read, new, verdict.changed, verdict.unchanged, rejected, notes, staged.unlisted)

    def already_loaded(self, item: Opened, load: int) -> SourceOutcome:
        line = next(line for line in self.catalog.load_lines() if line.load == load)
        file = next(f for f in line.files if f.sha256 == item.source.sha256 and f.mapping_sha256 == item.mapping_sha256)
        rows, rejected = file.counts.get("rows_read", 0), file.counts.get("rejected", 0)
        notes = [f"loaded already, by load {load}"]
        if is_undated(item.mapping) and self.fed_since(item, load):
            what = f"other files said otherwise of {item.mapping.table} since"
            notes.append(f"{what}; if this is a later export with the same content, load it with `--known-at` and its day")
        if rejected:
            notes.append(f"{rejected:,} of its rows were rejected then; `unspun rejected` lists those not mended since")
        return _outcome(item, rows, 0, 0, rows, (), tuple(notes), item.source.unlisted, already_loaded=True)

    def fed_since(self, item: Opened, load: int) -> bool:
        """Whether a later load in force took other files into the table."""
        later = (line for line in self.catalog.load_lines() if line.load > load and line.state == "in force")
        return any(file.table == item.mapping.table for line in later for file in line.files)

    def repeated(self, item: Opened, twin: int) -> SourceOutcome:
        rows = self.outcome(twin).rows_read
        return _outcome(item, rows, 0, 0, rows, (), (f"the same bytes as {self.opened[twin].source.name}",), item.source.unlisted)

    def finish(self, outcomes: tuple[SourceOutcome, ...]) -> LoadResult:
        notes = [*dict.fromkeys(self.notes), *(declared := self.declared())]
        anything = any(outcome.new or outcome.changed or outcome.rejected for outcome in outcomes) or bool(self.mended or declared)
        if not anything:
            notes.append("nothing new: the book stays as it is")
        if self.dry_run:
            return LoadResult(None, None, outcomes, tuple(notes), True, self.stored_profiles(), refused=tuple(self.refused()))
        if not anything:
            if self.number:
                self.catalog.abandon_load(self.number)
            return LoadResult(None, None, outcomes, tuple(notes), False, self.stored_profiles())
        return LoadResult(self.number, self.publish(outcomes), outcomes, tuple(notes), False, self.stored_profiles())

    def stored_profiles(self) -> tuple[StoredProfile, ...]:
        """The profiles at the positions that their files have among those read."""
        read = [place for place, item in enumerate(self.opened) if item.is_read]
        sources = [(at, self.opened[place], self.profiles[place]) for at, place in enumerate(read) if place in self.profiles]
        return tuple(StoredProfile(at, source_of(item.mapping), item.source.name, profile) for at, item, profile in sources)

    def declared(self) -> list[str]:
        """What the definition says otherwise of whole tables than the book does, which takes a version though no row be new."""
        current = self.catalog.current()
        if current is None or not any(item.is_read for item in self.opened):
            return []
        former = {table.name: table for table in current.tables}
        others = [table for name, table in self.tables.items() if name in former and former[name].fixed != table.fixed]
        return [f"columns of {table.name} that never change, by book.yml: {', '.join(table.fixed) or 'none any more'}" for table in others]

    def publish(self, outcomes: tuple[SourceOutcome, ...]) -> BookVersion:
        self.progress("publishing", len(self.opened), len(self.opened))
        read = [(place, outcome) for place, outcome in enumerate(outcomes) if self.opened[place].is_read]
        files = [LoadFile(o.sha256, self.opened[place].mapping_sha256, o.table, _counts(o)) for place, o in read]
        several = {self.plans[place].mapping.table for place, verdict in self.verdicts.items() if verdict.fates["changed"]}
        commit = Commit(
            self.number, self.receipt, self.definition, self.tables, self.added, frozenset(several), files, self.stored_profiles()
        )
        version = publish_load(self.catalog, commit, self.rejected(), self.mended)
        shutil.rmtree(self.folder / STAGING_FOLDER, ignore_errors=True)
        return version

    def rejected(self) -> list[tuple[int, Path | pa.Table]]:
        """The rejected rows of each source file: those refused on reading, as staged, and those refused by the load."""
        found: list[tuple[int, Path | pa.Table]] = []
        for place, plan in self.plans.items():
            staged = self.staged[place]
            if staged.has_rejected:
                found.append((plan.source_file, self.folder / STAGING_FOLDER / staged.key / REJECTED))
            if place in self.verdicts:
                found += [(plan.source_file, rows) for rows in self.verdicts[place].refused]
        return found

    def refused(self) -> Iterator[tuple[int, pa.Table]]:
        """The first rejected rows of each file that was read, by its place: those refused on reading, then those refused by the load."""
        names = [name for name, _ in REJECTED_COLUMNS]
        for place in self.plans:
            staged = self.staged[place]
            parts = [_first_rows(self.folder / STAGING_FOLDER / staged.key / REJECTED)] if staged.has_rejected else []
            parts += [rows.select(names) for rows in (self.verdicts[place].refused if place in self.verdicts else ())]
            if parts:
                yield place, pa.concat_tables([part.cast(arrow_schema(REJECTED_COLUMNS)) for part in parts]).slice(0, MOST_REFUSED)


def _first_rows(path: Path) -> pa.Table:
    """The first MOST_REFUSED rejected rows of a staged file."""
    names = [name for name, _ in REJECTED_COLUMNS]
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(MOST_REFUSED, columns=names), None)
        return arrow_schema(REJECTED_COLUMNS).empty_table() if batch is None else pa.Table.from_batches([batch])


def _outcome(
    item: Opened,
    rows: int,
    new: int,
    changed: int,
    unchanged: int,
    rejected: tuple[tuple[str, str, int], ...],
    notes: tuple[str, ...],
    unlisted: tuple[str, ...],
    already_loaded: bool = False,
) -> SourceOutcome:
    source, table = item.source, item.mapping.table
    return SourceOutcome(
        source.name, table, source.sha256, source.format, rows, new, changed, unchanged, rejected, notes, unlisted, already_loaded
    )  # fmt: skip


def _counts(outcome: SourceOutcome) -> dict[str, int]:
    return {
        "rows_read": outcome.rows_read,
        "new": outcome.new,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "rejected": outcome.rows_rejected,
    }
