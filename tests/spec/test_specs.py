"""Every spec holds on every engine; a fifth of them on DuckDB's panels by joins, which Postgres has too (UNSPUN_ALL_SPECS=1 takes all)."""

from __future__ import annotations

import os

import pytest

from tests.spec.chapters import CHAPTERS
from tests.spec.harness import ENGINES, Spec, mismatches

SPECS = [
    pytest.param(spec, id=f"{chapter.title}: {section.title} {number}")
    for chapter in CHAPTERS
    for section in chapter.sections
    for number, spec in enumerate(section.specs, start=1)
]

BY_JOINS = "duckdb by joins"
WHOLE = sorted(ENGINES) if os.environ.get("UNSPUN_ALL_SPECS") == "1" else sorted(set(ENGINES) - {BY_JOINS})


@pytest.mark.parametrize("spec", SPECS[::5])
def test_a_spec_holds_by_joins(spec: Spec) -> None:
    assert mismatches(spec, ENGINES[BY_JOINS]) == [], spec.teaches


@pytest.mark.parametrize("engine", WHOLE)
@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_holds(spec: Spec, engine: str) -> None:
    assert mismatches(spec, ENGINES[engine]) == [], spec.teaches
