"""Metrics of an account as small lines: missing days break the line, values from before an outage are hatched and never joined."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from unspun.reports.marks import joined, path, tag

WIDTH, HEIGHT, ROOM = 156, 34, 4


def sparkline(values: Sequence[float | None], carried: Mapping[int, tuple[float, int]]) -> Markup:
    """One metric by place; None where nothing was measured, `carried` the places at which tracking was down."""
    known = [one for one in values if one is not None and math.isfinite(one)]
    step = WIDTH / max(1, len(values) - 1)
    down = [tag("rect", class_="gap", x=round((place - 0.5) * step, 1), y=2, width=round(step, 1), height=HEIGHT - 4) for place in carried]
    lines = [part for run in _runs(values) for part in _drawn(run, min(known), max(known), step)] if known else []
    drawn = joined([*down, *lines])
    return tag(
        "svg", drawn, class_="score spark", viewbox=f"0 0 {WIDTH} {HEIGHT}", width="100%", height=HEIGHT, preserveAspectRatio="none",
        aria_hidden="true",
    )  # fmt: skip


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Places with a value that follow each other."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append((place, value))
    if run:
        yield run


def _drawn(run: Sequence[tuple[int, float]], low: float, high: float, step: float) -> list[Markup]:
    span = (high - low) or 1.0
    middle = HEIGHT / 2 if high == low else None
    points = [
        (round(place * step, 1), middle or round(HEIGHT - ROOM - (value - low) / span * (HEIGHT - 2 * ROOM), 1)) for place, value in run
    ]
    if len(points) > 1:
        return [path(points, "")]
    (x, y) = points[0]
    return [path([(max(0.0, x - 1.5), y), (min(float(WIDTH), x + 1.5), y)], "")]
