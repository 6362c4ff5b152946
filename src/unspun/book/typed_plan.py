"""What a mapping makes of the columns of one file: which column is read as what, which are constants, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa

from unspun.book.columns import did_you_mean
from unspun.book.dates import check_date_format
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.reading import find_zone
from unspun.book.text import quoted, squash
from unspun.book.typed_columns import ColumnPlan, read_column
from unspun.book.typed_rows import MENDING, MENDING_REASON, TablePlan
from unspun.errors import Fault

MOST_NAMED = 30


def plan_table(
    names: Sequence[str], header: str, mapping: SourceMapping, definition: BookDefinition
) -> tuple[TablePlan, tuple[str, ...], list[Fault]]:
    """The plan, the file's columns that are neither mapped nor left out on purpose, and every fault; `header` is the header's place."""
    place = f"book.yml:{mapping.line}" if mapping.line else "the mapping"
    zone_name = mapping.time_zone or definition.time_zone
    zone = find_zone(zone_name)
    faults = [replace(fault, where=place) for fault in check_date_format(mapping.date_format)]
    if zone is None:
        hint = f"{did_you_mean(zone_name, available_timezones())}Give a name such as Europe/Berlin or UTC."
        faults.append(Fault("unknown_time_zone", f"'{zone_name}' is not a time zone.", place, hint))
    zone = zone or ZoneInfo("UTC")
    columns, missing = _columns(names, mapping, zone)
    faults += _missing(missing, names, header, place) + _unmapped(mapping, place) + _twice(mapping, place)
    constants, bad = _constants(mapping, zone, place)
    currency = None if mapping.table == "rates" else mapping.currency or definition.currency
    mending = {name: position for name in MENDING for position in _positions(names, name)[:1]}
    mending = mending if {"unspun_load", "unspun_row"} <= mending.keys() else {}
    plan = TablePlan(mapping, zone, tuple(columns), constants, currency, mending)
    taken = {column.position for column in columns}
    named = (*mapping.ignored, *([mapping.cursor.column] if mapping.cursor else []))
    left_out = {squash(name) for name in named} | ({squash(MENDING_REASON), *map(squash, MENDING)} if mending else set())
    unlisted = [name for i, name in enumerate(names) if name and i not in taken and squash(name) not in left_out]
    return plan, tuple(dict.fromkeys(unlisted)), faults + bad


def _positions(names: Sequence[str], wanted: str) -> list[int]:
    """Positions of the columns of that name: as written, else with case and punctuation aside."""
    exact = [i for i, name in enumerate(names) if name == wanted]
    return exact or [i for i, name in enumerate(names) if squash(name) == squash(wanted) != ""]


def _columns(names: Sequence[str], mapping: SourceMapping, zone: ZoneInfo) -> tuple[list[ColumnPlan], list[tuple[str, str, int]]]:
    """The columns that are in the file, and those that are not, or more than once: name in the book, in the file, how many."""
    found: list[ColumnPlan] = []
    missing: list[tuple[str, str, int]] = []
    for name, title in mapping.columns.items():
        positions = _positions(names, title)
        if len(positions) != 1:
            missing.append((name, title, len(positions)))
            continue
        found.append(_column(mapping, name, zone, positions[0], names[positions[0]]))
    return found, missing


def _column(mapping: SourceMapping, name: str, zone: ZoneInfo, position: int | None, title: str) -> ColumnPlan:
    words = mapping.words.get(name, {})
    is_key = name in mapping.row_key
    return ColumnPlan(mapping.table, name, mapping.kind_of(name), position, title, words, mapping.date_format, zone, is_key)


def _missing(missing: Sequence[tuple[str, str, int]], names: Sequence[str], header: str, place: str) -> list[Fault]:
    """One fault for all the columns that the file should have and has not, or has more than once."""
    if not missing:
        return []
    said = [f"{'no column' if not n else f'{n} columns'} '{title}' (which is {name})" for name, title, n in missing]
    guesses = "".join(did_you_mean(title, names) for _, title, n in missing if not n)
    message = f"the file has {', '.join(said)}; its columns are {quoted([name for name in names if name], MOST_NAMED)}."
    return [Fault("no_such_column", message, header, f"{guesses}Correct the columns in {place}.")]


def _unmapped(mapping: SourceMapping, place: str) -> list[Fault]:
    given = {*mapping.columns, *mapping.values}
    entity = mapping.entity
    wanted = dict.fromkeys([*entity.required, *mapping.key])
    meanings = {column.name: f" ({column.meaning})" for column in entity.columns}
    lacking = [[name] for name in wanted if name not in given]
    if entity.one_of and not given & {*entity.one_of}:
        lacking.append([*entity.one_of])
    if not lacking:
        return []
    said = ", ".join(" or ".join(f"'{name}'{meanings.get(name, '')}" for name in names) for names in lacking)
    message = f"rows of {mapping.table} need {said}, and nothing is mapped to it."
    return [Fault("unmapped_column", message, place, "Map a column of the file to it, or give it a constant under values.")]


def _twice(mapping: SourceMapping, place: str) -> list[Fault]:
    both = [name for name in mapping.columns if name in mapping.values]
    if not both:
        return []
    return [Fault("column_twice", f"{quoted(both)} come from a column and from a constant.", place, "Keep one of the two.")]


def _constants(mapping: SourceMapping, zone: ZoneInfo, place: str) -> tuple[dict[str, pa.Array], list[Fault]]:
    constants: dict[str, pa.Array] = {}
    faults: list[Fault] = []
    for name, value in mapping.values.items():
        column = _column(mapping, name, zone, None, name)
        cells = read_column(pa.chunked_array([pa.array([value], pa.string())]), column)
        constants[name] = cells.values
        if cells.complaint is not None or cells.values.null_count:
            message = f"'{value}' is no value of {name}, which is {column.kind}." if cells.complaint is None else cells.complaint.message
            faults.append(Fault("bad_constant", message, place, cells.hint or "Give a value that can be read."))
    if mapping.amount_months is not None and mapping.entity.column("amount_months") and "amount_months" not in mapping.columns:
        constants.setdefault("amount_months", pa.array([float(mapping.amount_months)]))
    return constants, faults
