"""Where a table begins and ends in its file: title lines above the header, totals and notes below the last row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa

from unspun.book.raw import RawTable
from unspun.book.roles import REQUIRED, ROLES, SCORE_ROLE
from unspun.book.tables import ReadingOptions, Role
from unspun.book.text import BLANK_WORDS, Mask, as_text, call, fold, squash
from unspun.book.vendors import find_export
from unspun.book.wide import FEWEST, periods_in, set_aside_rows

LOOKED_AT_ROWS = 40  # for the header
CLOSING_ROWS = 40  # for totals and notes, from the end
SAMPLE_BYTES = 1 << 16
SEPARATORS = ",;\t|"
FEWEST_WORDS = 3  # of a line that is a note
TOTAL_WORDS = (
    "total, totals, grand total, sub total, subtotal, overall, overall total, sum, average, mean, count, "
    "summe, gesamt, gesamtsumme, gesamtergebnis, insgesamt, durchschnitt, total general, total général, totale, totaal, totalt, "
    "totalsumma, eindtotaal, suma, suma total, somme, moyenne, media, itogo, итого, 合計, 總計, 总计, 合计"
)
TOTALS = frozenset(fold(word) for word in TOTAL_WORDS.split(","))


def recognised(cells: Sequence[str], role: Role, options: ReadingOptions) -> dict[str, int]:
    """The columns that cells would name if they were a header: position by role, the caller's own names first."""
    squashed = [squash(cell) for cell in cells]
    found: dict[str, int] = {}
    for wanted, names in _wanted(role, options, frozenset(squashed)).items():
        position = next((i for i, cell in enumerate(squashed) if cell in names), None)
        if position is not None:
            found[wanted] = position
    if role == "scores" and "date" not in found and len(periods := periods_in(cells)) >= FEWEST:
        found["date"] = periods[0].column
    return found


def fits(found: dict[str, int], role: Role) -> bool:
    """Whether every column that the role cannot do without is there."""
    return set(REQUIRED[role]) <= found.keys()


def find_header(rows: Iterable[Sequence[str]], role: Role, options: ReadingOptions) -> int | None:
    """The row whose cells name the most columns that the role needs, then the most columns; None where none names two of them.

    Of rows that follow on each other and name the same, the last: a header under the header of its groups.
    """
    best, at = (0, 0), None
    for i, cells in enumerate(islice(rows, LOOKED_AT_ROWS)):
        found = recognised(cells, role, options)
        rank = (len(set(REQUIRED[role]) & found.keys()), len(found))
        if rank[0] >= min(2, len(REQUIRED[role])) and _filled(cells) > 1 and (rank > best or (rank == best and at == i - 1)):
            best, at = rank, i
    return at


def find_header_by_shape(rows: Sequence[Sequence[str]], is_text: Sequence[bool]) -> int:
    """The first row as wide as a table is, and of text only; else the first that is not blank."""
    filled = [_filled(cells) for cells in rows]
    wide = max(filled, default=0) / 2
    for i, n in enumerate(filled):
        if n >= max(wide, 2) and is_text[i]:
            return i
    return next((i for i, n in enumerate(filled) if n), 0)


def preamble(buffer: pa.Buffer, role: Role, options: ReadingOptions) -> tuple[int, int]:
    """How many bytes and how many lines of separated text stand before its header, where the header is known by its names."""
    sample = buffer[:SAMPLE_BYTES].to_pybytes()
    if sample.removeprefix(b"\xef\xbb\xbf")[:4].lower() == b"sep=":
        return 0, 0
    text = sample.decode("latin-1")  # a character a byte
    best: tuple[int, int, int] = (0, 0, 0)
    for separator in SEPARATORS:
        records, ends = _records(text, separator)
        at = find_header(records, role, options)
        if at is not None and (n := len(recognised(records[at], role, options))) > best[0]:
            best = (n, ends[at - 1] if at else 0, at)
    return best[1:]


