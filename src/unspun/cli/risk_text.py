"""Renewal risk on a terminal: what is due and at risk, a list to work from, what cannot be told, and what backs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from unspun.cli import number_text as say
from unspun.cli.layout import BASE, CAUTION, CHURN, QUIET, RENEW, SCORE, Column, Scale, heading, no_chart, paragraph, table, whisker
from unspun.cli.risk_story import story_lines
from unspun.cli.terminal import shorten, wrap
from unspun.reports import risk_claims as rc
from unspun.reports import words
from unspun.risk.result import CANNOT_TELL, DueTotal, RenewalRisk, RiskResult
from unspun.stats.estimate import Estimate, NoEstimate

if TYPE_CHECKING:
    from unspun.reports.evidence_html import Proof

LONGEST_NAME, NAMED = 20, 32
CHART_WIDTH = 10
ONE_LINE = 110  # cells from which reasons stand beside a renewal and not below it
MOST_NAMED = 4
MOST_NOTICED = 6
STYLES: dict[rc.Side, str] = {"above": CHURN, "holds": SCORE, "below": RENEW}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal shows of a run: the first `capacity` renewals, or the whole story of one `account`.

    `meanings` say what a metric is, by its id.
    """

    result: RiskResult
    proof: Proof
    earlier: rc.Earlier | None
    model_why: str
    meanings: Mapping[str, str]
    seconds: float
    written: tuple[str, ...]
    capacity: int
    account: str | None = None


def risk_lines(shown: Shown, width: int) -> Iterator[Text]:
    """The whole summary, in lines of at most `width` cells."""
    if shown.account is None:
        yield from _list_lines(shown, width)
    else:
        found = shown.result.of(shown.account)
        none = f"No renewal of {shown.account} is open as of {words.day(shown.result.as_of)}."
        yield from [] if found else [Text(line, style="bold") for line in wrap(none, width)]
        for place, one in enumerate(found):
            yield from [Text()] * (place > 0)
            yield from story_lines(one, shown.earlier, shown.meanings, width)
        yield from _cautions(shown.result, width)
    yield from _foot(shown, width)


def _list_lines(shown: Shown, width: int) -> Iterator[Text]:
    result = shown.result
    yield from (Text(line, style="bold") for line in wrap(words.sentence(rc.headline(result)), width))
    yield from paragraph(words.sentence(_model_line(shown)), width, _model_style(result))
    if not isinstance(result.model, NoEstimate):
        yield from paragraph(words.sentence(rc.candidates_claim(result.model)), width, QUIET)
        yield from paragraph(words.sentence(rc.capital(shown.model_why)), width, QUIET)
    yield from _cautions(result, width)
    yield from _due(result, width)
    yield from _listed(shown, width)
    yield from _noticed(result, width)
    yield from _untold(result, width)


def _model_line(shown: Shown) -> str:
    """How many renewals are open, and what may be made of the probabilities."""
    result, model = shown.result, shown.result.model
    opened = f"{rc.counted(len(result.renewals), 'open renewal')} as of {words.day(result.as_of)}"
    if isinstance(model, NoEstimate):
        return f"{opened}; no model{'' if any(one.loud for one in result.cautions) else f': {model.reason}'}"
    return f"{opened}; the model ({model.chosen}, entry {model.version or shown.proof.entry}) is {rc.short_model(model)}"


def _model_style(result: RiskResult) -> str:
    good = not isinstance(result.model, NoEstimate) and result.model.check.verdict == "calibrated"
    return QUIET if good else f"bold {CAUTION}"


def _cautions(result: RiskResult, width: int) -> Iterator[Text]:
    for one in sorted(result.cautions, key=lambda caution: not caution.loud):
        yield from paragraph(one.text, width, f"bold {CAUTION}" if one.loud else QUIET, first="▲ " if one.loud else "· ")


def _due(result: RiskResult, width: int) -> Iterator[Text]:
    """What is due and expected to be lost, by days."""
    _, main, others = rc.totals_of(result)
    totals = [one for one in (*main, *others) if one.n]
    if not totals:
        return
    yield Text()
    columns = [
        Column("due within"),
        Column("renewals", right=True),
        Column("ARR", right=True),
        Column("expected lost to churn", right=True),
    ]
    columns += [Column("cannot tell", right=True), Column("notice given", right=True, spare=True)]
    yield from table(columns, [_due_cells(one) for one in totals], width)


def _due_cells(one: DueTotal) -> list[str | Text]:
    lost = rc.money_range(one.expected_lost, one.currency) if isinstance(one.expected_lost, Estimate) else say.NO_ESTIMATE
    arr = words.money_short(one.arr, one.currency) if one.n_without_arr < one.n else "no ARR"
    return [
        f"{one.within_days} days",
        words.count(one.n),
        arr,
        lost,
        _part(one.n_cannot_tell, one.arr_cannot_tell, one),
        _part(one.n_notice, one.arr_notice, one),
    ]


def _part(n: int, arr: float, of: DueTotal) -> str:
    return f"{words.count(n)}, {words.money_short(arr, of.currency)}" if n else "-"


