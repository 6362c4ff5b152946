"""The findings as JSON: the schema, what is missing and why, and nothing lost between report and document."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.unit.reports import check_sample as sample
from unspun.book.checks.report import CheckReport
from unspun.reports.check_json import schema, schema_reference, to_document, to_json

REPORTS: dict[str, Callable[[], CheckReport]] = {
    "every kind": sample.every_kind,
    "nothing found": sample.nothing_found,
    "many": sample.many,
    "notes only": sample.notes_only,
}


@pytest.mark.parametrize("name", REPORTS)
def test_every_document_fits_the_schema(name: str) -> None:
    Draft202012Validator(schema()).validate(json.loads(to_json(REPORTS[name]())))


def test_a_document_with_a_field_too_many_or_too_few_does_not_fit() -> None:
    document = to_document(sample.every_kind())
    finding = document["findings"][0]
    fits = Draft202012Validator(schema()).is_valid
    assert fits(document)
    assert not fits({**document, "more": 1})
    assert not fits({**document, "findings": [{**finding, "severity": "grave"}]})
    assert not fits({**document, "findings": [{name: value for name, value in finding.items() if name != "mend"}]})


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    Draft202012Validator.check_schema(schema())
    records = [schema(), *schema()["$defs"].values()]
    assert [name for record in records for name, field in record["properties"].items() if not field.get("description")] == []


def test_the_schema_and_the_reference_page_on_file_are_those_in_force(root: Path) -> None:
    assert json.loads((root / "src/unspun/reports/check.schema.json").read_text("utf-8")) == schema()
    assert (root / "docs/reference/check-json.md").read_text("utf-8") == schema_reference()


def test_every_finding_is_there_once_with_its_figures() -> None:
    report = sample.every_kind()
    found = {one["id"]: one for one in to_document(report)["findings"]}
    assert len(found) == len(report.judged)
    for one in report.judged:
        held = found[one.finding.id]
        assert (held["count"], held["of"], held["message"]) == (one.finding.count, one.finding.of, one.finding.message)
        assert held["share"] == pytest.approx(one.finding.count / one.finding.of)
        assert (held["state"], held["affects"]) == (one.state, list(one.finding.affects))
        assert len(held["examples"]) == one.examples.num_rows


def test_counts_of_the_verdict_are_those_of_its_findings() -> None:
    document = to_document(sample.every_kind())
    standing = [one["severity"] for one in document["findings"] if one["state"] != "accepted"]
    assert (document["errors"], document["warnings"], document["notes"]) == tuple(map(standing.count, ("error", "warning", "note")))
    assert document["accepted"] == len(document["findings"]) - len(standing)


def test_what_is_missing_says_why() -> None:
    found = {one["id"]: one for one in to_document(sample.every_kind())["findings"]}
    outside = found["usage_outside_subscription/events"]
    assert (outside["acceptance"], outside["acceptance_reason"]) == (None, "nobody accepted it")
    assert outside["span_reason"] == "it is not about a span of days"
    going_on = next(one for one in found.values() if one["span"] and one["span"]["last"] is None)
    assert going_on["span"]["last_reason"] == "it goes on"
    assert going_on["span"]["where"] == {"region": "EMEA"}


def test_facts_keep_their_types_and_those_without_a_value_are_left_out() -> None:
    facts = {"n": 3, "share": 0.25, "of": "x", "none": None, "wild": math.nan, "large": math.inf}
    report = sample.report(sample.judged(replace(sample.finding(), facts=facts)))
    assert to_document(report)["findings"][0]["facts"] == {"counts": {"n": 3}, "measures": {"share": 0.25}, "texts": {"of": "x"}}


def test_example_cells_are_text_and_empty_ones_are_left_out() -> None:
    cells = to_document(sample.every_kind())["findings"][0]["examples"][0]["cells"]
    assert cells["account_id"] == sample.HOSTILE
    assert cells["amount"] == "-12.5000"
    assert cells["occurred"] == "2026-03-01T23:30:00+00:00"
    assert "term_started" not in cells


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_json(sample.every_kind()) == to_json(sample.every_kind())
