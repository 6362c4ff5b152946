"""Renewals derived from subscription terms: when one was due, what became of it, and the ARR before and after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, OUTCOMES, RENEWED, UNDECIDED, Codes, Ints, Renewals, Subscriptions
from unspun.book.terms.ledger import MIXED, Balance, balance, comparable, told_by
from unspun.book.terms.lines import NEVER, SPAN, Accounting, Bools, Lines, make_lines, ranked
from unspun.book.terms.rules import TermRules, check_rules, describe_rules
from unspun.book.terms.succession import Succession, cut_at_cancellation, find_successors
from unspun.errors import BadInput, Fault

EPOCH = date(1970, 1, 1)
SOON_DAYS = 60  # a return within so many days of churning is told apart: longer grace days would call it a renewal


@dataclass(frozen=True, slots=True)
class _Dues:
    """One entry an account and due date, over the base terms that end then. `line` is the first of them.

    `taken_over` is the first day, and `settled` the last, on which a successor begins; the due date where there is none.
    `lapsed` says whether a term ended without a successor.
    """

    line: Ints
    account: Ints
    due: Ints
    start: Ints
    told: Ints
    taken_over: Ints
    settled: Ints
    lapsed: Bools


def derive_renewals(subscriptions: Subscriptions, rules: TermRules, as_of: date) -> Renewals:
    """Derive the renewals due from terms, as they were known on the as-of date, in the order of account and due date.

    A renewal is due wherever base terms of an account end, unless they were replaced mid-term. ARR before is what the account
    paid on the last day before the first successor, ARR after on the day the last one has begun; with a churn it is zero.
    Undecided are renewals not due by the as-of date, and lapsed terms whose grace days are not over. `row` is the row of the
    (first) term that ended. Every row of the subscriptions is used or in `source.rejections`. Raises BadInput for rules that
    cannot be, amounts whose period is not known, and where nothing is due.
    """
    return derive_followed(subscriptions, rules, as_of, follow_terms(subscriptions, rules, as_of))


def derive_followed(subscriptions: Subscriptions, rules: TermRules, as_of: date, followed: Followed) -> Renewals:
    """`derive_renewals` of terms that have been followed already, under the same rules and as-of date."""
    lines, succession, accounting = followed.lines, followed.succession, followed.accounting
    today = (as_of - EPOCH).days
    dues = _dues(lines, succession)
    if len(dues.due) == 0:
        raise BadInput(_nothing_due(subscriptions, accounting))
    until = succession.runs_until(lines)
    first_day, last_day = np.minimum(dues.due, dues.taken_over) - 1, dues.settled
    before, after = (balance(lines, until, dues.account, day) for day in (first_day, last_day))
    known = _known_on(lines, succession, dues, (first_day, last_day), rules.grace_days)
    decided = (dues.due <= today) & (known <= today)
    outcome = np.where(decided, _outcomes(before, after, rules.flat_within), UNDECIDED).astype(np.int8)
    notes = _describe(lines, succession, dues, outcome, before, after)
    renewals = _as_renewals(subscriptions, lines, dues, outcome, before, after, np.where(decided, known, NEVER))
    return replace(
        renewals,
        source=replace(
            subscriptions.source,
            notes=(*subscriptions.source.notes, f"renewals derived as of {as_of}", *describe_rules(rules), *accounting.notes, *notes),
            rejections=(*subscriptions.source.rejections, *accounting.rejections),
        ),
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """Terms as they were known on the as-of date, and which takes over from which: line i counts until `succession.runs_until`.

    `accounting` holds the rows set aside and the notes."""

    lines: Lines
    succession: Succession
    accounting: Accounting


def follow_terms(subscriptions: Subscriptions, rules: TermRules, as_of: date) -> Followed:
    """The terms that had begun by the as-of date, each with its successor. Raises BadInput as `derive_renewals` does."""
    check_rules(rules)
    accounting = Accounting(subscriptions)
    lines = make_lines(subscriptions, rules, (as_of - EPOCH).days, accounting)
    if rules.cancellation_ends_term:
        lines = cut_at_cancellation(lines, rules)
        lines = accounting.set_aside(lines, lines.end <= lines.start, "no_day", "term cancelled before it began")
    return Followed(lines, find_successors(lines, rules), accounting)


def last_known_day(subscriptions: Subscriptions, today: date) -> date:
    """The last day up to today on which a term starts or a notice or cancellation came: an as-of date where none is declared."""
    given = (subscriptions.start, subscriptions.notice, subscriptions.cancelled_on)
    days = np.concatenate([dates.astype("datetime64[D]") for dates in given if dates is not None])
    past = days[days <= np.datetime64(today, "D")]  # NaT is not
    return today if len(past) == 0 else past.max().astype(date)


def _nothing_due(subscriptions: Subscriptions, accounting: Accounting) -> Fault:
    why = "; ".join(f"{r.reason}: {len(r.rows):,}" for r in accounting.rejections) or "no base product has a term with an end"
    message = f"no renewal can be derived from the {len(subscriptions.row):,} terms ({why})."
    hint = "Renewals are due where terms of base products end. If terms have no end, say --open-term-months 1."
    return Fault("no_renewals_due", message, subscriptions.source.name, hint)


def _dues(lines: Lines, succession: Succession) -> _Dues:
    """The due dates: where base terms with an end date run out, those of one account and day together."""
    ending = np.flatnonzero(lines.base & lines.dated & ~succession.amended)
    key = lines.account[ending] * SPAN + lines.end[ending]
    ending = ending[np.argsort(key, kind="stable")]  # lines of one due date stay in their order
    key = np.sort(key)
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else key
    line = ending[first]
    due = lines.end[line]
    begins = succession.takes_over_on(lines)[ending]
    lapsed = _over(np.logical_or, begins == NEVER, first)
    latest = _over(np.maximum, np.where(begins == NEVER, -NEVER, begins), first)
    return _Dues(
        line=line,
        account=lines.account[line],
        due=due,
        start=_over(np.minimum, lines.start[ending], first),
        told=_over(np.minimum, lines.told[ending], first),
        taken_over=np.minimum(_over(np.minimum, begins, first), due),
        settled=np.where(lapsed, np.maximum(due, latest), latest),
        lapsed=lapsed,
    )


def _known_on(lines: Lines, succession: Succession, dues: _Dues, days: tuple[Ints, Ints], grace_days: int) -> Ints:
    """When the outcome is known: the last successor has begun, the grace days of what lapsed are over, and so are those of any
    other term of the account that had ended by one of the two days on which ARR is taken."""
    begins = succession.takes_over_on(lines)
    own = np.where(dues.lapsed, dues.due + grace_days, dues.settled)
    return np.maximum.reduce([own, *(told_by(lines, begins, grace_days, dues.account, day) for day in days)])


def _over(how: np.ufunc, values: NDArray[Any], first: Ints) -> NDArray[Any]:
    """One value a group of consecutive entries, each beginning at `first`."""
    return how.reduceat(values, first) if len(first) else values


def _outcomes(before: Balance, after: Balance, flat_within: float) -> Ints:
    """What became of each renewal; one whose amounts cannot be compared is renewed."""
    change = np.where(comparable(before, after), after.arr - before.arr, 0.0)
    slack = flat_within * np.nan_to_num(before.arr)
    told = np.where(change > slack, EXPANDED, np.where(change < -slack, CONTRACTED, RENEWED))
    return np.where(after.base_terms == 0, CHURNED, told)


def _as_renewals(
    subscriptions: Subscriptions, lines: Lines, dues: _Dues, outcome: NDArray[np.int8], before: Balance, after: Balance, known: Ints
) -> Renewals:
    position = lines.position[dues.line]
    same = (before.currency == after.currency) | (after.base_terms == 0)
    arr_after = np.where(outcome == CHURNED, 0.0, np.where((outcome == UNDECIDED) | ~same, np.nan, after.arr))
    told = subscriptions.notice is not None or subscriptions.cancelled_on is not None
    return Renewals(
        source=subscriptions.source,
        row=subscriptions.row[position],
        account=_pick(subscriptions.account, position),
        due=_as_dates(dues.due),
        outcome=outcome,
        amount_before=None if subscriptions.amount is None else before.arr,
        amount_after=None if subscriptions.amount is None else arr_after,
        currency=_currencies(subscriptions, before.currency),
        term_start=_as_dates(dues.start),
        notice=_as_dates(dues.told) if told else None,
        outcome_known=_as_dates(known),
        segment=_pick(subscriptions.segment, position),
        owner=_pick(subscriptions.owner, position),
        parent=_pick(subscriptions.parent, position),
        file=None if subscriptions.file is None else subscriptions.file[position],
    )


def _as_dates(days: Ints) -> NDArray[np.datetime64]:
    return np.where(days == NEVER, np.datetime64("NaT"), days.astype("datetime64[D]"))


def _pick(codes: Codes | None, position: Ints) -> Any:
    """The words of some rows, names in order and without those that none of them has."""
    if codes is None:
        return None
    return _compact(ranked(codes)[position], sorted(codes.names))


def _currencies(subscriptions: Subscriptions, currency: Ints) -> Codes | None:
    """The currency before each renewal; empty where it is not stated or there are several."""
    if subscriptions.currency is None:
        return None
    return _compact(np.where(currency == MIXED, -1, currency - 1), sorted(subscriptions.currency.names))


def _compact(codes: Ints, names: list[str]) -> Codes:
    used = np.unique(codes[codes >= 0])
    return Codes(np.where(codes >= 0, np.searchsorted(used, codes), -1).astype(np.int32), tuple(names[i] for i in used))


def _describe(
    lines: Lines, succession: Succession, dues: _Dues, outcome: NDArray[np.int8], before: Balance, after: Balance
) -> tuple[str, ...]:
    """What the rules made of the terms, counted."""
    accounts = len(np.unique(lines.account))
    of = ", ".join(f"{int((outcome == code).sum()):,} {word}" for code, word in enumerate(OUTCOMES))
    undecided = outcome == UNDECIDED
    found = [
        f"{int(lines.base.sum()):,} base terms and {int((~lines.base).sum()):,} add-on terms of {accounts:,} accounts",
        f"{len(outcome):,} renewals: {of}, {int(undecided.sum()):,} undecided (not due yet, or in the grace days)",
    ]
    kept = ~undecided & (outcome != CHURNED)
    compared = comparable(before, after)
    counts = (
        (kept & (dues.taken_over < dues.due), "early renewals"),
        (kept & ~dues.lapsed & (dues.settled > dues.due), "late renewals, within the grace days"),
        (lines.base & (lines.cancelled <= lines.start), "terms cancelled before they began, which count as run, with notice given"),
        (succession.amended & lines.base & lines.dated, "terms changed or replaced mid-term, nothing due at their old end"),
        (kept & ~compared & (before.currency != after.currency), "renewals in another currency than before, up or down not told"),
        (kept & ~compared & (before.currency == after.currency), "renewals without an amount before or after, up or down not told"),
    )
    found += [f"{what}: {int(mask.sum()):,}" for mask, what in counts if mask.any()]
    return (*found, *_reactivations(lines, dues, outcome))


def _reactivations(lines: Lines, dues: _Dues, outcome: NDArray[np.int8]) -> tuple[str, ...]:
    """How many came back after they had churned, and how many of them soon."""
    churned = np.flatnonzero(outcome == CHURNED)
    begins = np.sort(lines.account[lines.base] * SPAN + lines.start[lines.base])
    lapse = dues.account[churned] * SPAN + dues.due[churned]
    later = np.searchsorted(begins, lapse, side="right")
    gap = begins[np.minimum(later, len(begins) - 1)] - lapse
    back = (later < len(begins)) & (gap <= NEVER)
    soon = int((back & (gap <= SOON_DAYS)).sum())
    if not back.any():
        return ()
    text = f"reactivations, a base term begun after its account had churned: {int(back.sum()):,}"
    return (f"{text}, of them {soon:,} within {SOON_DAYS} days, which longer grace days would call renewals",)
