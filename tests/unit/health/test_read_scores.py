"""scores.yml: what is written is read back, and all that is wrong is told at once, each at its line."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources
from textwrap import dedent

import pytest
from hypothesis import given, settings

from tests.unit.health.strategies import scores
from unspun.errors import BadInput
from unspun.health.definition import Band, Group, HealthScore, Input, Linear, ScoreSet, Steps, Values
from unspun.health.read_file import read_scores
from unspun.health.reference_page import EXAMPLE
from unspun.health.starter import EXAMPLE as STARTER
from unspun.health.starter import starter_text
from unspun.health.write_yaml import as_yaml, file_as_text
from unspun.metrics.read_file import read_metrics

METRICS = ("logins", "logins_per_seat", "active_days_28d", "tier", "tickets_open", "arr")


def faults(text: str, metrics: tuple[str, ...] | None = METRICS) -> list[tuple[str, str]]:
    """Where and what each fault is, in their order."""
    with pytest.raises(BadInput) as refusal:
        read_scores(dedent(text), "scores.yml", metrics)
    return [(fault.where, fault.code) for fault in refusal.value.faults]


def of_one(lines: str) -> str:
    """A file with one score of one metric, and these lines of the score."""
    return "scores:\n  health:\n    metrics: {logins: {points: {0: 0, 1: 100}}}\n" + "".join(f"    {line}\n" for line in lines.splitlines())


def of_input(text: str) -> str:
    """A file with one score of one metric that is declared so, on line 3."""
    return f"scores:\n  health:\n    metrics: {{logins: {text}}}\n"


@settings(max_examples=40, deadline=None)
@given(scores(), scores("other_one"))
def test_what_is_written_is_read_back(one: HealthScore, other: HealthScore) -> None:
    both = ScoreSet((one, other))
    assert read_scores(file_as_text(both)).scores == both


def test_the_example_of_the_page_is_read_as_it_says() -> None:
    health = read_scores(EXAMPLE).scores.score("health")
    logins = Linear(((0.0, Decimal(0)), (5.0, Decimal(60)), (20.0, Decimal(100))))
    days = Linear(((10.0, Decimal(0)), (28.0, Decimal(100))))
    usage = Group("usage", (Input("logins_per_seat", logins, Decimal(2)), Input("active_days_28d", days)), Decimal(60))
    tickets = Steps(((0.0, Decimal(100)), (1.0, Decimal(70)), (5.0, Decimal(0))))
    plan = Values((("premium", Decimal(100)), ("basic", Decimal(60))), Decimal(40))
    support = Group("support", (Input("open_tickets", tickets), Input("support_plan", plan)), Decimal(40))
    assert health.groups == (usage, support)
    assert health.bands == (Band("red", Decimal(0)), Band("yellow", Decimal(40)), Band("green", Decimal(70)))
    assert (health.digits, health.least_weight, health.label) == (1, Decimal("0.5"), "Health")


def test_where_a_score_and_its_metrics_stand_is_known() -> None:
    places = read_scores(EXAMPLE).places
    assert places["health"] == "scores.yml:2"
    assert places["health/open_tickets"] == "scores.yml:16"
    assert places["adoption/active_days_28d"] == "scores.yml:24"


@pytest.mark.parametrize("text", ["", "\n", "scores:\n", "scores: {}\n", starter_text()])
def test_a_file_may_declare_nothing(text: str) -> None:
    assert len(read_scores(text).scores) == 0


def test_the_example_of_a_new_workspace_can_be_uncommented() -> None:
    lines = [line.removeprefix("#") for line in STARTER.splitlines() if not line.startswith("# A ")]
    assert read_scores("\n".join(lines)).scores.score("health").metrics == ("logins_per_seat", "logins_change", "open_tickets")


def test_the_demo_company_s_score_fits_its_metrics() -> None:
    files = resources.files("unspun.app").joinpath("workspace_files")
    metrics = read_metrics(files.joinpath("demo-metrics.yml").read_text()).metrics
    (health,) = read_scores(files.joinpath("demo-scores.yml").read_text(), metrics=[one.id for one in metrics]).scores
    assert len(health.metrics) == 5


def test_numbers_are_kept_as_they_are_written() -> None:
    text = of_one("digits: 2\nbands: {low: 0, high: 33.3}\nmissing: {least_weight: 12.5 %}")
    score = read_scores(text.replace("1: 100", "0.1: 0.000001")).scores.score("health")
    assert score.bands[1].least == Decimal("33.3")
    assert score.least_weight == Decimal("0.125")
    assert score.inputs[0].scale == Linear(((0.0, Decimal(0)), (0.1, Decimal("0.000001"))))


HOSTILE = """\
scores:
  health:
    groups:
      usage:
        weight: 60
        metrics:
          logins_per_seat: {weight: 0, points: {0: 0, 5: 60, 5.0: 70, 20: 100}}
          active_days: {weight: -2, points: {0: 0, 20: 130}}
          tier: {values: {gold: 100, gold: 20}, otherwise: x}
      support:
        weight: 99999999
        metrics:
          tickets_open:
            steps:
              0: 100
              5: 0
              1: 70
          "log\\u202ein": {points: {0: 0}}
          arr: {points: {a: 3}, steps: {1: 2, 3: 4}}
      empty: {metrics: {}}
    bands: {red: 10, yellow: 40, green: 40, blue: 200}
    missing: {least_weight: 0.5}
  Bad Id:
    metrics: {arr: {points: {0: 0, 1e6: 100}}}
  logins:
    range: [100, 0]
    metrics: {arr: {points: {0: 0, 1e6: 100}}}
    misssing: {}
