"""A mapping proposed for a file that `book.yml` does not know: from its name, its columns' names and a sample of its contents.

`propose` reads a bounded part of the file, tries each table of the book on it, and says of every column what it takes it for and
why. What the file does not tell is a doubt in plain words; a file that fits no table gets no mapping, and the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from unspun.book.entities import TABLES, Kind, TableName
from unspun.book.mapping.book_names import ROLE_OF
from unspun.book.mapping.contents import Contents, own_kind, read_contents
from unspun.book.mapping.contents_sample import Sample, open_sample
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose_columns import Pick, Picks
from unspun.book.mapping.propose_doubts import find_doubts
from unspun.book.mapping.propose_keys import ProposedKey, agree, propose_key
from unspun.book.mapping.propose_names import own_names
from unspun.book.mapping.propose_result import (
    Proposal,
    ProposalRow,
    ProposalTable,
    ProposedColumn,
    describe_proposal,
)
from unspun.book.mapping.propose_settings import Settings, find_settings
from unspun.book.mapping.propose_table import ENOUGH, Fit, fit_tables, why_none
from unspun.book.tables import Role
from unspun.errors import BadInput, Fault

__all__ = ["Proposal", "ProposalRow", "ProposalTable", "ProposedColumn", "describe_proposal", "propose"]

OTHER_ROLES: tuple[Role, ...] = ("renewals", "subscriptions", "forecasts", "scores", "purchases", "events")
"""Kinds of file whose header, or sheet, is told where that of accounts is not."""
OF_SHEETS = frozenset({"several_sheets", "no_fitting_sheet", "hidden_sheet"})
DATE_IN_NAME = re.compile(r"(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?\d\d)?(?:[-_T]?\d{4,6})?")


def propose(path: str, definition: BookDefinition, table: TableName | None = None) -> Proposal:
    """The mapping that a file's name, columns and contents suggest; `table` is the caller's word for the table.

    At most some 60,000 rows of a big file are looked at. A file that cannot be read comes back with its faults.
    """
    zone = ZoneInfo(definition.time_zone)
    name = Path(path).name
    if Path(path).is_dir():
        return _unreadable((Fault("folder", "this is a folder.", name, "Name its files: a mapping is proposed for one at a time."),))
    try:
        sample = _open(path, table)
    except BadInput as error:
        return _unreadable(tuple(_about_sheets(fault) for fault in error.faults))
    if not len(sample.raw.row):
        return _unreadable((Fault("no_rows", "there is a header but no row that holds anything.", name, "Check the export."),))
    sample, contents, fits = _best_reading(path, name, sample, zone, table)
    best = fits[0]
    if best.missing or (table is None and best.points < ENOUGH):
        return _none(contents, fits, sample, table)
    return _proposal(name, sample, contents, fits, definition, asked=table is not None)


def _open(path: str, table: TableName | None) -> Sample:
    """The file as the named table's would be opened; else as one of accounts, or, of several sheets, the one that fits another kind."""
    first = ROLE_OF.get(table, "events") if table else "accounts"
    try:
        return open_sample(path, first)
    except BadInput as error:
        if error.faults[0].code not in OF_SHEETS:
            raise
        for role in _other_roles(table):
            with suppress(BadInput):
                return open_sample(path, role)
        raise


def _other_roles(table: TableName | None) -> tuple[Role, ...]:
    """How else a file may be opened: any way, or, for a table that the audit does not know, by its account alone."""
    if table is None:
        return OTHER_ROLES
    return () if table in ROLE_OF else ("accounts",)


def _about_sheets(fault: Fault) -> Fault:
    if fault.code not in OF_SHEETS:
        return fault
    return Fault(fault.code, fault.message, fault.where, "Save the sheet that is meant as a file of its own, or name the table with --as.")


def _unreadable(faults: tuple[Fault, ...]) -> Proposal:
    return Proposal(None, (), "the file cannot be read as a table.", faults=faults)


def _best_reading(
    path: str, name: str, sample: Sample, zone: ZoneInfo, table: TableName | None
) -> tuple[Sample, tuple[Contents, ...], list[Fit]]:
    """The file as it opens, or below title lines that only another kind of file is known to have."""
    contents = read_contents(sample.raw, zone)
    fits = fit_tables(name, contents, table)
    if not fits[0].missing or not sample.whole:
        return sample, contents, fits
    for role in _other_roles(table):
        try:
            other = open_sample(path, role)
        except BadInput:
            continue
        if other.raw.names == sample.raw.names:
            continue
        again = read_contents(other.raw, zone)
        if not (better := fit_tables(name, again, table))[0].missing:
            return other, again, better
    return sample, contents, fits


def _none(contents: tuple[Contents, ...], fits: list[Fit], sample: Sample, table: TableName | None) -> Proposal:
    columns = tuple(_left_out(column, "no table fits") for column in contents)
    why = why_none(fits)
    where = f"{sample.raw.name}:{sample.raw.header_row}"
    hint = "Name the table with --as, or map the columns in book.yml." if table is None else "Map the columns in book.yml."
    fault = Fault("no_table_fits", f"{why[0].upper()}{why[1:]}", where, hint)
    return Proposal(None, columns, why, (), (fault,), len(sample.raw.row), sample.whole)


