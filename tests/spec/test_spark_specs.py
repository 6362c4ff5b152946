"""Specs hold on Spark: a part of them, drawn by a seed, as a spec takes a second there; UNSPUN_ALL_SPECS=1 takes them all."""

from __future__ import annotations

import os
import random

import pytest

from tests.spec.chapters import CHAPTERS
from tests.spec.harness import Spec, mismatches
from tests.spec.spark_engine import spark_panel

SEED, DRAWN = 20261123, 12
ALL = [
    pytest.param(spec, id=f"{chapter.title}: {section.title} {number}")
    for chapter in CHAPTERS
    for section in chapter.sections
    for number, spec in enumerate(section.specs, start=1)
]
SPECS = ALL if os.environ.get("UNSPUN_ALL_SPECS") == "1" else random.Random(SEED).sample(ALL, DRAWN)


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_holds_on_spark(spec: Spec) -> None:
    assert mismatches(spec, spark_panel) == [], spec.teaches
