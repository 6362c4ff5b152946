"""Several files (or sheets) as one input: which files they are, and their tables joined by the names of the columns."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from unspun.book.archives import is_hidden
from unspun.book.header import recognised
from unspun.book.raw import RawTable, joined
from unspun.book.roles import REQUIRED
from unspun.book.tables import ReadingOptions, Rejection, SourceFile
from unspun.book.text import quoted, squash
from unspun.errors import BadInput, Fault

GLOB = frozenset("*?[")


def files_named(path: str) -> tuple[list[str], tuple[str, ...]] | None:
    """The files that a folder or a pattern stands for, sorted, and notes on those left out; None where it is one path.

    Raises BadInput: a folder without a file, or a pattern that fits none.
    """
    if os.path.isdir(path):
        within = sorted(str(entry) for entry in Path(path).iterdir())
        return _files(within, path, "the folder holds no file that could be a table.")
    if os.path.lexists(path) or not GLOB & set(path):
        return None
    return _files(sorted(glob.glob(path, recursive=True)), path, "no file fits the pattern.")


def _files(found: list[str], path: str, otherwise: str) -> tuple[list[str], tuple[str, ...]]:
    folders = [name for name in found if os.path.isdir(name)]
    hidden = [name for name in found if name not in folders and is_hidden(os.path.basename(name))]
    files = [name for name in found if name not in folders and name not in hidden]
    if not files:
        raise BadInput(Fault("no_such_file", otherwise, path, "Check the path."))
    left = (("folders within it not read", folders), ("hidden files not read", hidden))
    return files, tuple(f"{what}: {quoted([os.path.basename(name) for name in names])}" for what, names in left if names)


def join(tables: Sequence[RawTable], name: str, sha256: str | None, notes: tuple[str, ...], options: ReadingOptions) -> RawTable:
    """Tables of one role end to end, columns matched by name. `sha256` is that of the file where all are its sheets.

    Raises BadInput where a column that the role needs is in one table and not in another.
    """
    if len(tables) == 1:
        return replace(tables[0], notes=(*notes, *tables[0].notes))
    _refuse_missing(tables, options)
    keys = [_keys(table) for table in tables]
    names: dict[str, str] = {}
    for one, table in zip(reversed(keys), reversed(tables), strict=True):  # spelled as the first has them
        names |= dict(zip(one, table.names, strict=True))
    order = list(dict.fromkeys(key for one in keys for key in one))
    files = [file for table in tables for file in _files_of(table)]
    digest = hashlib.sha256("".join(table.sha256 for table in tables).encode()).hexdigest()
    starts = np.cumsum([0, *(len(_files_of(table)) for table in tables)]).tolist()
    forms = list(dict.fromkeys(table.format for table in tables))
    melted = [table.header is not None for table in tables]
    return RawTable(
        tables[0].role, name, sha256 or digest, " and ".join(forms), tuple(names[key] for key in order),
        tuple(joined([_column(table, one, key) for table, one in zip(tables, keys, strict=True)]) for key in order),
        np.concatenate([table.row for table in tables]), sum(table.rows_read for table in tables),
        (*notes, *_notes(tables, keys, names)), _rejections(tables, starts),
        np.concatenate([_file_index(table, start) for table, start in zip(tables, starts[:-1], strict=True)]), tuple(files),
        *(_headers(tables) if all(melted) else (None, (), ())),
        header_row=tables[0].header_row,
    )  # fmt: skip


def _keys(table: RawTable) -> list[str]:
    """A key a column: its name with case and punctuation aside; columns of one name are matched in their order."""
    seen: dict[str, int] = {}
    keys = []
    for name in table.names:
        key = squash(name) or name
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key} {seen[key]}")
    return keys


def _column(table: RawTable, keys: list[str], key: str) -> pa.ChunkedArray:
    return table.columns[keys.index(key)] if key in keys else pa.chunked_array([pa.nulls(len(table.row))])


def _files_of(table: RawTable) -> tuple[SourceFile, ...]:
    return table.files or (SourceFile(table.name, table.sha256, table.format, table.rows_read),)


def _file_index(table: RawTable, start: int) -> np.ndarray:
    return np.full(len(table.row), start, np.int32) if table.file is None else table.file + np.int32(start)


def _refuse_missing(tables: Sequence[RawTable], options: ReadingOptions) -> None:
    role = tables[0].role
    found = [recognised(table.names, role, options) for table in tables]
    faults = []
    for wanted in REQUIRED[role]:
        holders = [i for i, roles in enumerate(found) if wanted in roles]
        for i in range(len(tables)) if holders else ():
            if i not in holders:
                title = tables[holders[0]].names[found[holders[0]][wanted]]
                message = f"no column is recognised as the {wanted}, which is '{title}' in {tables[holders[0]].name}."
                hint = f"The columns are {quoted(list(tables[i].names), 30)}. Name the column alike in all files, or leave the file out."
                faults.append(Fault(f"no_{wanted}_column", message, f"{tables[i].name}:{tables[i].header_row}", hint))
    if faults:
        raise BadInput(faults)


def _notes(tables: Sequence[RawTable], keys: list[list[str]], names: dict[str, str]) -> list[str]:
    """What holds for all the files once, the rest with the file's name, and the columns that some do not have."""
    notes = [f"{len(tables):,} files or sheets read as one table"]
    for note in dict.fromkeys(note for table in tables for note in table.notes):
        having = [table.name for table in tables if note in table.notes]
        notes.append(note if len(having) == len(tables) else f"{note} (in {_short(having)})")
    for key, title in names.items():
        lacking = [table.name for table, one in zip(tables, keys, strict=True) if key not in one]
        if lacking:
            notes.append(f"column '{title}' is blank in {_short(lacking)}, which {'has' if len(lacking) == 1 else 'have'} no such column")
    return notes


def _short(names: list[str]) -> str:
    return quoted([name.replace("\\", "/").rpartition("/")[2] for name in names], 3)


def _rejections(tables: Sequence[RawTable], starts: list[int]) -> tuple[Rejection, ...]:
    """Each file's rejections, those of one code, reason and column in one."""
    found: dict[tuple[str, str, str, bool], list[tuple[Rejection, np.ndarray]]] = {}
    for table, start in zip(tables, starts, strict=False):
        for rejection in table.rejections:
            given = np.zeros(len(rejection.rows), np.int32) if rejection.file is None else rejection.file
            key = (rejection.code, rejection.reason, rejection.column, rejection.values is None)
            found.setdefault(key, []).append((rejection, given + np.int32(start)))
    return tuple(_merged(key, group) for key, group in found.items())


def _merged(key: tuple[str, str, str, bool], group: list[tuple[Rejection, np.ndarray]]) -> Rejection:
    code, reason, column, no_values = key
    rows, files = np.concatenate([one.rows for one, _ in group]), np.concatenate([file for _, file in group])
    values = None if no_values else tuple(value for one, _ in group for value in one.values or ())
    cells = None if any(one.cells is None for one, _ in group) else tuple(cell for one, _ in group for cell in one.cells or ())
    return Rejection(code, reason, rows, column, values, files, cells)


def _headers(tables: Sequence[RawTable]) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    starts = np.cumsum([0, *(len(table.headers) for table in tables)])[:-1]
    pairs = zip(tables, starts, strict=True)
    index = np.concatenate([table.header + np.int32(start) for table, start in pairs if table.header is not None])
    headers = tuple(title for table in tables for title in table.headers)
    return index, headers, tuple(dict.fromkeys(title for table in tables for title in table.melted))
