"""book.yml: what it can say, what is wrong with it told at once and by line, and which source a file belongs to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.book.mapping.books import BOOKS, mappings
from unspun.book.entities import TABLES
from unspun.book.mapping.book_fields import SQL_WORDS
from unspun.book.mapping.book_file import mapping_for, mapping_sha256, read_definition
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.errors import BadInput, Fault

WHOLE = """\
time_zone: Europe/Berlin          # of times without one
currency: EUR
fiscal_year_starts: 2
sources:
  - files: ["subs*.csv", "exports/terms-*.xlsx"]
    table: subscriptions
    key: [subscription_id, account_id]
    known: received
    columns:
      subscription_id: Contract No
      account_id: Account ID
      started: Start
      ended: no
      amount: {column: MRR, covers: month}
      billing: {column: Billed every, kind: whole}
      is_addon: {column: Type, words: {Base: no, Add-on: true}}
      currency: {value: USD}
    ignore: [Fax]
    date_format: "%d/%m/%Y"
    time_zone: America/New_York
    currency: GBP
  - files: accounts.csv
    table: accounts
    columns: {account_id: Account ID, dated: Changed, created_on: Since, region: Region}
    fixed: created_on
"""


def source(columns: str, table: str = "accounts", more: str = "") -> str:
    return f"sources:\n  - files: a.csv\n    table: {table}\n{more}    columns:\n" + "".join(
        f"      {line}\n" for line in columns.split("\n")
    )


def faults(text: str) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        read_definition(text)
    return list(caught.value.faults)


def told(text: str) -> list[tuple[str, int]]:
    return [(fault.code, int(fault.where.removeprefix("book.yml:"))) for fault in faults(text)]


def test_all_that_a_book_can_say_is_read() -> None:
    book = read_definition(WHOLE)
    assert (book.time_zone, book.currency, book.fiscal_year_starts, book.text) == ("Europe/Berlin", "EUR", 2, WHOLE)
    assert book.sha256 == hashlib.sha256(WHOLE.encode()).hexdigest()
    terms, accounts = book.sources
    assert terms == SourceMapping(
        files=("subs*.csv", "exports/terms-*.xlsx"),
        table="subscriptions",
        columns={
            "subscription_id": "Contract No", "account_id": "Account ID", "started": "Start", "ended": "no", "amount": "MRR",
            "billing": "Billed every", "is_addon": "Type",
        },
        kinds={"billing": "whole"},
        values={"currency": "USD"},
        key=("subscription_id", "account_id"),
        known="received",
        ignored=("Fax",),
        words={"is_addon": {"Base": "no", "Add-on": "true"}},
        date_format="%d/%m/%Y",
        time_zone="America/New_York",
        currency="GBP",
        amount_months=1.0,
        line=5,
    )  # fmt: skip
    assert (accounts.fixed, accounts.line, accounts.row_key, accounts.kind_of("region")) == (("created_on",), 22, ("account_id",), "text")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "sources:\n", "sources: []\n", "time_zone: UTC\n"])
def test_a_book_without_sources_is_a_book(text: str) -> None:
    book = read_definition(text)
    assert (book.sources, book.time_zone, book.currency, book.fiscal_year_starts) == ((), "UTC", None, 1)


def test_every_fault_of_a_book_is_told_at_once_in_the_order_of_its_lines() -> None:
    text = (
        "time_zone: Europe/Berln\ncurrency: usd\nfiscal_year_starts: 13\nsource: []\nsources:\n  - files: a.csv\n    table: subscription\n"
        "  - files: b.csv\n    table: accounts\n    keys: [x]\n    columns:\n      name: Name\n      nmae: 7\n"
    )
    assert told(text) == [
        ("unknown_time_zone", 1), ("unknown_currency", 2), ("unknown_month", 3), ("unknown_key", 4), ("missing_key", 6),
        ("unknown_table", 7), ("unknown_key", 10), ("required_column", 11), ("not_text", 13),
    ]  # fmt: skip
    hints = " ".join(fault.hint for fault in faults(text))
    for meant in ("Europe/Berlin", "USD", "sources", "subscriptions", "key"):
        assert f"Did you mean '{meant}'?" in hints
    assert 'Put it in quotes: "7".' in hints


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\n\tb: 2\n", "bad_yaml", 2),
        ("- a\n", "not_a_mapping", 1),
        ("sources: {}\n", "not_a_list", 1),
        ("sources:\n  - accounts.csv\n", "not_a_mapping", 2),
        ("time_zone:\n", "no_value", 1),
        (source("account_id: A", more="    files: b.csv\n"), "yaml_duplicate_key", 4),
        (source("account_id: A", more="    key: plan\n"), "unmapped_key", 4),
        (source("account_id: A\nknown_at: K", more="    key: known_at\n"), "unmapped_key", 4),
        (source("account_id: A", more="    fixed: [plan]\n"), "unmapped_fixed", 4),
        (source("account_id: A", more="    fixed: [account_id]\n"), "fixed_key", 4),
        (source("account_id: A\ndated: D", more="    fixed: [dated]\n"), "fixed_key", 4),
        (source("account_id: A\nopened: O\nticket_id: T", "tickets", "    fixed: [opened]\n"), "fixed_rows", 4),
        (source("account_id: A", more="    ignore: [A]\n"), "mapped_and_ignored", 4),
        (source("account_id: A", more="    ignore: [x, x]\n"), "given_twice", 4),
        (source("account_id: A", more="    known: someday\n"), "unknown_known", 4),
        (source("account_id: A", more='    date_format: "%Q"\n'), "unknown_date_format", 4),
        (source("account_id: A", more="    time_zone: CEST\n"), "unknown_time_zone", 4),
        (source("account_id: A", more="    currency: EURO\n"), "unknown_currency", 4),
        (source("name: A"), "required_column", 4),
        (source("account_id: A\nsegmnet: S"), "unknown_column", 6),
        (source("account_id: A\nsource_row: S"), "name_taken", 6),
        (source("account_id: A\nSegment: S"), "bad_column_name", 6),
        (source("account_id: A\n'a; DROP TABLE x': S"), "bad_column_name", 6),
        (source(f"account_id: A\na{'b' * 63}: S"), "bad_column_name", 6),
        (source("account_id: A\norder: S"), "bad_column_name", 6),
        (source("account_id: A\nknown_at: {value: 2026-01-01}"), "known_at_value", 6),
        (source("account_id: A\nx: {column: S, kind: decimal}"), "unknown_kind", 6),
        (source("account_id: A\nseats: {column: S, kind: text}"), "kind_of_standard", 6),
        (source("account_id: A\nx: {column: S, value: T}"), "column_or_value", 6),
        (source("account_id: A\nx: {kind: text}"), "column_or_value", 6),
        (source("account_id: A\nseats: {value: many}"), "bad_value", 6),
        (source("account_id: A\ncreated_on: {value: 2026-02-30}"), "bad_value", 6),
        (source("account_id: A\nseats: {column: S, covers: month}"), "unknown_key", 6),
        (source("account_id: A\nplan: {column: S, words: {a: }}"), "no_value", 6),
        (source("account_id: A\ndue: D\noutcome: {value: victory}", "renewals"), "bad_value", 7),
        (source("account_id: A\nstarted: S\namount: MRR", "subscriptions"), "amount_period", 7),
        (source("account_id: A\nstarted: S\namount: {column: MRR, covers: fortnight}", "subscriptions"), "unknown_covers", 7),
        (source("account_id: A\nstarted: S\namount: {column: M, covers: 0}", "subscriptions"), "unknown_covers", 7),
        (source("account_id: A\nstarted: S\namount: {column: M, covers: 1}\namount_months: N", "subscriptions"), "amount_period", 7),
        (WHOLE + "  - files: SUBS*.csv\n    table: events\n    columns: {account_id: a, occurred: b}\n", "two_sources", 26),
        (WHOLE + "  - files: c.csv\n    table: subscriptions\n    columns: {account_id: a, started: b}\n", "two_keys", 27),
        (
            WHOLE + "  - files: c.csv\n    table: accounts\n    columns: {account_id: a, region: {column: r, kind: whole}}\n",
            "two_kinds",
            28,
        ),
    ],
)
def test_a_fault_has_its_line_and_says_what_to_do(text: str, code: str, line: int) -> None:
    found = faults(text)
    assert [(fault.code, fault.where) for fault in found] == [(code, f"book.yml:{line}")]
    assert found[0].message.endswith(".")


def test_a_slip_in_an_own_columns_name_passes_where_its_kind_says_that_it_is_meant() -> None:
    (fault,) = faults(source("account_id: A\nsegmnet: S"))
    assert "Did you mean 'segment'?" in fault.hint
    own = read_definition(source("account_id: A\nsegmnet: {column: S, kind: text}")).sources[0]
    assert own.kind_of("segmnet") == "text"
    assert read_definition(source("account_id: A\nsegment: S\nsegments: T")).sources[0].columns["segments"] == "T"


def test_one_file_column_may_feed_two_columns_of_the_book() -> None:
    assert read_definition(source("account_id: A\nname: A")).sources[0].columns == {"account_id": "A", "name": "A"}


def test_values_may_be_written_as_numbers_and_as_yes_or_no() -> None:
    book = read_definition(source("account_id: A\nseats: {value: 5}\npaid: {value: true, kind: flag}"))
    assert book.sources[0].values == {"seats": "5", "paid": "true"}


def test_words_that_sql_reads_as_its_own_are_those_of_the_engine() -> None:
    reserved = duckdb.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'")
    assert reserved is not None
    assert {word for (word,) in reserved.fetchall()} <= SQL_WORDS
    standard = {column.name for table in TABLES.values() for column in table.columns}
    assert standard & SQL_WORDS <= {"into"}


@given(BOOKS)
def test_any_book_is_read_or_refused_and_never_ends_in_a_traceback(value: object) -> None:
    text = json.dumps(value)
    try:
        read_definition(text)
    except BadInput as refusal:
        assert all(fault.where.startswith("book.yml:") and fault.message for fault in refusal.faults)


FILES = [
    ("subs*.csv", "SUBS-2026.CSV", True), ("subs*.csv", "/data/in/subs.csv", True), ("subs*.csv", "my-subs.csv", False),
    ("exports/*.csv", "/data/exports/a.csv", True), ("exports/*.csv", "exports/a.csv", True), ("exports/*.csv", "a.csv", False),
    ("exports/*.csv", "exports/deep/a.csv", False), ("exports\\*.csv", "C:\\Exports\\A.csv", True), ("a[1].csv", "a[1].csv", True),
    ("a[1].csv", "a1.csv", False), ("a?.csv", "ab.csv", True), ("a?.csv", "a.csv", False), ("./a.csv", "a.csv", True),
    ("*", "anything at all", True), ("a.csv", "a.csv.gz", False), ("Übersicht*", "übersicht.csv", True), ("a.b", "axb", False),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "name", "fits"), FILES)
def test_a_file_belongs_to_the_source_whose_pattern_fits_it(pattern: str, name: str, fits: bool) -> None:
    book = BookDefinition((SourceMapping((pattern, "other"), "accounts", {"account_id": "A"}),))
    assert (mapping_for(book, name) is book.sources[0]) is fits


def test_a_file_that_fits_two_sources_is_refused_with_their_lines() -> None:
    book = read_definition(WHOLE + "  - files: sub*\n    table: events\n    columns: {account_id: a, occurred: b}\n")
    with pytest.raises(BadInput, match="lines 5 and 26"):
        mapping_for(book, "/in/subs.csv")
    assert mapping_for(book, "substitutes.xlsx") is book.sources[2]
    assert mapping_for(book, "nothing.csv") is None


@given(mappings(), st.data())
def test_the_hash_of_a_mapping_covers_what_decides_about_rows_and_nothing_else(mapping: SourceMapping, data: st.DataObject) -> None:
    book = BookDefinition((), "UTC", "USD")
    first = mapping_sha256(mapping, book)
    name = data.draw(st.sampled_from(sorted(mapping.columns) or ["none"]))
    same = [
        replace(mapping, files=("other.csv",), line=99, ignored=("Fax",)),
        replace(mapping, columns=dict(reversed(mapping.columns.items()))),
        replace(mapping, key=mapping.row_key),
    ]
    assert [mapping_sha256(one, book) for one in same] == [first] * 3
    assert mapping_sha256(mapping, replace(book, text="# other", sha256="0", fiscal_year_starts=3)) == first
    other = [
        replace(mapping, columns={**mapping.columns, name: "another"}),
        replace(mapping, values={**mapping.values, "own_column": "1"}),
        replace(mapping, kinds={"own_column": "whole"}, columns={**mapping.columns, "own_column": "x"}),
        replace(mapping, key=("own_column",)),
        replace(mapping, known="received" if mapping.known == "happened" else "happened"),
        replace(mapping, fixed=(*mapping.fixed, "own_column")),
        replace(mapping, words={**mapping.words, name: {"another": "word"}}),
        replace(mapping, date_format="%d %m %Y"),
        replace(mapping, time_zone="Asia/Tokyo"),
        replace(mapping, currency="CHF"),
        replace(mapping, amount_months=7.0),
    ]
    assert first not in {mapping_sha256(one, book) for one in other}
    changed = {mapping_sha256(mapping, replace(book, **change)) != first for change in ({"time_zone": "Asia/Tokyo"}, {"currency": "CHF"})}
    assert changed == {mapping.time_zone is None, mapping.currency is None}