def _records(text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """The first records of a text, and the number of bytes up to the end of each."""
    lengths = np.cumsum([len(line) for line in islice(io.StringIO(text, newline=""), 10 * LOOKED_AT_ROWS)])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    records: list[list[str]] = []
    ends: list[int] = []
    try:
        for record in islice(reader, LOOKED_AT_ROWS):
            if reader.line_num > len(lengths):
                break
            records.append([cell.encode("latin-1").decode("utf-8-sig", "replace") for cell in record])
            ends.append(int(lengths[reader.line_num - 1]))
    except csv.Error:  # a cell longer than any header
        pass
    return records, ends


def set_closing_aside(raw: RawTable, options: ReadingOptions) -> RawTable:
    """The table without the header repeated among its rows, and without the totals and notes below its last row."""
    found = recognised(raw.names, raw.role, options)
    if "account" not in found or not len(raw.row):
        return raw
    raw = _without_repeated_header(raw, [found[wanted] for wanted in REQUIRED[raw.role] if wanted in found])
    first = max(0, len(raw.row) - CLOSING_ROWS)
    tail = [[cell or "" for cell in as_text(column.slice(first)).to_pylist()] for column in raw.columns]
    others = [found[wanted] for wanted in REQUIRED[raw.role] if wanted != "account" and wanted in found]
    others = [i for i in others if not periods_in([raw.names[i]])]  # a column a month
    notes, totals = np.zeros(len(raw.row), bool), np.zeros(len(raw.row), bool)
    for i, cells in reversed(list(enumerate(zip(*tail, strict=True)))):
        kind = _closing_kind(cells, found["account"], others)
        if kind is None:
            break
        notes[first + i], totals[first + i] = kind == "note", kind == "totals"
    raw = set_aside_rows(raw, notes, "note_below", "note below the table")
    return set_aside_rows(raw, totals[~notes], "totals_row", "totals row")


def is_total(cell: object) -> bool:
    """Whether the cell that names the account says that the row adds up others."""
    return isinstance(cell, str) and fold(cell) in TOTALS


def _closing_kind(cells: Sequence[str], account: int, others: Sequence[int]) -> str | None:
    """What a row at the end of a table is: totals, a note, blank, or None where it is a row like any other.

    An account may be called Total: its row has dates, which a row of totals does not have.
    """
    filled = [cell for cell in cells if _says_something(cell)]
    if not filled:
        return "blank"
    if any(_says_something(cells[i]) for i in others):
        return None
    if is_total(cells[account]):
        return "totals"
    return "note" if len(filled) == 1 < len(cells) - 1 and len(filled[0].split()) >= FEWEST_WORDS else None


def _says_something(cell: str) -> bool:
    return cell.strip().casefold() not in BLANK_WORDS


def _without_repeated_header(raw: RawTable, columns: Sequence[int]) -> RawTable:
    mask = np.ones(len(raw.row), bool)
    for i in columns:
        if not mask.any():
            return raw
        mask &= _equal(raw.columns[i], raw.names[i])
    return set_aside_rows(raw, mask, "repeated_header", "the header again")


def _equal(column: pa.ChunkedArray, word: str) -> Mask:
    """Which cells of a column of text are the word; none of a column of anything else."""
    if pa.types.is_string(column.type):
        return call("equal", column, pa.scalar(word)).fill_null(False).to_numpy()
    if not pa.types.is_dictionary(column.type):
        return np.zeros(len(column), bool)
    masks = [np.zeros(0, bool)]
    for chunk in column.chunks:
        code = next((code for code, entry in enumerate(chunk.dictionary.to_pylist()) if entry == word), -2)
        masks.append(chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) == code)
    return np.concatenate(masks)


def _wanted(role: Role, options: ReadingOptions, cells: frozenset[str]) -> dict[str, frozenset[str]]:
    """The squashed names of each role's column: the usual ones, those of the product whose export the cells tell, the caller's."""
    wanted = {name: frozenset(word for tier in tiers for word in tier) for name, tiers in ROLES[role].items()}
    export = find_export(role, cells)
    for name, words in (*export.columns.items(), *export.otherwise.items()) if export else ():
        wanted[name] = wanted.get(name, frozenset()) | {squash(word) for word in words.split(", ")}
    for key, column in options.columns.items():
        place, _, name = key.rpartition(".")
        if place in ("", role) and (name in wanted or name == SCORE_ROLE) and (place or f"{role}.{name}" not in options.columns):
            wanted[name] = frozenset({squash(column)}) - {""}
    return wanted


def _filled(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell.strip())
