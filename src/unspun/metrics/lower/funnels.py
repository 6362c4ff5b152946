"""Funnels: step by step, of each unit the first row that fits the next step and comes after that of the step before."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.conditions import columns_of
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.frames import Frame, frame_of
from unspun.metrics.lower.looks import Apart, Looks, Placed, rows_of
from unspun.metrics.lower.sources import ORDER
from unspun.metrics.nodes import Funnel
from unspun.metrics.question import PanelQuestion


def add_funnels(apart: Apart, question: PanelQuestion, table: str, leaves: Sequence[Placed], frames: Sequence[Frame]) -> None:
    """Add the funnels among the leaves of a table: the rows that fit a step once, numbered in their order, then a step after another."""
    found = [(i, leaf, leaf.measure) for i, leaf in leaves if isinstance(leaf.measure, Funnel)]
    for n, (where, steps) in enumerate(dict.fromkeys((one.rows.where, one.steps) for _, _, one in found)):
        asked = [(i, leaf, one) for i, leaf, one in found if (one.rows.where, one.steps) == (where, steps)]
        columns = [name for step in steps for name in columns_of(step)]
        rows, fitting = rows_of(question, table, where, columns, order=True)
        taken = [condition_sql(step, rows) for step in steps]
        for j, step in enumerate(taken):
            fitting = fitting.select(exp.Case().when(step.copy(), exp.true()).else_(exp.false()).as_(f"s{j}"), copy=False)
        place = f"ROW_NUMBER() OVER (PARTITION BY a.account ORDER BY r.day, {', '.join(f'r.{name}' for name in ORDER)}) AS place"
        name = f"funnel_rows_{table}_{n}"
        apart.make(name, fitting.select(place, copy=False).where(exp.or_(*taken), copy=False), f"rows of {table} that take a step")
        for frame, within in dict.fromkeys((frame_of(leaf), one.within_days) for _, leaf, one in asked):
            looks = Looks(question, table, frame, frames.index(frame), rows.superseded)
            made = f"funnel_{table}_{n}_{looks.place}_{'any' if within is None else within}"
            _add_steps(apart, looks, name, made, len(steps), within)
            for i, leaf, one in asked:
                if (frame_of(leaf), one.within_days) == (frame, within):
                    apart.values[i] = {
                        "m": exp.column("reached" if one.gives == "steps" else "days", table=made),
                        "r": exp.column("until", table=made),
                    }


def _add_steps(apart: Apart, looks: Looks, rows: str, made: str, steps: int, within: int | None) -> None:
    first = looks.pairs(exp.select("*").from_(rows).where("s0"), ("place", "day"))
    first = exp.select("unit", "MIN(place) AS place", "MIN(day) AS day", "MIN(day) AS begun").from_(first.subquery("r", copy=False))
    apart.make(f"{made}_0", first.group_by("unit"), f"first steps in {looks.table}")
    for j in range(1, steps):
        soon = "" if within is None else f" AND r.day <= t.begun + {within}"
        found = exp.select("u.unit AS unit", "MIN(r.place) AS place", "MIN(r.day) AS day", "MIN(t.begun) AS begun")
        found = found.from_(f"{made}_{j - 1} AS t").join(f"{looks.name} AS u", on="u.unit = t.unit")
        on = f"r.account = u.account AND r.s{j} AND r.place > t.place AND r.day <= u.hi{soon} AND {looks.seen('r', 'u.at_day')}"
        apart.make(f"{made}_{j}", found.join(f"{rows} AS r", on=on).group_by("u.unit"), f"step {j + 1} in {looks.table}")
    apart.make(made, _reached(looks, made, steps, within), f"how far accounts came in {looks.table}")
    apart.by_unit.append(made)


def _reached(looks: Looks, made: str, steps: int, within: int | None) -> exp.Select:
    """By unit: how many steps were `reached`, in how many `days` all of them, and `until` which day a further row could change that."""
    last = f"t{steps - 1}"
    reached = " + ".join(["1", *(f"CASE WHEN t{j}.unit IS NULL THEN 0 ELSE 1 END" for j in range(1, steps))])
    open_until = "u.hi" if within is None else f"LEAST(u.hi, t0.begun + {within})"
    found = exp.select(
        "t0.unit AS unit",
        f"CAST({reached} AS BIGINT) AS reached",
        f"CAST({last}.day - t0.begun AS BIGINT) AS days",
        f"CASE WHEN {last}.unit IS NULL THEN {open_until} ELSE {last}.day END AS until",
    )
    found = found.from_(f"{made}_0 AS t0").join(f"{looks.name} AS u", on="u.unit = t0.unit")
    for j in range(1, steps):
        found = found.join(f"{made}_{j} AS t{j}", on=f"t{j}.unit = t0.unit", join_type="left")
    return found
