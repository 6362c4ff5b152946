"""Specs hold on Spark: a part of them, drawn by a seed, as a spec takes a second there; UNSPUN_ALL_SPECS=1 takes them all."""

from __future__ import annotations

import os
import random
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from sqlglot import exp

from tests.spec.chapters import CHAPTERS
from tests.spec.harness import Spec, mismatches
from tests.spec.spark_engine import spark, spark_panel
from unspun.metrics.lower.terms import as_billionths

SEED, DRAWN = 20261123, 4
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


@pytest.mark.usefixtures("java")
def test_a_double_enters_a_sum_rounded_to_nine_decimals_halves_away_from_zero() -> None:
    drawn = random.Random(SEED)
    cells = [drawn.choice((-1, 1)) * drawn.random() * 10.0 ** drawn.randint(-12, 19) for _ in range(500)]
    cells += [
        0.0,
        -0.0,
        5e-10,
        -5e-10,
        1e9 / 3,
        0.1,
        2.0**53 / 1e9,
        98765432109876543210.0,
        9.9e19,
        5e-324,
        1.0000000005,
        4503599.6273704955,
    ]
    panel = spark()
    panel.take("cells", pa.table({"x": cells}))
    found = panel.rows(exp.select("x", as_billionths(exp.column("x")).as_("y")).from_("cells"))
    panel.drop("cells")
    wrong = [(x, y) for x, y in zip(found["x"].to_pylist(), found["y"].to_pylist(), strict=True) if y != rounded(x)]
    assert found.num_rows == len(cells) and wrong == []


def rounded(cell: float) -> Decimal:
    """As the language says: the double times 10^9 is rounded to a whole number, which is then exact."""
    scaled = Fraction(cell * 1e9)
    whole = int(abs(scaled) + Fraction(1, 2)) * (-1 if scaled < 0 else 1)
    return Decimal(f"{whole}E-9")
