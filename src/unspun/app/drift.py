"""Schema drift: the files of a load beside those of the load before it of the same source, as findings and as causes of refusals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast
from zoneinfo import ZoneInfo

from unspun.book.checks.finding import Finding
from unspun.book.drift.compare import Change, compare_with_load
from unspun.book.drift.findings import Drift, to_findings, together, told
from unspun.book.drift.profile import FileProfile, profile_file, source_of
from unspun.book.entities import TableName
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.yaml_nodes import YamlPath, read_yaml
from unspun.book.typed_files import open_file
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_profiles import ProfiledLoad, StoredProfile, latest_profiles
from unspun.warehouse.load import PlannedFile

BOOK_FILE = "book.yml"
Profiles = Mapping[str, tuple[ProfiledLoad, ...]]


def drift_of_load(profiles: Sequence[StoredProfile], before: Profiles, load: int | None) -> tuple[Finding, ...]:
    """How the files of a load differ from those of the last load of the same source; `load` None in a dry run."""
    drifts: list[Drift] = []
    for source in dict.fromkeys(one.source for one in profiles):
        files = [(one.name, one.profile) for one in profiles if one.source == source]
        if before.get(source):
            drifts += _drifts(source, files, before[source][0], load)
    return to_findings(drifts)


def latest_drift(catalog: Catalog, version: int | None = None) -> tuple[Finding, ...]:
    """How the last load of each source differs from the one before it, in the book as it is now or at a version.

    Loads that are undone do not count.
    """
    held = latest_profiles(catalog, 2, version)
    pairs = [(source, loads[0], loads[1]) for source, loads in held.items() if len(loads) > 1]
    return to_findings(drift for source, last, former in pairs for drift in _drifts(source, last.files, former, last.load))


def _drifts(source: str, files: Sequence[tuple[str, FileProfile]], former: ProfiledLoad, load: int | None) -> tuple[Drift, ...]:
    found = [(name, compare_with_load(former.profiles, profile)) for name, profile in files]
    return together(cast("TableName", json.loads(source)[0]), found, load, former.load)


# Why a load is refused


def explain_refusal(refusal: BadInput, files: Iterable[PlannedFile], definition: BookDefinition, before: Profiles) -> BadInput:
    """The refusal, with the change since the last load that is its cause named in the faults of each file that has changed."""
    faults = list(refusal.faults)
    for file in files:
        loads = before.get(source_of(file.mapping))
        if loads and any(_is_of(fault, file.path) for fault in faults):
            changes = _changes(file, loads[0], definition)
            faults = [
                _explained(fault, changes, file.mapping, definition, loads[0].load) if _is_of(fault, file.path) else fault
                for fault in faults
            ]
    return BadInput(faults)


def _is_of(fault: Fault, path: str) -> bool:
    return fault.where == path or fault.where.startswith(f"{path}:")


def _changes(file: PlannedFile, former: ProfiledLoad, definition: BookDefinition) -> tuple[Change, ...]:
    """The file's changes, as far as it can be opened at all."""
    zone = ZoneInfo(file.mapping.time_zone or definition.time_zone)
    try:
        return compare_with_load(former.profiles, profile_file(open_file(file.path, file.mapping).sample(), file.mapping, zone))
    except (BadInput, OSError):
        return ()  # what is wrong with the file, the refusal says


def _explained(fault: Fault, changes: Sequence[Change], mapping: SourceMapping, definition: BookDefinition, since: int) -> Fault:
    if fault.code == "no_such_column":
        gone = [change for change in changes if change.kind in ("renamed", "dropped") and change.book_column]
        hint = fault.hint
        for change in gone:
            if change.renaming is not None:
                hint = hint.replace(f"Did you mean '{change.renaming.now.name}'? ", "")
        return replace(fault, hint=" ".join([*(_hint(change, mapping, definition, since) for change in gone), hint]))
    causes = [change for change in changes if change.kind not in ("added", "dropped", "narrowed") and _names(fault, change)]
    if not causes:
        return fault
    said = " ".join(f"Since load {since}, {told(change)}." for change in causes)
    return replace(fault, message=f"{fault.message} {said}")


def _names(fault: Fault, change: Change) -> bool:
    """Whether a fault is about a column."""
    names = {column.name for column in (change.before, change.now) if column is not None}
    return any(fault.where.endswith(f":{name}") or f"'{name}'" in fault.message for name in names)


def _hint(change: Change, mapping: SourceMapping, definition: BookDefinition, since: int) -> str:
    """Of a mapped column that is gone: what it may be called now, why, and where book.yml would say so."""
    if change.renaming is None:
        return f"'{change.column}' was there in load {since}, and no new column is like it."
    new, place = change.renaming.now.name, _place(change, mapping, definition)
    why = "; ".join(change.renaming.reasons)
    return f"Was '{change.column}' renamed to '{new}' since load {since} ({why})? If so, write '{new}' for '{change.column}' in {place}."


def _place(change: Change, mapping: SourceMapping, definition: BookDefinition) -> str:
    """The line of book.yml that maps a column; the line of its source where that cannot be told."""
    usual = f"{BOOK_FILE}:{mapping.line}" if mapping.line else BOOK_FILE
    places = [i for i, source in enumerate(definition.sources) if source.line == mapping.line]
    if not mapping.line or not places or not definition.text:
        return usual
    document = read_yaml(definition.text, BOOK_FILE)
    path: YamlPath = ("sources", places[0], "columns", change.book_column)
    return document.place(path) if path in document.lines else usual
