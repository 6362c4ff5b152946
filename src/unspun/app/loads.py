"""The operation "load files": which files, under which mappings, whether to accept those that are proposed, and the load itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from unspun.app.databases import DatabaseReading, DatabaseRows, as_source, named_faults, names_database, read_databases, refuse_overtaken
from unspun.app.drift import drift_of_load, explain_refusal
from unspun.app.keeping import PATIENT, Patience
from unspun.app.mended import mended_mapping
from unspun.app.opening import seen_in_place
from unspun.app.workspace import Workspace, read_text, replace_text
from unspun.book.entities import TableName
from unspun.book.mapping.book_file import add_database, add_source, mapping_for, read_definition
from unspun.book.mapping.correct import ChosenMapping, corrected
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose import Proposal, propose
from unspun.book.parts import files_named
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.reports.words import sentence
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_lines import LoadLine
from unspun.warehouse.catalog_profiles import latest_profiles
from unspun.warehouse.load import LoadResult, PlannedFile, load_files

NO_DATABASE = DatabaseReading()
Found = Literal["named", "pattern", "folder"]
"""Whether a file was named itself, or found by a pattern or in a folder."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What to load. `paths` are files, folders and patterns, or databases by name or URL; `table` is the caller's word for the table.

    Of a database all sources of book.yml are loaded, or the `relations` named; `full` reads those with a cursor from the beginning.

    `received` says that rows the files date no knowledge for were known on receipt, not when they happened; `known_at` is the day
    that stands for the receipt. `accept` takes proposed mappings without being asked again. `chosen` says, by path, what somebody made of
    the mapping that is proposed for a file.
    """

    paths: tuple[str, ...]
    table: TableName | None = None
    dry_run: bool = False
    received: bool = False
    known_at: date | None = None
    accept: bool = False
    relations: tuple[str, ...] = ()
    full: bool = False
    chosen: Mapping[str, ChosenMapping] = field(default_factory=dict[str, ChosenMapping])


@dataclass(frozen=True, slots=True)
class ProposedSource:
    """A file that book.yml does not know, and the mapping proposed for it (and for the files that fit the same patterns)."""

    path: str
    proposal: Proposal
    mapping: SourceMapping


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The files of a load, each with its mapping; `definition` is the book's with the proposed sources added.

    `left_out` are files of a folder that book.yml does not know and that fit no table, each with the reason.
    """

    files: tuple[PlannedFile, ...]
    proposed: tuple[ProposedSource, ...]
    definition: BookDefinition
    notes: tuple[str, ...] = ()
    left_out: tuple[Fault, ...] = ()
    reading: DatabaseReading = NO_DATABASE  # what was read of databases, in files of ours until the load is done


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A file that might be loaded, and how it would be read; `mapping` None where nothing is known of it yet.

    `proposal` None: book.yml maps it already. `like` names the file before it that the mapping was proposed for, where it is another one.
    """

    path: str
    mapping: SourceMapping | None
    proposal: Proposal | None
    faults: tuple[Fault, ...] = ()
    like: str = ""


class _Unfit(BadInput):
    """A file that book.yml does not know, and for which no mapping can be proposed."""

    def __init__(self, faults: Sequence[Fault], proposal: Proposal) -> None:
        super().__init__(faults)
        self.proposal = proposal


@dataclass(slots=True)
class _Planner:
    """Finds each file's mapping, remembers what it proposed, and keeps the faults of all files."""

    request: LoadRequest
    catalog: Catalog
    definition: BookDefinition
    files: list[PlannedFile] = field(default_factory=list)
    proposed: list[ProposedSource] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left_out: list[Fault] = field(default_factory=list)
    keyed_otherwise: list[str] = field(default_factory=list)  # files whose rows the key proposed for another file cannot tell apart

    def add(self, path: str, found: Found) -> None:
        try:
            mapping = self.mapping_of(path)
        except _Unfit as refusal:
            keys = any(fault.code == "two_keys" for fault in refusal.faults)
            self.keyed_otherwise += [path] if keys else []
            (self.left_out if found == "folder" and not keys else self.faults).extend(refusal.faults)
            return
        except BadInput as refusal:
            self.faults += refusal.faults
            return
        wanted = self.request.table
        if wanted is None or mapping.table == wanted:
            self.files.append(PlannedFile(path, mapping))
        elif found == "named":
            place = f"book.yml:{mapping.line}" if mapping.line else "book.yml"
            message = f"{place} maps this file to {mapping.table}, and --as says {wanted}."
            self.faults.append(Fault("other_table", message, path, f"Leave --as out, or change {place}."))
        else:
            self.notes.append(f"{os.path.basename(path)} holds {mapping.table} and is left out, as --as says {wanted}")

    def add_rows(self, rows: DatabaseRows) -> None:
        """Rows of a database, under the mapping of their source or one proposed for them."""
        try:
            mapping = rows.mapping or self._propose(rows.path, rows)
        except BadInput as refusal:
            self.faults += refusal.faults
            return
        if self.request.table in (None, mapping.table):
            self.files.append(PlannedFile(rows.path, mapping, rows.name))
        else:
            self.notes.append(f"{rows.name} holds {mapping.table} and is left out, as --as says {self.request.table}")

    def mapping_of(self, path: str) -> SourceMapping:
        mapping = mended_mapping(path, self.catalog, self.definition) or mapping_for(self.definition, path)
        proposed = any(mapping is source.mapping for source in self.proposed)
        return self._propose(path) if mapping is None else mapping if proposed else self._as_known(mapping)

    def _propose(self, path: str, rows: DatabaseRows | None = None) -> SourceMapping:
        choice = self.request.chosen.get(path)
        proposal = propose(path, self.definition, self.request.table if choice is None else choice.table or self.request.table)
        if choice is not None:
            proposal = corrected(proposal, choice, self.definition, os.path.basename(path))
        if proposal.mapping is None or proposal.faults:
            raise _Unfit(proposal.faults or (_no_table(path, proposal),), proposal)
        mapping = self._as_known(proposal.mapping if rows is None else as_source(proposal.mapping, rows))
        self.proposed.append(ProposedSource(path if rows is None else rows.name, replace(proposal, mapping=mapping), mapping))
        self.definition = replace(self.definition, sources=(*self.definition.sources, mapping))
        return mapping

    def _as_known(self, mapping: SourceMapping) -> SourceMapping:
        return replace(mapping, known="received") if self.request.received else mapping


