"""The JSON Schema of scores.yml says what the reader says; the reference page and the starter say what both do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from tests.unit.health.strategies import scores
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput
from unspun.health.definition import HealthScore, ScoreSet
from unspun.health.fields import FILE_FIELDS, GROUP_FIELDS, INPUT_FIELDS, MISSING_FIELDS, SCORE_FIELDS
from unspun.health.read_file import read_scores
from unspun.health.reference_page import EXAMPLE, scores_reference
from unspun.health.schema import json_schema
from unspun.health.starter import starter_text
from unspun.health.write_yaml import file_as_text

SCHEMA = Draft202012Validator(json_schema())


def document(text: str) -> Any:
    return read_yaml(text, "scores.yml", plain_keys=True).value


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())
    json.dumps(json_schema(), allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(scores())
def test_whatever_can_be_written_the_schema_takes(score: HealthScore) -> None:
    SCHEMA.validate(document(file_as_text(ScoreSet((score,)))))


@pytest.mark.parametrize("text", ["", "scores:\n", EXAMPLE, starter_text()])
def test_valid_files_are_valid(text: str) -> None:
    read_scores(text)
    SCHEMA.validate(document(text))


@pytest.mark.parametrize(
    "change",
    [
        ("scores:", "score:"), ("  health:\n", "  Health:\n"), ("digits: 1", "digits: 7"), ("digits: 1", "digits: one"),
        ("weight: 60", "weight: 0"), ("weight: 60", "weight: -1"), ("weight: 40", "weight: heavy"),
        ("{weight: 2, points:", "{points:  {}, p:"),
        ("{0: 0, 5: 60, 20: 100}", "{0: 0}"), ("{0: 0, 5: 60, 20: 100}", "{low: 0, 5: 60}"), ("{0: 0, 5: 60, 20: 100}", "[0, 5]"),
        ("steps: {0: 100, 1: 70, 5: 0}", "steps: {0: 100, 1: 70, 5: 0}, values: {a: 1}"), ("steps:", "stairs:"),
        ("steps: {0: 100, 1: 70, 5: 0}", "steps: {0: 100, 1: 70}, otherwise: 3"), ("otherwise: 40", "otherwise: all"),
        ("values: {premium: 100, basic: 60}", "values: {}"), ("range: [0, 10]", "range: [0]"),
        ("least_weight: 50 %", "least_weight: 0.5"),
        ("bands: {red: 0,", "bands: {red: low,"),
        ("    metrics:\n      active_days_28d: {points: {0: 0, 28: 10}}", "    metrics: {}\n    x:"),
        ("name: Health", "name: [Health]"), ("    range: [0, 10]\n", "    groups: {a: {metrics: {m: {points: {0: 0, 1: 1}}}}}\n"),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_the_reader_refuses(change: tuple[str, str]) -> None:
    assert change[0] in EXAMPLE
    text = EXAMPLE.replace(*change, 1)
    with pytest.raises(BadInput):
        read_scores(text)
    assert not SCHEMA.is_valid(document(text))


def test_the_reference_page_is_what_is_printed(root: Path) -> None:
    page = (root / "docs" / "reference" / "scores-yml.md").read_text(encoding="utf-8")
    assert page == scores_reference(), "write it again: print(unspun.health.reference_page.scores_reference())"


def test_the_reference_page_has_every_word() -> None:
    page = scores_reference()
    for words in (FILE_FIELDS, SCORE_FIELDS, GROUP_FIELDS, INPUT_FIELDS, MISSING_FIELDS):
        assert all(f"| `{word}` |" in page for word in words)


def test_the_file_of_the_how_to_page_reads(root: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (root / "docs" / "how-to" / "health-score.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(read_scores(text).scores.score("health").metrics) == 3
