"""`contracts` of book.yml: read from its YAML, with every fault at its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from unspun.book.columns import did_you_mean
from unspun.book.entities import TABLES, Kind, TableName
from unspun.book.mapping.book_fields import KNOWN_AT, NAME, NEARLY, TAKEN
from unspun.book.mapping.contract_definition import (
    PERIODS,
    RULES,
    SEVERITIES,
    USUAL_PERIODS,
    WEEKDAYS,
    ColumnRule,
    DayBound,
    FreshnessRule,
    Period,
    RuleName,
    Severity,
    TableContract,
    UniqueRule,
    VolumeRule,
    Wanted,
    Weekday,
)
from unspun.book.mapping.contract_fields import (
    COLUMN_RULES,
    CONTRACT_FIELDS,
    FRESHNESS_FIELDS,
    MOST_PERIODS,
    MOST_ROWS,
    UNIQUE_FIELDS,
    VOLUME_FIELDS,
)
from unspun.book.mapping.contract_values import read_age, read_choices, read_factor, read_share, read_wanted, read_whole
from unspun.book.mapping.definition import SourceMapping
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath

Fields = Mapping[str, object]
NEARLY_MAPPED = 0.7
"""How near a name is to a column's to be a slip for it, in a table whose columns the sources tell already."""


def read_contracts(checks: YamlChecks, value: object, sources: Sequence[SourceMapping]) -> tuple[TableContract, ...]:
    """The contracts by table. `sources` tell which columns the book has, and of what kinds. Faults are kept in `checks`."""
    found: list[TableContract] = []
    for name, one in checks.entries(("contracts",), value).items():
        if name in TABLES:
            found.append(_Reader(checks, cast("TableName", name), sources).contract(one))
        else:
            hint = f"{did_you_mean(name, TABLES)}The tables are {listed(TABLES)}."
            checks.fault("unknown_table", f"'{name}' is no table of the book.", ("contracts", name), hint)
    return tuple(found)


def column_kind(sources: Iterable[SourceMapping], table: str, column: str) -> Kind | None:
    """The kind of a column: the standard one's, else that of the source that maps it; None where neither is there."""
    entity = next((entity for entity in TABLES.values() if entity.name == table), None)
    standard = None if entity is None else entity.column(column)
    if standard is not None:
        return standard.kind
    mapped = (source for source in sources if source.table == table and column in {*source.columns, *source.values})
    return next((source.kind_of(column) for source in mapped), None)


