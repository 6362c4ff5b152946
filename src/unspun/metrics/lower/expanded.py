"""Series with everything that is not computed from the book written out: references followed, earlier days given as shifts of the leaves.

`expand` gives each different part once, before the parts that it is made of use it; an earlier day of a series is the same series with
its leaves shifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from unspun.metrics.conditions import AllOf, Condition
from unspun.metrics.kinds import SeriesKind, kind_of
from unspun.metrics.nodes import (
    Add,
    Attribute,
    Before,
    Case,
    Change,
    Constant,
    Measure,
    Multiply,
    Ratio,
    Reference,
    Series,
    Share,
    Shareable,
    Standing,
    Subtract,
    Trend,
    ZScore,
)
from unspun.metrics.question import PanelQuestion


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a series: a node, by how many days it is shifted (leaves; else 0), the numbers of the parts it is made of, and its kind."""

    series: Series
    shift_days: int
    operands: tuple[int, ...]
    kind: SeriesKind


@dataclass(slots=True)
class Parts:
    """All parts of the metrics asked; each comes after those that it is made of. `asked` gives each metric's own."""

    parts: list[Part] = field(default_factory=list[Part])
    asked: dict[str, int] = field(default_factory=dict[str, int])


def expand(question: PanelQuestion) -> Parts:
    """The parts of the metrics that a question asks."""
    expansion = _Expansion(question)
    for metric in question.asked:
        expansion.result.asked[metric] = expansion.number(question.metrics.metric(metric).series)
    return expansion.result


class _Expansion:
    """Numbers the parts: equal ones get one number."""

    def __init__(self, question: PanelQuestion) -> None:
        self.question = question
        self.result = Parts()
        self.by_shape: dict[tuple[object, ...], int] = {}
        self.by_series: dict[tuple[int, int], int] = {}
        self.kept: list[Series] = []  # narrowed measures: their ids must stay theirs
        self.narrowed: dict[int, Series] = {}

    def number(self, series: Series, shift_days: int = 0) -> int:
        """The number of a series that is shifted; its parts are numbered first, without recursion: metrics may refer along a long chain."""
        waiting = [(series, shift_days)]
        while waiting:
            one, shift = waiting[-1]
            made = self._made_of(one, shift)
            missing = [part for part in made if (id(part[0]), part[1]) not in self.by_series]
            if missing:
                waiting += reversed(missing)
                continue
            waiting.pop()
            if (id(one), shift) not in self.by_series:
                self.by_series[id(one), shift] = self._part(one, shift, [self.by_series[id(part), days] for part, days in made])
        return self.by_series[id(series), shift_days]

    def _made_of(self, series: Series, shift: int) -> list[tuple[Series, int]]:
        """What a series is computed of, in the order in which reasons are looked for, each with its shift."""
        match series:
            case Reference(metric):
                return [(self.question.metrics.metric(metric).series, shift)]
            case Before(of, days):
                return [(of, shift + days)]
            case Change(of, days):
                return [(of, shift), (of, shift + days)]
            case Trend(of, steps, step_days):
                return [(of, shift + (steps - 1 - i) * step_days) for i in range(steps)]
            case Share(of, where):
                return [(self._narrowed(series, of, where), shift), (of, shift)]
            case ZScore(of, within):
                return [(of, shift), *([(self._attribute(series, within), shift)] if within else [])]
            case Case(whens, otherwise):
                made = [one for when in whens for one in (*(criterion.of for criterion in when.criteria), when.then)]
                return [(one, shift) for one in (made if otherwise is None else [*made, otherwise])]
            case Ratio(one, other) | Subtract(one, other):
                return [(one, shift), (other, shift)]
            case Add(parts) | Multiply(parts):
                return [(one, shift) for one in parts]
            case _:
                return []

    def _narrowed(self, share: Share, of: Shareable, where: Condition) -> Series:
        if id(share) not in self.narrowed:
            both = where if of.rows.where is None else AllOf((of.rows.where, where))
            self.narrowed[id(share)] = replace(of, rows=replace(of.rows, where=both))
            self.kept.append(share)
        return self.narrowed[id(share)]

    def _attribute(self, score: ZScore, within: str) -> Series:
        if id(score) not in self.narrowed:
            self.narrowed[id(score)] = Attribute(within)
            self.kept.append(score)
        return self.narrowed[id(score)]

    def _part(self, series: Series, shift: int, operands: Sequence[int]) -> int:
        if isinstance(series, Reference | Before):
            return operands[0]
        leaf = isinstance(series, Measure | Standing)
        # of equal repr: 1, 1.0 and True are equal, but not the same
        shape = (repr(series), shift) if leaf or isinstance(series, Constant) else (_own(series), *operands)
        if shape not in self.by_shape:
            kind = kind_of(series, self.question.metrics, self.question.tables)
            self.result.parts.append(Part(series, shift if leaf else 0, tuple(operands), kind))
            self.by_shape[shape] = len(self.result.parts) - 1
        return self.by_shape[shape]


def _own(series: Series) -> str:
    """What tells a derived series from others of the same operands."""
    match series:
        case Change(relative=relative):
            return f"change {relative}"
        case Case(whens, otherwise):
            tests = [[(criterion.comparison, criterion.values) for criterion in when.criteria] for when in whens]
            return f"case {tests!r} {otherwise is None}"
        case Share():
            return "ratio"
        case _:
            return type(series).__name__.lower()
