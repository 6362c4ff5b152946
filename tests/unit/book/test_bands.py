"""Bands: known scales are ordered from worst to best, unknown words are asked about."""

from __future__ import annotations

import pyarrow as pa
import pytest

from unspun.book.bands import Ranks, rank_bands
from unspun.book.text import Complaint, words_of


def ranks(*cells: str | None, declared: tuple[str, ...] = (), column: str = "band") -> Ranks | Complaint:
    return rank_bands(words_of(pa.chunked_array([pa.array(cells, pa.string())])), column, declared)


@pytest.mark.parametrize(
    "worst_to_best",
    [
        ("red", "yellow", "green"),
        ("Red", "Amber", "Green"),
        ("R", "A", "G"),
        ("R", "Y", "G"),
        ("red", "orange", "yellow", "green"),
        ("\U0001f534", "\U0001f7e1", "\U0001f7e2"),
        ("F", "E", "D", "C", "B", "A"),
        ("D+", "C-", "C", "C+", "B", "A-", "A", "A+"),
        ("Poor", "Fair", "Good"),
        ("low", "medium", "high"),
        ("At Risk", "Neutral", "Healthy"),
        ("at-risk", "healthy"),
        ("critical", "at_risk", "needs attention", "healthy", "champion"),
        ("A", "G"),
    ],
)
def test_known_scales_run_from_worst_to_best(worst_to_best: tuple[str, ...]) -> None:
    shuffled = worst_to_best[::-1]
    ranked = ranks(*shuffled)
    assert isinstance(ranked, Ranks)
    assert ranked.names == worst_to_best
    assert ranked.ranks.tolist() == list(range(len(shuffled)))[::-1]


def test_spellings_of_one_band_are_one_band() -> None:
    ranked = ranks("Red", "RED", "g", "green", "r")
    assert isinstance(ranked, Ranks)
    assert ranked.names == ("Red", "g")
    assert ranked.ranks.tolist() == [0, 0, 1, 1, 0]


def test_a_declared_order_goes_before_the_known_ones() -> None:
    ranked = ranks("green", "red", "platinum", declared=("green", "red", "platinum"))
    assert isinstance(ranked, Ranks)
    assert ranked.ranks.tolist() == [0, 1, 2]


def test_unknown_words_are_shown_with_the_option_to_give() -> None:
    complaint = ranks("Gold", "Silver", "Gold")
    assert isinstance(complaint, Complaint)
    assert "'Gold', 'Silver'" in complaint.message and "--bands 'Gold,Silver'" in complaint.hint


def test_a_word_outside_the_declared_order_is_named() -> None:
    complaint = ranks("Gold", "Silver", "Brass", declared=("Silver", "Gold"))
    assert isinstance(complaint, Complaint)
    assert complaint.message.startswith("'Brass' is") and complaint.row == 2


def test_amber_and_yellow_together_have_no_known_order() -> None:
    assert isinstance(ranks("red", "amber", "yellow", "green"), Complaint)


def test_the_bands_of_a_risk_are_not_ordered_by_guess() -> None:
    assert isinstance(ranks("low", "high", column="Churn Risk"), Complaint)
    assert isinstance(ranks("low", "high", column="Churn Risk", declared=("high", "low")), Ranks)


def test_grey_and_unscored_are_no_band() -> None:
    ranked = ranks("green", "Grey", "not scored", "red")
    assert isinstance(ranked, Ranks)
    assert ranked.ranks.tolist()[0] == 1 and ranked.ranks.tolist()[3] == 0
    assert all(rank != rank for rank in ranked.ranks.tolist()[1:3])
