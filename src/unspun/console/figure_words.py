"""A published figure in words: what its record holds, as the drawer shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from markupsafe import Markup

from unspun.console.risk_marks import estimate_mark
from unspun.reports import words
from unspun.reports.marks import scale_over
from unspun.stats.estimate import Estimate

STYLES: Final[Mapping[str, words.Style]] = {
    "AUC": words.AUC,
    "probability": words.PROBABILITY,
    "share": words.Style(1, percent=True),
    "Brier": words.BRIER,
    "log odds": words.PROBABILITY,
}
PART_STYLES: Final[Mapping[str, words.Style]] = {
    **dict.fromkeys(("grr", "nrr", "in_80", "in_95"), words.Style(1, percent=True)),
    **dict.fromkeys(("brier", "log_loss", "bias", "brier_skill"), words.BRIER),
    **dict.fromkeys(("auc", "slope", "expected_over_observed"), words.RATIO),
}
PART_NAMES: Final[Mapping[str, str]] = {
    "grr": "GRR", "nrr": "NRR", "auc": "AUC", "arr_due": "ARR due", "arr_due_later": "ARR due later", "n": "n", "p": "p",
    "in_80": "Within 80 %", "in_95": "Within 95 %",
}  # fmt: skip
FIRST: Final = ("GRR", "NRR", "Brier", "Within 95 %", "Within 80 %", "Churned")
"""Parts that a list tells, where a record has several."""
REFERENCES: Final = {"AUC": 0.5}
GAIN: Final = "/gain"
MOST_LISTED: Final = 6
CURRENCY_LETTERS: Final = 3
AMOUNT: Final = re.compile(r"-?\d+\.\d+")
"""Money, as it is kept: exact decimals in text."""
MEAN: Final = "mean over simulated paths"


@dataclass(frozen=True, slots=True)
class Said:
    """A value in words. `point` and its `interval` ("" has none), the `mark` that draws it, what the interval is; or, where there is no
    estimate, the `reason` and what it would take. `parts` are the further values of the record by name; `part` names the one that was asked
    for, "" the whole."""

    point: str
    interval: str = ""
    mark: Markup | None = None
    level: str = ""
    n: int | None = None
    method: str = ""
    caveats: tuple[str, ...] = ()
    reason: str = ""
    takes: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    part: str = ""


def said_of(figure: Mapping[str, Any], part: str = "") -> Said:
    """The figure in words; or one part of a record that has several, with the others beside it."""
    value, unit = figure["value"], figure["unit"]
    if part and _is_part(value.get(part)):
        others = {name: one for name, one in value.items() if name != part}
        return replace(_said(value[part], PART_STYLES.get(part), unit, tuple(_parts(others, unit))), part=_name(part))
    return _of_record(figure, value, unit)


def in_short(figure: Mapping[str, Any]) -> str:
    """The figure in a list: its value with its interval, or that there is none."""
    said = said_of(figure)
    if said.point:
        return f"{said.point} {said.interval}".strip()
    first = sorted(said.parts, key=lambda part: FIRST.index(part[0]) if part[0] in FIRST else len(FIRST))
    return "; ".join(f"{name} {text}" for name, text in first[:2]) or "no estimate"


def _of_record(figure: Mapping[str, Any], value: Mapping[str, Any], unit: str) -> Said:
    style = words.GAIN if figure["name"].endswith(GAIN) else STYLES.get(unit)
    plain = {name: one for name, one in value.items() if name not in _OF_ESTIMATES}
    if _is_part(value):
        return _said(value, style, unit, tuple(_parts(plain, unit)), REFERENCES.get(unit) if style is not words.GAIN else 0.0)
    if "amount" in value:
        return Said(_amount(value["amount"], unit), parts=tuple(_parts({k: v for k, v in plain.items() if k != "amount"}, unit)))
    if "count" in value:
        rest = {k: v for k, v in plain.items() if k != "count"}
        return Said(f"{words.count(value['count'])} {unit}".strip(), parts=tuple(_parts(rest, unit)))
    word = next((name for name in ("verdict", "shape") if isinstance(value.get(name), str)), "")
    rest = {k: v for k, v in plain.items() if k != word}
    return Said(str(value[word]).capitalize() if word else "", parts=tuple(_parts(rest, unit)))


_OF_ESTIMATES: Final = frozenset({"point", "low", "high", "level", "n", "method", "caveats", "reason", "what_it_would_take"})


def _is_part(value: object) -> bool:
    """Whether it is an estimate, a prediction, or says why there is none."""
    return isinstance(value, Mapping) and bool({"reason", "point", "low_95"} & value.keys())


def _said(
    value: Mapping[str, Any], style: words.Style | None, unit: str, parts: tuple[tuple[str, str], ...], reference: float | None = None
) -> Said:
    if "reason" in value:
        return Said("", reason=value["reason"], takes=value.get("what_it_would_take", ""), parts=parts)
    told = _estimate(value)
    point, interval = _written(told, style, unit)
    mark = estimate_mark(
        told.point, told.low, told.high, scale_over((told.low, told.high), around=reference, margin=0.35), reference=reference
    )
    return Said(point, interval, mark, words.percent(told.level), told.n or None, told.method, tuple(told.caveats), parts=parts)


def _estimate(value: Mapping[str, Any]) -> Estimate:
    if "low_95" in value:
        return Estimate(value["mean"], value["low_95"], value["high_95"], MEAN, 0)
    return Estimate(
        value["point"], value["low"], value["high"], value["method"], value["n"], value["level"], tuple(value.get("caveats", ()))
    )


def _written(told: Estimate, style: words.Style | None, unit: str) -> tuple[str, str]:
    if style is not None:
        return words.point(told, style), words.interval(told, style)
    if _is_currency(unit):
        low, high = (words.money(round(end), unit) for end in (told.low, told.high))
        return words.money(round(told.point), unit), f"({low} to {high})"
    usual = words.Style(0 if abs(told.point) >= 100 else 1 if abs(told.point) >= 10 else 3)
    return words.point(told, usual), words.interval(told, usual)


def _name(part: str) -> str:
    return PART_NAMES.get(part, part.replace("_", " ").capitalize())


def _amount(text: str, unit: str) -> str:
    amount = float(text)
    return words.money(amount, unit) if _is_currency(unit) else f"{words.number(amount, 2)} {unit}".strip()


def _is_currency(unit: str) -> bool:
    return len(unit) == CURRENCY_LETTERS and unit.isupper() and unit != "AUC"


def _parts(value: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        text = _part(name, one, unit)
        if text:
            yield _name(name), text


def _part(name: str, value: Any, unit: str) -> str:
    if _is_part(value):
        if "reason" in value:
            return f"no estimate: {value['reason']}"
        return " ".join(_written(_estimate(value), PART_STYLES.get(name), unit))
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {text}" for key, one in value.items() if (text := _part(str(key), one, unit)))
    if isinstance(value, list):
        shown = [text for one in value[:MOST_LISTED] if (text := _part(name, one, unit))]
        return ", ".join(shown) + (f" and {len(value) - MOST_LISTED:,} more" if len(value) > MOST_LISTED else "")
    if isinstance(value, bool) or value is None:
        return "" if value is None else "yes" if value else "no"
    if isinstance(value, int):
        return words.count(value)
    if isinstance(value, float):
        return words.number(value, 3)
    return _amount(value, unit) if AMOUNT.fullmatch(str(value)) else str(value)
