"""The rules for renewals from terms once more, slowly: plain Python, one account, one line and one day at a time, no arrays.

A line is (account, product, is_addon, start, end, arr, cancelled, currency): days as whole numbers, end and cancelled None where open.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    account: str
    product: str
    is_addon: bool
    start: int
    end: int | None  # the first day that is not of the term
    arr: float
    cancelled: int | None = None
    currency: str = "EUR"


@dataclass(frozen=True)
class Rules:
    grace: int
    early: int
    flat: float = 0.001
    cut: bool = False


def derive(lines: list[Line], rules: Rules, as_of: int) -> dict[tuple[str, int], tuple[str, float, float]]:
    """By account and due day: the outcome's word and the ARR before and after."""
    found = {}
    for account in {line.account for line in lines}:
        mine = [_as_known(line, as_of) for line in lines if line.account == account and line.start <= as_of]
        mine = [line for line in mine if line.end is None or line.end > line.start]
        mine = [line for line in mine if not (line.end is None and line.cancelled is not None and line.cancelled <= line.start)]
        if any(not line.is_addon for line in mine):
            found |= _of_account(account, mine, rules, as_of)
    return found


def _as_known(line: Line, as_of: int) -> Line:
    known = line.cancelled is not None and line.cancelled <= as_of
    return Line(**{**line.__dict__, "cancelled": line.cancelled if known else None})


def _of_account(account: str, lines: list[Line], rules: Rules, as_of: int) -> dict[tuple[str, int], tuple[str, float, float]]:
    lines = sorted(lines, key=lambda x: (x.start, math.inf if x.end is None else x.end, x.product, -1 if math.isnan(x.arr) else x.arr))
    has_date = [line.end is not None for line in lines]
    lines = [Line(**{**x.__dict__, "end": x.cancelled}) if x.end is None and x.cancelled is not None else x for x in lines]
    if rules.cut:
        ends = [_cut_end(line, lines, rules) for line in lines]
        both = [(Line(**{**x.__dict__, "end": e}), h) for x, e, h in zip(lines, ends, has_date, strict=True) if e is None or e > x.start]
        lines, has_date = [line for line, _ in both], [had for _, had in both]
    takes_over: list[Line | None] = []
    due: list[Line] = []
    for line, had in zip(lines, has_date, strict=True):
        follower, mid_term = _follower(line, lines, rules)
        takes_over.append(follower)
        if had and not line.is_addon and not mid_term:
            due.append(line)
    stops = [line.end if f is None else f.start for line, f in zip(lines, takes_over, strict=True)]

    def paid(day: int) -> list[Line]:
        return [line for line, stop in zip(lines, stops, strict=True) if line.start <= day and (stop is None or day < stop)]

    found = {}
    for day in sorted({line.end for line in due if line.end is not None}):
        followers = [f for line, f in zip(lines, takes_over, strict=True) if line.end == day and any(line is d for d in due)]
        known = _settled_by(lines, takes_over, rules)
        found[account, day] = _outcome(day, followers, paid, known, rules, as_of)
    return found


def _settled_by(lines: list[Line], takes_over: list[Line | None], rules: Rules) -> Callable[[int], int]:
    """The day on which it is told, for every term that had ended by a day, whether it goes on."""

    def known(day: int) -> int:
        latest = day
        for line, follower in zip(lines, takes_over, strict=True):
            if line.end is not None and line.end <= day:
                told = line.end + rules.grace if follower is None else follower.start
                latest = max(latest, told)
        return latest

    return known


def _outcome(
    day: int,
    followers: list[Line | None],
    paid: Callable[[int], list[Line]],
    settled_by: Callable[[int], int],
    rules: Rules,
    as_of: int,
) -> tuple[str, float, float]:
    begun = [f.start for f in followers if f is not None]
    lapsed = None in followers
    first = min([day, *begun])
    last = max([day, *begun]) if lapsed else max(begun)
    before, after = paid(first - 1), paid(last)
    known = max(day + rules.grace if lapsed else last, settled_by(first - 1), settled_by(last))
    arr_before, arr_after = _together(before), _together(after)
    if day > as_of or known > as_of:
        return "undecided", arr_before, math.nan
    if all(line.is_addon for line in after):
        return "churned", arr_before, 0.0
    if {line.currency for line in before} != {line.currency for line in after}:
        arr_after = math.nan
    if math.isnan(arr_before) or math.isnan(arr_after) or abs(arr_after - arr_before) <= rules.flat * arr_before:
        return "renewed", arr_before, arr_after
    return ("expanded" if arr_after > arr_before else "contracted"), arr_before, arr_after


def _together(lines: list[Line]) -> float:
    return math.nan if len({line.currency for line in lines}) > 1 else sum(line.arr for line in lines)


def _same(one: Line, other: Line) -> bool:
    return (one.product, one.is_addon) == (other.product, other.is_addon)


def _is_new(line: Line, lines: list[Line], rules: Rules) -> bool:
    """A base product that the account had not, or not within the grace days."""
    return not line.is_addon and not any(
        _same(x, line) and x.start < line.start and (x.end is None or line.start <= x.end + rules.grace) for x in lines
    )


def _replacement(line: Line, lines: list[Line], rules: Rules) -> Line | None:
    if line.cancelled is None or (line.end is not None and line.cancelled >= line.end):
        return None
    for day in range(max(line.cancelled - rules.grace, line.start + 1), line.cancelled + rules.grace + 1):
        if line.end is None or day < line.end:
            for candidate in lines:
                if candidate.start == day and _same(candidate, line) and not _renews_on_time(candidate, lines):
                    return candidate
    if line.is_addon:
        return None
    for day in range(max(line.cancelled - rules.grace, line.start + 1), line.cancelled + rules.grace + 1):
        if line.end is None or day < line.end:
            for candidate in lines:
                if candidate.start == day and _is_new(candidate, lines, rules):
                    return candidate
    return None


def _cut_end(line: Line, lines: list[Line], rules: Rules) -> int | None:
    if line.cancelled is None or _replacement(line, lines, rules) is not None:
        return line.end
    return max(line.start, line.cancelled) if line.end is None else min(line.end, max(line.start, line.cancelled))


def _follower(line: Line, lines: list[Line], rules: Rules) -> tuple[Line | None, bool]:
    """Who takes over, and whether that was a change of contract in the middle of the term."""
    if line.end is None:
        return None, False
    replacement = _replacement(line, lines, rules)
    if replacement is not None:
        contained = replacement.end is not None and replacement.end <= line.end
        return replacement, contained or line.end - replacement.start > rules.early
    alike = [x for x in lines if _same(x, line)]
    follower = _on_time_early_or_late(line, alike, line.start + 1, rules)
    if follower is None and not line.is_addon:
        new = [x for x in lines if _is_new(x, lines, rules)]
        follower = _on_time_early_or_late(line, new, max(line.start + 1, line.end - rules.early), rules)
    return follower, follower is not None and line.end - follower.start > rules.early


def _renews_on_time(line: Line, lines: list[Line]) -> bool:
    return any(_same(x, line) and x.end == line.start for x in lines)


def _on_time_early_or_late(line: Line, others: list[Line], earliest: int, rules: Rules) -> Line | None:
    assert line.end is not None
    for candidate in others:
        if candidate.start == line.end:
            return candidate
    for day in range(earliest, line.end):
        for candidate in others:
            if candidate.start == day and (candidate.end is None or candidate.end > line.end) and not _renews_on_time(candidate, others):
                return candidate
    for day in range(line.end + 1, line.end + rules.grace + 1):
        for candidate in others:
            if candidate.start == day:
                return candidate
    return None
