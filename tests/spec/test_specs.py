"""Every spec holds on every engine, and there is one for every word of the language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

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
