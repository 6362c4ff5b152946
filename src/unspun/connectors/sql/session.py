"""What a reading of a database needs of it, whichever system it is: its relations, their columns, and their rows in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa

from unspun.book.columns import did_you_mean
from unspun.book.mapping.definition import Cursor
from unspun.errors import BadInput, Fault, UnspunError

CursorKind = Literal["instant", "time", "day", "whole", "text"]
"""What a cursor column holds: times with a zone, times without one, days, whole numbers, or times written as text (SQLite)."""
USUAL_OVERLAP_SECONDS = 3_600.0
USUAL_OVERLAP_STEPS = 1_000.0
REPEATED_HOUR_SECONDS = 3_600.0  # a clock without a zone is set back by as much in autumn


class Unreadable(UnspunError):
    """The database did not answer: away, refused, broken off. Nothing was loaded."""


class Misfit(Exception):
    """A column whose values do not fit the type that was taken for it: it is to be read as text."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view. `name` is as it is given in book.yml; `rows` the database's estimate, None where it has none."""

    name: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Since:
    """From where on rows are read: the cursor column, what it holds, and the last value that was loaded, as text."""

    column: str
    kind: CursorKind
    last: str
    overlap: float  # seconds, or steps of a whole number


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows to read: of a relation or of a query, those from a cursor's value on (None: all)."""

    relation: str = ""
    query: str = ""
    since: Since | None = None


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a selection holds, told before it is read: its columns, how they are ordered, and where its cursor stands.

    `columns` are names and the Arrow types that they are read as; `last` is the greatest value of the cursor that is not to come.
    """

    columns: tuple[tuple[str, pa.DataType], ...]
    rows: int
    last: str | None
    without_cursor: int
    notes: tuple[str, ...]


class Session(Protocol):
    """An open database: one read-only transaction, which sees one state of it from beginning to end."""

    def relations(self) -> list[Relation]:
        """The tables and views there are, by name."""
        ...

    def key(self, relation: str) -> tuple[str, ...]:
        """The columns of a relation's primary key; empty where it has none."""
        ...

    def cursor_kind(self, selection: Selection, column: str) -> CursorKind:
        """What a cursor column holds. Raises BadInput where it is none of the columns, or none that orders rows."""
        ...

    def survey(self, selection: Selection, cursor: str | None, as_text: frozenset[str]) -> Surveyed:
        """What the rows are, in one pass over them."""
        ...

    def batches(self, selection: Selection, surveyed: Surveyed, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in batches. Raises Misfit for a column that must be read as text."""
        ...


def overlap_of(cursor: Cursor, kind: CursorKind, where: str) -> float:
    """How far before the last value reading begins; an hour more for times without a zone.

    Raises BadInput where it is a time for a number, or a number for a time.
    """
    steps = kind == "whole"
    more = REPEATED_HOUR_SECONDS if kind in ("time", "text") else 0.0
    if cursor.overlap is None:
        return USUAL_OVERLAP_STEPS if steps else USUAL_OVERLAP_SECONDS + more
    if cursor.overlap and cursor.in_seconds == steps:
        what, write = ("whole numbers", "1000") if steps else ("times", "1 hour")
        raise BadInput(
            Fault("other_overlap", f"'{cursor.column}' holds {what}, and its overlap does not.", where, f"Write `overlap: {write}`.")
        )
    return cursor.overlap + more


def column_of(names: Sequence[str], wanted: str, where: str) -> str:
    """A column by its name. Raises BadInput where there is none."""
    if wanted not in names:
        message = f"the cursor '{wanted}' is none of the columns."
        raise BadInput(Fault("no_such_column", message, where, f"They are {', '.join(names[:30])}."))
    return wanted


def refuse_repeated(names: Sequence[str], where: str) -> None:
    """Raises BadInput where two columns have one name."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = f"several columns have the name {', '.join(repeated)}."
        raise BadInput(Fault("repeated_column", message, where, "Give each a name of its own in the query: a.id AS account_id."))


def known_relation(relations: Sequence[Relation], wanted: str, where: str) -> str:
    """The full name of the relation meant by `wanted`, with its schema or without. Raises BadInput: none, or several."""
    fitting = [one.name for one in relations if wanted == one.name or one.name.endswith(f".{wanted}")]
    if len(fitting) == 1 or wanted in fitting:
        return wanted if wanted in fitting else fitting[0]
    if fitting:
        raise BadInput(Fault("several_relations", f"several relations are called '{wanted}'.", where, f"They are {', '.join(fitting)}."))
    message = f"the database has no table or view '{wanted}' that can be seen."
    hint = did_you_mean(wanted, [name for one in relations for name in (one.name, one.name.partition(".")[2]) if name])
    raise BadInput(Fault("no_such_relation", message, where, f"{hint}{listing(relations)}"))


def listing(relations: Sequence[Relation], most: int = 40) -> str:
    """The relations in a sentence, each with how many rows it is thought to have."""
    if not relations:
        return "It has no table or view that you may see."
    told = [one.name if one.rows is None else f"{one.name} (about {one.rows:,} rows)" for one in relations[:most]]
    more = f" and {len(relations) - most:,} more" if len(relations) > most else ""
    return f"It has {', '.join(told)}{more}."
