"""The map of which subjects say the same thing: cells in the order of the tree, shades as paths, what a reader can look up in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from unspun.audit.evidence_result import EvidenceResult, Join
from unspun.reports import marks
from unspun.reports.marks import tag
from unspun.stats.estimate import NoEstimate

STEPS = (0.2, 0.4, 0.6, 0.8, 0.9)  # |rank correlation| from which a cell is a shade darker
MOST_LABELLED = 40  # subjects; with more, the labels would be smaller than the smallest type
MOST_PAIRS = 200  # of the table behind the map
PAIRS_FROM = 0.5
UNKNOWN = -128  # in the bytes behind the map


@dataclass(frozen=True, slots=True)
class Block:
    """A run of the order that is one group: from `first` to `last`, counted from 0, both within."""

    number: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class AgreementMap:
    """`keys` in the order of the tree; `rho` is their matrix of rank correlations in that order, NaN where none is known."""

    keys: tuple[str, ...]
    rho: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    blocks: tuple[Block, ...]
    joins: tuple[Join, ...]

    @property
    def size(self) -> int:
        return len(self.keys)

    @property
    def labelled(self) -> bool:
        return self.size <= MOST_LABELLED

    @property
    def gaps(self) -> bool:
        """Whether a pair has no rank correlation."""
        return bool(np.isnan(self.rho).any())

    def data(self) -> str:
        """The matrix in hundredths, a signed byte a cell, row by row, in base64."""
        known = np.where(np.isnan(self.rho), 0.0, np.clip(self.rho, -1.0, 1.0))
        cells = np.where(np.isnan(self.rho), UNKNOWN, np.rint(100.0 * known)).astype(np.int8)
        return base64.b64encode(cells.tobytes()).decode("ascii")

    def pairs(self, at_least: float = PAIRS_FROM) -> list[tuple[str, str, float]]:
        """Pairs whose rank correlation is at least so large either way, the largest first."""
        rows, columns = np.triu_indices(self.size, 1)
        strength = np.nan_to_num(np.abs(self.rho[rows, columns]))
        order = [int(at) for at in np.lexsort((columns, rows, -strength)) if strength[at] >= at_least]
        return [(self.keys[rows[at]], self.keys[columns[at]], float(self.rho[rows[at], columns[at]])) for at in order]

    def nearest(self, key: str, most: int) -> list[tuple[str, float]]:
        """The others by how nearly they order units as `key` does, the nearest first."""
        at = self.keys.index(key)
        strength = np.where(np.isnan(self.rho[at]), -1.0, np.abs(self.rho[at]))
        order = [int(i) for i in np.argsort(-strength, kind="stable") if i != at and strength[i] >= 0]
        return [(self.keys[i], float(self.rho[at, i])) for i in order[:most]]


def agreement_map(result: EvidenceResult) -> AgreementMap | NoEstimate:
    """Lay the subjects out in the order of the tree; groups are numbered from 1. NoEstimate where nothing could be compared."""
    found = result.redundancy
    if isinstance(found, NoEstimate):
        return found
    keys = [one.subject.key for one in result.subjects]
    order = [keys.index(key) for key in found.order]
    matrix = np.array([[np.nan if rho is None else rho for rho in row] for row in found.rho], dtype=np.float64)
    places = {key: at for at, key in enumerate(found.order)}
    blocks = [block for number, group in enumerate(found.groups, 1) for block in _runs(number, [places[key] for key in group.keys])]
    return AgreementMap(found.order, matrix[np.ix_(order, order)], tuple(sorted(blocks, key=lambda one: one.first)), found.joins)


def _runs(number: int, places: list[int]) -> Iterator[Block]:
    """The unbroken runs of some places."""
    places = sorted(places)
    start = 0
    for i in range(1, len(places) + 1):
        if i == len(places) or places[i] != places[i - 1] + 1:
            yield Block(number, places[start], places[i - 1])
            start = i


def map_chart(shown: AgreementMap, claim: str) -> Markup:
    """The cells as one drawing that fills a square; every shade is one path, so that 200 by 200 cells stay a small page."""
    strength = np.abs(shown.rho)
    shade = np.digitize(np.nan_to_num(strength), STEPS)
    shade[np.isnan(strength)] = -1
    parts = [tag("rect", class_="ground", width=shown.size, height=shown.size)]
    for step in (-1, *range(1, len(STEPS) + 1)):
        outline = "".join(_cells(shade == step))
        if outline:
            parts.append(tag("path", class_="unknown" if step < 0 else f"shade-{step}", d=outline))
    parts += [_outline(block) for block in shown.blocks]
    inner = marks.joined(parts)
    side = f"0 0 {shown.size} {shown.size}"
    cells = tag("svg", inner, class_="cells", viewbox=side, preserveAspectRatio="none", role="img", aria_label=claim)
    return cells + tag("svg", marks.joined(_numbers(shown)), class_="numbers-of", aria_hidden="true")


def _outline(block: Block) -> Markup:
    side = block.last - block.first + 1
    return tag("rect", class_="group", x=block.first, y=block.first, width=side, height=side)


def _cells(chosen: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Iterator[str]:
    """Runs of chosen cells as boxes of an SVG path."""
    padded = np.zeros((chosen.shape[0], chosen.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = chosen
    edges = np.diff(padded, axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    for y, x, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        yield f"M{x} {y}h{end - x}v1h{x - end}z"


def _numbers(shown: AgreementMap) -> Iterator[Markup]:
    """The groups' numbers at the corners of their squares, by turns above on the right and below on the left, so that none touch."""
    for place, block in enumerate(shown.blocks):
        first, end = 100 * block.first / shown.size, 100 * (block.last + 1) / shown.size
        above = (place % 2 == 0 and end < 96) or first < 4
        x, y = (end, first) if above else (first, end)
        shift = {"dx": 4, "dy": 10} if above else {"dx": -4, "dy": 0, "text_anchor": "end"}
        yield tag("text", block.number, x=marks.at(round(x, 2)), y=marks.at(round(y, 2)), **shift)


def tree_chart(shown: AgreementMap, cut: float) -> Markup:
    """The tree beside the map: a join stands as far to the right as the two disagree; the dashed line is where groups are cut."""
    outline = "".join(f"M{x1:.4g} {y1:.4g}H{x:.4g}V{y2:.4g}H{x2:.4g}" for x1, y1, x, y2, x2 in _branches(shown))
    lines = [tag("path", class_="branch", d=outline), tag("path", class_="ax", d=f"M{100 * cut:g} 0V{shown.size}", stroke_dasharray="3 3")]
    side = f"0 0 100 {shown.size}"
    return tag("svg", marks.joined(lines), class_="tree", viewbox=side, preserveAspectRatio="none", aria_hidden="true")


def _branches(shown: AgreementMap) -> Iterator[tuple[float, float, float, float, float]]:
    """Each join as (x and y of its upper part, its own x, y and x of its lower part); x is the height in per cent."""
    tops = {at: (0.0, at + 0.5, at) for at in range(shown.size)}  # by the first leaf of a part: its x, its y, its last leaf
    for join in sorted(shown.joins, key=lambda one: (one.last - one.first, one.first)):
        x1, y1, last = tops[join.first]
        x2, y2, _ = tops[last + 1]
        x = 100 * join.height
        tops[join.first] = (x, (y1 + y2) / 2, join.last)
        yield x1, y1, x, y2, x2
