"""Rejected rows as the book keeps them, where it is the load, not the reading, that refuses a row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from unspun.book.entities import Kind
from unspun.book.mapping.definition import SourceMapping
from unspun.book.text import call
from unspun.book.typed_schema import REJECTED_COLUMNS, arrow_schema
from unspun.engines.embedded import sql_text
from unspun.warehouse.read_sql import empty_sql, stored_sql
from unspun.warehouse.versions import BookVersion

if TYPE_CHECKING:
    import duckdb

REJECTED_TABLE, MENDED_TABLE = "rejected", "mended"
REJECTED_STORED: tuple[tuple[str, Kind], ...] = (("load", "whole"), ("source_file", "whole"), *REJECTED_COLUMNS)
"""The table `rejected`: the rejected rows of all loads in force."""
MENDED_STORED: tuple[tuple[str, Kind], ...] = (
    ("load", "whole"),
    ("source_file", "whole"),
    ("source_row", "whole"),
    ("mended_load", "whole"),
    ("mended_file", "whole"),
    ("mended_row", "whole"),
)
"""The table `mended`: a row that a load accepted, and the rejected row (its load, file and row) that it takes the place of."""

MENDS_COLUMNS: tuple[tuple[str, Kind], ...] = (("mends_load", "whole"), ("mends_file", "whole"), ("mends_row", "whole"))
"""Beside the rows of a file of mended ones: the rejected row that each takes the place of."""
MENDING_CELLS = ("unspun_load", "unspun_file", "unspun_row")  # as such a file names them


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the load refuses a row; `column` is the book's name of the column to show (empty: those of the key)."""

    code: str
    reason: str
    column: str = ""


CONFLICT = Refusal("conflict", "another row of this load has the same key and other values")
TWO_VALUES = Refusal("two_values", "the book or this load has other values for the same key, known at the same time")
FUTURE = Refusal("known_in_future", "the row says that it was known after the file was received", "known_at")
REFUSALS = {refusal.code: refusal for refusal in (CONFLICT, TWO_VALUES, FUTURE)}


def rejected_rows(rows: Iterable[Mapping[str, object]], refusal: Refusal, mapping: SourceMapping) -> pa.Table:
    """Typed rows (by column of the book) in the form of REJECTED_COLUMNS; their cells are written from the typed values."""
    columns = (refusal.column,) if refusal.column else mapping.row_key
    headers = [mapping.columns.get(name, name) for name in columns]
    found = [
        {
            "table": mapping.table,
            "code": refusal.code,
            "reason": refusal.reason,
            "column": ", ".join(headers),
            "value": ", ".join(_text(row.get(name)) or "" for name in columns),
            "cells": json.dumps(_cells(row, mapping), ensure_ascii=False),
            "source_row": row["source_row"],
        }
        for row in rows
    ]
    return pa.Table.from_pylist(found, schema=arrow_schema(REJECTED_COLUMNS))


def _cells(row: Mapping[str, object], mapping: SourceMapping) -> dict[str, str | None]:
    """The file's columns that are mapped, by header."""
    happened = mapping.entity.happened
    place = zip(MENDING_CELLS, MENDS_COLUMNS, strict=True) if row.get("mends_row") is not None else ()
    return {cell: _text(row[name]) for cell, (name, _) in place} | {
        header: _text(row.get("happened_at") if name == happened and name not in row else row.get(name))
        for name, header in mapping.columns.items()
    }


def mended_rows(rows: pa.Table) -> pa.Table:
    """Of accepted rows with MENDS_COLUMNS, what they take the place of, in the columns of the table of mended rows."""
    rows = rows.filter(call("is_valid", rows.column("mends_row")))
    names = ["load", "source_file", "source_row", *(name for name, _ in MENDS_COLUMNS)]
    return rows.select(names).rename_columns([name for name, _ in MENDED_STORED])


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case Decimal():
            return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
        case _:
            return str(value)


def superseded(
    connection: duckdb.DuckDBPyConnection, folder: Path, book: BookVersion, table: str, source_file: int, load: int
) -> pa.Table | None:
    """The rejected rows that an earlier load kept of a source file for a table, where this load judges the file anew: as rows of
    the table of mended rows. None where there are none."""
    rejected, mended = book.table(REJECTED_TABLE), book.table(MENDED_TABLE)
    if rejected is None or not rejected.files:
        return None
    done = stored_sql(folder, mended) if mended is not None else empty_sql(MENDED_STORED)
    rows = connection.sql(
        f"SELECT {load}::BIGINT AS load, source_file, source_row, load AS mended_load, source_file AS mended_file, "
        f"source_row AS mended_row FROM ({stored_sql(folder, rejected)}) r "
        f'WHERE source_file = {source_file} AND "table" = {sql_text(table)} AND NOT EXISTS '
        f"(SELECT 1 FROM ({done}) m WHERE m.mended_load = r.load AND m.mended_file = r.source_file AND m.mended_row = r.source_row)"
    ).to_arrow_table()
    return rows if rows.num_rows else None
