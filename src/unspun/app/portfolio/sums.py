"""Sums over any lines of the portfolio: ARR exactly, and what is expected to be lost of it with the interval of the expectation."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from unspun._version import __version__
from unspun.app.portfolio.conditions import Condition
from unspun.evidence import Figure, InputVersion, Provenance
from unspun.risk.totals import expected_sum
from unspun.stats.estimate import Estimate, MaybeEstimate
from unspun.warehouse.read_model import ReadModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Lines = NDArray[np.int64]
SUM_DEFINITIONS: Mapping[str, str] = {
    "arr": "sum of the ARR of the renewals",
    "expected_lost": "sum of ARR times the probability of churn, of the renewals that have both; the interval is of the expectation, under "
    "draws of the risk model (log scale, t)",
    "at_base_rate": "sum of ARR times the base rate of churn (by time before the due date and term length), of the same renewals as "
    "expected_lost",
}
"""What each sum is. A sum over a filter is published nowhere: its definition goes with it."""


@dataclass(frozen=True, slots=True)
class PortfolioSum:
    """The renewals among some lines, in one currency. `parents` counts their top parents.

    `n_cannot_tell` of them, with ARR `arr_cannot_tell`, have no probability and are not in `expected_lost`; neither are the `n_notice` of
    which notice was given. `at_base_rate` is what would be lost of those in `expected_lost` at the base rate; None where it is not known.
    """

    currency: str | None
    n: int
    parents: int
    n_without_arr: int
    arr: float
    expected_lost: MaybeEstimate
    at_base_rate: float | None
    n_cannot_tell: int
    arr_cannot_tell: float
    n_notice: int
    arr_notice: float
    figures: Mapping[str, Figure[object]] = field(default_factory=dict[str, "Figure[object]"], compare=False)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of all lines that sums are made of, by line; NaN and -1 where there is none. `draw` is the row of the draws."""

    arr: Floats
    lost: Floats
    base: Floats
    currency: Ints
    currencies: tuple[str | None, ...]
    family: Ints
    account: Ints
    untold: NDArray[np.bool_]
    notice: NDArray[np.bool_]
    renewal: NDArray[np.bool_]
    draw: Ints


_KNOWN: WeakKeyDictionary[ReadModel, _Columns] = WeakKeyDictionary()
_TOLD: WeakKeyDictionary[ReadModel, dict[tuple[object, ...], LineSums]] = WeakKeyDictionary()
MOST_KEPT = 256
_LOCK = threading.Lock()
_SQL = "SELECT arr, lost, base_rate, currency, family, account_id, cannot_tell, status, due FROM lines ORDER BY line"


def _columns(model: ReadModel) -> _Columns:
    with _LOCK:
        if model not in _KNOWN:
            _KNOWN[model] = _read(model)
        return _KNOWN[model]


def _read(model: ReadModel) -> _Columns:
    rows = model.rows(_SQL)
    arr, lost, base, currency, family, account, untold, status, due = zip(*rows, strict=True) if rows else ((),) * 9
    names = sorted(set(currency), key=lambda name: name or "")
    told = np.array([one is not None for one in lost], bool)
    return _Columns(
        arr=_floats(arr),
        lost=_floats(lost),
        base=_floats(base),
        currency=np.array([names.index(one) for one in currency], np.int64),
        currencies=tuple(names),
        family=np.array(family, np.int64),
        account=np.unique(np.array(account, str), return_inverse=True)[1].astype(np.int64),
        untold=np.array([bool(one) for one in untold], bool),
        notice=np.array([one == "notice given" for one in status], bool),
        renewal=np.array([one is not None for one in due], bool) & np.array([one != "decided" for one in status], bool),
        draw=np.where(told, np.cumsum(told) - 1, -1).astype(np.int64),
    )


def _floats(values: tuple[float | None, ...]) -> Floats:
    return np.array([math.nan if one is None else one for one in values], np.float64)


@dataclass(frozen=True, slots=True)
class LineSums:
    """Lines that meet a condition: how many, of how many accounts and top parents, and the sums over their renewals by currency."""

    total: int
    accounts: int
    parents: int
    sums: tuple[PortfolioSum, ...]


