"""Before a load reads a row: its sources opened, the layout of each table settled, and what has been loaded already found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unspun.book.entities import Kind
from unspun.book.mapping.book_file import mapping_sha256
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.typed import TypedSource, open_typed
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.delta import column_ranges
from unspun.warehouse.staging import file_stamp
from unspun.warehouse.versions import BookVersion, TableVersion


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to load and the mapping that says how.

    `name` is what it goes by where that is not the file's own name: rows read from a database are in a file of ours, and say what is so
    now, though they have said it before.
    """

    path: str
    mapping: SourceMapping
    name: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source, opened. `twin` is the place in the load of an earlier file with the same bytes and mapping; None for most."""

    path: str
    mapping: SourceMapping
    mapping_sha256: str
    source: TypedSource
    stamp: tuple[int, int, int]
    loaded_by: int | None
    twin: int | None

    @property
    def is_read(self) -> bool:
        return self.loaded_by is None and self.twin is None


def open_sources(
    catalog: Catalog, files: Sequence[PlannedFile], definition: BookDefinition, dated_back: bool = False
) -> tuple[Opened, ...]:
    """Open every file. `dated_back`: the caller says when the files were known. Raises BadInput with the faults of all of them together."""
    opened: list[Opened] = []
    faults: list[Fault] = []
    for file in files:
        try:
            opened.append(_open(catalog, file, definition, opened, dated_back))
        except BadInput as refusal:
            faults += refusal.faults
        except OSError as error:
            hint = "Check the path, and that you may read it."
            faults.append(Fault("unreadable_file", f"the file cannot be read ({error.strerror})", file.path, hint))
    if faults:
        raise BadInput(faults)
    return tuple(opened)


def _open(catalog: Catalog, file: PlannedFile, definition: BookDefinition, before: Sequence[Opened], dated_back: bool) -> Opened:
    stamp = file_stamp(file.path)
    source, mapping_hash = open_typed(file.path, file.mapping, definition), mapping_sha256(file.mapping, definition)
    same = (place for place, other in enumerate(before) if (other.source.sha256, other.mapping_sha256) == (source.sha256, mapping_hash))
    # An undated snapshot says how things are at a time; given a time of its own, it is another statement though its bytes are the same.
    anew = dated_back and is_undated(file.mapping)
    loaded_by = None if anew else _loaded(catalog, source.sha256, mapping_hash, file.mapping.table)
    if file.name:
        source.name = file.name
        loaded_by = None if loaded_by is not None and _fed_since(catalog, file.mapping.table, loaded_by) else loaded_by
    return Opened(file.path, file.mapping, mapping_hash, source, stamp, loaded_by, next(same, None))


def is_undated(mapping: SourceMapping) -> bool:
    """Whether the rows are statements about how things are when they are received."""
    return mapping.entity.state and mapping.entity.happened not in {*mapping.columns, *mapping.values}


def _loaded(catalog: Catalog, sha256: str, mapping_hash: str, table: str) -> int | None:
    """The load in force that took the file under this mapping, unless a later one took it into the table under another."""
    load = catalog.loaded(sha256, mapping_hash)
    if load is None:
        return None
    later = [line for line in catalog.load_lines() if line.load > load and line.state == "in force"]
    read_otherwise = any(file.sha256 == sha256 and file.table == table for line in later for file in line.files)
    return None if read_otherwise else load


def _fed_since(catalog: Catalog, table: str, load: int) -> bool:
    """Whether a later load in force took anything into the table."""
    later = (line for line in catalog.load_lines() if line.load > load and line.state == "in force")
    return any(file.table == table for line in later for file in line.files)


def layouts(opened: Iterable[Opened], definition: BookDefinition, current: BookVersion | None) -> dict[str, TableVersion]:
    """The tables that the load's sources feed, as they are in the book but with the columns and key they will have.

    Raises BadInput, all faults together: a column that is of another kind in the book or in another source, another key.
    """
    found: dict[str, TableVersion] = {}
    faults: list[Fault] = []
    for item in opened:
        name = item.mapping.table
        table = found.get(name) or _present(name, item.mapping, definition, current)
        faults += _key_faults(table, item)
        columns, wrong = _grown(table, item)
        faults += wrong
        found[name] = replace(table, columns=columns)
    if faults:
        raise BadInput(list(dict.fromkeys(faults)))
    return found


def _present(name: str, mapping: SourceMapping, definition: BookDefinition, current: BookVersion | None) -> TableVersion:
    table = current.table(name) if current is not None else None
    fixed = {column for source in (*definition.sources, mapping) if source.table == name for column in source.fixed}
    if table is None:
        return TableVersion(name, 0, mapping.row_key, mapping.entity.row_columns, False, (), tuple(sorted(fixed)))
    key = table.key if table.files else mapping.row_key
    return replace(table, key=key, fixed=tuple(sorted(fixed)))


def _key_faults(table: TableVersion, item: Opened) -> list[Fault]:
    if set(table.key) == set(item.mapping.row_key):
        return []
    message = f"its rows would be identified by {_key_text(item.mapping.row_key)}, those of {table.name} by {_key_text(table.key)}."
    hint = "Give the source the same key, or undo the loads of the table and load its files again."
    return [Fault("other_key", message, _place(item), hint)]


def _key_text(key: Sequence[str]) -> str:
    return ", ".join(key) if key else "their file and row number"


def _grown(table: TableVersion, item: Opened) -> tuple[tuple[tuple[str, Kind], ...], list[Fault]]:
    """The table's columns and those that the source adds."""
    columns, faults = dict(table.columns), list[Fault]()
    for name, kind in item.source.columns:
        if columns.setdefault(name, kind) != kind:
            message = f"column {name} is {columns[name]} in {table.name} and {kind} in this source."
            faults.append(Fault("other_kind", message, _place(item), f"Declare it as {columns[name]}, or give it another name."))
    return tuple(columns.items()), faults


def _place(item: Opened) -> str:
    return f"book.yml:{item.mapping.line}" if item.mapping.line else item.path


def may_hold(folder: Path, table: TableVersion, source_file: int) -> bool:
    """Whether a table may hold rows of that source file, by the footers of its data files."""
    for file in table.files:
        least, greatest, _ = column_ranges(folder / file.path).get("source_file", (source_file, source_file, 0))
        if isinstance(least, int) and isinstance(greatest, int) and least <= source_file <= greatest:
            return True
    return False
