"""Over which days a table holds rows, of any account, as it was known on each as-of date."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.plan import Seen, Step
from unspun.metrics.lower.sources import source
from unspun.metrics.question import PanelQuestion

COVERED = "covered"
Placed = Sequence[tuple[int, Seen]]


def covered_by_unit(measured: str, points: int, seen: Placed) -> exp.Select:
    """`point`, `first{k}` and `last{k}`, of the first and last days of all units: for a table none of whose accounts lacks units."""
    found = exp.select(f"CAST(m.unit % {points} AS INT) AS point").from_(f"{measured} AS m").group_by("1")
    return found.select(*(part for k, _ in seen for part in (f"MIN(m.f{k}) AS first{k}", f"MAX(m.l{k}) AS last{k}")), copy=False)


def days_covered(question: PanelQuestion, table: str, seen: Placed) -> list[Step]:
    """Steps that make `point`, `first{k}` and `last{k}` of all rows of a table: one pass over its days."""
    rows = source(question, table, ())
    until = "seen_until" if rows.superseded else "CAST(NULL AS INT) AS seen_until"
    days = exp.select("day", "seen_from", until).distinct().from_(rows.query.subquery("r", copy=False))
    on = "p.day >= d.day AND p.day >= d.seen_from AND (d.seen_until IS NULL OR p.day < d.seen_until)"
    found = exp.select("p.point AS point").from_(f"measure_days_{table} AS d").join("points AS p", on=on).group_by("1")
    for k, one in seen:
        day = f"CASE WHEN d.day <= p.day - {one.shift_days} THEN d.day END"
        found = found.select(f"MIN({day}) AS first{k}", f"MAX({day}) AS last{k}", copy=False)
    note = f"days covered by {table}"
    return [Step(f"measure_days_{table}", days, f"days with rows in {table}"), Step(f"measure_covered_{table}", found, note)]
