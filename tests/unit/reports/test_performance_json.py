"""Performance as JSON and CSV: the schema, what is missing and why, and nothing lost between result and document."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.unit.reports import performance_sample as sample
from unspun.reports.performance_json import COLUMNS, groups_csv, schema, schema_reference, to_document, to_json
from unspun.risk.performance.result import PerformanceResult
from unspun.stats.estimate import Estimate

RESULTS: dict[str, Callable[[], PerformanceResult]] = {"told": sample.told, "many": sample.many, "hollow": sample.hollow}


@pytest.mark.parametrize("name", RESULTS)
def test_every_document_fits_the_schema_and_the_same_result_gives_the_same_bytes(name: str) -> None:
    result = RESULTS[name]()
    Draft202012Validator(schema()).validate(json.loads(to_json(result)))
    assert to_json(result) == to_json(result)


def test_a_document_with_a_field_too_many_or_too_few_does_not_fit() -> None:
    document = to_document(sample.told())
    fits = Draft202012Validator(schema()).is_valid
    assert fits(document)
    assert not fits({**document, "entry": 7})
    first = document["comparisons"][0]
    assert not fits({**document, "comparisons": [{**first, "groups": [{**first["groups"][0], "verdict": "bad"}]}]})
    assert not fits({name: value for name, value in document.items() if name != "left_out"})


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    Draft202012Validator.check_schema(schema())
    records = [schema(), *schema()["$defs"].values()]
    assert [name for record in records for name, field in record["properties"].items() if not field.get("description")] == []


def test_the_reference_page_on_file_is_that_in_force(root: Path) -> None:
    assert (root / "docs/reference/performance-json.md").read_text("utf-8") == schema_reference()


def test_every_group_is_there_with_its_numbers() -> None:
    result = sample.told()
    for held, one in zip(to_document(result)["comparisons"], result.comparisons, strict=True):
        assert [group["name"] for group in held["groups"]] == [group.name for group in one.groups]
        assert sum(held["verdicts"].values()) == len(one.groups)
        for told, group in zip(held["groups"], one.groups, strict=True):
            assert isinstance(group.effect, Estimate)
            assert told["effect"]["low"] == pytest.approx(group.effect.low) and told["renewed"] == pytest.approx(group.renewed)
            assert told["difference"] == pytest.approx(told["renewed"] - told["expected"])


def test_what_could_not_be_estimated_is_null_with_its_reason() -> None:
    (comparison,) = to_document(sample.hollow())["comparisons"]
    assert comparison["spread"] is None and "ended otherwise than the rest" in comparison["spread_reason"]
    for group in comparison["groups"]:
        assert group["effect"] is None and group["effect_reason"] and group["rank_low"] is None
        assert group["expected"] > 0


def test_the_csv_has_a_line_for_each_group_and_no_name_that_a_spreadsheet_would_run() -> None:
    result = sample.told()
    rows = list(csv.DictReader(io.StringIO(groups_csv(result))))
    assert len(rows) == sum(len(one.groups) for one in result.comparisons)
    assert tuple(rows[0]) == COLUMNS
    largest = result.comparisons[0].groups[0]
    assert float(rows[0]["renewed"]) == pytest.approx(largest.renewed)
    assert float(rows[0]["arr_kept"]) == pytest.approx(largest.money[0].kept)
    hollow = list(csv.DictReader(io.StringIO(groups_csv(sample.hollow()))))
    assert [row["effect"] for row in hollow] == [""] * 3
