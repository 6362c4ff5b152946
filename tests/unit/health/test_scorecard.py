"""Scorecards of other tools: what is used, what is set aside and why, and that nothing in them is ever obeyed."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.app.health.scorecard import read_scorecard
from unspun.errors import BadInput
from unspun.health.add_to_file import with_score
from unspun.health.definition import Group, HealthScore, Input, Steps, Values
from unspun.health.read_file import read_scores
from unspun.health.scorecard import Brought, Meaning, Row, Scorecard, as_score
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Constant

METRICS = MetricSet(
    (
        Metric("logins_28d", Constant(1.0), name="Logins", direction="higher"),
        Metric("tickets_open", Constant(1.0), name="Open tickets", direction="lower"),
        Metric("tier", Constant(1.0), name="Tier"),
        Metric("nps", Constant(1.0), name="Promoter score"),
        Metric("seats_a", Constant(1.0), name="Seats"),
        Metric("seats_b", Constant(1.0), name="Seats"),
    )
)
CSV = """\
Group,Group weight,Measure,Weight,From,Value,Points
Usage,60 %,logins_28d,2,,,0
Usage,60 %,logins_28d,2,5,,60
Usage,60 %,logins_28d,2,20,,100
Usage,60 %,Tier,1,,gold,100
Usage,60 %,Tier,1,,silver,50
Support,40 %,Open tickets,1,0,,100
Support,40 %,Open tickets,1,5,,0
"""
YAML = """\
groups:
  Usage:
    weight: 60
    measures:
      logins_28d: {weight: 2, thresholds: {0: 0, 5: 60, 20: 100}}
      Tier: {weight: 1, values: {gold: 100, silver: 50}}
  Support:
    weight: 40
    measures:
      - name: Open tickets
        weight: 1
        thresholds: [{from: 0, to: 5, points: 100}, {from: 5, points: 0}]
