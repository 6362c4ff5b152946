"""Checks of units: amounts and quantities that jump by a unit (cents for dollars, yearly for monthly, thousands).

Each account's (or product's) value is compared with the one before it. Growth is spread over all ratios; a change of unit makes ratios
stand near 12, 100 or 1000, or their inverses, for nearly all at once (from a month or in a file), or exactly there for some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.event_counts import EVENT_MONTHS
from unspun.book.checks.extracts import AskedBook
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted
from unspun.book.checks.unit_pairs import FACTORS, Series, groups_sql, jumping_rows_sql, series_of

WINDOWS_MONTHS = (1, 3, 12)  # terms of a month, a quarter and a year all come up for renewal within one of them
BROAD_SHARE = 0.6  # of the pairs of a file or window; the rest are those who came, left or grew at the same time
LEAST_PAIRS = 5
CHANCE_FLOOR, CHANCE_CEILING = 0.05, 0.5  # of pairs that fall in a band by growth alone; the mirrored band says how many at least
BROAD_CHANCE = 1e-6  # of so many by growth, where dozens of windows and files are looked at
EXACT_SHARE = 0.15  # of the ratios in a band that stand within half a per cent of its middle, were they growth in whole multiples
EXACT_CHANCE = 1e-4
WORDS = {100: "as cents are to whole units", 12: "as a year is to a month", 1000: "as units are to thousands"}


@dataclass(frozen=True, slots=True)
class Jump:
    """A file (`file`) or a window of months (first and last, as months since year 0) in which `jumped` of `pairs` are near `factor`."""

    factor: float
    jumped: int
    pairs: int
    file: int | None = None
    months: tuple[int, int] | None = None
    exact: bool = False


def _hindrance(shape: BookShape) -> str:
    return "" if series_of(shape) else "no amount and no quantity is mapped"


def _ask(shape: BookShape) -> dict[str, str]:
    return {series.name: groups_sql(series) for series in series_of(shape)}


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for series in series_of(shape):
        groups = answers[series.name].to_pylist()
        broad = [jump for jump in (_broadest(groups, factor) for factor in FACTORS) if jump is not None]
        exact = [] if broad or not series.priced else [jump for jump in (_exact(groups, factor) for factor in FACTORS) if jump is not None]
        yield from (_finding(series, jump) for jump in _one_direction([*broad, *exact]))


def _one_direction(jumps: Sequence[Jump]) -> Iterator[Jump]:
    """A jump and the way back from it are one fault: the one that more pairs show is told."""
    for jump in jumps:
        if not any(abs(log(other.factor * jump.factor)) < 1e-9 and _weight(other) > _weight(jump) for other in jumps):
            yield jump


def _weight(jump: Jump) -> tuple[int, float]:
    return jump.jumped, jump.factor


def _broadest(groups: Sequence[dict[str, Any]], factor: float) -> Jump | None:
    """The file or the window of months that is least like growth; None where growth explains all."""
    near = sum(row["pairs"] for row in groups if row["factor"] == factor)
    if near < LEAST_PAIRS:
        return None
    mirrored = sum(row["pairs"] for row in groups if row["factor"] is not None and abs(log(row["factor"] * factor)) < 1e-9)
    by_growth = min(CHANCE_CEILING, max(CHANCE_FLOOR, 2 * mirrored / sum(row["pairs"] for row in groups)))
    found = [jump for jump in (*_by_file(groups, factor), *_by_window(groups, factor)) if _is_broad(jump, by_growth)]
    return min(found, key=lambda jump: (_tail(jump.jumped, jump.pairs, by_growth), jump.months or (0, 0)), default=None)


def _is_broad(jump: Jump, by_growth: float) -> bool:
    enough = jump.pairs >= LEAST_PAIRS and jump.jumped >= BROAD_SHARE * jump.pairs
    return enough and _tail(jump.jumped, jump.pairs, by_growth) < BROAD_CHANCE


def _by_file(groups: Sequence[dict[str, Any]], factor: float) -> Iterator[Jump]:
    """Every file, by the pairs whose value before is from another."""
    crossing = [row for row in groups if row["crosses"]]
    for file in sorted({row["source_file"] for row in crossing}):
        yield Jump(factor, *_counts((row for row in crossing if row["source_file"] == file), factor), file=file)


def _by_window(groups: Sequence[dict[str, Any]], factor: float) -> Iterator[Jump]:
    """Every window of months that begins with a jump."""
    for first in sorted({row["month"] for row in groups if row["factor"] == factor}):
        for length in WINDOWS_MONTHS:
            last = first + length - 1
            yield Jump(factor, *_counts((row for row in groups if first <= row["month"] <= last), factor), months=(first, last))


def _counts(rows: Iterable[dict[str, Any]], factor: float) -> tuple[int, int]:
    jumped = pairs = 0
    for row in rows:
        pairs += row["pairs"]
        jumped += row["pairs"] if row["factor"] == factor else 0
    return jumped, pairs


def _exact(groups: Sequence[dict[str, Any]], factor: float) -> Jump | None:
    """Ratios that stand on the factor itself, where growth would have spread them over the band around it."""
    band = [row for row in groups if row["factor"] == factor]
    exact, wide = sum(row["exact"] for row in band), sum(row["pairs"] for row in band)
    if exact < LEAST_PAIRS or exact < BROAD_SHARE * wide or _tail(exact, wide, EXACT_SHARE) >= EXACT_CHANCE:
        return None
    return Jump(factor, exact, sum(row["pairs"] for row in groups), exact=True)


def _tail(count: int, of: int, chance: float) -> float:
    """A bound on the probability of at least `count` of `of` (Chernoff, by relative entropy); exact where all are counted."""
    share = count / of
    if share <= chance:
        return 1.0
    rest = (1 - share) * log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return exp(-of * (share * log(share / chance) + rest))


# What is said of them


def _finding(series: Series, jump: Jump) -> Finding:
    times = f"{jump.factor:g}" if jump.factor > 1 else f"1/{1 / jump.factor:g}"
    return Finding(
        check="units",
        table=series.table,
        subject=f"{series.column}/{times.replace('1/', 'by ') if jump.factor < 1 else 'times ' + times}",
        severity="warning" if jump.exact else "error",
        count=jump.jumped,
        of=jump.pairs,
        unit=series.things,
        message=f"{counted(jump.jumped, jump.pairs, _compared(series, jump))} are {'exactly' if jump.exact else 'about'} {times} times the "
        f"{series.column} before, {WORDS[round(max(jump.factor, 1 / jump.factor))]}: it seems to be in another unit.",
        affects=series.affects,
        mend="Compare the rows with the source. Load the file again with its amounts in one unit, or say in book.yml which period they "
        "cover "
        "(`amount: {column: ..., covers: month}`); map files of another unit as a source of their own.",
        rows_sql=jumping_rows_sql(series, jump.factor, jump.file, jump.months, jump.exact),
        facts={"factor": jump.factor, "source_file": jump.file, "from_month": _month(jump.months[0]) if jump.months else None},
    )


def _compared(series: Series, jump: Jump) -> str:
    if jump.file is not None:
        return f"{series.things} of source file {jump.file} that follow one of another file"
    if jump.months is None:
        return f"{series.things} that follow another"
    first, last = map(_month, jump.months)
    return (
        f"{series.things} of {first} that follow another"
        if first == last
        else f"{series.things} from {first} to {last} that follow another"
    )


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _prepare(book: AskedBook) -> None:
    if any(series.table == "events" for series in series_of(book.shape)):
        book.make(EVENT_MONTHS)


CHECKS: tuple[Check, ...] = (
    Check(
        "units", "amounts that jump by a unit", ("subscriptions", "renewals", "purchases", "events"),
        _hindrance, _ask, _judge, prepare=_prepare,
    ),
)  # fmt: skip
