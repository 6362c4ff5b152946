"""`unspun scores fit`, `what-if` and `import`: from a company's book to points, tries and scores.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.doors.book_files import Book, write
from tests.doors.cli_files import Ran
from tests.doors.evidence_company import made_company
from tests.doors.metric_book import copied
from unspun.health.read_file import read_scores

CARD = """\
Group,Group weight,Measure,Weight,From,Points
Usage,60 %,Logins,1,0,0
Usage,60 %,Logins,1,40,100
Voice,40 %,Replies,1,0,30
Voice,40 %,Replies,1,1,90
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A company whose churn follows a fall of its usage: to be copied, not to be used."""
    return made_company(tmp_path_factory.mktemp("fit")).book


@pytest.fixture
def book(company: Book, tmp_path: Path) -> Book:
    return copied(company, tmp_path)


def answer(ran: Ran) -> dict[str, Any]:
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def entries(book: Book, kind: str) -> int:
    return len(json.loads(book.run("ledger", "show", "--kind", kind, "--json").out))


def scores_file(book: Book) -> str:
    return (book.folder / "scores.yml").read_bytes().decode()


# Fit


def test_a_fit_finds_what_drives_churn_and_stands_beside_the_declared_score(book: Book) -> None:
    before = scores_file(book)
    found = answer(book.run("scores", "fit", "--json"))
    score = read_scores(f"scores:\n{indented(found['yaml'])}").scores.score("fitted")
    assert "answers_year" not in score.metrics
    assert {"metric": "tier", "reason": "is text"} in found["left_out"]
    (beside,) = found["beside"]
    assert (beside["score"], beside["n_both"] <= found["track_record"]["n_test"]) == ("health", True)
    assert beside["difference"]["point"] == pytest.approx(
        found["track_record"]["auc"]["point"] - beside["track_record"]["auc"]["point"], abs=0.05
    )
    assert found["track_record"]["auc"]["low"] > 0.5
    shown = book.run("scores", "fit")
    text = " ".join(shown.out.split())
    for told in ("Fitted on ", "AUC of the fitted score less that of health", "(tried before, and counted once)", "is fitting on the test"):
        assert told in text
    assert max(len(line) for line in shown.out.splitlines()) <= 80
    assert entries(book, "try") == 1
    assert scores_file(book) == before


def indented(yaml: str) -> str:
    return "".join(f"  {line}\n" for line in yaml.splitlines())


def test_a_fitted_score_is_written_behind_the_declared_ones_and_can_be_used_as_they_are(book: Book) -> None:
    before = scores_file(book)
    assert book.run("scores", "fit", "--write", "points", "--most", "1").code == 0
    after = scores_file(book)
    assert after.startswith(before)
    assert "# Fitted by `unspun scores fit` (ledger entry " in after
    assert [one.id for one in read_scores(after).scores] == ["health", "points"]
    again = book.run("scores", "fit", "--write", "points")
    assert (again.code, "already" in again.err, scores_file(book)) == (2, True, after)
    assert book.run("scores", "check").code == 0


def test_a_fit_like_a_score_takes_its_metrics_and_its_bands_alone(book: Book) -> None:
    path = book.folder / "scores.yml"
    path.write_text(scores_file(book) + "    bands: {poor: 0, fine: 30}\n", encoding="utf-8")
    found = answer(book.run("scores", "fit", "--like", "health", "--json"))
    score = read_scores(f"scores:\n{indented(found['yaml'])}").scores.score("fitted")
    assert set(score.metrics) <= {"logins_8w", "answers_year"}
    assert {band.name for band in score.bands} <= {"poor", "fine"}


def test_faults_of_the_options_are_told_together(book: Book) -> None:
    ran = book.run("scores", "fit", "--most", "13", "--like", "healht", "--write", "Bad Id")
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--write", "--most", "--like"]
    assert "Did you mean 'health'?" in ran.err
    assert "Did you mean 'logins_8w'?" in book.run("scores", "fit", "--metric", "login_8w").err


def test_too_little_to_fit_on_ends_with_3_and_says_what_it_would_take(book: Book) -> None:
    ran = book.run("scores", "fit", "--as-of", "2023-09-30")
    assert (ran.code, "under 30, nothing is fitted" in " ".join(ran.out.split()), "It would take" in ran.out) == (3, True, True)
    assert entries(book, "try") == 0


# What if


def test_the_track_record_of_a_changed_score_is_as_worked_out_apart(book: Book) -> None:
    found = answer(book.run("scores", "what-if", "health", "--without", "answers_year", "--json"))
    assert found["changes"] == ["answers_year is left out"]
    assert found["difference"]["point"] == pytest.approx(found["if"]["auc"]["point"] - found["now"]["auc"]["point"], abs=1e-12)
    churned, value = units_of(book, "logins_8w")
    assert found["if"]["auc"]["point"] == pytest.approx(roc_auc_score(churned, -np.minimum(value, 80)), abs=1e-3)


def units_of(book: Book, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and value of the test units that have one, read through Python."""
    from datetime import UTC, datetime

    from unspun.app.evidence.inputs import EvidenceRequest, trial_inputs
    from unspun.app.workspace import open_workspace

    inputs = trial_inputs(open_workspace(book.folder), (metric,), EvidenceRequest(), datetime.now(UTC))
    parts = inputs.frame.parts
    test = getattr(parts, "test") & np.isfinite(inputs.columns[metric])  # noqa: B009
    return inputs.frame.units.churned[test], inputs.columns[metric][test]


