"""Every spec holds on every engine."""

from __future__ import annotations

import pytest

from tests.spec.chapters import CHAPTERS
from tests.spec.harness import ENGINES, Spec, mismatches

SPECS = [
    pytest.param(spec, id=f"{chapter.title}: {section.title} {number}")
    for chapter in CHAPTERS
    for section in chapter.sections
    for number, spec in enumerate(section.specs, start=1)
]


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_holds(spec: Spec, engine: str) -> None:
    assert mismatches(spec, ENGINES[engine]) == [], spec.teaches
