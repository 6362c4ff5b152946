"""The JSON Schema of metrics.yml says what the reader says; the reference page and the starters say what both do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from tests.unit.metrics.book import HELD
from tests.unit.metrics.strategies import metric_sets
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput
from unspun.metrics.metric import MetricSet
from unspun.metrics.read_file import read_metrics
from unspun.metrics.reference_page import EXAMPLE, metrics_reference
from unspun.metrics.schema import json_schema
from unspun.metrics.starter import EXAMPLE as STARTER_EXAMPLE
from unspun.metrics.starter import starter_text
from unspun.metrics.words import file_as_yaml

SCHEMA = Draft202012Validator(json_schema())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())
    json.dumps(json_schema(), allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(metric_sets(HELD))
def test_whatever_can_be_written_the_schema_takes(metrics: MetricSet) -> None:
    SCHEMA.validate(read_yaml(file_as_yaml(metrics), "metrics.yml").value)


@pytest.mark.parametrize("text", ["", "metrics:\n", "sources:\nmetrics: {}\n", EXAMPLE, starter_text()])
def test_valid_files_are_valid(text: str) -> None:
    read_metrics(text)
    SCHEMA.validate(read_yaml(text, "metrics.yml").value)


@pytest.mark.parametrize(
    "change",
    [
        ("metrics:", "metric:"), ("  logins_28d:\n", "  Logins:\n"), ("  usage:\n", "  as_of:\n"), ("  usage:\n", "  us__age:\n"),
        ("direction: higher", "direction: up"), ("count: events", "count: event"), ("count: events", "count: events.value"),
        ("distinct: events.user_id", "distinct: events"), ("window: 28d", "window: 28"), ("window: 28d", "window: fortnight"),
        ("[login, sso_login]", "[]"), ("starts_with: view_", "begins_with: view_"), ("{at_least: 1}", "{at_least: one}"),
        ("{at_least: 1}", "{}"), ("per_seat: logins_28d", "per_seat: true"), ("days: 28d, as: ratio", "days: 0"),
        ("as: ratio", "as: share"),
        ("of: logins_28d, days: 28d,", "days: 28d,"), ("share:", "ratio:"), ("otherwise: 0", "otherwise: "), ("when: ", "if: "),
        ("seen accounts", "some accounts"), ("silent_days: 14", "silent_days: 0"), ("events: {covers", "evnts: {covers"),
        ("owner: CS operations", "owner: [Kim]"), ("description: Logins by the seats that are paid for.\n", "name: L\n"),
        ("per_seat: logins_28d", "window: 28d"), ("per_seat: logins_28d", "per_seat: logins_28d\n    value: 1"),
        ("per_seat: logins_28d", "per_seat: logins_28d\n    window: 28d"), ("within: segment", "among: segment"),
    ],
)  # fmt: skip
def test_invalid_files_are_invalid(change: tuple[str, str]) -> None:
    text = EXAMPLE.replace(*change)
    assert text != EXAMPLE
    value: Any = read_yaml(text, "metrics.yml").value
    assert not SCHEMA.is_valid(value)
    with pytest.raises(BadInput):
        read_metrics(text)


def test_the_reference_page_is_what_the_reading_uses() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "metrics-yml.md"
    assert page.read_text(encoding="utf-8") == metrics_reference()


def test_the_worked_example_of_a_new_workspace_can_be_uncommented() -> None:
    text = STARTER_EXAMPLE.replace("\n#  ", "\n  ")
    assert len(read_metrics(text).metrics) == 4
    assert len(read_metrics(starter_text()).metrics) == 0
