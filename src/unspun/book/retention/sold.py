"""The terms of the book as arrays: exact ARR of each, in one currency where that is asked, and what cannot be counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.retention.money import UNITS, WHOLE, exact, times, too_large, yearly
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import LeftOut
from unspun.book.tables import Codes, Ints, Source, Subscriptions
from unspun.book.terms.lines import Bools, settle_ends, term_months
from unspun.book.terms.rules import MONTHS_COVERED, TermRules
from unspun.errors import BadInput, Fault

EXAMPLES = 5
TABLE = "subscriptions"
NO_DATE = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True)
class Sold:
    """Terms sold. `terms` is what renewals are derived from: its amounts are ARR, in `currencies` (or all turned into one).

    `arr` are the same amounts in ten-thousandths, 0 where `unknown`; `currency` indexes `currencies`, -1 is none stated. `place` names
    the file and row of each. `rules` are the question's, with how ends are meant settled.
    """

    terms: Subscriptions
    arr: Ints
    unknown: Bools
    currency: NDArray[np.int32]
    currencies: tuple[str, ...]
    place: tuple[Ints, Ints]
    rules: TermRules
    notes: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    rows_read: int


def read_sold(question: RetentionQuestion, rows: Mapping[str, pa.Table]) -> Sold:
    """The terms in `rows["subscriptions"]`. Raises BadInput: none, the period of amounts unknown, a currency without a rate."""
    table = rows[TABLE]
    if len(table) == 0:
        raise BadInput(Fault("no_terms", "no subscription terms were known by the as-of date.", TABLE, "Load them: unspun load FILE."))
    read = len(table)
    table, left_out = _usable(table)
    bare = _bare(table)
    rules, ends = settle_ends(bare, question.rules.terms)
    amount = _ints(table, "amount_units")
    unknown = _missing(table, "amount_units")
    months, how = _months(table, rules, unknown)
    whole = term_months(bare.start, bare.end + int(bool(rules.ends_inclusive)))
    unknown = unknown | ((months == WHOLE) & np.isnan(whole))
    arr = np.where(unknown, 0, yearly(np.where(unknown, 0, amount), months, whole))
    currency = read_codes(table, "currency")
    notes = [ends, *how]
    if question.into is not None:
        arr, currency, told = _into(question.into, arr, unknown, currency, rows["rates"])
        notes += told
    if float(np.abs(arr.astype(np.float64)).sum()) > float(1 << 62):
        raise too_large()
    stated = np.where((arr == 0) | unknown, -1, currency.codes).astype(np.int32)  # a price of zero is in no currency
    terms = replace(
        bare,
        amount=np.where(unknown, np.nan, arr / UNITS),
        amount_months=np.full(len(arr), 12.0),
        currency=currency if currency.names else None,
    )
    place = (_ints(table, "source_file"), _ints(table, "source_row"))
    left = () if left_out is None else (left_out,)
    settled = replace(rules, amount_covers=None)
    return Sold(terms, arr, unknown, stated, currency.names, place, settled, tuple(notes), left, read)


def _usable(table: pa.Table) -> tuple[pa.Table, LeftOut | None]:
    """The rows that are terms; credit notes and terms that end before they start are none."""
    bad = (_ints(table, "amount_units") < 0) | (_days(table, "ended") < _days(table, "started"))
    if not bad.any():
        return table, None
    reason = "negative amount, or an end before the start: no term"
    place = (_ints(table, "source_file")[bad], _ints(table, "source_row")[bad])
    return table.filter(pa.array(~bad)), rows_left_out("no_term", reason, place)


def rows_left_out(code: str, reason: str, place: tuple[Ints, Ints]) -> LeftOut:
    """Rows that do not count, named by file and row."""
    few = zip(place[0][:EXAMPLES].tolist(), place[1][:EXAMPLES].tolist(), strict=True)
    return LeftOut(code, reason, "rows", len(place[0]), tuple(f"file {file}, row {row}" for file, row in few))


def _bare(table: pa.Table) -> Subscriptions:
    """The terms without their amounts."""
    source = Source("subscriptions", TABLE, "", "", len(table), {}, (), ())
    product = read_codes(table, "product")
    return Subscriptions(
        source=source,
        row=np.arange(len(table)),
        account=read_codes(table, "account_id"),
        start=_days(table, "started"),
        end=_days(table, "ended"),
        is_addon=np.asarray(pc.fill_null(table["is_addon"], False).combine_chunks().to_numpy(zero_copy_only=False), bool),
        product=product if product.names else None,
        notice=_days(table, "notice"),
        cancelled_on=_days(table, "cancelled_on"),
    )


def _months(table: pa.Table, rules: TermRules, unknown: Bools) -> tuple[NDArray[np.float64], list[str]]:
    """How many months each amount covers, and how that is known."""
    months = pc.cast(table["amount_months"], pa.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    if unknown.all():
        return np.full(len(months), 12.0), ["no term has an amount: only accounts are counted"]
    if rules.amount_covers is not None:
        said = MONTHS_COVERED[rules.amount_covers]
        other = int((~unknown & ~np.isnan(months) & (months != said)).sum())
        against = f"; {other:,} rows say otherwise" if other else ""
        return np.full(len(months), said), [f"ARR = amount x 12 / months: an amount covers a {rules.amount_covers}, as declared{against}"]
    unsaid = ~unknown & (np.isnan(months) | (months < 0))
    if unsaid.any():
        first = int(np.argmax(unsaid))
        where = f"{TABLE}: file {table['source_file'][first]}, row {table['source_row'][first]}"
        message = f"nothing says how many months the amounts of {int(unsaid.sum()):,} terms cover."
        raise BadInput(Fault("amount_period_unknown", message, where, "Say amount_covers: month, year or term in retention.yml."))
    used = np.unique(months[~unknown]).tolist()
    told = ", ".join("the whole term" if m == WHOLE else f"{m:g} month{'' if m == 1 else 's'}" for m in used)
    return months, [f"ARR = amount x 12 / months: amounts cover {told}, as each row says"]


def _into(into: str, arr: Ints, unknown: Bools, currency: Codes, rates: pa.Table) -> tuple[Ints, Codes, list[str]]:
    """All ARR in one currency. Raises BadInput that lists every currency without a rate."""
    given = {row["currency"]: row for row in rates.to_pylist()}
    counted = (arr != 0) & ~unknown
    faults, notes, turned = [], [], arr.copy()
    for code, name in [(-1, ""), *enumerate(currency.names)]:
        rows = np.flatnonzero((currency.codes == code) & counted)
        if len(rows) == 0 or name == into:
            continue
        if name not in given:
            faults.append(_no_rate(name, into, len(rows)))
            continue
        rate = given[name]
        turned[rows] = times(arr[rows], _positive(exact(rate["rate"]), name, into))
        notes.append(f"1 {name} = {rate['rate']:.12g} {into}, the rate of {rate['day']}, for every month")
    if faults:
        raise BadInput(faults)
    return turned, Codes(np.zeros(len(arr), np.int32), (into,)), notes


def _positive(rate: Fraction, name: str, into: str) -> Fraction:
    if rate <= 0:
        raise BadInput(Fault("bad_rate", f"the rate of {name} into {into} is {float(rate):g}; a rate is above 0.", "rates.rate"))
    return rate


def _no_rate(name: str, into: str, terms: int) -> Fault:
    if not name:
        return Fault(
            "no_currency", f"{terms:,} terms with an amount state no currency.", "subscriptions.currency", "Declare it in book.yml."
        )
    message = f"no rate of {name} into {into} on or before the as-of date, for {terms:,} terms."
    return Fault("no_rate", message, "rates", f"Load one (currency {name}, into {into}, a day, a rate).")


def read_codes(table: pa.Table, name: str) -> Codes:
    """A text column by its words in order; empty is -1."""
    column = pc.cast(table[name], pa.string()).combine_chunks().dictionary_encode()
    words = column.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.full(len(words) + 1, -1, np.int32)
    place[order] = np.arange(len(words))
    codes = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
    return Codes(place[codes], tuple(words[i] for i in order))


def _days(table: pa.Table, name: str) -> NDArray[Any]:
    column = pc.cast(pc.cast(table[name], pa.date32()), pa.int32())
    days = pc.fill_null(column, 0).combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(_missing(table, name), NO_DATE, days.astype("datetime64[D]"))


def _ints(table: pa.Table, name: str) -> Ints:
    return pc.fill_null(pc.cast(table[name], pa.int64()), 0).combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)


def _missing(table: pa.Table, name: str) -> Bools:
    return np.asarray(table[name].is_null().to_numpy(), bool)
