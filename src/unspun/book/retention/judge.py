"""Retention judged from rows: pure, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa

from unspun.book.retention.account_rows import months_table, renewals_table
from unspun.book.retention.balances import NOT_STATED
from unspun.book.retention.measured import Measured, measure
from unspun.book.retention.money import as_decimal
from unspun.book.retention.movements import CLASSES, Pair, codes_of_parts, pair_up, sums
from unspun.book.retention.places import NOT_STATED as UNSTATED
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.ratios import count_families, kept_logos, kept_share, net_ratio
from unspun.book.retention.renewed import derived, renewal_rates, renewals_due
from unspun.book.retention.result import MOVEMENTS, LeftOut, Part, Rate, RateName, RetentionResult, Waterfall
from unspun.book.retention.sold import EXAMPLES, rows_left_out
from unspun.book.tables import Ints
from unspun.book.terms.rules import describe_rules
from unspun.stats.estimate import MaybeEstimate


def judge(question: RetentionQuestion, rows: Mapping[str, pa.Table]) -> RetentionResult:
    """Answer the question from the rows that `ask.queries` name.

    Raises BadInput: a question that cannot be asked, no terms, amounts whose period is not known, currencies without a rate.
    """
    measured = measure(question, rows)
    waterfalls, rates = [], []
    for month in range(len(measured.months)):
        close = measured.closes(month)
        waterfalls += _waterfalls(measured, measured.months[month], pair_up(measured.balances, close - 1, close))
        rates += _rates(measured, measured.months[month], pair_up(measured.balances, close - question.window, close))
    renewals, notes = renewal_rates(measured)
    left_out = _left_out(measured)
    return RetentionResult(
        question=question,
        months=measured.months,
        currencies=tuple(measured.currency_name(code) for code in measured.currencies),
        waterfalls=tuple(waterfalls),
        rates=tuple(rates),
        renewals=renewals,
        rows_read=measured.sold.rows_read,
        rows_used=measured.sold.rows_read - sum(one.count for one in left_out if one.what == "rows"),
        left_out=left_out,
        notes=(*_notes(measured), *notes),
    )


def account_months(question: RetentionQuestion, rows: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables that `ask.rows_sql` reads, by name: `account_months` and `account_renewals`. Raises as `judge` does."""
    measured = measure(question, rows)
    tables = {"account_months": months_table(measured, range(len(measured.months)))}
    found = derived(measured)
    return tables if isinstance(found, tuple) else tables | {"account_renewals": renewals_table(measured, renewals_due(measured, found))}


def _waterfalls(measured: Measured, month: str, pair: Pair) -> Iterator[Waterfall]:
    money = pair.take(pair.in_money)
    currency = measured.balances.currency[money.account]
    for code in measured.currencies:
        own = money.take(currency == code)
        for grouping, by, values in measured.parts():
            part = codes_of_parts(own, grouping)
            there = np.unique(part).tolist() if grouping is not None else [0]
            amounts, counts = _amounts(own, part, len(values)), _counts(own, part, len(values))
            for value in there:
                named = Part(by, values[value], measured.currency_name(code))
                money_of = {name: as_decimal(total[value]) for name, total in amounts.items()}
                yield Waterfall(month, named, accounts={name: int(n[value]) for name, n in counts.items()}, **money_of)


def _amounts(pair: Pair, part: Ints, size: int) -> dict[str, Ints]:
    """The sums of a waterfall by part; all amounts are as large as they move, contraction and churn too."""
    change = np.abs(pair.closing - pair.opening)
    moved = sums(change, part * len(CLASSES) + pair.movement, size * len(CLASSES)).reshape(size, len(CLASSES))
    ends = {"opening": sums(pair.opening, part, size), "closing": sums(pair.closing, part, size), "pending": sums(pair.pending, part, size)}
    return {name: moved[:, CLASSES.index(name)] for name in MOVEMENTS} | ends


def _counts(pair: Pair, part: Ints, size: int) -> dict[str, Ints]:
    """The accounts behind each amount."""
    moved = np.bincount(part * len(CLASSES) + pair.movement, minlength=size * len(CLASSES)).reshape(size, len(CLASSES))
    ends = {"opening": pair.held, "closing": pair.holds, "pending": pair.pending > 0}
    counts = {name: sums(mask.astype(np.int64), part, size) for name, mask in ends.items()}
    moves = {name: moved[:, CLASSES.index(name)] for name in MOVEMENTS}
    return {"opening": counts["opening"], **moves, "closing": counts["closing"], "pending": counts["pending"]}