def _left_out(contents: Contents, why: str) -> ProposedColumn:
    return ProposedColumn("", contents.name, None, why, True, contents.examples)


def _proposal(
    name: str, sample: Sample, contents: tuple[Contents, ...], fits: list[Fit], definition: BookDefinition, *, asked: bool
) -> Proposal:
    best = fits[0]
    picks = best.picks
    settings = find_settings(picks, name, definition)
    key = propose_key(picks, frozenset(settings.values))
    for dropped in (key.dropped, *settings.dropped):
        picks.found.pop(dropped, None)
    names = own_names(picks, definition)
    columns = _columns(picks, names, key, definition)
    mapping = agree(_mapping(name, picks.table, columns, settings, key, names), picks, key, definition)
    if mapping is None:
        return _other_key(name, picks.table, columns, definition)
    table_why = "; ".join(best.why) if best.why and not asked else "you named the table" if asked else "its columns fit no other table"
    doubts = find_doubts(fits, settings, key, mapping, definition, sample)
    return Proposal(mapping, columns, f"{table_why}.", doubts, (), len(sample.raw.row), sample.whole)


def _other_key(name: str, table: TableName, columns: tuple[ProposedColumn, ...], definition: BookDefinition) -> Proposal:
    """No mapping, as the table's key in another source cannot tell these rows apart."""
    other = next(source for source in definition.sources if source.table == table)
    key = ", ".join(other.row_key) or "none"
    why = f"the key of {table} is {key} in {other.files[0]}, and cannot be that of this file: a table has one key."
    hint = "Leave one of the two files out, name another table with --as, or give both sources a key that holds for both in book.yml."
    return Proposal(None, columns, why, (), (Fault("two_keys", f"{why[0].upper()}{why[1:]}", name, hint),))


def _columns(picks: Picks, names: dict[int, str], key: ProposedKey, definition: BookDefinition) -> tuple[ProposedColumn, ...]:
    """Every column of the file, in its order."""
    by_position = {pick.position: (name, pick) for name, pick in picks.found.items()}
    counts = Counter(column.name for column in picks.contents)
    found = []
    for i, contents in enumerate(picks.contents):
        if i in by_position:
            found.append(_standard(picks.table, contents, *by_position[i]))
        elif contents.nested:
            found.append(_left_out(contents, "lists or structures, which are not read"))
        elif not contents.name or counts[contents.name] > 1:
            found.append(_left_out(contents, "another column has the same name" if contents.name else "it has no name"))
        else:
            found.append(_own(picks.table, contents, names[i], key.own == i, definition))
    return tuple(found)


def _standard(table: TableName, contents: Contents, name: str, pick: Pick) -> ProposedColumn:
    standard = TABLES[table].column(name)
    kind: Kind = "instant" if standard is None else standard.kind
    sure = pick.sure and contents.complaint is None and contents.filled > 0
    why = pick.why if contents.filled else f"{pick.why}; empty in every row looked at"
    return ProposedColumn(name, contents.name, kind, why, sure, contents.examples)


def _own(table: TableName, contents: Contents, name: str, is_key: bool, definition: BookDefinition) -> ProposedColumn:
    kind, why = own_kind(contents)
    given: list[Kind] = [source.kind_of(name) for source in definition.sources if source.table == table and name in source.columns]
    if given and given[0] != kind:
        kind, why = given[0], f"{given[0]}, as in another source of book.yml"
    why = f"own column: {why}"
    why = f"{why}; in every row and never twice, so the key" if is_key else why
    return ProposedColumn(name, contents.name, kind, why, contents.filled > 0 and contents.complaint is None, contents.examples)


def _mapping(
    name: str, table: TableName, columns: tuple[ProposedColumn, ...], settings: Settings, key: ProposedKey, names: dict[int, str]
) -> SourceMapping:
    mapped = {column.book_name: column for column in columns if column.kind is not None}
    order = [column.name for column in TABLES[table].columns]
    first = [one for one in (*order, "known_at") if one in mapped]
    ordered = [*first, *(one for one in mapped if one not in first)]
    ignored = dict.fromkeys(column.file_column for column in columns if column.kind is None and column.file_column)
    return SourceMapping(
        files=(pattern_of(name),),
        table=table,
        columns={one: mapped[one].file_column for one in ordered},
        kinds={one: kind for one in ordered if one not in first and (kind := mapped[one].kind) is not None},
        values=settings.values,
        words=settings.words,
        key=tuple(names[key.own] if one == "" and key.own is not None else one for one in key.key),
        fixed=("created_on",) if table == "accounts" and "created_on" in mapped else (),
        ignored=tuple(ignored),
        currency=settings.currency,
        amount_months=settings.amount_months,
    )


def pattern_of(name: str) -> str:
    """The file's own name, with a question mark for each digit of a date in it: next month's file fits too."""
    return DATE_IN_NAME.sub(lambda found: re.sub(r"\d", "?", found[0]), name)
