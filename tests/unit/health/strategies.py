"""Health scores of every form, hostile numbers among them, and values for their metrics."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import strategies as st

from unspun.health.definition import Band, Group, HealthScore, Input, Linear, Scale, Steps, Values

TEXTS = ("gold", "silver", "Silver", "=1+1", "true", "é", "a: b", "1", "no")
WEIGHTS = st.sampled_from(
    [Decimal(1), Decimal(2), Decimal(3), Decimal("0.000001"), Decimal("0.1"), Decimal("999999.999999"), Decimal(10) ** 6]
)
NUMBERS = st.one_of(
    st.integers(-30, 30).map(float), st.floats(-1e6, 1e6, allow_subnormal=False), st.sampled_from([0.1, 0.3, 1e15, -1e15, 2.5, 5e-324])
)


def _points(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.one_of(st.integers(low, high).map(Decimal), st.integers(low * 10**6, high * 10**6).map(lambda one: Decimal(one).scaleb(-6)))


@st.composite
def scales(draw: st.DrawFn, low: int, high: int) -> Scale:
    points = _points(low, high)
    if draw(st.integers(0, 3)) == 0:
        texts = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4, unique=True))
        return Values(tuple((text, draw(points)) for text in texts), draw(st.none() | points))
    at = sorted(draw(st.lists(NUMBERS, min_size=2, max_size=5, unique=True)))
    return draw(st.sampled_from([Linear, Steps]))(tuple((value, draw(points)) for value in at))


@st.composite
def scores(draw: st.DrawFn, id: str = "health") -> HealthScore:
    """A score of one to three groups, with one to seven metrics m0, m1, ..."""
    low, high = draw(st.sampled_from([(0, 100), (0, 10), (-50, 50), (0, 1), (-1_000_000, 1_000_000)]))
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    metrics = iter(f"m{i}" for i in range(sum(sizes)))
    names = [""] if len(sizes) == 1 and draw(st.booleans()) else [f"group {i}: é" for i in range(len(sizes))]
    groups = tuple(
        Group(
            name,
            tuple(Input(next(metrics), draw(scales(low, high)), draw(WEIGHTS)) for _ in range(size)),
            draw(WEIGHTS) if name else Decimal(1),
        )
        for name, size in zip(names, sizes, strict=True)
    )
    cuts = sorted(draw(st.lists(st.integers(low + 1, high), max_size=3, unique=True)))
    bands = tuple(Band(f"band {i}", Decimal(cut)) for i, cut in enumerate([low, *cuts]))
    return HealthScore(
        id,
        groups,
        name=draw(st.sampled_from(["", "Health", "no", "Größe: 1"])),
        digits=draw(st.integers(0, 4)),
        low=Decimal(low),
        high=Decimal(high),
        bands=draw(st.sampled_from([(), bands])),
        least_weight=draw(st.sampled_from([Decimal(0), Decimal("0.5"), Decimal("0.333333"), Decimal(1)])),
    )


@st.composite
def rows(draw: st.DrawFn, score: HealthScore) -> dict[str, list[float | str | None]]:
    """Values of the metrics of a score for some accounts: on its knots, between them, elsewhere, and none."""
    count = draw(st.integers(1, 12))
    found: dict[str, list[float | str | None]] = {}
    for one in score.inputs:
        if isinstance(one.scale, Values):
            value: st.SearchStrategy[float | str] = st.sampled_from(TEXTS)
        else:
            knots = [at for at, _ in one.scale.knots]
            between = [(a + b) / 2 for a, b in pairwise(knots)]
            value = st.one_of(st.sampled_from([*knots, *between]), NUMBERS)
        found[one.metric] = draw(st.lists(st.none() | value, min_size=count, max_size=count))
    return found