others: 1
"""


def test_all_that_is_wrong_is_told_at_once_each_at_its_line() -> None:
    told = faults(HOSTILE)
    assert sorted(told, key=lambda one: int(one[0].split(":")[1])) == told
    assert set(told) == {
        ("scores.yml:7", "bad_weight"), ("scores.yml:7", "values_out_of_order"),
        ("scores.yml:8", "unknown_metric"), ("scores.yml:8", "bad_weight"), ("scores.yml:8", "points_out_of_range"),
        ("scores.yml:9", "yaml_duplicate_key"), ("scores.yml:9", "not_a_number"),
        ("scores.yml:11", "bad_weight"),
        ("scores.yml:14", "values_out_of_order"),
        ("scores.yml:18", "unknown_metric"), ("scores.yml:18", "bad_points"),
        ("scores.yml:19", "one_scale"), ("scores.yml:19", "not_a_number"),
        ("scores.yml:20", "no_inputs"),
        ("scores.yml:21", "bad_band"), ("scores.yml:21", "bands_out_of_order"),
        ("scores.yml:22", "bad_share"),
        ("scores.yml:23", "bad_id"),
        ("scores.yml:25", "id_of_metric"), ("scores.yml:26", "bad_range"), ("scores.yml:28", "unknown_key"),
        ("scores.yml:29", "unknown_key"),
    }  # fmt: skip


def test_no_message_holds_an_invisible_sign_of_the_file() -> None:
    with pytest.raises(BadInput) as refusal:
        read_scores(HOSTILE, "scores.yml", METRICS)
    assert "\u202e" not in str(refusal.value)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("digits: 5", "bad_digits"), ("digits: -1", "bad_digits"), ("digits: 1.0", "bad_digits"), ("digits: true", "bad_digits"),
        ("range: [0]", "bad_range"), ("range: [0, x]", "not_a_number"), ("range: {low: 0}", "not_a_list"), ("range: [0, 0]", "bad_range"),
        ("range: [0, 99]", "points_out_of_range"), ("range: [-1e9, 100]", "bad_points"),
        ("bands: {red: 0, green: 0}", "bands_out_of_order"), ("bands: {green: 1}", "bad_band"), ("bands: {' ': 0}", "bad_name"),
        ("bands: [red]", "not_a_mapping"), ("bands: {red: low}", "not_a_number"), ("bands: {red: 0, green: 0.0000001}", "bad_points"),
        ("missing: {least_weight: 50}", "bad_share"), ("missing: {least_weight: 101 %}", "bad_share"), ("missing: {}", ""),
        ("missing: {least_weight: -1 %}", "bad_share"), ("missing: {weight: 50 %}", "unknown_key"), ("missing: half", "not_a_mapping"),
        ("name: 3", "not_text"), ("name: \"a\\u202eb\"", "bad_text"), ("owner:", "no_value"),
        ("groups: {a: {metrics: {}}}", "groups_or_metrics"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_of_a_score_is_refused(lines: str, code: str) -> None:
    if not code:
        assert len(read_scores(of_one(lines)).scores) == 1
        return
    assert code in {one for _, one in faults(of_one(lines))}
    assert {where for where, one in faults(of_one(lines)) if one == code} <= {"scores.yml:2", "scores.yml:3", "scores.yml:4"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{}", "one_scale"), ("{weight: 1}", "one_scale"), ("{points: {0: 0, 1: 1}, values: {a: 1}}", "one_scale"),
        ("3", "not_a_mapping"),
        ("{points: {0: 0}}", "bad_points"), ("{points: {}}", "bad_points"), ("{points: [0, 1]}", "not_a_mapping"),
        ("{points: {1: 0, 0: 1}}", "values_out_of_order"), ("{steps: {0: 0, 0.0: 1}}", "values_out_of_order"),
        ("{points: {0: 0, 1e16: 1}}", "bad_value"), ("{points: {0: 0, .inf: 1}}", "not_a_number"),
        ("{points: {0: 0, 1: .nan}}", "not_a_number"),
        ("{points: {0: 0, 1: true}}", "not_a_number"), ("{points: {true: 0, 1: 1}}", "not_a_number"),
        ("{points: {0: 0, ~: 1}}", "yaml_key"),
        ("{points: {0: 0, 2026-01-01: 1}}", "not_a_number"), ("{points: {0: 0, 1: 0.1234567}}", "bad_points"),
        ("{values: {}}", "bad_values"), ("{values: {a: 1}, otherwise: none}", "not_a_number"),
        ("{steps: {0: 1, 1: 2}, otherwise: 1}", "no_effect"),
        ("{weight: 1e-9, points: {0: 0, 1: 1}}", "bad_weight"), ("{weight: '1', points: {0: 0, 1: 1}}", "not_a_number"),
        ("{weight: 1e300, points: {0: 0, 1: 1}}", "bad_weight"), ("{wieght: 1, points: {0: 0, 1: 1}}", "unknown_key"),
        ("{points: {0: 0, 1: 1}}, logins: {points: {0: 0, 1: 1}}", "yaml_duplicate_key"),
        ("{points: {0: 0, 1: 1}}, logging: {points: {0: 0, 1: 1}}", "unknown_metric"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_of_a_metric_is_refused_at_its_line(text: str, code: str) -> None:
    assert ("scores.yml:3", code) in faults(of_input(text))


def test_a_metric_counts_in_one_group_only() -> None:
    text = """\
    scores:
      health:
        groups:
          usage: {metrics: {logins: {points: {0: 0, 1: 1}}}}
          support: {metrics: {logins: {points: {0: 0, 1: 1}}}}
    """
    assert faults(text) == [("scores.yml:5", "given_twice")]


def test_a_metric_that_is_nearly_named_is_offered() -> None:
    with pytest.raises(BadInput, match="Did you mean 'logins_per_seat'"):
        read_scores(of_input("{points: {0: 0, 1: 1}}, login_per_seat: {points: {0: 0, 1: 1}}"), metrics=METRICS)


def test_a_score_made_in_python_tells_all_its_faults_with_their_places() -> None:
    one = Input("logins", Linear(((0.0, Decimal(0)), (1.0, Decimal(200)))))
    with pytest.raises(BadInput) as refusal:
        HealthScore("health", (Group("usage", (one, one)),), digits=9, bands=(Band("red", Decimal(5)),))
    assert {(fault.where, fault.code) for fault in refusal.value.faults} == {
        ("health.digits", "bad_digits"),
        ("health.groups.usage.metrics.logins", "given_twice"),
        ("health.groups.usage.metrics.logins.points.1", "points_out_of_range"),
        ("health.bands.red", "bad_band"),
    }


def test_long_points_stand_on_lines_of_their_own() -> None:
    knots = tuple((float(i), Decimal(i)) for i in range(40))
    score = HealthScore("health", (Group("", (Input("logins", Steps(knots)),)),))
    assert "\n    logins:\n      weight: 1\n      steps: {0: 0, 1: 1, " in as_yaml(score)
    assert read_scores(file_as_text(ScoreSet((score,)))).scores.score("health") == score
