"""What counts as another definition of a score: whatever can change a value of it, and nothing else."""

from __future__ import annotations

import pytest

from unspun.errors import BadInput
from unspun.health.read_file import read_scores
from unspun.health.write_yaml import definition_sha256, definition_text
from unspun.metrics.read_file import read_metrics

METRICS = """\
sources:
  events: {covers: seen accounts, silent_days: 7}
metrics:
  logins: {name: Logins, description: Logins., count: events, window: 28d}
  per_seat: {description: By seats., per_seat: logins}
  tickets: {description: Tickets., open: tickets}
  unused: {description: Not of the score., count: responses}
"""
SCORES = """\
scores:
  health:
    name: Health
    groups:
      usage: {weight: 60, metrics: {per_seat: {points: {0: 0, 20: 100}}}}
      support: {weight: 40, metrics: {tickets: {steps: {0: 100, 1: 0}}}}
    bands: {red: 0, green: 70}
"""


def sha256(metrics: str = METRICS, scores: str = SCORES) -> str:
    return definition_sha256(read_scores(scores).scores.score("health"), read_metrics(metrics).metrics)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weight: 60", "weight: 61"), ("20: 100", "20: 90"), ("20: 100", "21: 100"), ("steps", "points"), ("name: Health", "digits: 0"),
        ("name: Health", "range: [0, 101]"), ("name: Health", "missing: {least_weight: 51 %}"),
        ("usage: {weight: 60", "use: {weight: 60"),
        ("window: 28d", "window: 27d"), ("silent_days: 7", "silent_days: 8"), ("per_seat: logins", "per_arr: logins"),
    ],
)  # fmt: skip
def test_what_can_change_a_value_is_another_definition(old: str, new: str) -> None:
    assert sha256(METRICS.replace(old, new), SCORES.replace(old, new)) != sha256()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Health", "name: Condition"), ("name: Health", "description: What it is."),
        ("bands: {red: 0, green: 70}", "bands: {red: 0}"),
        ("name: Logins", "direction: higher"), ("By seats.", "Logins by seats."), ("count: responses", "count: purchases"),
        ("weight: 60", "weight: 60.0"), ("20: 100", "2e1: 100"), ("name: Health", "missing: {least_weight: 50 %}"),
        ("silent_days: 7}", "silent_days: 7}\n  tickets: {covers: every account}"),
    ],
)  # fmt: skip
def test_what_cannot_change_a_value_is_the_same_definition(old: str, new: str) -> None:
    assert sha256(METRICS.replace(old, new), SCORES.replace(old, new)) == sha256()


def test_the_order_of_metrics_in_their_file_says_nothing() -> None:
    head, *lines = METRICS.splitlines(keepends=True)
    turned = "".join([head, *lines[:2], *reversed(lines[2:])])
    assert sha256(turned) == sha256()


def test_the_text_can_be_read_again_and_gives_the_same() -> None:
    score, metrics = read_scores(SCORES).scores.score("health"), read_metrics(METRICS).metrics
    text = definition_text(score, metrics)
    own, _, of_metrics = text.partition("sources:")
    again = definition_text(read_scores(own).scores.score("health"), read_metrics(f"sources:{_described(of_metrics)}").metrics)
    assert again == text


def _described(text: str) -> str:
    """Metrics with a description, which a file needs and the text leaves out."""
    return text.replace('description: ""', "description: x")


def test_a_metric_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput, match="there is no metric 'tickets'"):
        sha256(METRICS.replace("  tickets:", "  other:"))
