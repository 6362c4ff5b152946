"""The map of agreement against the matrix that it draws: every cell's shade, the groups' squares, the tree, and what can be looked up."""

from __future__ import annotations

import base64
import re
from itertools import combinations

import numpy as np
import pytest

from tests.unit.reports import evidence_sample as sample
from unspun.audit.evidence_result import Redundancy
from unspun.reports.evidence_charts import measure
from unspun.reports.evidence_map import STEPS, UNKNOWN, AgreementMap, agreement_map, map_chart, tree_chart

BOX = re.compile(r"M(\d+) (\d+)h(\d+)v1h-\d+z")
PATH = re.compile(r'<path class="(unknown|shade-\d)" d="([^"]+)"')
GROUP = re.compile(r'<rect class="group" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"')


def shown_of(name: str) -> tuple[AgreementMap, Redundancy, list[str]]:
    result = {"few": sample.few, "many": lambda: sample.many(70)}[name]()
    shown = agreement_map(result)
    assert isinstance(shown, AgreementMap) and isinstance(result.redundancy, Redundancy)
    return shown, result.redundancy, [one.subject.key for one in result.subjects]


def rho_of(redundancy: Redundancy, keys: list[str], one: str, other: str) -> float | None:
    return redundancy.rho[keys.index(one)][keys.index(other)]


def shade_of(rho: float | None) -> str:
    if rho is None:
        return "unknown"
    step = sum(abs(rho) >= low for low in STEPS)
    return f"shade-{step}" if step else ""


@pytest.mark.parametrize("name", ["few", "many"])
def test_every_cell_has_the_shade_of_its_correlation(name: str) -> None:
    shown, redundancy, keys = shown_of(name)
    drawn = np.full((shown.size, shown.size), "", dtype=object)
    for shade, outline in PATH.findall(map_chart(shown, "claim")):
        for x, y, width in BOX.findall(outline):
            drawn[int(y), int(x) : int(x) + int(width)] = shade
    for i, one in enumerate(redundancy.order):
        for j, other in enumerate(redundancy.order):
            assert drawn[i, j] == shade_of(rho_of(redundancy, keys, one, other)), (one, other)


@pytest.mark.parametrize("name", ["few", "many"])
def test_the_squares_hold_the_groups_and_nothing_else(name: str) -> None:
    shown, redundancy, _ = shown_of(name)
    squares = [tuple(map(int, found)) for found in GROUP.findall(map_chart(shown, "claim"))]
    held = {frozenset(redundancy.order[x : x + width]) for x, y, width, height in squares if x == y and width == height}
    assert held == {frozenset(group.keys) for group in redundancy.groups}
    assert len(squares) == len(redundancy.groups)


def test_the_bytes_behind_the_map_are_the_correlations_in_hundredths() -> None:
    shown, redundancy, keys = shown_of("few")
    cells = np.frombuffer(base64.b64decode(shown.data()), dtype=np.int8).reshape(shown.size, shown.size)
    for i, one in enumerate(redundancy.order):
        for j, other in enumerate(redundancy.order):
            rho = rho_of(redundancy, keys, one, other)
            assert cells[i, j] == (UNKNOWN if rho is None else round(100 * rho))


def test_the_likest_pairs_come_first_and_none_is_left_out() -> None:
    shown, redundancy, keys = shown_of("many")
    strong = {frozenset(pair) for pair in combinations(keys, 2) if abs(rho_of(redundancy, keys, *pair) or 0) >= 0.5}
    pairs = shown.pairs(0.5)
    assert {frozenset(pair[:2]) for pair in pairs} == strong and len(pairs) == len(strong) > 20
    strengths = [abs(rho) for _, _, rho in pairs]
    assert strengths == sorted(strengths, reverse=True)


def test_the_nearest_of_a_subject_are_those_with_the_largest_correlation_either_way() -> None:
    shown, redundancy, keys = shown_of("many")
    by_strength = sorted((key for key in keys if key != keys[5]), key=lambda key: -abs(rho_of(redundancy, keys, keys[5], key) or 0))
    assert [key for key, _ in shown.nearest(keys[5], 4)] == by_strength[:4]
    few, _, _ = shown_of("few")
    assert [key for key, _ in few.nearest("survey/NPS <b>2026</b>", 8)] == ["forecast/CSM call"]


def test_the_tree_has_a_join_for_each_subject_but_one_at_its_own_height() -> None:
    shown, redundancy, _ = shown_of("many")
    outline = re.search(r'class="branch" d="([^"]+)"', tree_chart(shown, 0.2))
    assert outline
    joins = re.findall(r"M\S+ (\S+)H(\S+)V(\S+)H", outline[1])
    assert len(joins) == shown.size - 1
    assert sorted(float(x) for _, x, _ in joins) == pytest.approx(sorted(100 * join.height for join in redundancy.joins), rel=1e-3)
    assert all(float(upper) < float(lower) for upper, _, lower in joins)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0"), (7.0, "7"), (0.1234, "0.123"), (-2.5, "\u22122.5"), (1646.0, "1,646"), (15_400.0, "15.4k"), (2_500_000.0, "2.5M")],
)
def test_a_value_is_said_short_in_its_own_units(value: float, said: str) -> None:
    assert measure(value) == said
