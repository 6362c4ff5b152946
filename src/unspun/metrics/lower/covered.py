"""Over which days a table holds rows, of any account, as it was known on each as-of date."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.plan import Seen, Step
from unspun.metrics.lower.sources import source
from unspun.metrics.question import PanelQuestion

COVERED = "covered"


def covered_steps(question: PanelQuestion, seen: Sequence[Seen]) -> list[Step]:
    """The steps that make `covered`: `point`, and for seen[k] `first{k}` and `last{k}` (NULL: no row by then)."""
    tables = tuple(dict.fromkeys(one.table for one in seen))
    steps = [_days_step(question, table) for table in tables]
    found = exp.select("p.point AS point").from_("points AS p")
    for table in tables:
        asked = [(k, one) for k, one in enumerate(seen) if one.table == table]
        found = found.join(_by_point(table, asked).subquery(f"of_{table}", copy=False), on=f"of_{table}.point = p.point", join_type="left")
        found = found.select(*(f"of_{table}.{end}{k} AS {end}{k}" for k, _ in asked for end in ("first", "last")), copy=False)
    return [*steps, Step(COVERED, found, "days covered by each table")]


def _days_step(question: PanelQuestion, table: str) -> Step:
    """The days on which there are rows, and when they are seen; rows seen in time all alike."""
    rows = source(question, table, ())
    until = "seen_until" if rows.superseded else "CAST(NULL AS INT) AS seen_until"
    days = exp.select("day", "seen_from", until).distinct().from_(rows.query.subquery("r", copy=False))
    return Step(f"measure_days_{table}", days, f"days with rows in {table}")


def _by_point(table: str, seen: Sequence[tuple[int, Seen]]) -> exp.Select:
    on = "p.day >= d.day AND p.day >= d.seen_from AND (d.seen_until IS NULL OR p.day < d.seen_until)"
    found = exp.select("p.point AS point").from_(f"measure_days_{table} AS d").join("points AS p", on=on).group_by("p.point")
    for k, one in seen:
        day = f"CASE WHEN d.day <= p.day - {one.shift_days} THEN d.day END"
        found = found.select(f"MIN({day}) AS first{k}", f"MAX({day}) AS last{k}", copy=False)
    return found
