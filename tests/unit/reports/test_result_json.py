"""The result as JSON: its schema, its missing values, its stability."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.unit.reports import sample
from unspun.audit.result import AuditResult
from unspun.reports.result_json import schema, schema_reference, to_document, to_json
from unspun.stats.estimate import NoEstimate

RESULTS = {
    "one score": sample.one_score(),
    "three scores": sample.three_scores(),
    "nothing estimated": sample.nothing_estimated(),
    "account-months": sample.result(design_name="landmark"),
}


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, f"{path}[{index}]")


def valid(document: Any) -> bool:
    return Draft202012Validator(schema()).is_valid(document)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_every_document_fits_the_schema(result: AuditResult) -> None:
    Draft202012Validator(schema()).validate(json.loads(to_json(result)))


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    Draft202012Validator.check_schema(schema())
    records = [schema(), *schema()["$defs"].values()]
    undescribed = [name for record in records for name, field in record["properties"].items() if not field.get("description")]
    assert undescribed == []


def test_the_schema_on_file_is_the_one_in_force(root: Path) -> None:
    on_file = (root / "src/unspun/reports/result.schema.json").read_text("utf-8")
    assert json.loads(on_file) == schema()


def test_the_reference_page_is_the_one_in_force(root: Path) -> None:
    assert (root / "docs/reference/result-schema.md").read_text("utf-8") == schema_reference()


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_a_null_stands_beside_its_reason_and_a_reason_beside_its_null(result: AuditResult) -> None:
    nulls = 0
    for path, value in walk(to_document(result)):
        if isinstance(value, dict):
            missing = {key for key, inner in value.items() if inner is None}
            reasons = {key.removesuffix("_reason") for key in value if key.endswith("_reason")}
            assert missing == reasons, path
            assert all(value[f"{key}_reason"].strip() for key in missing), path
            nulls += len(missing)
    assert nulls


def test_the_reason_says_what_it_would_take() -> None:
    document = to_document(sample.nothing_estimated())
    horizon = document["scores"][0]["horizons"][0]
    assert horizon["auc"] is None
    assert horizon["auc_reason"] == (
        "3 churned accounts in the test, 20 are needed. It would take: About 60 more churned renewals, or 14 months at the present rate."
    )


def test_a_null_without_its_reason_does_not_fit_the_schema() -> None:
    document = to_document(sample.nothing_estimated())
    del document["scores"][0]["horizons"][0]["test"]["gain_reason"]
    assert not valid(document)


def test_a_reason_beside_a_value_does_not_fit_the_schema() -> None:
    document = to_document(sample.one_score())
    document["scores"][0]["horizons"][0]["auc_reason"] = "none"
    assert not valid(document)


@pytest.mark.parametrize("fault", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_becomes_null_with_a_reason(fault: float) -> None:
    one = sample.score()
    horizons = tuple(replace(h, auc=replace(sample.estimate(0.6, 0.5, 0.7), high=fault), coverage=fault) for h in one.horizons)
    document = json.loads(to_json(sample.result(replace(one, horizons=horizons))))
    horizon = document["scores"][0]["horizons"][0]
    assert (horizon["auc"], horizon["auc_reason"]) == (None, "the computation gave no finite value")
    assert (horizon["coverage"], horizon["coverage_reason"]) == (None, "the computation gave no finite value")
    assert valid(document)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_no_document_holds_nan_infinity_or_a_minus_zero(result: AuditResult) -> None:
    floats = [value for _, value in walk(to_document(result)) if isinstance(value, float)]
    assert floats
    assert all(math.isfinite(value) and math.copysign(1, value) == (-1 if value < 0 else 1) for value in floats)


def test_the_same_result_gives_the_same_bytes() -> None:
    assert to_json(sample.three_scores()).encode() == to_json(sample.three_scores()).encode()


def test_a_difference_in_the_last_bits_of_a_float_does_not_reach_the_bytes() -> None:
    one = sample.score()
    shaken = tuple(replace(h, auc=sample.estimate(0.1 + 0.2, 0.1, 0.7)) for h in one.horizons)
    still = tuple(replace(h, auc=sample.estimate(0.3, 0.1, 0.7)) for h in one.horizons)
    assert to_json(sample.result(replace(one, horizons=shaken))) == to_json(sample.result(replace(one, horizons=still)))


def test_the_document_is_utf8_with_two_space_indent_and_ends_with_a_newline() -> None:
    text = to_json(sample.result(sample.score("Gesundheitswert für Köln ☂")))
    assert "Gesundheitswert für Köln ☂" in text
    assert text.startswith('{\n  "schema_version": "1.1",\n')
    assert text.endswith("}\n")


def test_the_fields_come_in_the_order_of_the_schema() -> None:
    document = to_document(sample.one_score())
    order = [name for name in schema()["properties"] if not name.endswith("_reason")]
    assert list(document) == order
    assert order[:6] == ["schema_version", "unspun_version", "protocol_version", "seed", "settings", "inputs"]


def test_a_score_has_what_a_pipeline_reads() -> None:
    (score,) = to_document(sample.one_score())["scores"]
    assert score["verdict"] == "foretells, adds nothing"
    assert [caution["code"] for caution in score["cautions"]] == ["no_notice_dates"]
    horizon = next(h for h in score["horizons"] if h["horizon_days"] == score["primary_horizon_days"])
    assert horizon["test"]["auc"] == {
        "point": 0.62, "low": 0.57, "high": 0.67, "level": 0.95, "method": sample.DELONG, "n": 1684, "caveats": [],
    }  # fmt: skip
    assert horizon["test"]["gain"]["high"] == 0.0183
    assert horizon["captured_arr"]["capacity"] == 20
    assert horizon["calibration"]["slope"]["point"] == 0.71


def test_rows_are_accounted_for_by_reason() -> None:
    for file in to_document(sample.one_score())["inputs"]:
        assert file["rows_read"] == file["rows_used"] + sum(reason["n"] for reason in file["set_aside"])


def test_a_description_that_is_missing_leaves_five_nulls_with_one_reason() -> None:
    score = to_document(sample.result(replace(sample.score(), description=NoEstimate("not asked for", "ask for detail"))))["scores"][0]
    parts = ("bands", "lead_time", "stability", "missed", "false_alarms")
    assert [score[part] for part in parts] == [None] * 5
    assert {score[f"{part}_reason"] for part in parts} == {"not asked for. It would take: ask for detail."}