class _Reader:
    """Reads the contract of one table."""

    def __init__(self, checks: YamlChecks, table: TableName, sources: Sequence[SourceMapping]) -> None:
        self.checks, self.sources = checks, sources
        self.table: TableName = table
        self.path: YamlPath = ("contracts", table)
        self.severity: Severity = "error"
        self.why = ""

    def contract(self, value: object) -> TableContract:
        given = self.checks.fields(self.path, value, CONTRACT_FIELDS)
        self.severity, self.why = self._severity(self.path, given), self._why(self.path, given)
        columns = self.checks.entries((*self.path, "columns"), given["columns"]) if "columns" in given else {}
        if "columns" in given and not columns and isinstance(given["columns"], dict):
            self.checks.fault("no_rule", "'columns' is empty.", (*self.path, "columns"), "Give a column its rules.")
        rules = [rule for name, one in columns.items() for rule in self._column((*self.path, "columns", name), name, one)]
        unique = [rule for path, one in self._entries(given, "unique") if (rule := self._unique(path, one)) is not None]
        fresh = [rule for path, one in self._entries(given, "freshness") if (rule := self._freshness(path, one)) is not None]
        volume = [rule for path, one in self._entries(given, "volume") for rule in self._volume(path, one)]
        if isinstance(value, dict) and not {"columns", "unique", "freshness", "volume"} & set(value):
            self.checks.fault(
                "no_rule", f"the contract of {self.table} has no rule.", self.path, "Give it columns, unique, freshness or volume."
            )
        contract = TableContract(self.table, tuple(rules), tuple(unique), tuple(fresh), tuple(volume), self.checks.document.line(self.path))
        self._check_once(contract)
        return contract

    def _entries(self, given: Fields, name: str) -> list[tuple[YamlPath, object]]:
        """The entries of a word: one, or a list of them. A list of texts under `unique` is one entry."""
        path, value = (*self.path, name), given.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or (name == "unique" and value and not any(isinstance(one, list | dict) for one in value)):
            return [(path, value)]
        if not value:
            self.checks.fault("no_rule", f"'{name}' is an empty list.", path, "Give it a rule, or remove it.")
        return [((*path, i), one) for i, one in enumerate(cast("list[object]", value))]

    def _column(self, path: YamlPath, name: str, value: object) -> list[ColumnRule]:
        self._check_column(path, name)
        if not isinstance(value, list):
            return self._column_entry(path, name, value)
        items = cast("list[object]", value)
        if not items:
            self.checks.fault("no_rule", f"'{name}' is an empty list.", path, "Give it a rule, or remove it.")
        return [rule for i, one in enumerate(items) for rule in self._column_entry((*path, i), name, one)]

    def _column_entry(self, path: YamlPath, name: str, value: object) -> list[ColumnRule]:
        given = self.checks.fields(path, value, COLUMN_RULES)
        severity, why = self._severity(path, given), self._why(path, given)
        allowed = read_share(self.checks, (*path, "allowed"), given["allowed"]) if "allowed" in given else 0.0
        wanted: dict[RuleName, Wanted | None] = {
            rule: read_wanted(self.checks, (*path, rule), given[rule]) for rule in RULES if rule in given
        }
        if isinstance(value, dict) and not any(one is not None or given[rule] is not False for rule, one in wanted.items()):
            self.checks.fault("no_rule", f"'{name}' has no rule.", path, f"The rules are {listed(RULES)}.")
        found = [
            ColumnRule(name, rule, one, allowed, severity, why, self.checks.document.line((*path, rule)))
            for rule, one in wanted.items()
            if one is not None
        ]
        self._check_order(path, wanted)
        for rule in found:
            self._check_kind((*path, rule.rule), rule)
        return found

    def _check_column(self, path: YamlPath, name: str) -> None:
        """A name that cannot be a column's, or that is nearly one that is there, is a slip; any other may come with a later source."""
        known = self._known_columns(self.table)
        if name in known:
            return
        mapped = any(one.table == self.table for one in self.sources)
        close = difflib.get_close_matches(name, known, n=1, cutoff=NEARLY_MAPPED if mapped else NEARLY)
        if name in TAKEN or name == KNOWN_AT:
            hint = "Rules are on the columns that files give; how old the rows are says `freshness`."
            self.checks.fault("name_taken", f"'{name}' is a column that the book itself fills.", path, hint)
        elif not NAME.fullmatch(name) or close:
            hint = f"Did you mean '{close[0]}'? " if close else did_you_mean(name, known)
            self.checks.fault("unknown_column", f"{self.table} have no column '{name}'.", path, f"{hint}Name a column of the book.")

    def _known_columns(self, table: TableName) -> list[str]:
        mapped = [name for one in self.sources if one.table == table for name in (*one.columns, *one.values) if name != KNOWN_AT]
        return list(dict.fromkeys([*(column.name for column in TABLES[table].columns), *mapped]))

    def _check_kind(self, path: YamlPath, rule: ColumnRule) -> None:
        """A rule that cannot be asked of a column of the kind that it has by its name or its source."""
        kind = column_kind(self.sources, self.table, rule.column)
        wrong = rule.misfit(kind) if kind is not None else ""
        other = column_kind(self.sources, *rule.target) if rule.rule == "references" else None
        if kind is not None and other is not None and kind != other:
            wrong = f"the column is {kind}, and {rule.wanted} is {other}"
        if wrong:
            hint = "Put the values in quotes." if rule.rule == "one_of" and kind == "text" else ""
            self.checks.fault("rule_of_another_kind", f"'{rule.rule}' of '{rule.column}' cannot be asked: {wrong}.", path, hint)

    def _check_order(self, path: YamlPath, wanted: Mapping[RuleName, Wanted | None]) -> None:
        pairs: tuple[tuple[RuleName, RuleName], ...] = (("min", "max"), ("min_length", "max_length"))
        for least, most in pairs:
            low, high = _comparable(wanted.get(least)), _comparable(wanted.get(most))
            if low is not None and high is not None and low[0] == high[0] and low[1] > high[1]:
                self.checks.fault("empty_range", f"'{least}' is above '{most}': nothing can lie between.", (*path, least), "Swap them.")

    def _unique(self, path: YamlPath, value: object) -> UniqueRule | None:
        whole: object = value if isinstance(value, dict) else {"columns": value}
        at = (*path, "columns") if isinstance(value, dict) else path
        given = self.checks.fields(path, whole, UNIQUE_FIELDS)
        columns = self.checks.texts(at, given["columns"]) if "columns" in given else ()
        if not columns and ("columns" not in given or given["columns"] == []):
            self.checks.fault("missing_key", "'unique' names no columns.", path, "Name those that tell the rows apart: [account_id, due].")
        for name in columns:
            self._check_column(at, name)
        allowed = read_share(self.checks, (*path, "allowed"), given["allowed"]) if "allowed" in given else 0.0
        if not columns:
            return None
        return UniqueRule(columns, allowed, self._severity(path, given), self._why(path, given), self.checks.document.line(path))

    def _freshness(self, path: YamlPath, value: object) -> FreshnessRule | None:
        given = self.checks.fields(path, value, FRESHNESS_FIELDS)
        if isinstance(value, dict) and "within" not in value:
            self.checks.fault("missing_key", "'freshness' has no 'within'.", path, "Add `within: 2 days`.")
        within = read_age(self.checks, (*path, "within"), given["within"]) if "within" in given else None
        dated = self.checks.choice((*path, "dated"), given["dated"], ("happened", "known")) if "dated" in given else "happened"
        by = self.checks.text((*path, "by"), given["by"]) if "by" in given else None
        if by is not None:
            self._check_column((*path, "by"), by)
        severity, why = self._severity(path, given), self._why(path, given)
        if within is None:
            return None
        return FreshnessRule(within, "known" if dated == "known" else "happened", by, severity, why, self.checks.document.line(path))

    def _volume(self, path: YamlPath, value: object) -> list[VolumeRule]:
        """A rule for each of the bounds."""
        checks, given = self.checks, self.checks.fields(path, value, VOLUME_FIELDS)
        per = cast("Period | None", checks.choice((*path, "per"), given["per"], PERIODS)) if "per" in given else None
        least, most = (read_whole(checks, (*path, name), given[name], 0, MOST_ROWS) if name in given else None for name in ("min", "max"))
        factor = read_factor(checks, (*path, "factor"), given["factor"]) if "factor" in given else None
        periods, last = (
            read_whole(checks, (*path, name), given[name], 2 if name == "periods" else 1, MOST_PERIODS) if name in given else None
            for name in ("periods", "last")
        )
        weekdays = cast("tuple[Weekday, ...]", self._weekdays(path, given, per))
        self._check_volume(path, value, least, most)
        severity, why, line = self._severity(path, given), self._why(path, given), checks.document.line(path)
        bounds = ((least, None, None), (None, most, None), (None, None, factor))
        return [
            VolumeRule(per, *bound, periods or USUAL_PERIODS, weekdays, last, severity, why, line)
            for bound in bounds
            if per is not None and any(one is not None for one in bound)
        ]

    def _weekdays(self, path: YamlPath, given: Fields, per: Period | None) -> tuple[str, ...]:
        if "weekdays" not in given:
            return ()
        if per is not None and per != "day":
            self.checks.fault("weekdays_of_days", f"'weekdays' says nothing of a {per}.", (*path, "weekdays"), "It is for `per: day`.")
        return read_choices(self.checks, (*path, "weekdays"), given["weekdays"], WEEKDAYS)

    def _check_volume(self, path: YamlPath, value: object, least: int | None, most: int | None) -> None:
        if not isinstance(value, dict):
            return
        if "per" not in value:
            self.checks.fault("missing_key", "'volume' has no 'per'.", path, f"Add `per:` and one of {listed(PERIODS)}.")
        if not {"min", "max", "factor"} & set(value):
            self.checks.fault("no_rule", "'volume' has no bound.", path, "Give it min, max or factor.")
        if "periods" in value and "factor" not in value:
            self.checks.fault("periods_of_factor", "'periods' is for 'factor'.", (*path, "periods"), "Add a factor, or remove it.")
        if least is not None and most is not None and least > most:
            self.checks.fault("empty_range", "'min' is above 'max': nothing can lie between.", (*path, "min"), "Swap them.")

    def _severity(self, path: YamlPath, given: Fields) -> Severity:
        if "severity" not in given:
            return self.severity
        return cast("Severity | None", self.checks.choice((*path, "severity"), given["severity"], SEVERITIES)) or self.severity

    def _why(self, path: YamlPath, given: Fields) -> str:
        return (self.checks.text((*path, "why"), given["why"]) or "") if "why" in given else self.why

    def _check_once(self, contract: TableContract) -> None:
        """A rule is known by its column and word: the same twice would be one finding with two meanings."""
        seen: dict[str, int] = {}
        for rule in contract.rules:
            if rule.subject in seen:
                message = f"'{rule.subject}' of {self.table} is told twice, on lines {seen[rule.subject]} and {rule.line}."
                self.checks.fault("given_twice", message, self.path, "Keep one of the two.")
            seen.setdefault(rule.subject, rule.line)


def _comparable(wanted: Wanted | None) -> tuple[str, float] | None:
    """A bound with what it can be compared with: numbers, given days, days from today."""
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return "number", float(wanted)
    if not isinstance(wanted, DayBound):
        return None
    if wanted.day is not None:
        return "day", float(wanted.day.toordinal())
    if wanted.months and wanted.days:
        return None
    return ("months", float(wanted.months)) if wanted.months else ("days", float(wanted.days))
