"""A profile says what a file's columns hold, does not depend on the order of rows, and keeps nothing of a person."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.book.drift.profiles import profile, terms
from unspun.book.drift.profile import from_document, to_document, without_words
from unspun.book.drift.sample import PART_ROWS, WHOLE_ROWS, sample_rows

WORDS = st.lists(st.sampled_from(["a", "b", "n/a", "", "12", "1.5", "2026-01-05", "05/06/2026", "Ada Byron", "x@y.org", "yes"]), min_size=1)


def _words(column: str, **others: list[str]) -> list[str] | None:
    found = profile(terms(1) | others).column(column)
    return None if found is None or found.words is None else [word for word, _, _ in found.words]


def test_each_column_is_there_in_its_order_mapped_or_not() -> None:
    found = profile(terms(1))
    assert [(column.name, column.kind, column.book_column) for column in found.columns] == [
        ("line", "text", ""), ("id", "text", "account_id"), ("from", "day", "started"), ("mrr", "number", "amount"),
        ("seats", "whole", ""), ("plan", "text", "product"), ("region", "text", ""), ("csm", "text", ""), ("auto", "flag", "auto"),
    ]  # fmt: skip


def test_an_enumeration_keeps_its_words_with_their_rows_and_accounts() -> None:
    cells = terms(1)
    found = profile(cells).column("plan")
    assert found is not None and found.words is not None
    pairs = list(zip(cells["plan"], cells["id"], strict=True))
    assert found.words == tuple(
        (word, cells["plan"].count(word), len({i for w, i in pairs if w == word})) for word in ("basic", "pro", "team")
    )
    assert found.carriers == 80


def test_ids_names_addresses_numbers_and_people_are_no_words_that_are_kept() -> None:
    assert [_words(column) for column in ("line", "id", "from", "mrr", "seats", "csm")] == [None] * 6
    assert _words("plan", customer_name=["Acme"] * 240) == ["basic", "pro", "team"]
    for header, word in (
        ("customer_name", "Acme"),
        ("contact", "Ada Byron"),
        ("approved by", "Kim"),
        ("x", "ada@acme.org"),
        ("y", "0151 442211"),
    ):
        assert _words(header, **{header: [word, "other"] * 120}) is None, header
    assert _words("plan_name", plan_name=["gold", "silver"] * 120) == ["gold", "silver"]


def test_a_word_that_one_account_alone_has_is_not_kept() -> None:
    cells = terms(1)
    theirs = [plan if account != "A-7" else "Acme special" for plan, account in zip(cells["plan"], cells["id"], strict=True)]
    assert _words("plan", plan=theirs) == ["basic", "pro", "team"]
    assert "Acme special" not in to_document(profile(cells | {"plan": theirs}))


def test_a_word_that_a_flag_cannot_hold_is_told_but_kept_only_where_several_have_it() -> None:
    flags = ["Ada Byron"] + ["maybe"] * 9 + ["yes", "no"] * 115
    found = profile(terms(1) | {"auto": flags})
    column, kept = found.column("auto"), from_document(to_document(found)).column("auto")
    assert column is not None and column.unexplained == ("Ada Byron", "maybe")
    assert kept is not None and kept.unexplained == ("maybe",) and "Ada" not in to_document(found)


def test_an_erasure_leaves_a_profile_without_the_word() -> None:
    found = without_words(profile(terms(1)), ["pro"])
    assert '"pro"' not in to_document(found) and '"basic"' in to_document(found)


@given(st.dictionaries(st.sampled_from(["id", "plan", "from", "auto", "mrr", "x"]), WORDS, min_size=1), st.integers())
@settings(deadline=None, max_examples=60)
def test_shuffled_rows_have_the_same_profile(columns: dict[str, list[str]], seed: int) -> None:
    rows = max(map(len, columns.values()))
    cells = {name: (column * rows)[:rows] for name, column in columns.items()}
    order = Random(seed).sample(range(rows), rows)
    assert profile(cells) == profile({name: [column[i] for i in order] for name, column in cells.items()})


@pytest.mark.parametrize("seed", range(3))
def test_a_profile_reads_back_as_it_was_written(seed: int) -> None:
    assert from_document(to_document(profile(terms(seed)))) == profile(terms(seed))


def test_of_a_large_file_head_middle_and_tail_are_looked_at() -> None:
    import numpy as np
    import pyarrow as pa

    from unspun.book.raw import RawTable

    rows = WHOLE_ROWS + 1
    column = pa.chunked_array([pa.array(range(7_000)), pa.array(range(7_000, rows))])
    sample = sample_rows(RawTable("events", "f", "", "CSV", ("n",), (column,), np.arange(rows), rows))
    starts = (0, (rows - PART_ROWS) // 2, rows - PART_ROWS)
    assert not sample.whole and sample.raw.columns[0].to_pylist() == [n for start in starts for n in range(start, start + PART_ROWS)]
    assert sample.raw.row.tolist() == sample.raw.columns[0].to_pylist()
