"""Performance on a terminal: whether groups can be told apart, each with its interval, and what backs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from unspun.cli.layout import CAUTION, CHURN, QUIET, RENEW, SCORE, Column, Scale, heading, no_chart, paragraph, table, whisker
from unspun.cli.terminal import clean, shorten
from unspun.reports import marks, words
from unspun.reports import performance_claims as pc
from unspun.risk.performance.result import Comparison, GroupPerformance, GroupVerdict, PerformanceResult
from unspun.stats.estimate import Estimate

if TYPE_CHECKING:
    from unspun.reports.performance_html import Proof

CHART_WIDTH, LONGEST_NAME = 17, 28
MOST_GROUPS = 40
STYLES: dict[GroupVerdict, str] = {"renews more": RENEW, "renews less": CHURN, "cannot tell": SCORE}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal shows of a run."""

    result: PerformanceResult
    proof: Proof
    seconds: float
    written: tuple[str, ...]


def performance_lines(shown: Shown, width: int) -> Iterator[Text]:
    """The whole summary, in lines of at most `width` cells."""
    for comparison in shown.result.comparisons:
        yield from _comparison(comparison, width)
    yield from _foot(shown, width)


def _comparison(comparison: Comparison, width: int) -> Iterator[Text]:
    yield from heading(words.sentence(pc.headline(comparison)), width)
    yield from paragraph(words.sentence(comparison.ranking), width)
    for said in pc.told_named(comparison):
        yield from paragraph(words.sentence(said), width)
    for said in (pc.differ_claim(comparison), pc.handed_over(comparison)):
        yield from paragraph(words.sentence(said) if said else "", width, QUIET)
    for one in comparison.cautions:
        yield from paragraph(one.text, width, f"bold {CAUTION}" if one.loud else QUIET, first="▲ " if one.loud else "· ")
    yield Text()
    shown = _shown(comparison)
    yield from _table(comparison, shown, width)
    if len(shown) < len(comparison.groups):
        rest = len(comparison.groups) - len(shown)
        yield from paragraph(f"and {rest:,} more, of which none can be told: --csv, --json or --html has them", width, QUIET)
    if comparison.without_group:
        yield from paragraph(f"{comparison.without_group:,} renewals belong to no {comparison.noun} and are left out", width, QUIET)


def _shown(comparison: Comparison) -> list[GroupPerformance]:
    """Those with most renewals, and all that can be told."""
    first = comparison.groups[:MOST_GROUPS]
    return [*first, *(one for one in comparison.groups[MOST_GROUPS:] if one.verdict != "cannot tell")]


def _table(comparison: Comparison, groups: Sequence[GroupPerformance], width: int) -> Iterator[Text]:
    scale = _scale(groups)
    columns = [
        Column(comparison.noun, flexible=True),
        Column("renewals", right=True),
        Column("renewed", right=True),
        Column("expected", right=True),
        Column(scale.axis((0.0,), ".0f")),
        Column("difference, points", right=True),
        Column("rank", right=True, spare=True),
        Column("ARR beyond", right=True, spare=True),
    ]
    yield from table(columns, [_cells(one, scale) for one in groups], width)
    told = "Difference: shrunken, with its 95 % interval, in points of the renewal rate; rank: its 95 % interval, 1 renewing most."
    yield from paragraph(told, width, QUIET)


def _scale(groups: Sequence[GroupPerformance]) -> Scale:
    ends = [end for one in groups if isinstance(one.effect, Estimate) for end in (one.effect.low, one.effect.high)]
    around = marks.scale_over(ends, around=0.0, margin=0.02)
    return Scale(around.low, around.high, CHART_WIDTH, 0.0)


def _cells(group: GroupPerformance, scale: Scale) -> list[str | Text]:
    effect = group.effect
    chart = whisker(effect, scale, STYLES[group.verdict]) if isinstance(effect, Estimate) else no_chart(scale)
    money = [words.money_short(one.difference, one.currency or None) for one in group.money]
    return [
        shorten(clean(group.name), LONGEST_NAME),
        pc.amount(group.renewals),
        pc.amount(group.renewed),
        pc.amount(group.expected),
        chart,
        pc.points(effect),
        pc.rank(group),
        " ".join(money),
    ]


def _foot(shown: Shown, width: int) -> Iterator[Text]:
    result, proof = shown.result, shown.proof
    yield Text()
    span = f", due {words.day(result.first_due)} to {words.day(result.last_due)}" if result.first_due and result.last_due else ""
    yield from paragraph(words.sentence(f"{pc.counted(result)}{span}"), width, QUIET, first="· ")
    notes = [pc.put_right(result), *pc.left_out(result), *(one.text for one in result.cautions)]
    for note in (*notes, *proof.remarks):
        yield from paragraph(words.sentence(note) if note else "", width, QUIET, first="· ")
    example = f"{result.comparisons[0].by}/{result.comparisons[0].groups[0].name}/effect"
    where = f"As of {words.day(result.as_of)}, book version {proof.book_version}; entry {proof.entry} of the ledger"
    yield from paragraph(f"{where}: unspun why '{proof.entry}/{clean(example)}'. {shown.seconds:.0f} s.", width)
    for line in shown.written:
        yield Text(f"  {clean(line)}")
