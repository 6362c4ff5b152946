"""A proposed mapping as somebody corrected it: another table, other columns, some left out. What was not touched stays as proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from unspun.book.entities import TABLES, Kind, TableName
from unspun.book.mapping.book_fields import KNOWN_AT
from unspun.book.mapping.book_file import add_source
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose import pattern_of
from unspun.book.mapping.propose_names import snake_case
from unspun.book.mapping.propose_result import Proposal, ProposedColumn
from unspun.errors import BadInput, Fault

UNMAPPABLE = ("no_table_fits", "two_keys")
"""Why there is no proposal, where somebody who names table and columns can do better."""


@dataclass(frozen=True, slots=True)
class ChosenMapping:
    """What somebody made of a proposal. `table` None: the one that is proposed. `columns` gives, by the file's column, its name in the book
    ("": left out); None: as proposed."""

    table: TableName | None = None
    columns: Mapping[str, str] | None = None


def corrected(proposal: Proposal, choice: ChosenMapping, definition: BookDefinition, file: str) -> Proposal:
    """The proposal with the columns that were chosen; with every fault of the choice in its `faults`, and the mapping as far as it goes."""
    table = choice.table or (None if proposal.mapping is None else proposal.mapping.table)
    if choice.columns is None or table is None or any(fault.code not in UNMAPPABLE for fault in proposal.faults):
        return proposal
    before = proposal.mapping or SourceMapping((pattern_of(file),), table, {})
    named = [column for column in proposal.columns if column.file_column]
    chosen = {column.file_column: choice.columns.get(column.file_column, column.book_name) for column in named}
    mapping = _mapped(before, chosen, proposal.columns)
    faults = [*_faults(mapping, chosen, file)] or _faults_together(mapping, definition, file)
    return replace(proposal, mapping=mapping, faults=tuple(faults), columns=tuple(_told(one, mapping, chosen) for one in proposal.columns))


def own_name(header: str, taken: Mapping[str, object]) -> str:
    """A name in the book for a column that is a company's own, which none of `taken` has."""
    name = snake_case(header) or "column"
    name = f"own_{name}" if any(table.column(name) is not None for table in TABLES.values()) or name == KNOWN_AT else name
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _mapped(before: SourceMapping, chosen: Mapping[str, str], columns: tuple[ProposedColumn, ...]) -> SourceMapping:
    """What was said of a column (its words, its kind) stays with the file's column; the key stays where all its columns do."""
    now = {book: column for column, book in chosen.items() if book}
    same = {book for book, column in now.items() if before.columns.get(book) == column}
    order = [column.name for column in before.entity.columns]
    ordered = {book: now[book] for book in (*(one for one in order if one in now), *(one for one in now if one not in order))}
    kind_of: dict[str, Kind | None] = {
        one.file_column: one.kind for one in columns if one.book_name and before.entity.column(one.book_name) is None
    }
    own = [book for book in ordered if book not in order and book != KNOWN_AT]
    kinds: dict[str, Kind] = {book: kind for book in own if (kind := kind_of.get(ordered[book])) is not None}
    values = {name: value for name, value in before.values.items() if name not in now}
    kept_key = before.key if set(before.key) <= {*same, *values} else ()
    return replace(
        before, columns=ordered, kinds=kinds, values=values, key=kept_key,
        fixed=tuple(one for one in before.fixed if one in now), words={name: words for name, words in before.words.items() if name in same},
        amount_months=before.amount_months if "amount" in now else None,
        ignored=tuple(column for column, book in chosen.items() if not book),
    )  # fmt: skip


def _faults(mapping: SourceMapping, chosen: Mapping[str, str], file: str) -> Iterator[Fault]:
    counts = Counter(book for book in chosen.values() if book)
    for book, n in counts.items():
        if n > 1:
            columns = ", ".join(f"'{column}'" for column, name in chosen.items() if name == book)
            message = f"'{book}' is given to {n} columns of the file: {columns}."
            yield Fault("column_twice", message, file, "Give it to one of them.")
    given = {*mapping.columns, *mapping.values}
    table = mapping.entity
    missing = [one for one in table.required if one not in given and not (table.state and one == table.happened)]
    for name in missing:
        column = table.column(name)
        meaning = "" if column is None else f" ({column.meaning})"
        yield Fault("no_required", f"no column of the file is '{name}'{meaning}, which {table.name} must have.", file, "Choose one for it.")
    if table.one_of and not given & {*table.one_of}:
        yield Fault("no_required", f"{table.name} need a column for {' or '.join(table.one_of)}.", file, "Choose one for it.")


def _faults_together(mapping: SourceMapping, definition: BookDefinition, file: str) -> list[Fault]:
    """What book.yml would refuse of it, beside its other sources."""
    try:
        add_source(definition.text, mapping)
    except BadInput as refusal:
        return [replace(fault, where=file) for fault in refusal.faults]
    return []


def _told(column: ProposedColumn, mapping: SourceMapping, chosen: Mapping[str, str]) -> ProposedColumn:
    book = chosen.get(column.file_column, "")
    if book == column.book_name:
        return column
    return replace(column, book_name=book, kind=mapping.kind_of(book) if book else None, why="chosen by you", sure=True)
