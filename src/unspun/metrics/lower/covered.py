"""Over which days a table holds rows, of any account, as it was known on each as-of date."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.day_state import rows_or_days
from unspun.metrics.lower.plan import Seen, Step
from unspun.metrics.question import PanelQuestion

COVERED = "covered"


def days_covered(question: PanelQuestion, table: str, seen: Sequence[Seen]) -> list[Step]:
    """Steps that make `point`, `first{n}` and `last{n}` of all rows of a table: one pass over its days."""
    rows = rows_or_days(question, table, (), False, ())
    until = "seen_until" if rows.superseded else "CAST(NULL AS INT) AS seen_until"
    days = exp.select("day", "seen_from", until).distinct().from_(rows.query.subquery("r", copy=False))
    on = "p.day >= d.day AND p.day >= d.seen_from AND (d.seen_until IS NULL OR p.day < d.seen_until)"
    found = exp.select("p.point AS point").from_(f"measure_days_{table} AS d").join("points AS p", on=on).group_by("1")
    for n, one in enumerate(seen):
        day = f"CASE WHEN d.day <= p.day - {one.shift_days} THEN d.day END"
        found = found.select(f"MIN({day}) AS first{n}", f"MAX({day}) AS last{n}", copy=False)
    note = f"days covered by {table}"
    return [Step(f"measure_days_{table}", days, f"days with rows in {table}"), Step(f"measure_covered_{table}", found, note)]