def _listed(shown: Shown, width: int) -> Iterator[Text]:
    """The first renewals by what is expected to be lost, each with its risk, change and reasons; on a narrow terminal in two lines."""
    told = rc.foretold(shown.result)
    some = told[: shown.capacity]
    if not some:
        return
    of = f"{words.count(len(some))} of {words.count(len(told))}" if len(some) < len(told) else f"All {words.count(len(told))}"
    note = f"{of}, by ARR expected to be lost. P(churn) with its 95 % interval; the upright line is what is typical at that lead and term."
    yield Text()
    yield from paragraph(note, width, QUIET)
    scale, wide = _scale(some), width >= ONE_LINE
    columns = [Column("account"), Column("due", right=True), Column("ARR", right=True), Column("P(churn)"), Column("")]
    columns += [Column("change", right=True)] if shown.earlier is not None else []
    columns += [Column("reasons, in points", flexible=True)] if wide else []
    rows = [[*_cells(one, shown.earlier, scale), *([_reasons(one)] if wide else [])] for one in some]
    head, *lines = table(columns, rows, width)
    yield head
    for one, line in zip(some, lines, strict=True):
        yield line
        yield from [] if wide else paragraph(_reasons(one), width, QUIET, indent=4)


def _cells(one: RenewalRisk, earlier: rc.Earlier | None, scale: Scale) -> list[str | Text]:
    """One renewal in a line, without its reasons."""
    due = f"{one.lead_days} d" if one.lead_days >= 0 else f"{-one.lead_days} d ago"
    changed = [rc.change_of(one, earlier)] if earlier is not None else []
    return [shorten(one.name, LONGEST_NAME), due, _arr(one), say.shown(one.churn, words.PROBABILITY), _whisker(one, scale), *changed]


def _reasons(one: RenewalRisk) -> str:
    return "; ".join(map(rc.short_reason, rc.leading_reasons(one))) or "none that can be told"


def _whisker(one: RenewalRisk, scale: Scale) -> Text:
    """The interval on the common scale, with what is typical of this renewal."""
    own = Scale(scale.low, scale.high, scale.width, one.typical)
    return whisker(one.churn, own, STYLES[rc.side_of(one)]) if isinstance(one.churn, Estimate) else no_chart(own)


def _scale(some: Sequence[RenewalRisk]) -> Scale:
    """One scale for all risks of the list, from nought."""
    highest = max((one.churn.high for one in some if isinstance(one.churn, Estimate)), default=1.0)
    return Scale(0.0, min(1.0, max(0.2, highest)), CHART_WIDTH)


def _noticed(result: RiskResult, width: int) -> Iterator[Text]:
    found = rc.noticed(result)
    if not found:
        return
    yield from heading(f"Notice was given of {rc.counted(len(found), 'renewal')}: a fact, and no forecast", width)
    yield from paragraph(f"{_names(found[:MOST_NOTICED])}{_more(len(found) - MOST_NOTICED)}", width)


def _untold(result: RiskResult, width: int) -> Iterator[Text]:
    """How many cannot be told, by why, and the largest of them."""
    found = rc.untold(result)
    if not found:
        return
    total = sum(map(len, found.values()))
    yield from heading(f"The risk of {rc.counted(total, 'renewal')} cannot be told", width)
    for code, some in found.items():
        many = f"{words.count(len(some))}: {CANNOT_TELL[code]}"
        yield from paragraph(f"{many}. The largest: {_names(some[:MOST_NAMED])}{_more(len(some) - MOST_NAMED)}", width, first="◇ ")


def _names(some: Sequence[RenewalRisk]) -> str:
    return ", ".join(f"{shorten(one.name, NAMED)} (due {rc.due_in(one)}, {_arr(one)})" for one in some)


def _arr(one: RenewalRisk) -> str:
    return "no ARR" if one.arr is None else words.money_short(one.arr, one.currency)


def _more(n: int) -> str:
    return f" and {words.count(n)} more" if n > 0 else ""


def _foot(shown: Shown, width: int) -> Iterator[Text]:
    """What stands behind it, and where to look next."""
    proof, earlier = shown.proof, shown.earlier
    yield Text()
    if earlier is not None:
        yield from paragraph(f"Change is since {words.sentence(earlier.told)}", width, QUIET, first="· ")
        yield from paragraph(words.sentence(text) if (text := rc.decided_since(earlier)) else "", width, QUIET, first="· ")
    for note in proof.remarks:
        yield from paragraph(note, width, QUIET, first="· ")
    yield from paragraph(f"Book version {proof.book_version}, entry {proof.entry} of the ledger; in {shown.seconds:,.1f} s.", width)
    chosen = shown.result.of(shown.account) if shown.account is not None else ()
    first = next(iter(chosen if shown.account is not None else shown.result.renewals), None)
    if first is not None:
        yield from paragraph(f"To open a figure: unspun why {_quoted(rc.address(proof.entry, first))}", width, BASE)
    hint = "One account in full: --account ID; all of them: --html FOLDER, --json FILE, --csv FILE."
    for line in shown.written or ((hint,) if shown.account is None else ()):
        yield from paragraph(line, width)


def _quoted(address: str) -> str:
    from shlex import quote

    return quote(address)
