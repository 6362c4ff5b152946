"""Whether a definition made in Python holds what its nodes declare, and whether it is small enough to be walked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from math import isfinite
from types import UnionType
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from unspun.errors import BadInput, Fault
from unspun.metrics.conditions import AllOf, AnyOf, Compare, HasText, IsEmpty, IsIn, Not
from unspun.metrics.nodes import (
    Add,
    Before,
    Case,
    Change,
    Criterion,
    Elapsed,
    Funnel,
    Multiply,
    Open,
    Quantile,
    Ratio,
    Rows,
    Series,
    Share,
    Streak,
    Subtract,
    TimeBetween,
    Trend,
    When,
    ZScore,
    operands,
)

T = TypeVar("T")
SERIES: tuple[type, ...] = get_args(Series)
DEEPEST = 30
"""How many levels of metrics.yml a series may take; the file may have 32 (see yaml_nodes.py), of which two are around it."""
MOST_USES = 10_000
"""How many nodes one series may have, each use of a part counted."""
LONGEST_COLUMN = 100
COLUMN_HINT = f"A column's name has 1 to {LONGEST_COLUMN} characters, all of which can be seen."
LEVELS: dict[type, int] = {
    **dict.fromkeys((IsIn, Compare, HasText, IsEmpty), 4), **dict.fromkeys((AllOf, AnyOf), 2), Not: 1, Rows: 0,
    **dict.fromkeys((Ratio, Add, Subtract, Multiply, Before, Change, Trend, Share, ZScore, Case), 2), When: 1, Criterion: 4,
    **dict.fromkeys((Quantile, Streak, TimeBetween, Elapsed), 2), Funnel: 3,
}  # fmt: skip
"""How many levels of metrics.yml a node takes at most by itself; 1 where it is not among them."""


def levels(node: object) -> int:
    """How many levels of metrics.yml a series takes at most. References are not followed."""
    return LEVELS.get(type(node), 1) + max((levels(part) for part in _parts(node)), default=0)


def uses(series: Series, known: dict[int, int] | None = None) -> int:
    """How many nodes a series has when each use of a part counts; what is used many times is counted once and multiplied."""
    known = {} if known is None else known
    if id(series) not in known:
        known[id(series)] = 1 + sum(uses(part, known) for part in operands(series))
    return known[id(series)]


def form_faults(series: object) -> list[Fault]:
    """What in a series is no node, no number or no text where one must be. A series too deep to be told has no other fault."""
    if not isinstance(series, SERIES):
        return [Fault("not_a_series", f"{_shown(series)} is no series.", "", "Make one of the nodes, as `Count(Rows('events'))`.")]
    faults: list[Fault] = []
    level: list[object] = [series]
    for _ in range(2 * DEEPEST):
        faults += [fault for node in level for fault in _node_faults(node)]
        if faults or not level:
            return faults
        level = _once(part for node in level for part in _parts(node))
    return [Fault("too_deep", "it nests too deep.", "", "Give its parts ids of their own.")]


def _node_faults(node: object) -> Iterator[Fault]:
    for name, hint in _hints(type(node)).items():
        value = getattr(node, name)
        may_lack = name == "within" or isinstance(node, Open)
        if not _fits(value, hint):
            yield Fault("bad_form", f"`{name}` of {type(node).__name__} cannot be {_shown(value)}.")
        elif name in ("column", "within", "start", "end") and not is_column(value) and not (may_lack and value == ""):
            yield Fault("bad_column", f"{_shown(value)} can be no column.", "", COLUMN_HINT)
    if isinstance(node, Criterion):
        try:
            IsIn("the series", node.values)
        except BadInput as refusal:
            yield from refusal.faults


def _parts(node: object) -> Iterator[object]:
    """The nodes that a node directly holds, in tuples too."""
    for name in _hints(type(node)):
        value = getattr(node, name)
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if is_dataclass(one))


@cache
def _hints(node: type) -> dict[str, object]:
    return get_type_hints(node) if fields(node) else {}


def _fits(value: object, hint: object) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(one, get_args(hint)[0]) for one in value)
    if hint is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if hint is float:
        return isinstance(value, float) and isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(hint, type) and isinstance(value, hint)


def _once(parts: Iterator[T]) -> list[T]:
    """Each object once: a part may be used many times over, and walking all its uses may never end."""
    return list({id(one): one for one in parts}.values())


def _shown(value: object) -> str:
    return printable(value) if isinstance(value, str) or len(repr(value)) <= 80 else f"a {type(value).__name__}"


def is_column(text: str) -> bool:
    """Whether a text may be a column's name: it can be seen, and is not long."""
    return bool(text.strip()) and len(text) <= LONGEST_COLUMN and text.isprintable()


def printable(value: object) -> str:
    """A text of a file as a message quotes it, what cannot be seen escaped; any other value as Python writes it. What is long is cut."""
    text = value if isinstance(value, str) else repr(value)
    shown = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text[:80])
    shown += "..." if len(text) > 80 else ""
    return f"'{shown}'" if isinstance(value, str) else shown
