"""Every spec holds on every engine; of the slower ones one in a few is taken (UNSPUN_ALL_SPECS=1 takes all)."""

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

DRAWN = {"duckdb by joins": 5, "postgres": 2}
"""Of the slower engines, one spec in so many."""
EVERY = os.environ.get("UNSPUN_ALL_SPECS") == "1"


@pytest.mark.parametrize(
    ("spec", "engine"),
    [
        pytest.param(*param.values, engine, id=f"{param.id}-{engine}")
        for engine in sorted(ENGINES)
        for param in SPECS[:: 1 if EVERY else DRAWN.get(engine, 1)]
    ],
)
def test_a_spec_holds(spec: Spec, engine: str) -> None:
    assert mismatches(spec, ENGINES[engine]) == [], spec.teaches
