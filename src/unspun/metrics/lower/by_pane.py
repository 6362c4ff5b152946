"""Measures on the same dates for all accounts: rows are added up by account and pane, and panes to windows.

A row that was known only after the first as-of date that follows its pane, or was superseded, is added up apart, under the dates from which
(`late`) and until before which (`until`) it is seen; so every row counts exactly on the dates on which it was known.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.day_state import Rows, made
from unspun.metrics.lower.distinct import DISTINCT_KINDS, add_distinct
from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.kept import KeptColumns, kept_of
from unspun.metrics.lower.packed import Packs, packs_of
from unspun.metrics.lower.pane_windows import PaneState, add_late_days, add_windows, is_placed, place_windows
from unspun.metrics.lower.panes import Panes, seen_table
from unspun.metrics.lower.parts import EVER, FIRST, LAST, Parts, Placed, Wanted
from unspun.metrics.lower.plan import Leaf, Seen, Step
from unspun.metrics.lower.sources import as_of_days
from unspun.metrics.lower.terms import gone_day
from unspun.metrics.nodes import ActiveDays
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Lifetime

SEEN = "measure_seen"


def measured_by_pane(
    question: PanelQuestion, table: str, rows: Rows, leaves: Sequence[Placed], seen: Sequence[Seen], by_place: bool = False
) -> Parts:
    """The parts that measure leaves of a table on dates, and the first and last days seen. `by_place`: what can be made so is."""
    parts, kept, days = Parts(), KeptColumns(), as_of_days(question)
    counted = [(i, leaf) for i, leaf in leaves if _is_distinct(leaf)]
    others = [leaf for _, leaf in leaves if not _is_distinct(leaf)]
    parts.packs = packs_of((one for leaf in others for one in kept_of(leaf.measure)), question.tables[table].rows)
    wanted = _wanted(others, parts.packs)
    parts.columns = {one: f"{table}_x{n}" for n, one in enumerate(wanted)}
    for one in (*(one for _, one in wanted), FIRST, LAST):
        kept.name(one)
    short = any(one.kind == "days" for one in kept.kept)
    ever = [Frame(Lifetime(), one.shift_days) for one in seen]
    panes = Panes(days, distinct_frames([*(frame for frame, _ in wanted), *ever]), question.fiscal_year_starts, short)
    parts.inputs |= {SEEN: seen_table(panes.points), f"measure_panes_{table}": panes.days_table()}
    parts.steps.append(Step(f"measure_state_{table}", _state(table, rows, kept, panes), f"rows of {table} by account and pane"))
    state, placed = PaneState(table, kept, panes, rows.superseded), _placed(others, rows) if by_place else []
    made = {(frame, parts.packs.packed(one)) for frame, one in placed}
    add_windows(parts, state, [key for key in wanted if key not in made])
    if placed:
        place_windows(parts, state, placed)
    parts.covered = _covered(table, kept, panes, rows.superseded, seen)
    add_late_days(parts, state)
    if counted:
        add_distinct(parts, question, table, rows, counted, by_place)
    return parts


def _is_distinct(leaf: Leaf) -> bool:
    """Whether different values are counted; days over a window without a beginning are counted so, too."""
    endless_days = isinstance(leaf.measure, ActiveDays) and isinstance(leaf.measure.rows.window, Lifetime)
    return isinstance(leaf.measure, DISTINCT_KINDS) or endless_days


def _wanted(leaves: Sequence[Leaf], packs: Packs) -> tuple[Wanted, ...]:
    """What is wanted of each frame, each once; always the first day of all."""
    of_leaves = [(frame_of(leaf), packs.packed(one)) for leaf in leaves for one in kept_of(leaf.measure)]
    return tuple(dict.fromkeys([*of_leaves, (EVER, FIRST)]))


def _placed(leaves: Sequence[Leaf], rows: Rows) -> list[Wanted]:
    """What is wanted of each frame, not packed, and can be made by place."""
    of_leaves = [(frame_of(leaf), one) for leaf in leaves for one in kept_of(leaf.measure)]
    return [*(key for key in of_leaves if is_placed(key[1], rows.kinds.get(key[1].column))), (EVER, FIRST)]


# Rows by account and pane


def _state(table: str, rows: Rows, kept: KeptColumns, panes: Panes) -> exp.Select:
    """What is kept of the rows of each account and pane, apart by when they are seen."""
    pick = [made(one, rows).as_(kept.name(one)) for one in kept.kept]
    keys = ["account", "pane", "late", *(["until"] if rows.superseded else [])]
    return exp.select(*keys, *pick, copy=False).from_(_timed(table, rows, panes).subquery("timed", copy=False)).group_by(*keys)


def _timed(table: str, rows: Rows, panes: Panes) -> exp.Select:
    """Rows with their account, pane, and from which as-of date on they are seen where that is not the first after the pane (else 0)."""
    first, earliest = panes.ends[0], panes.points[0]
    found = exp.select("r.*", "a.account AS account", "d.pane AS pane", "d.bit AS bit", "d.entry AS entry")
    found = found.select("CASE WHEN s.point > d.entry THEN s.point ELSE 0 END AS late")
    found = found.from_(rows.query.subquery("r", copy=False))
    found = found.join(f"measure_panes_{table} AS d", on=f"d.day = GREATEST(r.day, {first})")
    found = found.join(f"{SEEN} AS s", on=f"s.day = GREATEST(r.seen_from, {earliest})")
    found = found.join("accounts_of_panel AS a", on="a.account_id = r.account_id")
    if not rows.superseded:
        return found
    found = found.join(f"{SEEN} AS e", on=f"e.day = {gone_day(earliest)}", join_type="left")
    until = f"COALESCE(e.point, {len(panes.days)}) AS until"
    return found.select(until).where("e.point IS NULL OR e.point > GREATEST(s.point, d.entry)")


# Days of all accounts


def _covered(table: str, kept: KeptColumns, panes: Panes, superseded: bool, seen: Sequence[Seen]) -> exp.Select:
    """`point` and the first and last day of all accounts that have units, `first{n}` and `last{n}` of seen[n]."""
    keys = ["pane", "late", *(["until"] if superseded else [])]
    first, last = (exp.column(kept.name(one)) for one in (FIRST, LAST))
    spans = exp.select(*keys, exp.Min(this=first).as_("first"), exp.Max(this=last).as_("last"), copy=False)
    spans = spans.from_(f"measure_state_{table}").group_by(*keys)
    on = "p.point >= s.late" + (" AND p.point < s.until" if superseded else "")
    found = exp.select("p.point AS point").from_(spans.subquery("s", copy=False)).group_by("1")
    found = found.join(f"measure_entries_{table} AS e", on="e.pane = s.pane").join("points AS p", on=on)
    for n, one in enumerate(seen):
        entered = f"p.point >= e.a{panes.frames.index(Frame(Lifetime(), one.shift_days))}"
        found = found.select(
            f"MIN(CASE WHEN {entered} THEN s.first END) AS first{n}", f"MAX(CASE WHEN {entered} THEN s.last END) AS last{n}"
        )
    return found
