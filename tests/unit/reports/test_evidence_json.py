"""Evidence as JSON: the schema, what is missing and why, and nothing lost or made up between result and document."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.unit.reports import evidence_sample as sample
from unspun.audit.evidence_result import EvidenceResult, Redundancy
from unspun.reports.evidence_json import schema, schema_reference, to_document, to_json

RESULTS: dict[str, Callable[[], EvidenceResult]] = {
    "few": sample.few,
    "thirty": lambda: sample.many(30),
    "hollow": sample.hollow,
    "one": sample.one,
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_document_fits_the_schema(name: str) -> None:
    Draft202012Validator(schema()).validate(json.loads(to_json(RESULTS[name]())))


@pytest.mark.parametrize("name", RESULTS)
def test_the_same_result_gives_the_same_bytes(name: str) -> None:
    assert to_json(RESULTS[name]()) == to_json(RESULTS[name]())


def test_a_document_with_a_field_too_many_or_too_few_does_not_fit() -> None:
    document = to_document(sample.few())
    first = document["subjects"][0]
    fits = Draft202012Validator(schema()).is_valid
    assert fits(document)
    assert not fits({**document, "entry": 7})
    assert not fits({**document, "subjects": [{**first, "kind": "feeling"}]})
    assert not fits({**document, "subjects": [{name: value for name, value in first.items() if name != "coverage"}]})


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    Draft202012Validator.check_schema(schema())
    records = [schema(), *schema()["$defs"].values()]
    assert [name for record in records for name, field in record["properties"].items() if not field.get("description")] == []


def test_the_reference_page_on_file_is_that_in_force(root: Path) -> None:
    assert (root / "docs/reference/evidence-json.md").read_text("utf-8") == schema_reference()


def test_a_subject_has_its_audit_its_coverage_and_the_names_of_its_figures() -> None:
    result = sample.few()
    for held, one, score in zip(to_document(result)["subjects"], result.subjects, result.audit.scores, strict=True):
        assert (held["key"], held["kind"], held["audit"]["verdict"]) == (one.subject.key, one.subject.kind, score.verdict)
        assert held["coverage"]["n"] == held["coverage"]["with_value"] + sum(held["coverage"]["reasons"].values())
        assert set(held["figures"].values()) == {f"{one.subject.key}/{name}" for name in ("verdict", "auc", "gain", "coverage", "shape")}


def test_what_could_not_be_estimated_is_null_with_its_reason() -> None:
    document = to_document(sample.hollow())
    assert document["redundancy"] is None and document["redundancy_reason"].startswith("too few units have both.")
    assert document["correlations"] == []
    for one in document["subjects"]:
        assert one["shape"] is None and one["shape_reason"].startswith("3 churned accounts in the test, 20 are needed.")
        assert one["group"] is None and one["group_reason"] == "no other says the same"


def test_the_shape_keeps_its_groups_in_order_and_its_cut() -> None:
    shapes: dict[str, dict[str, Any]] = {one["key"]: one["shape"] for one in to_document(sample.few())["subjects"]}
    step, flat = shapes["metric/open_tickets"], shapes["metric/seats"]
    assert [(b["low"], b["high"]) for b in step["bins"]] == [(0, 0), (1, 3), (4, 11), (12, 47), (48, 208), (210, 15400)]
    assert (step["cut"]["below"], step["cut"]["above"], step["rises"]) == (208, 210, True)
    assert flat["cut"] is None and flat["rises"] is None and flat["cut_reason"] == "it does not step"


def test_every_pair_is_there_once_with_its_own_correlation() -> None:
    result = sample.few()
    assert isinstance(result.redundancy, Redundancy)
    keys = [one.subject.key for one in result.subjects]
    told = {(one["first"], one["second"]): one["rho"] for one in to_document(result)["correlations"]}
    assert set(told) == set(combinations(keys, 2))
    for (i, one), (j, other) in combinations(enumerate(keys), 2):
        rho = result.redundancy.rho[i][j]
        assert told[one, other] == (None if rho is None else pytest.approx(rho, rel=1e-9))


def test_a_group_is_numbered_as_it_stands_in_the_list() -> None:
    document = to_document(sample.many(60))
    assert len(document["redundancy"]["groups"]) > 3
    for number, group in enumerate(document["redundancy"]["groups"], 1):
        assert sorted(group["keys"]) == sorted(one["key"] for one in document["subjects"] if one["group"] == number)
