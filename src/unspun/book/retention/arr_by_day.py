"""ARR of accounts on many as-of dates, each by what was known then: what `unspun retention` counts, without its months and rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa

from unspun.book.retention.balances import take_balances
from unspun.book.retention.money import UNITS
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.sold import Sold, read_sold
from unspun.book.tables import Codes, Ints, Subscriptions
from unspun.book.terms.derive import EPOCH, Followed, follow_terms
from unspun.book.terms.lines import NEVER, SPAN, Accounting, Bools, Lines
from unspun.book.terms.rules import TermRules
from unspun.book.terms.succession import NONE, Succession

TERM_VERSIONS_SQL = """\
SELECT account_id, started, ended, CAST(CAST(amount AS DECIMAL(38, 4)) * 10000 AS BIGINT) AS amount_units, amount_months, currency, product,
  COALESCE(is_addon, FALSE) AS is_addon, notice, cancelled_on, source_file, source_row,
  CAST(known_at AT TIME ZONE {zone} AS DATE) AS seen_from,
  {until} AS seen_until
FROM subscriptions_versions
WHERE account_id IS NOT NULL"""
USABLE = "NOT coalesce(amount_units < 0, FALSE) AND NOT coalesce(ended < started, FALSE)"
NOT_STATED = "not_stated"


@dataclass(frozen=True, slots=True)
class TermVersions:
    """Row versions of terms: `sold` as retention reads them, visible on the days [seen_from, seen_until), counted from 1970-01-01."""

    sold: Sold
    seen_from: Ints
    seen_until: Ints


def versions_sql(zone: str, identity: str, later: str) -> str:
    """The row versions of terms that can be terms, over the views of a book. `zone` is an SQL text.

    `identity` are the columns that tell one row from another and `later` those that order its versions, as SQL lists; "" where no
    row has several.
    """
    until = f"CAST(lead(known_at) OVER (PARTITION BY {identity} ORDER BY {later}) AT TIME ZONE {zone} AS DATE)"
    asked = TERM_VERSIONS_SQL.format(zone=zone, until=until if identity else "CAST(NULL AS DATE)")
    return f"SELECT * FROM (\n{asked})\nWHERE {USABLE}\nORDER BY account_id, started, source_file, source_row, seen_from"


def read_term_versions(rows: pa.Table, rules: TermRules, question: RetentionQuestion) -> TermVersions:
    """The rows of `versions_sql`. `rules` have their ends settled. Raises BadInput as `read_sold` does."""
    ruled = replace(question, rules=replace(question.rules, terms=rules))
    sold = read_sold(ruled, {"subscriptions": rows})
    days = (rows[name].cast(pa.int32()).fill_null(NEVER) for name in ("seen_from", "seen_until"))
    seen_from, seen_until = (one.combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64) for one in days)
    return TermVersions(sold, seen_from, seen_until)


def arr_by_day(versions: TermVersions, days: Sequence[date], wanted: Mapping[date, frozenset[str]] | None = None) -> pa.Table:
    """`account_id`, `as_of`, `arr`, `reason` (NULL where `arr` has a value) for the accounts with a term that was known by then.

    `arr` is 0 where none of its terms runs, and there is none (`not_stated`) where one that runs has no amount, or several are in
    several currencies. `days` are in order; `wanted` are the accounts asked for on a day, all of them where it is None.
    """
    names = versions.sold.terms.account.names
    place = {name: code for code, name in enumerate(names)}
    state = _Followed(versions)
    found: list[tuple[Ints, Ints, Ints, Bools]] = []
    for one in days:
        asked = np.ones(len(names), bool)
        if wanted is not None:
            asked = np.isin(np.arange(len(names)), [place[name] for name in wanted.get(one, ()) if name in place])
        number = (one - EPOCH).days
        known, arr, in_money = state.on(number, asked)
        found.append((known, np.full(len(known), number), arr, in_money))
    return pa.concat_tables([_table(names, *part) for part in found or [_NONE]])


_NONE = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))


def arr_rows(versions: TermVersions, day: date, account: str) -> pa.Table:
    """The terms whose `arr` sums to the ARR of an account on a day: `source_file`, `source_row`, `started`, `runs_until`, `arr`.

    A term without an amount has no `arr`. No rows where none of the account's terms runs, or no base term does.
    """
    sold, names = versions.sold, versions.sold.terms.account.names
    number, codes = (day - EPOCH).days, np.array([i for i, name in enumerate(names) if name == account], np.int64)
    asked = np.isin(np.arange(len(names)), codes)
    lines = _Followed(versions).running(number, asked)
    lines = None if lines is None or not lines.base.any() else lines
    rows = np.zeros(0, np.int64) if lines is None else lines.position
    until = rows if lines is None else np.where(lines.end >= NEVER, -1, lines.end)
    return pa.table(
        {
            "account_id": pa.array([account] * len(rows), pa.string()),
            "started": pa.array(sold.terms.start[rows].astype("datetime64[D]")),
            "runs_until": pa.array(until.astype(np.int32), mask=until < 0).cast(pa.date32()),
            "currency": pa.array([sold.currencies[code] if code >= 0 else None for code in sold.currency[rows].tolist()], pa.string()),
            "arr": pa.array(sold.arr[rows] / UNITS, pa.float64(), mask=sold.unknown[rows]),
            "source_file": pa.array(sold.place[0][rows]),
            "source_row": pa.array(sold.place[1][rows]),
        }
    )


def _table(names: tuple[str, ...], account: Ints, day: Ints, arr: Ints, stated: Bools) -> pa.Table:
    ids = pa.DictionaryArray.from_arrays(pa.array(account.astype(np.int32)), pa.array(names, pa.string())).cast(pa.string())
    reason = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(arr), np.int32), mask=stated), pa.array([NOT_STATED])).cast(pa.string())
    return pa.table(
        {
            "account_id": ids,
            "as_of": pa.array(day.astype(np.int32)).cast(pa.date32()),
            "arr": pa.array(arr / UNITS, pa.float64(), mask=~stated),
            "reason": reason,
        }
    )


class _Followed:
    """The terms of each account as they were followed on the last day on which anything of it changed. Days are asked for in order.

    What an account's terms are taken for changes on the days on which a row version is seen first or last, a term begins, or a notice
    or cancellation comes; where open terms are cut into periods, on every day. In between nothing has to be followed again.
    """

    def __init__(self, versions: TermVersions) -> None:
        self._versions, terms = versions, versions.sold.terms
        self._accounts = len(terms.account.names)
        self._of = terms.account.codes.astype(np.int64)
        self._always = versions.sold.rules.open_term_months is not None
        dates = [_days(one) for one in (terms.start, terms.notice, terms.cancelled_on) if one is not None]
        keys = np.concatenate([self._of * SPAN + days for days in (versions.seen_from, versions.seen_until, *dates)])
        self._changes = np.append(np.unique(keys), self._accounts * SPAN)
        self._followed_on = np.full(self._accounts, -1)
        self._lines: Lines | None = None

    def on(self, day: int, asked: Bools) -> tuple[Ints, Ints, Bools]:
        """The accounts asked for that have a term known by the day: their codes, ARR in ten-thousandths, and whether it is stated."""
        rows = self._visible(day, asked)
        has = np.zeros(self._accounts, bool)
        has[self._of[rows]] = True
        known, runs = np.flatnonzero(has), self._running(day, asked, rows)
        if runs is None:
            return known, np.zeros(len(known), np.int64), np.ones(len(known), bool)
        alone = Succession(np.full(len(runs.start), NONE), np.zeros(len(runs.start), bool))
        followed = Followed(runs, alone, Accounting(self._versions.sold.terms))
        balances = take_balances(self._versions.sold, followed, day, np.array([day]))
        return known, balances.arr[known, 0], balances.in_money[known]

    def running(self, day: int, asked: Bools) -> Lines | None:
        """The lines of the accounts asked for that count on the day; the `end` of each is the day on which it stops to."""
        return self._running(day, asked, self._visible(day, asked))

    def _visible(self, day: int, asked: Bools) -> Ints:
        rows = np.flatnonzero(asked[self._of])
        return rows[(self._versions.seen_from[rows] <= day) & (day < self._versions.seen_until[rows])]

    def _running(self, day: int, asked: Bools, rows: Ints) -> Lines | None:
        changed = asked & self._changed(day)
        lines = self._follow(day, rows[changed[self._of[rows]]], changed)
        return None if lines is None else lines.take(asked[lines.account] & (lines.start <= day) & (lines.end > day))

    def _changed(self, day: int) -> Bools:
        """Accounts of which anything changed after they were followed last, up to the day."""
        if self._always:
            return np.ones(self._accounts, bool)
        accounts = np.arange(self._accounts) * SPAN
        following = self._changes[np.searchsorted(self._changes, accounts + self._followed_on, side="right")]
        return (following <= accounts + day) | (self._followed_on < 0)

    def _follow(self, day: int, rows: Ints, accounts: Bools) -> Lines | None:
        """Follow the terms of these accounts as they are known on the day, in place of how they were followed before.

        Gives the lines that have not stopped to count by the day; the `end` of each is the day on which it will.
        """
        self._followed_on[accounts] = day
        parts = [] if self._lines is None else [self._lines.take(~accounts[self._lines.account] & (self._lines.end > day))]
        if len(rows):
            sold = self._versions.sold
            followed = follow_terms(_terms_of(sold.terms, rows), sold.rules, date.fromordinal(EPOCH.toordinal() + day))
            lines, until = followed.lines, followed.succession.runs_until(followed.lines)
            parts.append(replace(lines, position=rows[lines.position], end=until).take(until > day))
        if parts:
            self._lines = Lines(*(np.concatenate([getattr(part, name) for part in parts]) for name in Lines.__dataclass_fields__))
        return self._lines


def _terms_of(terms: Subscriptions, rows: Ints) -> Subscriptions:
    def taken(codes: Codes | None) -> Codes | None:
        return None if codes is None else Codes(codes.codes[rows], codes.names)

    return replace(
        terms,
        row=terms.row[rows],
        account=Codes(terms.account.codes[rows], terms.account.names),
        start=terms.start[rows],
        end=terms.end[rows],
        is_addon=terms.is_addon[rows],
        product=taken(terms.product),
        amount=None if terms.amount is None else terms.amount[rows],
        amount_months=None if terms.amount_months is None else terms.amount_months[rows],
        currency=taken(terms.currency),
        notice=None if terms.notice is None else terms.notice[rows],
        cancelled_on=None if terms.cancelled_on is None else terms.cancelled_on[rows],
    )


def _days(dates: np.ndarray) -> Ints:
    days = dates.astype("datetime64[D]")
    return np.where(np.isnat(days), NEVER, days.astype(np.int64))