def _rates(measured: Measured, month: str, pair: Pair) -> Iterator[Rate]:
    held = pair.take(pair.held)
    for grouping, by, values in measured.parts():
        part = codes_of_parts(held, grouping)
        for value in np.unique(part).tolist() if grouping is not None else [0]:
            rows = held.take(part == value)
            yield _logo_rate(measured, month, Part(by, values[value]), rows)
            currency = np.where(rows.in_money, measured.balances.currency[rows.account], NOT_STATED - 1)
            for code in measured.currencies:
                own = rows.take(currency == code)
                if len(own.account) or not by:
                    yield from _money_rates(measured, month, Part(by, values[value], measured.currency_name(code)), own)


def _logo_rate(measured: Measured, month: str, part: Part, held: Pair) -> Rate:
    family = measured.top[held.account]
    pending = int((~held.holds & held.pending_base).sum())
    kept = int(held.holds.sum())
    return Rate(
        "logo", month, measured.question.window, part, Decimal(kept), Decimal(len(held.account)), Decimal(pending),
        len(held.account), count_families(family), kept_logos(held.holds, family),
    )  # fmt: skip


def _money_rates(measured: Measured, month: str, part: Part, held: Pair) -> Iterator[Rate]:
    family = measured.top[held.account]
    clusters = count_families(family)
    base = as_decimal(held.opening.sum())
    for name, kept in (("grr", np.minimum(held.opening, held.closing)), ("nrr", held.closing)):
        back = held.closing + held.pending
        pending = (np.minimum(held.opening, back) if name == "grr" else back) - kept
        rate: RateName = "grr" if name == "grr" else "nrr"
        estimate: MaybeEstimate = (kept_share if name == "grr" else net_ratio)(kept, held.opening, family)
        yield Rate(
            rate, month, measured.question.window, part, as_decimal(kept.sum()), base, as_decimal(pending.sum()),
            len(held.account), clusters, estimate,
        )  # fmt: skip


def _left_out(measured: Measured) -> tuple[LeftOut, ...]:
    files, rows = measured.sold.place
    aside = [rows_left_out(r.code, r.reason, (files[r.rows], rows[r.rows])) for r in measured.followed.accounting.rejections]
    return (*measured.sold.left_out, *aside, *measured.balances.left_out)


def _notes(measured: Measured) -> Iterator[str]:
    """The rules in force, how ARR was told, and what a reader of the figures must know."""
    yield from describe_rules(measured.sold.rules)
    yield from measured.sold.notes
    yield from (note for note in measured.followed.accounting.notes if not note.startswith(("ARR =", "an end date")))
    if measured.balances.alone:
        yield f"closings at which an account had add-ons but no base product, whose ARR does not count: {measured.balances.alone:,}"
    yield from _unstated(measured)
    waiting = np.flatnonzero(measured.balances.pending_base.any(axis=1))
    if len(waiting):
        few = ", ".join(measured.accounts[i] for i in waiting[:EXAMPLES].tolist())
        yield f"accounts whose term has ended and whose grace days are not over, counted as gone: {len(waiting):,} ({few})"


def _unstated(measured: Measured) -> Iterator[str]:
    """Columns of accounts that were not known at the opening of the last window, and what to do about it."""
    close = measured.closes(len(measured.months) - 1)
    pair = pair_up(measured.balances, close - measured.question.window, close)
    held, found = pair.take(pair.held), dict[tuple[int, bool], list[str]]()
    for grouping in measured.groupings:
        if grouping.by in measured.question.account_columns and UNSTATED in grouping.values:
            unstated = int((codes_of_parts(held, grouping) == grouping.values.index(UNSTATED)).sum())
            found.setdefault((unstated, grouping.by in measured.question.fixed), []).append(grouping.by)
    opening = np.datetime64(int(measured.balances.days[close - measured.question.window]), "D")
    for (unstated, fixed), names in found.items():
        if unstated:
            whose = f"{unstated:,} of the {len(held.account):,} accounts with ARR on {opening}"
            why = "the book says nothing of them" if fixed else f"the book says nothing by then. {_UNDATED}"
            yield f"{', '.join(names)}: {UNSTATED} for {whose}, when the last window opens: {why}"


_UNDATED = (
    "Accounts without a date hold from the day they were loaded: load dated ones, or, of a column that never changes, name it under "
    "`fixed` of the source in book.yml and load the file again"
)