def plan_load(workspace: Workspace, request: LoadRequest, progress: Progress = silent) -> LoadPlan:
    """Find the files and their mappings; a file that book.yml does not know gets a proposal.

    A file of a folder that book.yml does not know and that fits no table is left out, where another one fits.
    Raises BadInput with every fault of all files: not there, given twice, no table fits, two sources fit.
    """
    definition = workspace.definition()
    databases = [path for path in request.paths if names_database(path, definition)]
    request = replace(request, paths=tuple(path for path in request.paths if path not in databases))
    with workspace.catalog() as catalog:
        reading = read_databases(workspace, catalog, definition, databases, request.relations, request.full, progress)
        try:
            return _plan(workspace, request, catalog, reading, progress)
        except BadInput as refusal:
            reading.close()
            raise named_faults(refusal, reading) from None


def look_at_files(workspace: Workspace, request: LoadRequest) -> tuple[LookedAt, ...]:
    """How each file of `request.paths` would be read, each with its own faults: what a person decides on before a plan is made."""
    with workspace.catalog() as catalog:
        planner = _Planner(request, catalog, workspace.definition())
        return tuple(_looked_at(planner, path) for path in request.paths)


def _looked_at(planner: _Planner, path: str) -> LookedAt:
    try:
        mapping = planner.mapping_of(path)
    except _Unfit as refusal:
        return LookedAt(path, refusal.proposal.mapping, refusal.proposal, refusal.faults)
    except BadInput as refusal:
        return LookedAt(path, None, None, refusal.faults)
    source = next((one for one in planner.proposed if one.mapping is mapping), None)
    if source is None or source.path == path:
        return LookedAt(path, mapping, None if source is None else source.proposal)
    return LookedAt(path, mapping, source.proposal, like=source.path)


