"""A source written into book.yml: it reads as it was, and nothing else in the file changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from ruamel.yaml import YAML

from tests.unit.book.mapping.books import mappings
from unspun.book.mapping.book_file import add_source, mapping_text, read_definition
from unspun.book.mapping.definition import SourceMapping
from unspun.errors import BadInput

ACCOUNTS = SourceMapping(("new.csv",), "accounts", {"account_id": "Account ID"})
SUBSCRIPTIONS = SourceMapping(
    files=("subs*.csv",),
    table="subscriptions",
    columns={"subscription_id": "No.", "account_id": "Account: ID", "started": "From", "amount": "MRR", "billing": "every"},
    kinds={"billing": "whole"},
    values={"currency": "USD"},
    key=("subscription_id",),
    known="received",
    ignored=("Fax", "yes", "2026"),
    words={"billing": {"monthly": "1"}},
    date_format="%d/%m/%Y",
    amount_months=1.0,
)
WRITTEN = """\
- files: "subs*.csv"
  table: subscriptions
  key: subscription_id
  known: received
  date_format: "%d/%m/%Y"
  columns:
    subscription_id: No.
    account_id: "Account: ID"
    started: From
    amount: {column: MRR, covers: month}
    billing: {column: every, kind: whole, words: {monthly: "1"}}
    currency: {value: USD}
  ignore: [Fax, "yes", "2026"]
"""


def plain(mapping: SourceMapping) -> SourceMapping:
    return replace(mapping, line=0)


def test_a_source_is_written_as_an_analyst_would() -> None:
    assert mapping_text(SUBSCRIPTIONS) == WRITTEN


@given(mappings())
def test_what_is_written_reads_as_it_was(mapping: SourceMapping) -> None:
    text = "sources:\n" + mapping_text(mapping)
    (read,) = read_definition(text).sources
    assert plain(read) == mapping


@given(mappings())
def test_other_readers_of_yaml_see_the_same_text(mapping: SourceMapping) -> None:
    reader = YAML(typ="safe", pure=True)
    (read,) = reader.load(mapping_text(mapping))
    written = {name: one if isinstance(one, dict) else {"column": one} for name, one in read["columns"].items()}
    assert {name: one["column"] for name, one in written.items() if "column" in one} == mapping.columns
    assert {name: one["words"] for name, one in written.items() if "words" in one} == mapping.words
    assert list(mapping.ignored) == read.get("ignore", [])


BOOKS = {
    "empty": "",
    "only remarks": "# a book\n\n# nothing yet",
    "null": "time_zone: UTC\nsources:\n# example\n#  - files: x\n",
    "empty list": "sources: []  # none yet\n\n# the end\ntime_zone: UTC\n",
    "no sources": "time_zone: UTC # zone\n# the end\n",
    "no sources, no line end": "time_zone: UTC",
    "indented": "  time_zone: UTC\n  currency: USD\n",
    "one": "sources:\n  # first\n  - files: one.csv # a\n    table: accounts\n    columns: {account_id: A} # b\n  # c\n\ncurrency: USD\n",
    "not indented": "sources:\n- files: one.csv\n  table: accounts\n  columns:\n    account_id: A\ncurrency: USD",
    "deep": "sources:\n        - files: one.csv\n          table: accounts\n          columns:\n            account_id: A\n        # end\n",
    "in brackets": "sources: [{files: one.csv, table: accounts, columns: {account_id: A}}] # one\ncurrency: USD\n",
    "brackets over lines": "sources: [\n  {files: one.csv, table: accounts, columns: {account_id: A}},\n]\n",
    "all in brackets": "{time_zone: UTC, sources: [{files: one.csv, table: accounts, columns: {account_id: A}}]}\n",
    "all in brackets, none": "{time_zone: UTC}",
    "nothing in brackets": "{}\n",
    "json": '{"sources": [], "currency": "USD"}',
    "block text": "sources:\n  - files: >-\n      one.csv\n    table: accounts\n    columns:\n      account_id: |-\n        A\n\n# end\n",
    "document signs": "---\nsources:\n  - files: one.csv\n    table: accounts\n    columns: {account_id: A}\n...\n",
    "byte order mark": "\ufeffsources:\n  - files: one.csv\n    table: accounts\n    columns: {account_id: A}\n",
}


@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_source_is_added_and_all_else_stays(name: str, line_end: str) -> None:
    before = BOOKS[name].replace("\n", line_end)
    once = add_source(before, ACCOUNTS)
    twice = add_source(once, SUBSCRIPTIONS)
    old = read_definition(before).sources
    assert [plain(one) for one in read_definition(twice).sources] == [*map(plain, old), ACCOUNTS, SUBSCRIPTIONS]
    assert _is_one_insertion(before, once)
    assert _is_one_insertion(once, twice)
    if line_end == "\r\n" and line_end in before:
        assert twice.replace(line_end, "").count("\n") == 0


def _is_one_insertion(before: str, after: str) -> bool:
    """Whether something was put in at one place, an empty list perhaps taken out, and every other character left as it was."""
    texts = (before, before.replace("[]", "", 1), before.replace(" []", "", 1))
    return any(after.startswith(text[:i]) and after.endswith(text[i:]) for text in texts for i in range(len(text) + 1))


@settings(max_examples=40)
@given(mappings("first.csv"), mappings("second.csv"))
def test_sources_are_added_in_turn_or_refused(first: SourceMapping, second: SourceMapping) -> None:
    text = "# a book\n" + add_source("sources:\n# the end\n", first)
    try:
        both = add_source(text, second)
    except BadInput as refusal:
        assert {fault.code for fault in refusal.faults} <= {"two_keys", "two_kinds", "two_sources"}
    else:
        assert [plain(one) for one in read_definition(both).sources] == [first, second]
        assert both.startswith(text.removesuffix("# the end\n"))
        assert both.endswith("# the end\n")


def test_a_source_that_would_be_a_fault_is_not_added() -> None:
    with pytest.raises(BadInput, match="accounts need"):
        add_source("", SourceMapping(("a.csv",), "accounts", {"name": "N"}))
    with pytest.raises(BadInput, match="is given twice"):
        add_source("currency: USD\ncurrency: EUR\n", ACCOUNTS)


def test_an_own_column_whose_name_is_nearly_a_standard_ones_is_written_with_its_kind() -> None:
    mapping = replace(ACCOUNTS, columns={"account_id": "A", "segmnet": "S"})
    (read,) = read_definition(add_source("", mapping)).sources
    assert read.kind_of("segmnet") == "text"
