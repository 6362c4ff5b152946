"""One source of book.yml: read from its YAML into a mapping, with every fault at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import cast
from zoneinfo import available_timezones

from unspun.book.columns import did_you_mean
from unspun.book.currencies import ISO_CODES
from unspun.book.dates import check_date_format
from unspun.book.entities import TABLES, Kind, Table, TableName
from unspun.book.mapping.book_fields import (
    COLUMN_FIELDS,
    COVERS,
    KINDS,
    KNOWN_AT,
    KNOWN_RULES,
    NAME,
    SOURCE_FIELDS,
    SQL_WORDS,
    TAKEN,
    nearly_standard,
)
from unspun.book.mapping.database_reader import read_origin
from unspun.book.mapping.definition import KnownRule, SourceMapping
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath
from unspun.book.outcomes import BY_NAME, NO, YES

CURRENCIES = tuple(ISO_CODES.split())
MOST_MONTHS = 1_200


@dataclass(slots=True)
class Entry:
    """A column of the book as a source gives it: from the file's `column`, or one `value` for every row."""

    column: str | None = None
    value: str | None = None
    kind: Kind | None = None
    words: dict[str, str] = field(default_factory=dict)
    covers: float | None = None


def read_source(checks: YamlChecks, path: YamlPath, value: object) -> SourceMapping | None:
    """The mapping at `path`; None where no table is told. Faults are kept in `checks`."""
    given = checks.fields(path, value, SOURCE_FIELDS)
    if not isinstance(value, dict):
        return None
    for name in ("files", "table", "columns"):
        if name not in value and not (name == "files" and "database" in value):
            checks.fault("missing_key", f"the source has no '{name}'.", path, f"Add `{name}:`, {SOURCE_FIELDS[name].split(';')[0]}.")
    entries = read_columns(checks, (*path, "columns"), given["columns"]) if "columns" in given else {}
    mapping = _mapping(checks, path, given, entries)
    if mapping is not None and "columns" in given:
        _SourceChecks(checks, path, mapping, entries).run()
    return mapping


def _mapping(checks: YamlChecks, path: YamlPath, given: dict[str, object], entries: dict[str, Entry]) -> SourceMapping | None:
    table = cast("TableName | None", _choice(checks, path, given, "table", tuple(TABLES)))
    known = cast("KnownRule | None", _choice(checks, path, given, "known", KNOWN_RULES))
    files = _patterns(checks, (*path, "files"), given.get("files"))
    key, fixed, ignored = (checks.texts((*path, name), given[name]) if name in given else () for name in ("key", "fixed", "ignore"))
    zone, currency, date_format = read_zone(checks, path, given), read_currency(checks, path, given), _date_format(checks, path, given)
    origin = read_origin(checks, path, given)
    if table is None:
        return None
    return SourceMapping(
        files=files or tuple(one for one in (origin.name,) if one),
        table=table,
        columns={name: entry.column for name, entry in entries.items() if entry.column is not None},
        kinds={name: entry.kind for name, entry in entries.items() if entry.kind is not None and TABLES[table].column(name) is None},
        values={name: entry.value for name, entry in entries.items() if entry.value is not None},
        key=key,
        known=known or "happened",
        fixed=fixed,
        ignored=ignored,
        words={name: entry.words for name, entry in entries.items() if entry.words},
        date_format=date_format,
        time_zone=zone,
        currency=currency,
        amount_months=next((entry.covers for entry in entries.values() if entry.covers is not None), None),
        line=checks.document.line(path),
        database=origin.database,
        relation=origin.relation,
        query=origin.query,
        cursor=origin.cursor,
        in_place=origin.in_place,
    )


def _choice(checks: YamlChecks, path: YamlPath, given: dict[str, object], name: str, choices: tuple[str, ...]) -> str | None:
    return checks.choice((*path, name), given[name], choices) if name in given else None