def test_every_try_is_counted_shown_and_paid_for(book: Book) -> None:
    tried = ("3", "0.5", "0.50", "3.000001")
    tries = [answer(book.run("scores", "what-if", "health", "--weight", f"logins_8w={weight}", "--json")) for weight in tried]
    assert [one["try"]["number"] for one in tries] == [1, 2, 2, 3]
    assert [one["try"]["one_of"] for one in tries] == [2, 6, 6, 12]
    assert tries[2]["difference"] == tries[1]["difference"]
    first, last = tries[0]["difference"], tries[3]["difference"]
    assert last["point"] == pytest.approx(first["point"], abs=1e-3)
    assert last["high"] - last["low"] > 1.2 * (first["high"] - first["low"])
    assert entries(book, "try") == 3


def test_a_what_if_leaves_the_declared_score_as_it_is_and_warns(book: Book) -> None:
    before = scores_file(book)
    ran = book.run("scores", "what-if", "health", "--steps", "answers_year=0:0,1:100")
    shown = " ".join(ran.out.split())
    assert "health, if: answers_year has steps {0: 0, 1: 100}, not steps {0: 40, 1: 60}" in shown
    assert "This is try 1 on the test from" in shown
    assert "keeping the best of them is fitting on the test" in shown
    assert (ran.code, max(len(line) for line in ran.out.splitlines()) <= 80, scores_file(book)) == (0, True, before)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--weight", "login=3"), "Did you mean 'logins_8w'?"),
        (("--weight", "logins_8w"), 'Write "NAME=OTHER".'),
        (("--weight", "logins_8w=-1"), "weights are above 0"),
        (("--weight", "logins_8w=2"), "nothing is changed"),
        (("--points", "logins_8w=0:0,5:x"), "'x' is no number."),
        (("--points", "logins_8w=5:0,0:5"), "Write the values from the lowest to the highest"),
        (("--steps", "logins_8w=0:0,5:500"), "lie outside 0 to 100"),
        (("--without", "logins_8w", "--without", "answers_year"), "no metric is left"),
        (("--least-weight", "400"), "Give 0 to 100 percent."),
        ((), "nothing is changed"),
    ],
)
def test_what_cannot_be_changed_is_said_and_not_counted(company: Book, options: tuple[str, ...], told: str) -> None:
    ran = company.run("scores", "what-if", "health", *options)
    assert (ran.code, told in ran.err) == (2, True), ran.err
    assert entries(company, "try") == 0


# Import


def test_a_scorecard_is_imported_with_what_is_said_of_it(book: Book) -> None:
    card = write(book.exports / "card.csv", CARD.splitlines())
    partly = book.run("scores", "import", card, "--write", "theirs")
    assert partly.code == 3
    assert "4 rows read, 2 used, 2 set aside" in partly.out
    assert "card.csv:4: Replies: is no metric." in partly.out
    assert "theirs" not in scores_file(book)
    part = book.run("scores", "import", card, "--leave-out", "--yaml")
    assert (part.code, part.out.startswith("imported:\n  digits: 1\n")) == (0, True)
    whole = book.run("scores", "import", card, "--map", "Replies=answers_year", "--write", "theirs")
    assert whole.code == 0, whole.err
    score = read_scores(scores_file(book)).scores.score("theirs")
    assert [(group.name, str(group.weight), group.inputs[0].metric) for group in score.groups] == [
        ("Usage", "60", "logins_8w"),
        ("Voice", "40", "answers_year"),
    ]
    assert book.run("scores", "check").code == 0


def test_every_row_of_a_scorecard_is_accounted_for_as_json(book: Book) -> None:
    card = write(book.exports / "card.csv", [*CARD.splitlines(), ",,,,,", "Voice,40 %,Logins,1,0,0", "one,two"])
    ran = book.run("scores", "import", card, "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["rows"], len(found["used"]) + len(found["set_aside"])) == (3, 7, 7)
    assert [one["reason"] for one in found["set_aside"] if one["place"] == "card.csv:6"] == ["blank line"]


def test_a_scorecard_cannot_bring_points_of_numbers_for_texts(book: Book) -> None:
    card = write(book.exports / "card.csv", ["measure,from,points", "tier,0,0", "tier,1,100"])
    ran = book.run("scores", "import", card)
    assert (ran.code, ran.err) == (2, "card.csv:2: 'tier' is text. Give its points with 'values'.\n")


def test_options_that_fit_nothing_of_the_file_are_faults(book: Book) -> None:
    card = write(book.exports / "card.csv", CARD.splitlines())
    ran = book.run("scores", "import", card, "--map", "Reply=answers_year", "--band", "red=0")
    assert ran.code == 2
    assert ran.faults[0] == "--map: the file has no measure 'Reply'. Did you mean 'Replies'?"
    assert ran.faults[1].startswith("--band: the file has no band 'red'.")
    assert book.run("scores", "import", book.exports / "none.csv").err.endswith("none.csv: there is no such file. Check the path.\n")
