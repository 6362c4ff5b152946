"""How predicted quantities are written: the mean with the interval that holds it in 95 of 100 paths."""

from __future__ import annotations

import re

from unspun.reports import words
from unspun.risk.forecast.result import GroupForecast, MaybePredicted, Predicted
from unspun.stats.estimate import Estimate

METHOD = "simulation: the ends leave out 2.5 % of the paths on either side"
OUTER, INNER = 0.95, 0.8
NOT_STATED = "(not stated)"


def outer(value: Predicted) -> Estimate:
    """The mean with its 95 % interval."""
    return Estimate(value.mean, value.low_95, value.high_95, METHOD, 0)


def inner(value: Predicted) -> Estimate:
    """The mean with its 80 % interval."""
    return Estimate(value.mean, value.low_80, value.high_80, METHOD, 0, INNER)


def share(value: MaybePredicted) -> str:
    """`88 %`; `no estimate` where there is none."""
    return words.point(outer(value), words.SHARE) if isinstance(value, Predicted) else "no estimate"


def share_interval(value: MaybePredicted) -> str:
    """`(83 to 92)`, in per cent; "" where there is none."""
    return words.interval(outer(value), words.SHARE) if isinstance(value, Predicted) else ""


def count(value: MaybePredicted) -> str:
    """An expected count: with a decimal under ten, where the next digit matters."""
    if not isinstance(value, Predicted):
        return "no estimate"
    return words.number(value.mean, 1 if 0 < value.mean < 9.95 else 0)


def count_interval(value: MaybePredicted) -> str:
    """The ends in parentheses."""
    return between(words.number(value.low_95), words.number(value.high_95)) if isinstance(value, Predicted) else ""


def money(value: MaybePredicted, currency: str) -> str:
    """`$326k`: expected amounts are not known to the cent."""
    return amount(value.mean, currency) if isinstance(value, Predicted) else "no estimate"


def money_interval(value: MaybePredicted, currency: str) -> str:
    """The ends in parentheses, short."""
    if not isinstance(value, Predicted):
        return ""
    return between(amount(value.low_95, currency), amount(value.high_95, currency))


def amount(value: float, currency: str) -> str:
    """Short, with its currency where one is stated; nought is plain."""
    rounded = 0.0 if abs(value) < 0.5 else value
    return words.money_short(rounded, currency or None)


def round_amount(value: float, currency: str) -> str:
    """`$500k`, `$1.5M`: a round amount without needless noughts."""
    return re.sub(r"(\d)\.(\d*?)0+(?=[kMB])", lambda found: f"{found[1]}.{found[2]}" if found[2] else found[1], amount(value, currency))


def between(low: str, high: str) -> str:
    """`(low to high)` with a dash, on one line; with `to` where an end is negative."""
    joined = f"{words.NBSP}to{words.NBSP}" if words.MINUS in low + high else f"{words.JOIN}{words.DASH}{words.JOIN}"
    return f"({low}{joined}{high})"


def figure_name(group: GroupForecast, currency: str | None = None) -> str:
    """The name of a group's figure in the ledger's entry: of its counts, or of its money in a currency."""
    name = "total" if group.kind == "all" else f"{group.kind}/{group_name(group.name)}"
    return name if currency is None else f"{name}/{currency or 'no currency'}"


def group_name(name: str) -> str:
    return name or NOT_STATED