def sums_of(model: ReadModel, condition: Condition, words: str) -> LineSums:
    """What the lines that meet a condition add up to. `words` say what the filter is.

    A read model never changes, so that what was asked of it before is not added up again.
    """
    asked = (condition.sql, condition.parameters, words)
    with _LOCK:
        known = _TOLD.setdefault(model, {})
        found = known.get(asked)
    if found is None:
        found = _sums(model, condition, words)
        with _LOCK:
            if len(known) >= MOST_KEPT:
                known.clear()
            known[asked] = found
    return found


def _sums(model: ReadModel, condition: Condition, words: str) -> LineSums:
    sql = f"SELECT line FROM lines WHERE {condition.sql}"
    lines = np.array([one for (one,) in model.rows(sql, condition.parameters)], np.int64)
    columns = _columns(model)
    renewals = lines[columns.renewal[lines]]
    sums = tuple(
        _with_figures(_sum(model, columns, renewals[columns.currency[renewals] == code], name), model, sql, condition, words)
        for code, name in enumerate(columns.currencies)
        if (columns.currency[renewals] == code).any()
    )
    return LineSums(len(lines), len(np.unique(columns.account[lines])), len(np.unique(columns.family[lines])), sums)


def _sum(model: ReadModel, columns: _Columns, lines: Lines, currency: str | None) -> PortfolioSum:
    arr, lost = columns.arr[lines], columns.lost[lines]
    told = np.isfinite(lost)
    untold, notice = columns.untold[lines], columns.notice[lines]
    base = (arr * columns.base[lines])[told]
    return PortfolioSum(
        currency=currency,
        n=len(lines),
        parents=len(np.unique(columns.family[lines])),
        n_without_arr=int(np.isnan(arr).sum()),
        arr=_total(arr),
        expected_lost=expected_sum(lost[told].tolist(), _drawn(model, columns.draw[lines][told], arr[told])),
        at_base_rate=math.fsum(base.tolist()) if len(base) and np.isfinite(base).all() else None,
        n_cannot_tell=int((untold & ~notice).sum()),
        arr_cannot_tell=_total(arr[untold & ~notice]),
        n_notice=int(notice.sum()),
        arr_notice=_total(arr[notice]),
    )


def _total(values: Floats) -> float:
    return math.fsum(values[np.isfinite(values)].tolist())


def _drawn(model: ReadModel, rows: Ints, arr: Floats) -> Floats | None:
    return arr @ np.asarray(model.draws[rows], np.float64) if len(rows) else None


# Where they come from


def _with_figures(found: PortfolioSum, model: ReadModel, sql: str, condition: Condition, words: str) -> PortfolioSum:
    values: dict[str, object] = {"arr": found.arr, "expected_lost": found.expected_lost, "at_base_rate": found.at_base_rate}
    n = found.expected_lost.n if isinstance(found.expected_lost, Estimate) else 0
    counts = {"arr": found.n - found.n_without_arr, "expected_lost": n, "at_base_rate": n}
    lines = f"SELECT account_id, due, arr, p_churn, lost, base_rate FROM lines WHERE line IN ({sql}) AND currency IS ?"
    asked = Condition(lines, (*condition.parameters, found.currency))
    figures = {
        name: Figure(f"{SUM_DEFINITIONS[name]}; {words}", value, _provenance(model, name, asked, words, counts[name]))
        for name, value in values.items()
    }
    return PortfolioSum(**{name: getattr(found, name) for name in PortfolioSum.__slots__ if name != "figures"}, figures=figures)


def _provenance(model: ReadModel, name: str, asked: Condition, words: str, n: int) -> Provenance:
    meta = model.meta
    entries = {key: str(value) for key, value in meta["entries"].items() if value is not None}
    return Provenance(
        definition=f"portfolio/{name}: {SUM_DEFINITIONS[name]}",
        definition_version="1",
        as_of=date.fromisoformat(meta["as_of"]),
        inputs=tuple(InputVersion(f"ledger entry {seq} ({key})", "") for key, seq in entries.items()),
        query=asked.sql,
        settings=(("filter", words), ("n", str(n)), ("parameters", repr(list(asked.parameters))), ("read model", model.key)),
        package_version=__version__,
        book_version=meta["book_version"],
        book_digest=meta["book_digest"],
        engine="sqlite",
        engine_version=sqlite3.sqlite_version,
    )
