"""The JSON Schema of book.yml says what the reader says, and the reference page says what both do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from tests.unit.book.mapping.books import BOOKS, mappings
from tests.unit.book.mapping.test_book_file import WHOLE
from unspun.book.mapping.book_file import definition_schema, mapping_text, read_definition
from unspun.book.mapping.book_reference import EXAMPLE, book_reference
from unspun.book.mapping.definition import SourceMapping
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput

SCHEMA = Draft202012Validator(definition_schema())
BETWEEN_PARTS = {
    "unknown_time_zone", "unknown_currency", "unknown_date_format", "bad_pattern", "bad_value", "two_sources", "two_kinds", "two_keys",
    "unmapped_key", "unmapped_fixed", "fixed_key", "fixed_rows", "mapped_and_ignored", "amount_period", "kind_of_standard",
    "unknown_column", "known_at_value",
}  # fmt: skip
"""Faults that a schema cannot tell, as they lie between values or in what a name stands for."""


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(definition_schema())
    json.dumps(definition_schema(), allow_nan=False)


@given(BOOKS)
def test_schema_and_reader_refuse_the_same(value: Any) -> None:
    try:
        read_definition(json.dumps(value))
        codes = set()
    except BadInput as refusal:
        codes = {fault.code for fault in refusal.faults}
    if not SCHEMA.is_valid(value):
        assert codes
    elif codes - BETWEEN_PARTS:
        raise AssertionError((codes, value))


@settings(max_examples=50)
@given(mappings())
def test_whatever_the_reader_takes_the_schema_takes(mapping: SourceMapping) -> None:
    SCHEMA.validate(read_yaml("sources:\n" + mapping_text(mapping), "book.yml").value)


@pytest.mark.parametrize("text", [WHOLE, EXAMPLE, "", "sources:\n", "time_zone: UTC\n"])
def test_valid_books_are_valid(text: str) -> None:
    read_definition(text)
    SCHEMA.validate(read_yaml(text, "book.yml").value)


@pytest.mark.parametrize(
    "change",
    [
        ("table: accounts", "table: account"), ("files: accounts.csv", "file: accounts.csv"), ("currency: EUR", "currency: euro"),
        ("fiscal_year_starts: 2", "fiscal_year_starts: 0"), ("covers: month", "covers: fortnight"), ("kind: whole", "kind: integer"),
        ("account_id: Account ID", "account_number: Account ID"), ("region: Region", "Region: Region"), ("region: Region", "load: Region"),
        ("region: Region", "select: Region"), ("region: Region", "region: {column: R, valeu: 1}"), ("known: received", "known: yesterday"),
        ("region: Region", "region: [R]"), ("ignore: [Fax]", "ignore: [Fax, Fax]"), ("dated: Changed", "dated: ''"),
    ],
)  # fmt: skip
def test_invalid_books_are_invalid(change: tuple[str, str]) -> None:
    text = WHOLE.replace(*change)
    assert text != WHOLE
    value: Any = read_yaml(text, "book.yml").value
    assert not SCHEMA.is_valid(value)
    with pytest.raises(BadInput):
        read_definition(text)


def test_the_reference_page_is_what_the_reading_uses() -> None:
    page = Path(__file__).parents[4] / "docs" / "reference" / "book-yml.md"
    assert page.read_text(encoding="utf-8") == book_reference()
