"""The figures of performance as they are published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from unspun.app.evidence.figures import json_values
from unspun.app.publication import value_record
from unspun.risk.performance.result import Comparison, GroupMoney, GroupPerformance, PerformanceResult, plural_of
from unspun.stats.estimate import Estimate, MaybeEstimate

KIND = "performance"
RENEWALS, SPREAD, VERDICT, EFFECT, DIFFERENCE, ARR = "renewals", "spread", "verdict", "effect", "difference", "arr"
DIGITS = 8  # significant ones


def figures_of(result: PerformanceResult) -> tuple[Mapping[str, Any], ...]:
    """Of all renewals, of each comparison, and of each group: verdict, shrunken difference, renewals and ARR beyond expectation."""
    found = [_of_all(result), *(figure for one in result.comparisons for figure in _of_comparison(one))]
    return tuple(json_values(found))


def figure_name(by: str, group: str, figure: str) -> str:
    """The name of a group's figure within its set."""
    return f"{by}/{group}/{figure}"


def _of_all(result: PerformanceResult) -> dict[str, Any]:
    value = {
        "count": result.renewals,
        "renewed": result.renewed,
        "expected_given": rounded(result.expected_given),
        "due": result.due,
        "left_out": dict(result.left_out),
    }
    return {"name": RENEWALS, "label": "renewals judged", "unit": "renewals", "value": value}


def _of_comparison(comparison: Comparison) -> Iterator[dict[str, Any]]:
    by, noun = comparison.by, comparison.noun
    label = f"standard deviation between {plural_of(noun)}, log odds"
    yield {"name": f"{by}/{SPREAD}", "label": label, "unit": "log odds", "value": _estimate(comparison.spread)}
    for group in comparison.groups:
        yield from _of_group(by, group)


def _of_group(by: str, group: GroupPerformance) -> Iterator[dict[str, Any]]:
    counted = {name: rounded(getattr(group, name)) for name in ("renewals", "renewed", "expected", "expected_given", "p")}
    named = {figure: figure_name(by, group.name, figure) for figure in (VERDICT, EFFECT, DIFFERENCE)}
    told = {"verdict": group.verdict, **counted, "rank": [group.rank_low, group.rank_high]}
    yield {"name": named[VERDICT], "label": f"{group.name}: verdict", "unit": "verdict", "value": told}
    yield {
        "name": named[EFFECT],
        "label": f"{group.name}: difference in the renewal rate",
        "unit": "share",
        "value": _estimate(group.effect),
    }
    difference = {"amount": f"{group.difference:.6f}", "limits": [[one.level, rounded(one.low), rounded(one.high)] for one in group.limits]}
    yield {"name": named[DIFFERENCE], "label": f"{group.name}: renewals beyond expectation", "unit": "renewals", "value": difference}
    for money in group.money:
        yield _of_money(by, group.name, money)


def _of_money(by: str, group: str, money: GroupMoney) -> dict[str, Any]:
    value = {
        "amount": f"{money.difference:.2f}",
        "due": f"{money.due:.2f}",
        "kept": f"{money.kept:.2f}",
        "expected": f"{money.expected:.2f}",
    }
    unit = money.currency or "no currency"
    return {"name": figure_name(by, group, f"{ARR}/{unit}"), "label": f"{group}: ARR kept beyond expectation", "unit": unit, "value": value}


def _estimate(value: MaybeEstimate) -> Mapping[str, Any]:
    if isinstance(value, Estimate):
        value = replace(value, point=rounded(value.point), low=rounded(value.low), high=rounded(value.high))
    return value_record(value)


def rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") + 0.0