"""
STATED = HealthScore(
    "brought",
    (
        Group(
            "Usage",
            (
                Input("logins_28d", Steps(((0.0, Decimal(0)), (5.0, Decimal(60)), (20.0, Decimal(100)))), Decimal(2)),
                Input("tier", Values((("gold", Decimal(100)), ("silver", Decimal(50)))), Decimal(1)),
            ),
            Decimal(60),
        ),
        Group("Support", (Input("tickets_open", Steps(((0.0, Decimal(100)), (5.0, Decimal(0)))), Decimal(1)),), Decimal(40)),
    ),
)


SAY_POINT = "(write a decimal point, and no separator of thousands)"


def brought(text: str, meaning: Meaning | None = None, name: str = "card.csv") -> Brought:
    return as_score(read_scorecard(text.encode(), name), "brought", meaning or Meaning(), METRICS)


def reasons(found: Brought) -> dict[str, str]:
    return {one.place: one.reason for one in found.set_aside}


def test_a_csv_file_and_a_yaml_file_that_say_the_same_are_the_same_score() -> None:
    for found in (brought(CSV), brought(YAML, name="card.yml")):
        assert found.score == STATED
        assert (len(found.used), found.set_aside) == (7, ())
    assert brought(CSV).taken == (
        ("logins_28d", "logins_28d", "its id"),
        ("Tier", "tier", "its name"),
        ("Open tickets", "tickets_open", "its name"),
    )


def test_a_threshold_without_a_start_holds_below_all_others() -> None:
    cells = "measure,from,points\n{},,0\n{},{},100\n"
    for start, lowest in (("7", 0.0), ("0", -1.0), ("-4", -5.0)):
        found = brought(cells.format("nps", "nps", start))
        assert found.score is not None
        assert found.score.inputs[0].scale == Steps(((lowest, Decimal(0)), (float(start), Decimal(100))))


def test_what_a_band_is_worth_is_asked_and_not_guessed() -> None:
    text = "measure,from,band\nnps,0,Red\nnps,7,Green\n"
    asked = brought(text)
    assert asked.score is None
    assert reasons(asked)["card.csv:2"] == "what the band 'Red' is worth is not said: --band Red=POINTS"
    found = brought(text, Meaning(bands={"red": Decimal(0), "green": Decimal(100)}))
    assert found.score is not None
    assert found.score.inputs[0].scale == Steps(((0.0, Decimal(0)), (7.0, Decimal(100))))


def test_a_measure_that_is_no_metric_is_set_aside_with_what_it_may_have_meant() -> None:
    found = brought("measure,from,points\nLogin,0,0\nLogin,1,100\nnps,0,0\nnps,7,100\n")
    assert [one.place for one in found.used] == ["card.csv:4", "card.csv:5"]
    assert reasons(found) == dict.fromkeys(
        ("card.csv:2", "card.csv:3"), "is no metric. Did you mean 'Logins'? Say which with --map, or leave it out"
    )
    mapped = brought("measure,from,points\nLogin,0,0\nLogin,1,100\n", Meaning(metrics={"Login": "logins_28d"}))
    assert mapped.taken == (("Login", "logins_28d", "as you said"),)


def test_a_name_that_two_metrics_have_is_not_decided() -> None:
    assert reasons(brought("measure,from,points\nSeats,0,0\nSeats,1,1\n"))["card.csv:2"].startswith(
        "several metrics are called so: seats_a, seats_b"
    )


@pytest.mark.parametrize(
    ("lines", "place", "reason"),
    [
        ("nps,U,1,0,,0\n,U,1,5,,9\nnps,U,1,9,,9", "card.csv:3", "names no measure"),
        ("nps,U,1,0,,0\nnps,U,2,5,,9", "card.csv:3", "its rows have several weights: '1', '2'"),
        ("nps,U,1,0,,0\nnps,V,1,5,,9", "card.csv:3", "its rows have several groups: 'U', 'V'"),
        ("nps,U,,0,,0\nnps,U,,5,,9", "card.csv:2", "has no weight"),
        ("nps,U,0,0,,0\nnps,U,0,5,,9", "card.csv:2", "a weight of 0 cannot be; weights are above 0"),
        ("nps,U,1,0,,0\nnps,U,1,0,,9", "card.csv:3", "the threshold 0 stands twice"),
        ("nps,U,1,,,0\nnps,U,1,,,9", "card.csv:3", "does not say from which value on its points hold"),
        ("nps,U,1,0,6,0\nnps,U,1,5,,9", "card.csv:2", "it ends at 6, and the next begins at 5"),
        ("nps,U,1,0,,0", "card.csv:2", "has one threshold; two or more make points differ"),
        ("nps,U,1,0,,0\nnps,U,1,5,,", "card.csv:3", "has neither points nor a band"),
        ("nps,U,1,0,,0\nnps,U,1,5,,101", "card.csv:3", "its points, 101, lie outside 0 to 100: --range says another range"),
        ("nps,U,1,0,,0\nnps,U,1,1e999,,9", "card.csv:3", "inf is no number up to 1e+15"),
        ("nps,U,1,0,,0\nnps,U,1,5,,nan", "card.csv:3", "its points, 'nan', is no plain number"),
    ],
)  # fmt: skip
def test_each_thing_that_cannot_be_is_told_at_its_row(lines: str, place: str, reason: str) -> None:
    found = brought(f"measure,group,weight,from,to,points\n{lines}\n")
    assert reasons(found)[place] == reason
    rows = lines.count("\n") + 1
    assert len(found.used) + len(found.set_aside) == rows


def test_other_rows_of_a_measure_go_with_the_one_at_fault() -> None:
    found = brought("measure,from,points\nnps,0,0\nnps,5,x\n")
    assert reasons(found)["card.csv:2"] == "its measure is set aside at card.csv:3: its points, 'x', is no plain number"


def test_rows_that_are_not_whole_are_counted_too() -> None:
    lines = "measure,from,points\n" + "nps,0,0\nnps,7,100\nlogins_28d,0,0\nlogins_28d,9,100\n" + "nps,8\n\n"
    found = brought(lines)
    assert len(found.used) == 4
    assert set(reasons(found)) == {"card.csv:6", "card.csv:7"}


def test_columns_are_known_by_their_names_and_faults_say_where() -> None:
    with pytest.raises(BadInput) as refusal:
        brought("KPI,Measure,Scor\na,b,c\n")
    told = [(fault.code, fault.where) for fault in refusal.value.faults]
    assert told == [("two_columns", "card.csv:1:2"), ("no_points_column", "card.csv:1"), ("no_start_column", "card.csv:1")]
    assert "Did you mean 'score'?" in str(refusal.value)


def test_faults_of_a_yaml_file_are_told_by_line_all_at_once() -> None:
    text = "groups:\n  Usage:\n    wieght: 3\n    measures:\n      nps: {thresholds: {0: [1]}}\n      - x\n"
    with pytest.raises(BadInput, match=r"card.yml:6"):
        brought(text, name="card.yml")
    with pytest.raises(BadInput) as refusal:
        brought("groups:\n  Usage:\n    wieght: 3\n    measures:\n      nps: {thresholds: {0: [1]}}\nbands: {red: low}\n", name="card.yml")
    assert [fault.where for fault in refusal.value.faults] == ["card.yml:3", "card.yml:5", "card.yml:6"]
    assert "Did you mean 'weight'?" in str(refusal.value)


def test_points_of_another_range_are_taken_where_it_is_said() -> None:
    text = "measure,from,points\nnps,0,0\nnps,7,10\n"
    assert any("say --range 0,10" in note for note in brought(text).notes)
    found = brought(text, Meaning(high=Decimal(10)))
    assert found.score is not None
    assert (found.score.high, found.notes) == (Decimal(10), ("the file has no weights: every measure weighs the same",))


def test_what_is_not_said_is_told_as_a_note() -> None:
    rows = ("U,nps,30,0,6,0,Kim", "U,nps,30,7,,100,Kim", "V,logins_28d,50,0,9,0,Kim", "V,logins_28d,50,9,,50,Kim")
    notes = brought("\n".join(["group,measure,weight,from,to,points,owner", *rows, ""])).notes
    assert "columns not read: 'owner'" in notes
    assert "the file has no weights of groups: each weighs what its measures weigh together" in notes
    assert "the weights of the measures used add up to 80; they count by their shares" in notes
    assert "nps: between the end of a threshold and the next start the points are those of the lower one" in notes
    assert not any(note.startswith("logins_28d") for note in notes)


HOSTILE = st.one_of(
    st.sampled_from(["", "nps", "logins_28d", "5", "0", "1e400", "-1", "60 %", "=cmd|'/c calc'!A0", "@SUM(A1)", "+1+1"]),
    st.sampled_from(["\u202egnp", "{}", "a: b", "\x07", "'", "nan", "1_000", "0.1234567"]),
    st.text(max_size=12).map(lambda text: " ".join(text.split())),
)  # fmt: skip


@given(st.lists(st.builds(Row, *[st.just("f:0")], *[HOSTILE] * 9), max_size=12), st.booleans(), st.booleans())
def test_every_row_is_used_or_set_aside_whatever_its_cells_hold(rows: list[Row], weights: bool, group_weights: bool) -> None:
    placed = tuple(
        Row(f"f:{at}", *(getattr(row, name) for name in [one.name for one in fields(Row)][1:])) for at, row in enumerate(rows, 2)
    )
    found = as_score(Scorecard(placed, has_weights=weights, has_group_weights=group_weights), "brought", Meaning(), METRICS)
    places = [one.place for one in (*found.used, *found.set_aside)]
    assert sorted(places) == sorted(row.place for row in placed)
    assert all(one.reason for one in found.set_aside)
    if found.score is not None:
        assert read_scores(with_score("", found.score), "scores.yml").scores.scores == (found.score,)


def test_cells_that_are_formulas_or_yaml_are_text_and_nothing_else() -> None:
    name = '=HYPERLINK("http://x")'
    text = f'group,measure,from,points\n"{name.replace(chr(34), chr(34) * 2)}",nps,0,0\n"{name.replace(chr(34), chr(34) * 2)}",nps,7,100\n'
    found = brought(text)
    assert found.score is not None
    assert found.score.groups[0].name == name
    for group in ("scores: {evil: 1}", "*alias", "!!python/object", "a\\nb: c", "# no comment", "'", "- x"):
        score = HealthScore("brought", (Group(group, found.score.inputs), Group("other", STATED.groups[1].inputs)))
        assert read_scores(with_score("", score), "scores.yml").scores.scores == (score,)


def test_an_invisible_sign_in_a_group_sets_it_aside() -> None:
    found = brought("group,measure,from,points\nU\u202eS,nps,0,0\nU\u202eS,nps,7,100\n")
    assert found.score is None
    assert "U+202E" in reasons(found)["card.csv:2"]


# Into scores.yml


def same_start(one: str, other: str) -> int:
    """How many characters two texts have in common before they differ."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\nscores:\n",
        "scores: {}\n# behind\n",
        "# top\nscores:\n  # about old\n  old:\n    metrics: {nps: {steps: {0: 0, 7: 100}}}  # aside\n# end\n",
        "scores:\r\n    old:\r\n        metrics: {nps: {steps: {0: 0, 7: 100}}}",
        "\ufeffscores:\n  old:\n    metrics: {nps: {steps: {0: 0, 7: 100}}}\n\n\n",
    ],
)
def test_a_score_is_added_and_every_other_character_stays(text: str) -> None:
    made = with_score(text, STATED, ["From a card."])
    old, new = read_scores(text).scores, read_scores(made).scores
    assert new.scores == (*old.scores, STATED)
    assert "# From a card." in made
    before = text.replace("scores: {}", "scores:")
    ahead, behind = (same_start(before[::way], made[::way]) for way in (1, -1))
    assert ahead + behind >= len(before)  # it is there as one piece before and one behind what was put in
    assert ("\r\n" in made) == ("\r\n" in text)
    assert made.count("\n") == made.count("\r\n") or "\r\n" not in text


def test_a_score_that_is_declared_is_never_replaced() -> None:
    made = with_score("", STATED)
    with pytest.raises(BadInput, match="none is replaced"):
        with_score(made, STATED)


def test_scores_in_brackets_are_refused_and_not_rewritten() -> None:
    with pytest.raises(BadInput, match="brackets"):
        with_score("scores: {old: {metrics: {nps: {steps: {0: 0, 7: 100}}}}}\n", STATED)
