"""Conditions: what can be asked of a cell, and what is refused when it is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import inf, nan

import pytest
from hypothesis import given

from tests.unit.metrics.book import HELD
from tests.unit.metrics.hostile import HOSTILE_TEXTS
from tests.unit.metrics.strategies import conditions
from unspun.errors import BadInput
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not, columns_of
from unspun.metrics.words import condition_words


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: IsIn("a", ()), "compared with 0 values"),
        (lambda: IsIn("a", tuple(range(10_001))), "compared with 10,001 values"),
        (lambda: IsIn("a", ("1", 1)), "not of one kind"),
        (lambda: IsIn("a", (True, 1)), "not of one kind"),
        (lambda: IsIn("a", (date(2026, 1, 1), "2026-01-01")), "not of one kind"),
        (lambda: IsIn("a", (nan,)), "no number to compare with"),
        (lambda: IsIn("a", ("x\0y",)), "none of code 0"),
        (lambda: IsIn("a", ("x" * 10_001,)), "at most 10,000 characters"),
        (lambda: Compare("a", "above", inf), "no number to compare with"),
        (lambda: Compare("a", "above", -inf), "no number to compare with"),
        (lambda: Compare("a", "above", 10**19), "too large"),
        (lambda: Compare("a", "above", -1e300), "too large"),
        (lambda: Compare("a", "above", True), "neither more nor less"),
        (lambda: HasText("a", "contains", ""), "every text contains the empty text"),
        (lambda: HasText("a", "starts_with", "\0"), "none of code 0"),
        (lambda: AllOf(()), "says nothing"),
        (lambda: AnyOf(()), "says nothing"),
    ],
)
def test_a_condition_that_says_nothing_sound_cannot_be_made(make: Callable[[], Condition], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        make()


def test_the_columns_of_a_condition_are_told_once_each_in_their_order() -> None:
    inner = AnyOf((IsIn("b", (1,)), Not(IsEmpty("a")), Compare("c", "above", 1)))
    assert columns_of(AllOf((HasText("b", "contains", "x"), inner, IsEmpty("d")))) == ("b", "a", "c", "d")
    assert columns_of(None) == ()


@given(conditions(HELD, "events"))
def test_the_columns_of_a_condition_are_those_that_its_words_name(condition: Condition) -> None:
    told = condition_words(condition)
    assert all(column in told for column in columns_of(condition))
    assert len(set(columns_of(condition))) == len(columns_of(condition))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_any_text_of_a_cell_can_be_compared_with(text: str) -> None:
    assert IsIn("event", (text,)).values == (text,)
    assert HasText("event", "contains", text).text == text
