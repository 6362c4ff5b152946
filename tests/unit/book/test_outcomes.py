"""Outcomes: the usual words are known, the others are asked about, all at once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from unspun.book.outcomes import check_outcomes, read_outcomes
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, RENEWED, UNDECIDED
from unspun.book.text import Complaint, words_of


def read(*cells: str | None, column: str = "outcome", declared: dict[str, str] | None = None) -> tuple[list[int], Complaint | None]:
    words = words_of(pa.chunked_array([pa.array(cells, pa.string())]))
    outcomes, complaint = read_outcomes(words.without(words.blank()), column, declared or {})
    return outcomes.tolist(), complaint


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (RENEWED, ["renewed", "Renewal", "retained", "Won", "Closed Won", "closed-won", "FLAT", "active", "yes", "closedwon", "Paying"]),
        (
            CHURNED,
            ["churned", "Lost", "Closed Lost", "cancelled", "Canceled", "non-renewed", "Not Renewed", "attrited", "no", "closedlost"],
        ),
        (CONTRACTED, ["contracted", "Downgraded", "down-sell", "Reduced"]),
        (EXPANDED, ["expanded", "Upgraded", "Upsell", "up_sell", "grown"]),
        (
            UNDECIDED,
            [
                "open",
                "Pending",
                "In Progress",
                "",
                None,
                "upcoming",
                "TBD",
                "n/a",
                "ongoing",
                "Negotiation/Review",
                "Id. Decision Makers",
                "appointmentscheduled",
            ],
        ),
    ],
)
def test_the_usual_words_are_known(outcome: int, words: list[str | None]) -> None:
    assert read(*words) == ([outcome] * len(words), None)


@pytest.mark.parametrize("column", ["churn", "Churned", "is_churned", "churn_flag"])
def test_yes_in_a_churn_flag_means_churned(column: str) -> None:
    assert read("yes", "no", "TRUE", "false", "1", "0", None, column=column)[0] == [CHURNED, RENEWED] * 3 + [UNDECIDED]


def test_yes_in_a_renewed_flag_means_renewed() -> None:
    assert read("yes", "no", "true", "0", column="Is Renewed")[0] == [RENEWED, CHURNED, RENEWED, CHURNED]


def test_a_bare_one_in_an_outcome_column_is_not_guessed() -> None:
    assert read("1", "0")[1] is not None


def test_all_unknown_words_are_told_at_once_the_most_frequent_first() -> None:
    complaint = read("Renewed", "Ghosted", "Zombie", "Zombie", "Lost")[1]
    assert complaint is not None
    assert complaint.message == "no known outcome: 'Zombie' (2 rows), 'Ghosted' (1 row)."
    assert '--outcome "Zombie=churned" --outcome "Ghosted=churned"' in complaint.hint
    assert complaint.row == 1


def test_the_callers_meaning_goes_before_the_usual_one() -> None:
    declared = {"zombie": "churned", "Active": "undecided", "flat": "RENEWED"}
    assert read("Zombie", "active", "flat", declared=declared) == ([CHURNED, UNDECIDED, RENEWED], None)


def test_a_meaning_that_is_no_outcome_is_refused_with_the_nearest_one() -> None:
    (fault,) = check_outcomes({"Zombie": "churnd", "Gone": "churned"})
    assert fault.where == '--outcome "Zombie=churnd"' and "Did you mean 'churned'?" in fault.hint
