"""Where accounts belong: their groups on a day (an attribute as it was said then, a product, a cohort) and their top parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unspun.book.retention.question import PRODUCT, RetentionQuestion
from unspun.book.retention.sold import Sold, read_codes
from unspun.book.tables import Codes, Ints
from unspun.book.terms.lines import NEVER, SPAN, Lines
from unspun.errors import BadInput, Fault

NOT_STATED = "(not stated)"
MAX_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Grouping:
    """The values of one grouping, in order, and by account and day (or by account alone) the index of the value."""

    by: str
    values: tuple[str, ...]
    code: Ints

    def on(self, account: Ints, day: Ints) -> Ints:
        """The value's index for pairs of an account and the index of a day."""
        return self.code[account] if self.code.ndim == 1 else self.code[account, day]


def find_groupings(
    question: RetentionQuestion, rows: Mapping[str, pa.Table], sold: Sold, lines: Lines, until: Ints, first_paid: Ints, days: Ints
) -> tuple[Grouping, ...]:
    """The groupings asked for, on the days (in order). Raises BadInput where one has over 1,000 values."""
    names = sold.terms.account.names
    found = []
    for by in question.by:
        if by == PRODUCT:
            grouping = _products(sold, lines, until, days)
        elif by not in question.account_columns:
            grouping = _named(by, _cohorts(by, first_paid, question.fiscal_year_starts))
        elif by in question.fixed:
            grouping = _named(by, _fixed(rows["fixed"], by, names))
        else:
            grouping = _dated(rows["dated"], by, names, days)
        if len(grouping.values) > MAX_VALUES:
            message = f"'{by}' has {len(grouping.values):,} values; a grouping may have {MAX_VALUES:,}."
            raise BadInput(Fault("too_many_groups", message, "by", "Group by something coarser."))
        found.append(grouping)
    return tuple(found)


def _named(by: str, words: list[str]) -> Grouping:
    values, code = np.unique(np.array(words, dtype=object).astype(str), return_inverse=True)
    return Grouping(by, tuple(values.tolist()), code.astype(np.int64))


def _cohorts(by: str, first_paid: Ints, starts: int) -> list[str]:
    """The month, quarter or year in which each account first paid; a fiscal year is named for the year in which it ends."""
    months = first_paid.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    shifted = months + (12 - (starts - 1)) % 12  # the fiscal year's first month becomes January
    mark = "" if starts == 1 else "FY"
    words = {
        "cohort_month": [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in months.tolist()],
        "cohort_quarter": [f"{mark}{m // 12:04d}-Q{m % 12 // 3 + 1}" for m in shifted.tolist()],
        "cohort_year": [f"{mark}{m // 12:04d}" for m in shifted.tolist()],
    }[by]
    return [NOT_STATED if never else word for word, never in zip(words, (first_paid == NEVER).tolist(), strict=True)]


def _fixed(table: pa.Table, by: str, names: tuple[str, ...]) -> list[str]:
    said = dict(zip(table["account_id"].to_pylist(), table[by].to_pylist(), strict=True))
    return [said.get(name) or NOT_STATED for name in names]


def _dated(table: pa.Table, by: str, names: tuple[str, ...], days: Ints) -> Grouping:
    """The value of the last statement dated on each day or before; not stated before the first."""
    said = read_codes(table, "account_id")
    index = {name: i for i, name in enumerate(names)}
    code = np.array([*(index.get(name, -1) for name in said.names), -1], np.int64)[said.codes]
    kept = np.flatnonzero(code >= 0)
    code = code[kept]
    dated = pc.cast(pc.cast(table["day"], pa.date32()), pa.int32()).combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)[kept]
    words = [word or NOT_STATED for word in table[by].take(pa.array(kept)).to_pylist()]
    values, value = np.unique(np.array([*words, NOT_STATED], dtype=object).astype(str), return_inverse=True)
    key = code * SPAN + dated
    order = np.argsort(key, kind="stable")
    asked = np.arange(len(names))[:, None] * SPAN + days[None, :]
    last = np.searchsorted(key[order], asked.ravel(), side="right") - 1
    own = (last >= 0) & (code[order][np.maximum(last, 0)] == asked.ravel() // SPAN) if len(key) else np.zeros(asked.size, bool)
    of = value[order[np.maximum(last, 0)]] if len(key) else np.zeros(asked.size, np.int64)
    return Grouping(by, tuple(values.tolist()), np.where(own, of, value[-1]).reshape(asked.shape).astype(np.int64))


def _products(sold: Sold, lines: Lines, until: Ints, days: Ints) -> Grouping:
    """The base products that count on each day; several at once are one value, their names in order."""
    products = sold.terms.product
    shape = (len(sold.terms.account.names), len(days))
    if products is None:
        return Grouping(PRODUCT, (NOT_STATED,), np.zeros(shape, np.int64))
    rows = np.flatnonzero(lines.base)
    first, last = (np.searchsorted(days, edge[rows], side="left") for edge in (lines.start, until))
    count = np.maximum(last - first, 0)
    day = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    cell = np.repeat(lines.account[rows], count) * len(days) + day
    width = len(products.names) + 1
    pairs = np.unique(cell * width + np.repeat(products.codes[lines.position[rows]].astype(np.int64) + 1, count))
    code, words = _together(pairs // width, pairs % width, [NOT_STATED, *products.names], shape[0] * shape[1])
    order = sorted(np.unique(code).tolist(), key=words.__getitem__)
    rank = np.zeros(len(words), np.int64)
    rank[order] = np.arange(len(order))
    return Grouping(PRODUCT, tuple(words[i] for i in order), rank[code].reshape(shape))


def _together(cell: Ints, product: Ints, names: list[str], cells: int) -> tuple[Ints, list[str]]:
    """The word of each cell: its product's name, or the names of its products joined. `cell` is in order; a cell without is 0."""
    code, words = np.zeros(cells, np.int64), [*names]
    code[cell] = product
    many = np.flatnonzero(np.bincount(cell, minlength=cells) > 1)
    begin, end = np.searchsorted(cell, many, side="left"), np.searchsorted(cell, many, side="right")
    index: dict[tuple[int, ...], int] = {}
    for place, one, other in zip(many.tolist(), begin.tolist(), end.tolist(), strict=True):
        together = tuple(product[one:other].tolist())
        if together not in index:
            index[together] = len(words)
            words.append(" + ".join(names[i] for i in together))
        code[place] = index[together]
    return code, words


def find_tops(accounts: Codes, parents: pa.Table) -> tuple[Ints, tuple[str, ...]]:
    """By account, the top of its hierarchy (an index into the names returned), itself where it has no parent.

    A circle of parents is one family, named by the least of its members.
    """
    above = dict(zip(parents["account_id"].to_pylist(), parents["parent_id"].to_pylist(), strict=True))
    top: dict[str, str] = {}
    for name in accounts.names:
        seen: list[str] = []
        at = name
        while at not in top and at in above and at not in seen:
            seen.append(at)
            at = above[at]
        found = top.get(at) or (min(seen[seen.index(at) :]) if at in seen else at)
        top |= dict.fromkeys([*seen, at], found)
    values, code = np.unique(np.array([top[name] for name in accounts.names], dtype=object).astype(str), return_inverse=True)
    return code.astype(np.int64), tuple(values.tolist())
