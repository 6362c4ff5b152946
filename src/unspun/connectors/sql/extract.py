"""Rows of a database written to a Parquet file, which a load takes as it takes any file: the same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.mapping.definition import SourceMapping
from unspun.connectors.sql.address import Address
from unspun.connectors.sql.postgres import Limits, open_postgres
from unspun.connectors.sql.session import (
    CursorKind,
    Misfit,
    Selection,
    Session,
    Since,
    Surveyed,
    known_relation,
    overlap_of,
)
from unspun.connectors.sql.sqlite import open_sqlite

GROUP_ROWS = 1 << 15


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of one source of a database, in a file of ours. `last` is where its cursor stands now, of the kind `cursor_kind`.

    `since` is the value that reading began from; None where all rows were read. `key` is the relation's primary key.
    """

    path: Path
    rows: int
    relation: str
    key: tuple[str, ...]
    cursor_kind: CursorKind | None
    last: str | None
    since: Since | None
    notes: tuple[str, ...]


def open_database(address: Address, name: str, statement_seconds: int = 0) -> AbstractContextManager[Session]:
    """One read-only transaction on the database; `name` stands for it in messages. Raises Unreadable where it cannot be reached."""
    if address.system == "sqlite":
        return open_sqlite(address, name, Limits().connect_seconds, statement_seconds)
    return open_postgres(address, name, Limits(statement_seconds=statement_seconds))


def extract(
    session: Session,
    mapping: SourceMapping,
    last: tuple[CursorKind, str] | None,
    path: Path,
    name: str,
    progress: Callable[[int, int], None],
) -> Extract:
    """Write the rows of a source to `path`: all of them, or those from its cursor's `last` value on (less the overlap).

    `progress` is told rows done and rows in all. Raises BadInput: no such relation or column, a query that is refused; Unreadable
    where the database broke off (then there is no file).
    """
    relation = known_relation(session.relations(), mapping.relation, name) if mapping.relation else ""
    selection, key = Selection(relation, mapping.query), session.key(relation) if relation else ()
    kind, since = _since(session, selection, mapping, last, name)
    selection = replace(selection, since=since)
    cursor = None if mapping.cursor is None else mapping.cursor.column
    surveyed, rows = _write(session, selection, cursor, row_order(mapping, key), path, progress)
    notes = [*surveyed.notes]
    if surveyed.without_cursor:
        notes.append(f"{surveyed.without_cursor:,} rows without a value in '{cursor}' are read each time")
    return Extract(path, rows, relation, key, kind, surveyed.last, since, tuple(notes))


def _since(
    session: Session, selection: Selection, mapping: SourceMapping, last: tuple[CursorKind, str] | None, name: str
) -> tuple[CursorKind | None, Since | None]:
    if mapping.cursor is None:
        return None, None
    kind = session.cursor_kind(selection, mapping.cursor.column)
    overlap = overlap_of(mapping.cursor, kind, name)
    return kind, None if last is None or last[0] != kind else Since(mapping.cursor.column, kind, last[1], overlap)


def row_order(mapping: SourceMapping, key: tuple[str, ...]) -> Callable[[Sequence[str]], list[str]]:
    """Columns to order rows by: the primary key, else those of the row's key first and then all, so that no order is left open."""

    def ordered(names: Sequence[str]) -> list[str]:
        if key and set(key) <= set(names):
            return list(key)
        first = [mapping.columns[name] for name in mapping.row_key if mapping.columns.get(name) in names]
        return [*first, *(name for name in names if name not in first)]

    return ordered


def _write(
    session: Session,
    selection: Selection,
    cursor: str | None,
    order: Callable[[Sequence[str]], list[str]],
    path: Path,
    progress: Callable[[int, int], None],
) -> tuple[Surveyed, int]:
    as_text: frozenset[str] = frozenset()
    while True:
        surveyed = session.survey(selection, cursor, as_text)
        names = [name for name, _ in surveyed.columns]
        try:
            return surveyed, _written(session, selection, surveyed, order(names), path, progress)
        except Misfit as misfit:
            if misfit.column in as_text:
                raise RuntimeError(f"{misfit.column} was read as text and does not fit") from None
            as_text |= {misfit.column}
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _written(
    session: Session, selection: Selection, surveyed: Surveyed, order: Sequence[str], path: Path, progress: Callable[[int, int], None]
) -> int:
    """Rows gathered to groups of one size, so that the file does not depend on how they came."""
    schema, rows, waiting = pa.schema(surveyed.columns), 0, list[pa.RecordBatch]()
    with pq.ParquetWriter(path, schema) as writer:
        for batch in session.batches(selection, surveyed, order):
            waiting.append(batch)
            rows += batch.num_rows
            progress(rows, surveyed.rows)
            while sum(one.num_rows for one in waiting) >= GROUP_ROWS:
                table = pa.Table.from_batches(waiting, schema)
                writer.write_table(table.slice(0, GROUP_ROWS).combine_chunks(), row_group_size=GROUP_ROWS)
                waiting = table.slice(GROUP_ROWS).to_batches()
        if waiting or not rows:
            writer.write_table(pa.Table.from_batches(waiting, schema).combine_chunks(), row_group_size=GROUP_ROWS)
    return rows
