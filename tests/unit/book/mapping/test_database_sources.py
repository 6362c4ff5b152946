from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from unspun.book.mapping.book_file import add_database, add_source, definition_schema, read_definition
from unspun.book.mapping.definition import Cursor, Database, SourceMapping
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput

SCHEMA = Draft202012Validator(definition_schema())
WHOLE = """\
databases:
  billing: {url_from: BILLING_URL, statement_seconds: 60}
  crm: {url: "sqlite:///crm.db"}
sources:
  - database: billing
    relation: public.terms
    table: subscriptions
    cursor: {column: changed, overlap: 2 days}
    columns: {subscription_id: line, account_id: account, started: began}
  - database: crm
    query: SELECT * FROM customers WHERE kept
    in_place: true
    table: accounts
    columns: {account_id: id}
"""


def test_databases_and_their_sources_are_read() -> None:
    read = read_definition(WHOLE)
    assert read.databases == (Database("billing", "BILLING_URL", "", 60, 2), Database("crm", "", "sqlite:///crm.db", 0, 3))
    terms, accounts = read.sources
    assert (terms.files, terms.cursor) == (("billing:public.terms",), Cursor("changed", 172_800.0, True))
    assert accounts.in_place and accounts.query == "SELECT * FROM customers WHERE kept" and accounts.cursor is None
    value: Any = read_yaml(WHOLE, "book.yml").value
    assert SCHEMA.is_valid(value)


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("url_from: BILLING_URL", "url_from: billing-url"), ("url_from: BILLING_URL", "url_from: X, url: sqlite:///x.db"),
        ("billing: {", "Billing: {"), ('"sqlite:///crm.db"', "mysql://host/crm"), ("statement_seconds: 60", "statement_seconds: -1"),
        ("overlap: 2 days", "overlap: a while"), ("overlap: 2 days", "overlap: -5"),
        ("column: changed, overlap: 2 days", "overlap: 2 days"),
        ("relation: public.terms", "files: terms.csv"), ("query: SELECT * FROM customers WHERE kept", "query: DELETE FROM customers"),
        ("    relation: public.terms\n", ""), ("in_place: true", "in_place: perhaps"),
        ('"sqlite:///crm.db"', "postgresql://me:pw@host/crm"),
        ("  - database: billing\n    relation", "  - files: x.csv\n    relation"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_the_reading_and_by_the_schema(change: str, to: str) -> None:
    text = WHOLE.replace(change, to)
    assert text != WHOLE
    with pytest.raises(BadInput):
        read_definition(text)
    value: Any = read_yaml(text, "book.yml").value
    assert not SCHEMA.is_valid(value)


@pytest.mark.parametrize(
    ("change", "to", "said"),
    [
        ("database: crm", "database: cms", "no database 'cms'"), ("subscription_id: line, ", "", "these have no key"),
        ("table: accounts\n", "table: accounts\n    cursor: changed\n", "have no cursor"),
        ("table: accounts\n    columns: {account_id: id}",
        "table: subscriptions\n    columns: {subscription_id: i, account_id: id, started: s}",
         "one kind of sources"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(change: str, to: str, said: str) -> None:
    assert change in WHOLE
    with pytest.raises(BadInput, match=said):
        read_definition(WHOLE.replace(change, to))


@pytest.mark.parametrize("cursor", [None, Cursor("changed"), Cursor("changed", 0.0, False), Cursor("changed", 7_200.0, True)])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_source_of_a_database_is_written_as_it_is_read(cursor: Cursor | None, in_place: bool) -> None:
    columns = {"account_id": "a", "event_id": "e", "occurred": "at"}
    source = SourceMapping(("billing:usage",), "events", columns, key=("event_id",), database="billing", relation="usage")
    source = replace(source, cursor=None if in_place else cursor, in_place=in_place)
    added = add_source("databases: {billing: {url_from: B}}\nsources:\n", source)
    assert replace(read_definition(added).sources[0], line=0) == source


@pytest.mark.parametrize(
    "text",
    [
        "", "time_zone: UTC", "time_zone: UTC\n", "sources:\n", "sources: []  # none yet\n# the end\n",
        "databases:\n  other: {url_from: X}\n",
        "databases:\r\n  other:\r\n    url_from: X\r\nsources:\r\n", "# a comment\n\nsources:\n#  - files: x\n",
    ],
)  # fmt: skip
def test_a_database_is_added_and_all_else_stays(text: str) -> None:
    before = read_definition(text).databases
    added = add_database(text, Database("billing", url="postgresql://host/billing?sslmode=require"))
    after = read_definition(added).databases
    assert sorted(one.name for one in after) == sorted([*(one.name for one in before), "billing"])
    assert next(one.url for one in after if one.name == "billing") == "postgresql://host/billing?sslmode=require"
    kept = iter(added.splitlines())
    assert all(line in kept for line in text.splitlines()), "every line is there still, in its order"


def test_databases_in_brackets_are_left_alone() -> None:
    with pytest.raises(BadInput, match="no database can be added"):
        add_database("databases: {other: {url_from: X}}\n", Database("billing", url_from="B"))
