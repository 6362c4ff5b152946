"""Renewal risk as JSON and CSV: the schema, what is missing and why, and nothing lost or made up between result and file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.unit.reports import risk_sample as sample
from unspun.reports.risk_files import COLUMNS, renewals_csv, similar_zip
from unspun.reports.risk_json import schema, schema_reference, to_document, to_json
from unspun.risk.result import RiskResult
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import Estimate, NoEstimate

RESULTS: dict[str, Callable[[], RiskResult]] = {
    "few": sample.few,
    "many": lambda: sample.many(60),
    "hollow": sample.hollow,
    "uncalibrated": sample.uncalibrated,
    "empty": sample.empty,
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_document_fits_the_schema_and_its_text_says_the_same(name: str) -> None:
    text = to_json(RESULTS[name]())
    Draft202012Validator(schema()).validate(json.loads(text))
    assert json.loads(text) == to_document(RESULTS[name]())
    assert to_json(RESULTS[name]()) == text


def test_each_renewal_stands_on_a_line_of_its_own() -> None:
    lines = to_json(sample.few()).splitlines()
    for one in sample.few().renewals:
        held = [line for line in lines if line.strip().startswith("{") and json.dumps(one.name) in line]
        assert len(held) == 1 and json.loads(held[0].strip().rstrip(","))["account"] == one.account


def test_a_document_with_a_field_too_many_or_too_few_does_not_fit() -> None:
    document = to_document(sample.few())
    first = document["renewals"][0]
    fits = Draft202012Validator(schema()).is_valid
    assert fits(document)
    assert not fits({**document, "entry": 7})
    assert not fits({**document, "renewals": [{**first, "status": "lost"}]})
    assert not fits({**document, "renewals": [{name: value for name, value in first.items() if name != "typical"}]})
    assert not fits({**document, "renewals": [{**first, "churn": None}]})


def test_the_schema_is_a_schema_describes_every_field_and_is_on_file_with_its_page(root: Path) -> None:
    Draft202012Validator.check_schema(schema())
    records = [schema(), *schema()["$defs"].values()]
    assert [name for record in records for name, field in record["properties"].items() if not field.get("description")] == []
    assert json.loads((root / "src/unspun/reports/risk.schema.json").read_text("utf-8")) == schema()
    assert (root / "docs/reference/risk-json.md").read_text("utf-8") == schema_reference()


def test_typical_the_points_and_the_rest_add_up_to_the_probability_in_the_document() -> None:
    told = [one for one in to_document(sample.many(60))["renewals"] if one["churn"] is not None]
    assert len(told) > 50
    for one in told:
        assert one["typical"] + sum(reason["points"] for reason in one["reasons"]) + one["others"] == pytest.approx(one["churn"]["point"])
        assert sum(one[name]["point"] for name in OUTCOMES4) == pytest.approx(1.0)


def test_what_cannot_be_told_is_null_with_its_reason_and_no_figure_is_named() -> None:
    untold = [one for one in to_document(sample.few())["renewals"] if one["cannot_tell"]]
    assert len(untold) == 2
    for one in untold:
        assert [one[name] for name in (*OUTCOMES4, "expected_lost", "typical", "similar")] == [None] * 7
        assert one["churn_reason"] == f"{one['why']} It would take: a metric with a value."
        assert one["figures"] == {} and one["reasons"] == []
    document = to_document(sample.hollow())
    assert document["model"] is None and document["model_reason"].startswith("9 renewals churned before 1 Nov 2026, and 30 are needed.")
    assert document["probability_method"] is None


def test_figures_are_named_as_they_are_published() -> None:
    for held, one in zip(to_document(sample.few())["renewals"], sample.few().renewals, strict=True):
        for name, address in held["figures"].items():
            assert address == f"{one.account}@{one.due.isoformat()}/{name}"
        assert ("expected_lost" in held["figures"]) == isinstance(one.expected_lost, Estimate)


def table(result: RiskResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(renewals_csv(result, 23, sample.earlier(result)))))


def test_the_csv_has_every_renewal_in_order_and_an_empty_cell_where_nothing_is_told() -> None:
    result = sample.few()
    rows = table(result)
    assert tuple(rows[0]) == COLUMNS
    assert [row["account"] for row in rows] == [one.account for one in result.renewals]
    for row, one in zip(rows, result.renewals, strict=True):
        assert row["p_churn"] == (f"{one.churn.point:.10g}" if isinstance(one.churn, Estimate) else "")
        assert row["figure"] == f"23/{one.account}@{one.due}/churn"
        then = sample.earlier(result).said(one)
        assert row["p_churn_before"] == (f"{then.point:.10g}" if isinstance(then, Estimate) else "")
        assert [row[f"reason_{n}"] for n in (1, 2, 3) if row[f"reason_{n}"]] == [reason.sentence for reason in one.reasons[:3]]


def test_a_name_that_a_spreadsheet_would_run_is_marked_as_text_and_a_negative_number_is_not() -> None:
    rows = {row["account"]: row for row in table(sample.few())}
    assert rows["A00003"]["name"] == '\'=HYPERLINK("x")'
    assert rows["A00003"]["lead_days"] == "-12"
    negative = [row["reason_1_points"] for row in table(sample.many(60)) if row["reason_1_points"].startswith("-")]
    assert negative and all(float(cell) < 0 for cell in negative)


def test_the_past_renewals_behind_a_comparison_are_packed_with_their_manifest_the_same_each_time() -> None:
    result = sample.few()
    one = result.renewals[0]
    assert not isinstance(one.similar, NoEstimate)
    packed = similar_zip(one, "solent.html", result)
    assert packed is not None and packed == similar_zip(one, "solent.html", result) and packed.name == "rows/solent.zip"
    with zipfile.ZipFile(io.BytesIO(packed.zipped)) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("solent.csv"), "utf-8")))
        manifest = json.loads(archive.read("solent.manifest.json"))
    assert [(row["account"], row["outcome"]) for row in rows] == [(past.account, past.outcome) for past in one.similar.renewals]
    assert manifest["rows"] == len(rows) == one.similar.n and manifest["csv"]["sha256"] == packed.sha256
    assert similar_zip(sample.few().renewals[-1], "x.html", result) is None
