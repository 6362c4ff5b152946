"""What each account had and did, row by row: the tables whose rows sum to the figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.retention.measured import Measured
from unspun.book.retention.movements import CLASSES, Pair, pair_up
from unspun.book.retention.renewed import Due
from unspun.book.tables import OUTCOMES, Ints

MONEY = pa.decimal128(18, 4)
GROUP = "by_"  # before a grouping's name: a column of accounts may be named as one of the others


def months_table(measured: Measured, months: Iterable[int]) -> pa.Table:
    """An entry an account, month and pair of closings: `pair` is "month" (from the month before) or "window" (of the rates)."""
    tables = []
    for month in months:
        close = measured.closes(month)
        for name, back in (("month", 1), ("window", measured.question.window)):
            tables.append(_pairs(measured, measured.months[month], name, pair_up(measured.balances, close - back, close)))
    return pa.concat_tables(tables)


def _pairs(measured: Measured, month: str, name: str, pair: Pair) -> pa.Table:
    count = len(pair.account)
    return pa.table(
        {
            **_ids(measured, pair.account),
            "month": _same(month, count),
            "pair": _same(name, count),
            "currency": _currencies(measured, np.where(pair.in_money, measured.balances.currency[pair.account], -1)),
            "in_money": pa.array(pair.in_money),
            "held": pa.array(pair.held),
            "holds": pa.array(pair.holds),
            "opening": _money(pair.opening),
            "closing": _money(pair.closing),
            "movement": _words(pair.movement, CLASSES),
            "pending": _money(pair.pending),
            **{GROUP + g.by: _words(g.on(pair.account, pair.placed), g.values) for g in measured.groupings},
        }
    )


def renewals_table(measured: Measured, due: Due) -> pa.Table:
    """An entry a renewal due in the months asked for; `arr_renewed` is at most what it was before."""
    return pa.table(
        {
            **_ids(measured, due.account),
            "month": _words(due.month, measured.months),
            "outcome": _words(np.where(due.outcome < 0, len(OUTCOMES), due.outcome), (*OUTCOMES, "undecided")),
            "currency": _currencies(measured, due.currency),
            "compared": pa.array(due.compared),
            "arr_before": _money(due.before),
            "arr_after": _money(due.after),
            "arr_renewed": _money(np.minimum(due.before, due.after)),
            **{GROUP + g.by: _words(g.on(due.account, due.placed), g.values) for g in measured.groupings},
        }
    )


def _ids(measured: Measured, account: Ints) -> dict[str, pa.Array]:
    return {"account_id": _words(account, measured.accounts), "parent_id": _words(measured.top[account], measured.top_names)}


def _words(code: Ints, words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), pa.array(words, pa.string()))


def _same(word: str, count: int) -> pa.Array:
    return _words(np.zeros(count, np.int64), (word,))


def _currencies(measured: Measured, code: Ints) -> pa.Array:
    return _words(np.where(code < 0, len(measured.sold.currencies), code), (*measured.sold.currencies, ""))


def _money(units: NDArray[Any]) -> pa.Array:
    """Ten-thousandths as DECIMAL(18,4): 128-bit whole numbers, the low half first."""
    wide = np.empty((len(units), 2), np.int64)
    wide[:, 0], wide[:, 1] = units, units >> 63
    return pa.Array.from_buffers(MONEY, len(units), [None, pa.py_buffer(wide.tobytes())])