def _patterns(checks: YamlChecks, path: YamlPath, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    patterns = checks.texts(path, value)
    if not patterns and isinstance(value, list):
        checks.fault("no_files", "'files' is an empty list.", path, 'Name the files: "renewals*.csv".')
    for pattern in patterns:
        if re.search(r"[\x00-\x1f]", pattern) or pattern.endswith(("/", "\\")):
            checks.fault("bad_pattern", f"{pattern!r} fits no file's name.", path, "Name files, not a folder: `exports/*.csv`.")
    return patterns


def read_zone(checks: YamlChecks, path: YamlPath, given: dict[str, object]) -> str | None:
    """`time_zone` of the book or a source; None where it is not given or no zone."""
    place = (*path, "time_zone")
    zone = checks.text(place, given["time_zone"]) if "time_zone" in given else None
    if zone is None or zone in available_timezones():
        return zone
    hint = f"{did_you_mean(zone, available_timezones())}Write it as the IANA database does: Europe/Berlin, America/New_York, UTC."
    checks.fault("unknown_time_zone", f"'{zone}' is no time zone.", place, hint)
    return None


def read_currency(checks: YamlChecks, path: YamlPath, given: dict[str, object]) -> str | None:
    """`currency` of the book or a source; None where it is not given or no currency."""
    place = (*path, "currency")
    code = checks.text(place, given["currency"]) if "currency" in given else None
    if code is None or code in CURRENCIES:
        return code
    checks.fault("unknown_currency", f"'{code}' is no currency.", place, f"{_currency_meant(code)}Write its ISO 4217 code, such as USD.")
    return None


def _currency_meant(code: str) -> str:
    return f"Did you mean '{code.upper()}'? " if code.upper() in CURRENCIES else ""


def _date_format(checks: YamlChecks, path: YamlPath, given: dict[str, object]) -> str | None:
    place = (*path, "date_format")
    written = checks.text(place, given["date_format"]) if "date_format" in given else None
    faults = check_date_format(written)
    for fault in faults:
        checks.fault(fault.code, fault.message, place, fault.hint)
    return None if faults else written


def read_columns(checks: YamlChecks, path: YamlPath, value: object) -> dict[str, Entry]:
    """The columns of a source by their names in the book."""
    given = checks.entries(path, value)
    if isinstance(value, dict) and not given:
        checks.fault("no_columns", "'columns' is empty.", path, "Write `account_id: <the file's column>`, a line for each.")
    return {name: _entry(checks, (*path, name), one) for name, one in given.items()}


def _entry(checks: YamlChecks, path: YamlPath, value: object) -> Entry:
    if not isinstance(value, dict):
        return Entry(column=checks.text(path, value))
    given = checks.fields(path, value, COLUMN_FIELDS)
    if ("column" in value) == ("value" in value):
        what = "has both a 'column' and a 'value'" if "column" in value else "has neither a 'column' nor a 'value'"
        checks.fault("column_or_value", f"'{path[-1]}' {what}.", path, "Give it one of the two.")
    column = checks.text((*path, "column"), given["column"]) if "column" in given else None
    entry = Entry(column, _constant(checks, (*path, "value"), given.get("value")))
    entry.kind = cast("Kind | None", checks.choice((*path, "kind"), given["kind"], tuple(KINDS))) if "kind" in given else None
    entry.words = _words(checks, (*path, "words"), given["words"]) if "words" in given else {}
    entry.covers = _covers(checks, (*path, "covers"), given["covers"]) if "covers" in given else None
    return entry


def _constant(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    """A value for every row, or what a word stands for: text, a number, true or false, kept as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None if value is None else checks.text(path, value)


def _words(checks: YamlChecks, path: YamlPath, value: object) -> dict[str, str]:
    read = {word: _meaning(checks, (*path, word), meaning) for word, meaning in checks.entries(path, value).items()}
    return {word: meaning for word, meaning in read.items() if meaning is not None}


def _meaning(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    """What a word stands for; empty text says that it stands for nothing (n/a)."""
    if value == "":
        return ""
    if value is None:
        checks.fault("no_value", f"'{path[-1]}' stands for nothing.", path, 'Write "" where the cell counts as empty.')
    return _constant(checks, path, value)


def _covers(checks: YamlChecks, path: YamlPath, value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 < value <= MOST_MONTHS:
            return float(value)
        checks.fault("unknown_covers", f"an amount for {value:g} months cannot be.", path, f"Write {listed(COVERS)} or the months.")
        return None
    word = checks.choice(path, value, tuple(COVERS))
    return None if word is None else COVERS[word]


class _SourceChecks:
    """What must hold between the parts of one source."""

    def __init__(self, checks: YamlChecks, path: YamlPath, mapping: SourceMapping, entries: dict[str, Entry]) -> None:
        self.checks, self.path, self.mapping, self.entries = checks, path, mapping, entries
        self.table: Table = mapping.entity
        self.standard = [column.name for column in self.table.columns]

    def run(self) -> None:
        for name, entry in self.entries.items():
            self._check_name(name)
            self._check_kind(name, entry)
            self._check_values(name, entry)
        self._check_required()
        self._check_amount()
        self._check_among("key", self.mapping.key, "unmapped_key")
        self._check_fixed()
        self._check_ignored()

    def _fault(self, code: str, message: str, *path: str, hint: str = "") -> None:
        self.checks.fault(code, message, (*self.path, *path), hint)

    def _check_name(self, name: str) -> None:
        if name in self.standard:
            return
        if name == KNOWN_AT:
            if "value" in self._given(name):
                hint = "Map a column of the file, or give the day to the load: --known-at."
                self._fault("known_at_value", "'known_at' cannot be one value for every row.", "columns", name, hint=hint)
        elif name in TAKEN:
            hint = "Give your column another name."
            self._fault("name_taken", f"every table has a column '{name}' of its own.", "columns", name, hint=hint)
        elif not NAME.fullmatch(name):
            hint = f"{did_you_mean(name, self.standard)}Write small letters, digits and _, a letter first, at most 63."
            self._fault("bad_column_name", f"'{name}' cannot be a column's name.", "columns", name, hint=hint)
        elif name in SQL_WORDS:
            hint = f"Give it another, such as {name}_name."
            self._fault("bad_column_name", f"'{name}' is a word of SQL and cannot be a column's name.", "columns", name, hint=hint)
        else:
            self._check_slip(name)

    def _given(self, name: str) -> dict[str, object]:
        """The fields of a column as they stand in the file; empty where it is `name: column`."""
        value = self.checks.document.value
        for step in (*self.path, "columns", name):
            value = value[step]  # pyright: ignore[reportIndexIssue, reportUnknownVariableType]
        return cast("dict[str, object]", value) if isinstance(value, dict) else {}

    def _check_slip(self, name: str) -> None:
        """An own column without a kind whose name is nearly a standard one's that is not mapped is taken for a slip."""
        close = nearly_standard(self.table, name, self.entries)
        if close and "kind" not in self._given(name):
            hint = f"Did you mean '{close}'? If it is a column of your own, give its kind: {{column: ..., kind: text}}."
            self._fault("unknown_column", f"{self.table.name} have no column '{name}'.", "columns", name, hint=hint)

    def _check_kind(self, name: str, entry: Entry) -> None:
        standard = self.table.column(name)
        kind = "instant" if name == KNOWN_AT else standard.kind if standard else None
        if entry.kind is not None and kind is not None and entry.kind != kind:
            hint = "Remove 'kind', or give the column a name of your own."
            self._fault("kind_of_standard", f"'{name}' is {KINDS[kind]} ({kind}).", "columns", name, "kind", hint=hint)
        if entry.covers is not None and (self.table.name, name) != ("subscriptions", "amount"):
            self._fault("unknown_key", "'covers' is for 'amount' of subscriptions only.", "columns", name, "covers")

    def _check_values(self, name: str, entry: Entry) -> None:
        kind = self.mapping.kind_of(name)
        for path, text in ((("value",), entry.value), *((("words", word), meaning) for word, meaning in entry.words.items())):
            if text and (wrong := _misfit(text, kind, name, self.table.name)):
                self._fault("bad_value", f"'{text}' is {wrong}.", "columns", name, *path)

    def _check_required(self) -> None:
        missing = [name for name in self.table.required if name not in self.entries]
        for name in missing:
            column = self.table.column(name)
            meaning = column.meaning if column else ""
            hint = f"Add `{name}: <the file's column>` ({meaning})."
            self._fault("required_column", f"{self.table.name} need '{name}'.", "columns", hint=hint)
        one_of = self.table.one_of
        if one_of and not any(name in self.entries for name in one_of):
            hint = f"Add `{one_of[0]}: <the file's column>`, or the same with {' or '.join(one_of[1:])}."
            self._fault("required_column", f"{self.table.name} need {' or '.join(map(repr, one_of))}.", "columns", hint=hint)

    def _check_amount(self) -> None:
        """An amount whose period nobody states could be off by a factor of twelve."""
        if self.table.name != "subscriptions" or "amount" not in self.entries:
            return
        covers, months = self.mapping.amount_months is not None, "amount_months" in self.entries
        if covers and months:
            hint = "Give one of the two."
            self._fault("amount_period", "'covers' and 'amount_months' both say what 'amount' is for.", "columns", "amount", hint=hint)
        given = self._given("amount")
        if not covers and not months and "covers" not in given:
            hint = "Write {column: ..., covers: month} (quarter, year, term or a number of months), or map amount_months."
            self._fault("amount_period", "nothing says what 'amount' is for.", "columns", "amount", hint=hint)

    def _check_among(self, name: str, names: Iterable[str], code: str) -> None:
        for one in names:
            if one not in self.entries or one == KNOWN_AT:
                hint = f"{did_you_mean(one, self.entries)}Name columns of the book that 'columns' gives."
                self._fault(code, f"'{one}' in '{name}' is not among the columns.", name, hint=hint)

    def _check_fixed(self) -> None:
        fixed = self.mapping.fixed
        if fixed and not self.table.state:
            states = listed([table.name for table in TABLES.values() if table.state])
            self._fault("fixed_rows", f"the rows of {self.table.name} do not change with time.", "fixed", hint=f"'fixed' is for {states}.")
            return
        self._check_among("fixed", fixed, "unmapped_fixed")
        for name in fixed:
            if name in (*self.mapping.row_key, self.table.happened):
                self._fault("fixed_key", f"'{name}' tells the rows apart, and cannot be fixed.", "fixed")

    def _check_ignored(self) -> None:
        mapped = {column: name for name, column in self.mapping.columns.items()}
        for column in self.mapping.ignored:
            if column in mapped:
                self._fault("mapped_and_ignored", f"'{column}' is mapped to '{mapped[column]}' and ignored.", "ignore")


def _misfit(text: str, kind: Kind, name: str, table: TableName) -> str:
    """Why a constant cannot be a value of its column; empty where it can."""
    if (table, name) == ("renewals", "outcome"):
        return "" if text in BY_NAME else f"no outcome; the outcomes are {listed(BY_NAME)}"
    if name == "currency" and text not in CURRENCIES:
        return "no currency; write its ISO 4217 code, such as USD"
    if kind == "flag":
        return "" if text.casefold() in YES | NO else "neither yes nor no"
    if kind in ("day", "instant"):
        return "" if _is_time(text, kind) else "no date; write it as 2026-01-31"
    if kind in ("whole", "number", "money"):
        return "" if _is_number(text, kind == "whole") else "no whole number" if kind == "whole" else "no number"
    return ""


def _is_time(text: str, kind: Kind) -> bool:
    try:
        date.fromisoformat(text) if kind == "day" else datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number(text: str, whole: bool) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and abs(value) < 10**15 and (not whole or value == int(value))