def _plan(workspace: Workspace, request: LoadRequest, catalog: Catalog, reading: DatabaseReading, progress: Progress) -> LoadPlan:
    planner = _planned(workspace, request, catalog, reading, progress)
    if planner.keyed_otherwise and planner.proposed:
        again = _planned(workspace, request, catalog, reading, progress, planner.keyed_otherwise[0])
        planner = planner if again.keyed_otherwise else again
    if faults := planner.faults or ([] if planner.files else planner.left_out):
        raise BadInput(list(dict.fromkeys(faults)))
    if not planner.files and not reading.rows and not reading.in_place:
        hint = "Leave --as out, or give other files."
        raise BadInput(Fault("nothing_to_load", f"none of the files holds {request.table}.", "--as", hint))
    notes = (*reading.notes, *planner.notes)
    return LoadPlan(tuple(planner.files), tuple(planner.proposed), planner.definition, notes, tuple(planner.left_out), reading)


def _planned(
    workspace: Workspace, request: LoadRequest, catalog: Catalog, reading: DatabaseReading, progress: Progress, first: str = ""
) -> _Planner:
    """Every file looked at, in the order given, but `first` before the others: of new files of one table the first decides the key."""
    planner = _Planner(request, catalog, workspace.definition())
    named = list(_files(request.paths, planner))
    planner.faults += _given_twice([path for path, _ in named])
    for done, (path, found) in enumerate(sorted(named, key=lambda one: one[0] != first)):
        progress(f"looking at {os.path.basename(path)}", done, len(named))
        planner.add(path, found)
    for rows in reading.rows:
        if rows.extract.rows:
            planner.add_rows(rows)
    return planner


def _no_table(path: str, proposal: Proposal) -> Fault:
    why = " ".join([sentence(proposal.table_why or "no table of the book fits it"), *map(sentence, proposal.doubts)])
    return Fault("no_table_fits", why, path, "Name its table with --as, map it in book.yml, or leave it out.")


def _files(paths: tuple[str, ...], planner: _Planner) -> Iterator[tuple[str, Found]]:
    """Every file, and how it was found."""
    for path in paths:
        try:
            several = files_named(path)
        except (BadInput, OSError) as refusal:
            planner.faults += refusal.faults if isinstance(refusal, BadInput) else [_unreadable(path, refusal)]
            continue
        if several is not None:
            planner.notes += several[1]
            found: Found = "folder" if os.path.isdir(path) else "pattern"
            for file in several[0]:
                yield file, found
        elif fault := _obstacle(path):
            planner.faults.append(fault)
        else:
            yield path, "named"


def _obstacle(path: str) -> Fault | None:
    if path == "-":
        hint = "Save it to a file first: a load can be repeated only from a file."
        return Fault("stdin", "standard input cannot be loaded.", path, hint)
    if not os.path.exists(path):
        return Fault("no_such_file", "there is no such file.", path, "Check the path.")
    try:
        with open(path, "rb"):
            return None
    except OSError as refusal:
        return _unreadable(path, refusal)


def _unreadable(path: str, refusal: OSError) -> Fault:
    message = f"the file cannot be read: {refusal.strerror or refusal}."
    return Fault("unreadable_file", message, path, "Check the path, and that you may read it.")


