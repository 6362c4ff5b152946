"""What a proposal is, and how it is laid out for a reader: data only, the doors print it."""

from __future__ import annotations

from dataclasses import dataclass

from unspun.book.entities import Kind
from unspun.book.mapping.definition import SourceMapping
from unspun.errors import Fault


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column of the file: what it becomes in the book, why, and up to three of its values.

    `kind` None: the column is left out, and `book_name` is empty. `sure` is False where a reader should look twice.
    """

    book_name: str
    file_column: str
    kind: Kind | None
    why: str
    sure: bool
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping to accept or to correct; None where the file feeds no table of the book.

    `table_why` says why this table, or why none and what is missing. `doubts` say, a sentence each, what the file does not tell.
    `faults` are those of a file that cannot be read at all. `rows` were looked at; they are all of the file where `whole`.
    """

    mapping: SourceMapping | None
    columns: tuple[ProposedColumn, ...]
    table_why: str
    doubts: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    rows: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A line of the table that a reader is shown. `mark` is "" where the column is sure, "?" where not, "-" where it is left out."""

    book_column: str
    file_column: str
    kind: str
    why: str
    examples: str
    mark: str


@dataclass(frozen=True, slots=True)
class ProposalTable:
    """A proposal laid out: standard columns first, then own ones, then those left out; and what holds for the file as a whole."""

    title: str
    rows: tuple[ProposalRow, ...]
    settings: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]


def describe_proposal(proposal: Proposal) -> ProposalTable:
    """The proposal as a table (book column, file column, kind, why, examples), its settings by name, and its doubts."""
    mapping = proposal.mapping
    rows = tuple(_row(column) for column in proposal.columns)
    if mapping is None:
        return ProposalTable(proposal.table_why, rows, (), proposal.doubts)
    standard = {column.name for column in mapping.entity.columns} | {"known_at"}
    order = sorted(rows, key=lambda row: (row.mark == "-", row.book_column not in standard))
    title = f"{mapping.table}: {proposal.table_why}"
    return ProposalTable(title, tuple(order), mapping_settings(mapping), proposal.doubts)


def _row(column: ProposedColumn) -> ProposalRow:
    mark = "-" if column.kind is None else "" if column.sure else "?"
    return ProposalRow(column.book_name, column.file_column, column.kind or "", column.why, ", ".join(column.examples), mark)


def mapping_settings(mapping: SourceMapping) -> tuple[tuple[str, str], ...]:
    """What the mapping says beside its columns, by the names that `book.yml` uses."""
    found = {
        "files": ", ".join(mapping.files),
        "key": ", ".join(mapping.row_key) or "none: a row is its file and row number",
        "known": mapping.known,
        "fixed": ", ".join(mapping.fixed),
        "values": ", ".join(f"{name}: {value}" for name, value in mapping.values.items()),
        "words": ", ".join(f"{name}: {len(words)}" for name, words in mapping.words.items()),
        "currency": mapping.currency or "",
        "amount_months": "" if mapping.amount_months is None else f"{mapping.amount_months:g}",
    }
    return tuple((name, value) for name, value in found.items() if value)
