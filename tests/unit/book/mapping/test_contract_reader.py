"""`contracts` of book.yml: what they can say, and that all that is wrong with them is told at once, by line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.unit.book.mapping.books import mappings
from unspun.book.entities import TABLES
from unspun.book.mapping.book_file import add_source, definition_schema, read_definition
from unspun.book.mapping.book_reference import EXAMPLE
from unspun.book.mapping.contract_definition import (
    ColumnRule,
    DayBound,
    FreshnessRule,
    TableContract,
    UniqueRule,
    VolumeRule,
)
from unspun.book.mapping.contract_reference import CONTRACT_EXAMPLE
from unspun.book.mapping.definition import SourceMapping
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput, Fault

SCHEMA = Draft202012Validator(definition_schema())
BETWEEN_PARTS = {
    "unknown_column", "rule_of_another_kind", "empty_range", "bad_regular_expression", "bad_bound", "no_rule", "given_twice",
    "mixed_values", "weekdays_of_days", "periods_of_factor", "unknown_references", "bad_age",
}  # fmt: skip
"""Faults that a schema cannot tell, as they lie between values or in what a value stands for."""


def contracts(text: str) -> tuple[TableContract, ...]:
    return read_definition(text).contracts


def faults(text: str) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        read_definition(text)
    return list(caught.value.faults)


def codes(text: str) -> list[tuple[str, int]]:
    return [(fault.code, int(fault.where.removeprefix("book.yml:"))) for fault in faults(text)]


def test_all_that_a_contract_can_say_is_read() -> None:
    text = (
        "contracts:\n  accounts:\n    severity: warning\n    why: the sales team asked\n    columns:\n"
        "      plan: {one_of: [free, paid], required: true, allowed: 2 %}\n      seats:\n        - {min: 1}\n"
        "        - {max: 1e3, severity: note, why: nobody has more}\n"
        "      created_on: {min: 2015-01-31, max: today + 2 weeks}\n      account_id: {matches: 'A-[0-9]+', min_length: 3, max_length: 9}\n"
        "      parent_id: {references: accounts.account_id, allowed: 0.5}\n      mail: {type: email, required: false}\n"
        "    unique: [[name, country], plan, {columns: owner, allowed: 1 %, severity: error}]\n"
        "    freshness: [{within: 36 hours, dated: known}, {within: 2 weeks, by: plan}]\n"
        "    volume: {per: week, min: 5, max: 10, factor: 2, periods: 4, last: 3}\n"
    )
    (contract,) = contracts(text)
    why = "the sales team asked"

    def rule(column: str, *asked: Any, severity: Any = "warning", because: str = why, line: int = 0) -> ColumnRule:
        return ColumnRule(column, *asked, severity=severity, why=because, line=line)

    assert contract.columns == (
        rule("plan", "required", True, 0.02, line=6), rule("plan", "one_of", ("free", "paid"), 0.02, line=6),
        rule("seats", "min", 1, line=8), rule("seats", "max", 1000.0, severity="note", because="nobody has more", line=9),
        rule("created_on", "min", DayBound(date(2015, 1, 31)), line=10), rule("created_on", "max", DayBound(days=14), line=10),
        rule("account_id", "matches", "A-[0-9]+", line=11), rule("account_id", "min_length", 3, line=11),
        rule("account_id", "max_length", 9, line=11), rule("parent_id", "references", "accounts.account_id", 0.5, line=12),
        rule("mail", "type", "email", line=13),
    )  # fmt: skip
    assert contract.unique == (
        UniqueRule(("name", "country"), 0.0, "warning", why, 14), UniqueRule(("plan",), 0.0, "warning", why, 14),
        UniqueRule(("owner",), 0.01, "error", why, 14),
    )  # fmt: skip
    assert contract.freshness == (
        FreshnessRule(36, "known", None, "warning", why, 15), FreshnessRule(336, "happened", "plan", "warning", why, 15),
    )  # fmt: skip
    bounds = ((5, None, None), (None, 10, None), (None, None, 2.0))
    assert contract.volume == tuple(VolumeRule("week", *bound, 4, (), 3, "warning", why, 16) for bound in bounds)


def test_the_example_of_the_reference_page_is_read_and_valid() -> None:
    text = EXAMPLE + CONTRACT_EXAMPLE
    assert [contract.table for contract in contracts(text)] == ["subscriptions", "accounts", "events"]
    SCHEMA.validate(read_yaml(text, "book.yml").value)


def test_every_fault_of_a_contract_is_told_at_once_with_its_line_and_what_was_meant() -> None:
    text = (
        "contracts:\n  acounts:\n    unique: x\n  accounts:\n    severity: grave\n    columns:\n      segmet: {required: true}\n"
        "      seats: {mn: 1, max: yesterday}\n      plan: {matches: '(', one_of: []}\n      known_at: {max: today}\n"
        "    freshness: {within: soon}\n    volume: {per: fortnight, min: -1}\n"
    )
    assert codes(text) == [
        ("unknown_table", 2), ("unknown_severity", 5), ("unknown_column", 7), ("unknown_key", 8), ("bad_bound", 8),
        ("bad_regular_expression", 9), ("no_values", 9), ("name_taken", 10), ("bad_age", 11), ("unknown_per", 12), ("not_whole", 12),
    ]  # fmt: skip
    hints = " ".join(fault.hint for fault in faults(text))
    for meant in ("accounts", "segment", "min"):
        assert f"Did you mean '{meant}'?" in hints


@pytest.mark.parametrize(
    ("contract", "code"),
    [
        ("{columns: {seats: {matches: 'x'}}}", "rule_of_another_kind"),
        ("{columns: {plan: {min: 1}}}", "rule_of_another_kind"),
        ("{columns: {plan: {one_of: [1, 2]}}}", "rule_of_another_kind"),
        ("{columns: {created_on: {min: 1}}}", "rule_of_another_kind"),
        ("{columns: {seats: {max: today}}}", "rule_of_another_kind"),
        ("{columns: {seats: {type: day}}}", "rule_of_another_kind"),
        ("{columns: {plan: {references: subscriptions.started}}}", "rule_of_another_kind"),
        ("{columns: {plan: {references: nowhere.plan}}}", "unknown_references"),
        ("{columns: {plan: {references: accounts}}}", "bad_reference"),
        ("{columns: {seats: {min: 3, max: 2}}}", "empty_range"),
        ("{columns: {created_on: {min: today, max: today - 1 day}}}", "empty_range"),
        ("{columns: {created_on: {min: 2026-02-30}}}", "bad_bound"),
        ("{columns: {plan: {min_length: 3, max_length: 2}}}", "empty_range"),
        ("{columns: {plan: {required: maybe}}}", "not_a_flag"),
        ("{columns: {plan: {required: false}}}", "no_rule"),
        ("{columns: {plan: {allowed: 1 %}}}", "no_rule"),
        ("{columns: {plan: []}}", "no_rule"),
        ("{columns: {}}", "no_rule"),
        ("{why: because}", "no_rule"),
        ("{columns: {plan: {required: true, allowed: 100 %}}}", "bad_share"),
        ("{columns: {plan: {required: true, allowed: 1}}}", "bad_share"),
        ("{columns: {plan: {one_of: [a, 1]}}}", "mixed_values"),
        ("{columns: {plan: {one_of: [a, a]}}}", "given_twice"),
        ("{columns: {plan: {one_of: [true]}}}", "bad_value"),
        ("{columns: {plan: [{required: true}, {required: true}]}}", "given_twice"),
        ("{columns: {Plan: {required: true}}}", "unknown_column"),
        ("{columns: {plan: {matches: '(?<=a)b'}}}", "bad_regular_expression"),
        ("{columns: {plan: {matches: '(a)\\1'}}}", "bad_regular_expression"),
        ("{unique: []}", "no_rule"),
        ("{unique: {severity: error}}", "missing_key"),
        ("{unique: [[plan], plan]}", "given_twice"),
        ("{freshness: {by: plan}}", "missing_key"),
        ("{freshness: {within: 0 days}}", "bad_age"),
        ("{volume: {per: day}}", "no_rule"),
        ("{volume: {min: 1}}", "missing_key"),
        ("{volume: {per: day, min: 2, max: 1}}", "empty_range"),
        ("{volume: {per: day, factor: 1}}", "bad_factor"),
        ("{volume: {per: day, min: 1, periods: 4}}", "periods_of_factor"),
        ("{volume: {per: week, min: 1, weekdays: [monday]}}", "weekdays_of_days"),
        ("{volume: {per: day, min: 1, weekdays: [mon]}}", "unknown_weekdays"),
    ],
)
def test_what_cannot_be_meant_is_refused(contract: str, code: str) -> None:
    text = f"contracts:\n  accounts: {contract}\n"
    assert codes(text) == [(code, 2)]
    value: Any = read_yaml(text, "book.yml").value
    assert code in BETWEEN_PARTS or not SCHEMA.is_valid(value)


def test_the_kind_of_an_own_column_is_that_of_its_source() -> None:
    sources = "sources:\n  - {files: a.csv, table: accounts, columns: {account_id: A, region: {column: R, kind: whole}}}\n"
    contract = "contracts:\n  accounts: {columns: {region: {matches: 'x'}}}\n"
    assert codes(sources + contract) == [("rule_of_another_kind", 4)]
    assert codes(sources + contract.replace("region", "regoin")) == [("unknown_column", 4)]
    assert contracts(contract.replace("region", "revenue"))  # near to none
    assert contracts(contract)  # without a source, it may be what a source to come maps


SCALARS = st.sampled_from(
    [
        "a", "", " ", "plan", "plna", "account_id", "accounts.account_id", "nowhere.x", "today", "today - 2 weeks", "2026-02-30", "error",
        "email", "whole", "(", "1 %", "2 days", "0 days", "day", "load", "monday", "known",
    ]
) | st.none() | st.booleans() | st.integers(-2, 5) | st.floats(-1, 2, allow_nan=False)  # fmt: skip
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2), max_leaves=4
)


def _fields(*names: str) -> st.SearchStrategy[Any]:
    return ANY | st.fixed_dictionaries({}, optional=dict.fromkeys((*names, "severity", "why", "x"), ANY))


def _some(entry: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return entry | st.lists(entry, max_size=2)


CELLS = _fields("type", "required", "matches", "min", "max", "one_of", "min_length", "max_length", "references", "allowed")
COLUMN_NAMES = st.sampled_from(["plan", "plna", "seats", "created_on", "own", "Own", "load", "known_at"])
CONTRACTS = ANY | st.fixed_dictionaries(
    {},
    optional={
        "columns": ANY | st.dictionaries(COLUMN_NAMES, _some(CELLS), max_size=3),
        "unique": _some(_fields("columns", "allowed")),
        "freshness": _some(_fields("within", "dated", "by")),
        "volume": _some(_fields("per", "min", "max", "factor", "periods", "weekdays", "last")),
        "severity": SCALARS,
        "why": SCALARS,
        "x": SCALARS,
    },
)
BOOKS = st.fixed_dictionaries(
    {"contracts": ANY | st.dictionaries(st.sampled_from(["accounts", "events", "acounts"]), CONTRACTS, max_size=2)}
)


@settings(max_examples=300)
@given(BOOKS)
def test_whatever_is_written_there_schema_and_reader_refuse_the_same_without_a_traceback(value: Any) -> None:
    try:
        read_definition(json.dumps(value))
        found: set[str] = set()
    except BadInput as refusal:
        found = {fault.code for fault in refusal.faults}
        assert all(fault.where.startswith("book.yml:") and fault.message for fault in refusal.faults)
    if not SCHEMA.is_valid(value):
        assert found
    elif found - BETWEEN_PARTS:
        raise AssertionError((found, value))


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
    lambda text: text.strip() != ""
)
WRITTEN_RULES: dict[str, st.SearchStrategy[Any]] = {
    "required": st.just(True),
    "type": st.sampled_from(["text", "whole", "day", "email", "currency"]),
    "matches": st.sampled_from(["a+", "[0-9]{3}", "x|y", "'"]),
    "one_of": st.lists(TEXTS, min_size=1, max_size=4, unique=True),
    "min_length": st.integers(0, 3),
    "max_length": st.integers(3, 99),
    "references": st.sampled_from(["accounts.account_id", "contacts.email"]),
}


@given(
    table=st.sampled_from(sorted(TABLES)),
    rules=st.fixed_dictionaries({}, optional=WRITTEN_RULES).filter(bool),
    allowed=st.integers(0, 99),
    severity=st.sampled_from(["error", "warning", "note"]),
    why=TEXTS,
)
def test_what_is_written_is_what_is_read(table: Any, rules: dict[str, Any], allowed: int, severity: Any, why: str) -> None:
    entry = {**rules, "allowed": allowed / 100, "severity": severity, "why": why}
    text = json.dumps({"contracts": {table: {"columns": {"own": entry}}}}, ensure_ascii=False)
    (contract,) = contracts(text)
    read = {rule.rule: list(rule.wanted) if isinstance(rule.wanted, tuple) else rule.wanted for rule in contract.columns}
    assert (contract.table, read) == (table, rules)
    assert all((rule.column, rule.allowed, rule.severity, rule.why) == ("own", allowed / 100, severity, why) for rule in contract.columns)
    SCHEMA.validate(json.loads(text))


@settings(max_examples=40)
@given(mappings("new.csv").filter(lambda one: {"account_id", "subscription_id"} & {*one.columns, *one.values} or one.table != "events"))
def test_contracts_survive_a_source_that_is_added(mapping: SourceMapping) -> None:
    text = "contracts:\n  rates:  # kept\n    volume: {per: load, min: 1}\n"
    for before in (text, "sources: []\n" + text, text + "sources:\n  - {files: old.csv, table: accounts, columns: {account_id: A}}\n"):
        if mapping.table == "accounts" and mapping.row_key != ("account_id",) and "old.csv" in before:
            continue  # two sources of a table have one key
        added = read_definition(add_source(before, mapping))
        plain = [replace(one, line=0, volume=tuple(replace(rule, line=0) for rule in one.volume)) for one in added.contracts]
        assert plain == [TableContract("rates", volume=(VolumeRule("load", 1),))]
        assert "# kept" in added.text


@pytest.mark.parametrize(
    ("written", "today", "meant"),
    [
        ("today", date(2026, 11, 23), date(2026, 11, 23)),
        ("today - 30 days", date(2026, 3, 1), date(2026, 1, 30)),
        ("today + 1 month", date(2026, 1, 31), date(2026, 2, 28)),
        ("today - 1 year", date(2024, 2, 29), date(2023, 2, 28)),
        ("today + 2 weeks", date(2026, 12, 25), date(2027, 1, 8)),
        ("2026-01-31", date(2030, 1, 1), date(2026, 1, 31)),
    ],
)
def test_a_relative_day_is_counted_from_the_day_of_the_check(written: str, today: date, meant: date) -> None:
    (contract,) = contracts(f"contracts: {{accounts: {{columns: {{created_on: {{max: {written}}}}}}}}}")
    (rule,) = contract.columns
    assert isinstance(rule.wanted, DayBound)
    assert rule.wanted.on(today) == meant