def _given_twice(paths: list[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            yield Fault("file_twice", "the file is given twice.", path, "Give each file once.")
        seen.add(real)


def accept_proposals(workspace: Workspace, plan: LoadPlan) -> LoadPlan:
    """Write the proposed sources to book.yml, in one step, and give the plan under the book as it then stands.

    The load that follows records the definition in the ledger. Raises BadInput where book.yml no longer reads, or cannot be written.
    """
    text = read_text(workspace.book_file)
    for database in plan.reading.added:
        text = add_database(text, database)
    for source in plan.proposed:
        text = add_source(text, source.mapping)
    definition = read_definition(text, workspace.book_file.name)
    proposed = {id(source.mapping) for source in plan.proposed}
    files = [
        replace(file, mapping=mapping_for(definition, file.name or file.path) or file.mapping) if id(file.mapping) in proposed else file
        for file in plan.files
    ]
    replace_text(workspace.book_file, text, "Nothing was loaded.")
    return replace(plan, files=tuple(files), proposed=(), definition=definition)


def load(
    workspace: Workspace,
    plan: LoadPlan,
    request: LoadRequest,
    at: datetime,
    progress: Progress = silent,
    patience: Patience = PATIENT,
) -> LoadResult:
    """Load the files of a plan as one new version of the book, all or nothing; dry, say what it would do.

    Raises BadInput: a file that its mapping does not fit, a plan whose proposals were not accepted, a day of knowledge to come.
    """
    if plan.proposed and not request.dry_run:
        files = [Fault("not_accepted", "its mapping is not in book.yml.", source.path) for source in plan.proposed]
        raise BadInput(files)
    known_at = _known_at(request.known_at, plan.definition, at)
    with (
        closing(plan.reading),
        workspace.catalog() as catalog,
        catalog.writing(patience.seconds, patience.told),  # a dry run stages its rows too
    ):
        before = [line for line in catalog.load_lines() if line.state == "in force"]
        profiles = latest_profiles(catalog)
        refuse_overtaken(catalog, plan.reading, {file.mapping.table for file in plan.files})
        try:
            result = load_files(
                catalog, plan.files, plan.definition, at, request.dry_run,
                workspace.settings.memory, progress, known_at, plan.reading.cursors,
            )  # fmt: skip
        except BadInput as refusal:
            explained = explain_refusal(refusal, plan.files, plan.definition, profiles)
            if plan.reading.rows:
                raise named_faults(explained, plan.reading) from None
            raise explained from refusal
        drift = drift_of_load(result.profiles, profiles, result.load)
        stay = seen_in_place(workspace, catalog, plan.reading.in_place, at, progress) if not request.dry_run else []
        return replace(result, notes=(*result.notes, *_read_otherwise(result, before, plan), *stay), drift=drift)


def _read_otherwise(result: LoadResult, before: Sequence[LoadLine], plan: LoadPlan) -> Iterator[str]:
    """Notes on files that an earlier load read under another mapping: their former values stay in force for dates before now."""
    of_databases = {rows.name for rows in plan.reading.rows}
    for outcome in (one for one in result.sources if one.name not in of_databases):
        loads = [line.load for line in before if any((f.sha256, f.table) == (outcome.sha256, outcome.table) for f in line.files)]
        if outcome.changed and loads:
            what = f"load {loads[-1]} read {os.path.basename(outcome.name)} otherwise, and earlier dates still read what it said"
            yield f"{what}. If its mapping was wrong, take back the loads from it on (unspun undo) and load the files again"


def _known_at(day: date | None, definition: BookDefinition, at: datetime) -> datetime | None:
    """The start of the day in the book's zone, as for days in a file. Raises BadInput where it is still to come."""
    if day is None:
        return None
    instant = datetime.combine(day, time(), ZoneInfo(definition.time_zone)).astimezone(UTC)
    if instant > at:
        message = f"{day.isoformat()} is still to come, and nothing can be known then already."
        raise BadInput(Fault("known_in_future", message, "--known-at", "Give the day on which the files were known."))
    return instant
