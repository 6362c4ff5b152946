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


@pytest.mark.parametrize(
    "worst_to_best",
    [
        ("\U0001f534 Red", "\U0001f7e0 Amber", "\U0001f7e2 Green"),
        ("\U0001f7e5", "\U0001f7e8", "\U0001f7e9"),
        ("\u2764\ufe0f", "\U0001f49b", "\U0001f49a"),
        ("\U0001f44e\U0001f3fb", "\U0001f44d\U0001f3fd"),
        ("\u274c", "\u26a0\ufe0f", "\u2705"),
        ("\U0001f641", "\U0001f610", "\U0001f642"),
        ("rot", "gelb", "Gr\u00fcn"),
        ("Rouge", "Orange", "Vert"),
        ("rojo", "\u00e1mbar", "verde"),
        ("vermelho", "amarelo", "verde"),
        ("Rosso", "Giallo", "Verde"),
        ("rood", "oranje", "groen"),
        ("Red (12)", "Yellow: watch", "Green - healthy"),
        ("\U0001f534 Hoch", "\U0001f7e2 Niedrig"),
        ("\U0001f534 At risk", "\U0001f7e1 Neutral", "\U0001f7e2 Healthy"),
    ],
)
def test_signs_and_colours_of_several_languages_run_from_worst_to_best(worst_to_best: tuple[str, ...]) -> None:
    ranked = ranks(*worst_to_best[::-1])
    assert isinstance(ranked, Ranks)
    assert ranked.names == worst_to_best


def test_one_hand_of_any_skin_and_one_sign_of_either_presentation_is_one_band() -> None:
    ranked = ranks("\U0001f44d", "\U0001f44d\U0001f3ff", "\U0001f44e", "\U0001f44e\U0001f3fb")
    assert isinstance(ranked, Ranks) and ranked.ranks.tolist() == [1, 1, 0, 0]
    ranked = ranks("\u26a0", "\u26a0\ufe0f", "\u2705")
    assert isinstance(ranked, Ranks) and ranked.ranks.tolist() == [0, 0, 1]


@pytest.mark.parametrize("cell", ["\U0001f534 Green", "Red/Amber", "Green red", "\u26aa", "\U0001f534\U0001f7e2"])
def test_a_cell_that_names_two_colours_or_none_that_is_known_is_asked_about(cell: str) -> None:
    assert isinstance(ranks("green", cell), Complaint)


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
