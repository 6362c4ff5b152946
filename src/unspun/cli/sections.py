"""The parts of an audit on a terminal, after the verdict: ranking, gain, calibration, captured ARR, bands, lead time, stability, misses."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from unspun.audit.result import (
    Bands,
    Beside,
    CapturedArr,
    Description,
    DesignReport,
    GamingCheck,
    GroupRow,
    HorizonResult,
    LeadPoint,
    LeadTime,
    LeakCheck,
    Listing,
    ScoreResult,
    Stability,
)
from unspun.audit.vocabulary import Vocabulary
from unspun.cli import number_text as say
from unspun.cli.layout import BASE, INDENT, QUIET, SCORE, SECOND, Column, Scale, bar, heading, no_chart, paragraph, table, whisker
from unspun.reports import claims, words
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MISSES_SHOWN = 5
QUARTERS_SHOWN = 4
GROUPS_SHOWN = 4
LEADS_SHOWN = (0, 30, 60, 90, 180, 360)
COIN = 0.5
CHECKS = {
    "bunching": "bunching above a threshold",
    "period_end": "raising at the ends of periods",
    "back_dated": "back-dating",
    "before_reviews": "raising before reviews",
    "goodhart_gap": "a score that rises while its outcome does not",
}


def ranking(score: ScoreResult, design: DesignReport, width: int) -> list[Text]:
    """AUC and gain on the test by horizon, and beside the gain the AUC of all eligible units."""
    horizons = score.horizons
    scale = _auc_scale([horizon.test.auc for horizon in horizons], 31)
    lost = design.vocabulary.lost
    tested = [Column("days", right=True), Column("tested", right=True), Column(lost, right=True), Column("AUC (95 %)")]
    rows = [[_days(h, score), words.count(h.test.n), words.count(h.test.n_churned), *_auc_cells(h.test.auc, scale)] for h in horizons]
    lines = heading(claims.rank_claim(score), width) + paragraph(_split_note(score.primary, design), width, QUIET)
    lines += table([*tested, _axis_column(scale)], rows, width)
    every = [Column("days", right=True), Column("gain over the baseline"), Column("all", right=True), Column(lost, right=True)]
    every += [Column("scored", right=True), Column("AUC of all")]
    lines += [Text(), *table(every, [_gain_row(h, score) for h in horizons], width)]
    return lines + _reasons([(f"{h.horizon_days} days", value) for h in horizons for value in (h.test.auc, h.test.gain, h.auc)], width)


def _gain_row(h: HorizonResult, score: ScoreResult) -> list[str]:
    coverage = "none" if h.coverage is None else say.percent(h.coverage)
    return [_days(h, score), say.gain(h.test.gain), words.count(h.n), words.count(h.n_churned), coverage, say.auc(h.auc)]


def _days(horizon: HorizonResult, score: ScoreResult) -> str:
    """The horizon's days, marked where it decides."""
    return f"*{horizon.horizon_days}" if horizon.horizon_days == score.primary_horizon_days else f"{horizon.horizon_days}"


def _split_note(horizon: HorizonResult, design: DesignReport) -> str:
    split = horizon.split
    if isinstance(split, NoEstimate):
        return f"No out-of-time test: {say.full_reason(split)}"
    units = words.units_of(design)
    left_out = f"; {words.count(split.n_left_out)} left out, not known when the test began" if split.n_left_out else ""
    trained = f"{units.count(split.n_train)} before it ({words.count(split.n_train_churned)} {design.vocabulary.lost})"
    return (
        f"Tested on {units.many} looked at from {words.day(split.first_test_as_of)}, trained on {trained}{left_out}. "
        f"Days {units.lead}; * decides; the upright line is a coin."
    )


def calibration(score: ScoreResult, v: Vocabulary, width: int) -> list[Text]:
    """One line: can the score be read as a risk?"""
    found = score.primary.calibration
    if isinstance(found, NoEstimate):
        return []
    slope, ratio = say.ratio(found.slope), say.ratio(found.expected_over_observed)
    brier = f"Brier {say.brier(found.brier)} against {say.brier(found.brier_base_rate)} for always saying the base rate"
    text = f"Slope {slope}, one would be right; {v.loss} said for each {v.loss} seen {ratio}; {brier}."
    return heading(claims.calibration_claim(found, v), width) + paragraph(text, width)


def captured_arr(score: ScoreResult, v: Vocabulary, width: int) -> list[Text]:
    """Bars: the share of lost money reached at the team's capacity, by how it chooses accounts."""
    found = score.primary.captured_arr
    if isinstance(found, NoEstimate):
        return []
    ways = (("score", found.score, SCORE), (f"score {say.TIMES} {v.money}", found.score_times_arr, SECOND))
    ways += ((f"{v.money} alone", found.arr_alone, BASE), ("random", found.random, BASE))
    texts = [(name, say.share(value)) for name, value, _ in ways]
    beside = sum(max(map(len, column)) + 2 for column in (*zip(*texts, strict=True),))
    scale = Scale(0.0, _top([value for _, value, _ in ways]), width=min(width - INDENT - beside, 44))
    rows = [[name, say.share(value), bar(value, scale, style) if isinstance(value, Estimate) else ""] for name, value, style in ways]
    axis = scale.axis((0.0, scale.high / 2, scale.high), ".0%") if scale.high > 0 else ""
    lines = heading(claims.capture_claim(found, v), width)
    lines += paragraph(_captured_note(found, v), width, QUIET)
    lines += table([Column("chosen by"), Column("reached (95 %)"), Column(axis)], rows, width)
    return lines + _reasons([(name, value) for name, value, _ in ways], width)


def _captured_note(found: CapturedArr, v: Vocabulary) -> str:
    money = words.money_short(found.churned_arr, found.currency)
    stated = "" if found.currency else " (currency not stated)"
    return (
        f"Share of {money}{stated} {v.lost} over {found.months} months; {words.count(found.n_candidates)} candidates; reached is not saved"
    )


def described(score: ScoreResult, design: DesignReport, width: int) -> list[Text]:
    """What describes and does not decide: bands, lead time, stability, misses, false alarms."""
    description, v = score.description, design.vocabulary
    if isinstance(description, NoEstimate):
        return _leak(score.leak, v, width)
    lines = _bands(description.bands, v, width) + _lead_time(description.lead_time, design, width)
    lines += _stability(description.stability, v, width) + _missed(description, score, design, width)
    return lines + _leak(score.leak, v, width)


def beside(score: ScoreResult, v: Vocabulary, width: int) -> list[Text]:
    """What else one could have ranked by, on the same units as the score."""
    rivals = score.primary.test.beside
    if not rivals:
        return []
    columns = [Column("ranked by", flexible=True), Column("n", right=True), Column(v.lost, right=True, spare=True)]
    columns += [Column("its AUC"), Column("the score's"), Column("score less it (95 %)")]
    lines = heading(claims.beside_claim(rivals), width) + table(columns, [_rival(one) for one in rivals], width)
    return lines + _reasons([(one.name, one.difference) for one in rivals], width)


def _rival(one: Beside) -> list[str | Text]:
    own, score = (f"{value.point:.2f}" if isinstance(value, Estimate) else say.NO_ESTIMATE for value in (one.auc, one.auc_score))
    return [one.name, words.count(one.n), words.count(one.n_churned), own, score, say.gain(one.difference)]


def gaming(score: ScoreResult, width: int) -> list[Text]:
    """What the checks for steering saw: evidence in full, with how often an honest score looks so, and the others by name."""
    if not score.gaming:
        return []
    lines = heading(claims.gaming_claim(score), width)
    for check in (check for check in score.gaming if check.found == "evidence"):
        often = f"Honest scores look so in {say.percent(check.false_alarm.point)} of simulations."
        lines += paragraph(f"{check.question} {check.evidence} {often}", width, first="▲ ")
    unseen = [CHECKS[check.code] for check in score.gaming if check.found == "none seen"]
    untold = [_untold(check) for check in score.gaming if check.found == "cannot tell"]
    lines += paragraph(f"No sign of {words.listed(unseen)}.", width, QUIET, first="· ") if unseen else []
    return lines + (paragraph(f"Cannot tell: {'; '.join(untold)}.", width, QUIET, first="◇ ") if untold else [])


def _untold(check: GamingCheck) -> str:
    """A check that could not be made, and what it would take."""
    takes = check.statistic.what_it_would_take.rstrip(".") if isinstance(check.statistic, NoEstimate) else ""
    return f"{CHECKS[check.code]} (it would take {takes})" if takes else CHECKS[check.code]


def not_worked_out(score: ScoreResult, width: int) -> list[Text]:
    """The parts there are none of, each reason once."""
    primary, description = score.primary, score.description
    parts: list[tuple[str, object]] = [
        ("how far it can be read as a risk", primary.calibration),
        ("the lost money it would reach", primary.captured_arr),
    ]
    if isinstance(description, NoEstimate):
        parts.append(("bands, lead time, stability and misses", description))
    else:
        parts += [("bands", description.bands), ("lead time", description.lead_time)]
    missing = [(name, part) for name, part in parts if isinstance(part, NoEstimate)]
    return heading("What could not be worked out", width) + _reasons(missing, width, "", style="") if missing else []


def _bands(bands: Bands | NoEstimate, v: Vocabulary, width: int) -> list[Text]:
    if isinstance(bands, NoEstimate):
        return []
    columns = [Column("band", flexible=True), Column("n", right=True), Column(v.lost, right=True)]
    columns += [Column(f"{v.lost}, of the band"), Column(f"in it, of all that {v.lost}")]
    rows: list[list[str | Text]] = [
        [row.band, words.count(row.n), words.count(row.n_churned), say.share(row.left), say.share(row.share_of_churned)]
        for row in bands.rows
    ]
    note = paragraph(f"Bands: {bands.source}", width, QUIET)
    reasons = _reasons([pair for row in bands.rows for pair in ((row.band, row.left), (row.band, row.share_of_churned))], width)
    return heading(claims.bands_claim(bands, v), width) + note + table(columns, rows, width) + reasons


def _lead_time(lead: LeadTime | NoEstimate, design: DesignReport, width: int) -> list[Text]:
    if isinstance(lead, NoEstimate):
        return []
    points = [point for point in lead.points if isinstance(point.auc, Estimate) and point.days_before in LEADS_SHOWN]
    lines = heading(claims.lead_claim(lead, design.vocabulary), width)
    if not points:
        return lines
    scale = _auc_scale([point.auc for point in points])
    v = design.vocabulary
    columns = [Column("days", right=True), Column(v.lost, right=True, spare=True), Column("AUC (95 %)"), _axis_column(scale)]
    columns += [Column(f"of {v.lost}", right=True), Column(f"of {v.kept}", right=True)]
    rows = [_lead_row(point, scale) for point in points]
    note = f"By days before the due date: AUC, and the share in alarm ({lead.alarm}) of those that {v.lost} and of those that {v.kept}"
    return lines + paragraph(note, width, QUIET) + table(columns, rows, width)


def _lead_row(point: LeadPoint, scale: Scale) -> list[str | Text]:
    return [
        str(point.days_before),
        words.count(point.n_churned),
        *_auc_cells(point.auc, scale),
        *_alarm(point.churned_in_alarm, point.renewed_in_alarm),
    ]


def _alarm(churned: MaybeEstimate, stayed: MaybeEstimate) -> list[str]:
    return [say.percent(value.point) if isinstance(value, Estimate) else "none" for value in (churned, stayed)]


def _stability(stability: Stability, v: Vocabulary, width: int) -> list[Text]:
    lines = heading(claims.stability_claim(stability), width)
    trend = stability.trend_per_quarter
    if isinstance(trend, Estimate):
        lines += paragraph(f"AUC changes by {say.gain(trend)} a quarter.", width)
    else:
        lines += paragraph(say.full_reason(trend), width)
    lines += _groups((("quarter", stability.quarters), ("segment", stability.segments)), stability.owners, v, width)
    return lines + paragraph(stability.note, width, QUIET)


def _groups(kinds: Sequence[tuple[str, Sequence[GroupRow]]], owners: Sequence[GroupRow], v: Vocabulary, width: int) -> list[Text]:
    """One table on one scale: the latest quarters, and the segments with the most churned. Owners are counted only."""
    chosen = [(kind, _chosen(kind, groups)) for kind, groups in kinds]
    scale = _auc_scale([group.auc for _, groups in chosen for group in groups])
    rows: list[list[str | Text]] = []
    for kind, groups in chosen:
        rows.extend([f"by {kind}", "", "", "", ""] for _ in groups[:1])
        rows += [[f"  {_group_name(g)}", words.count(g.n), words.count(g.n_churned), *_auc_cells(g.auc, scale)] for g in groups]
    columns = [Column("", flexible=True), Column("n", right=True), Column(v.lost, right=True), Column("AUC (95 %)"), _axis_column(scale)]
    rest = [(kind, len(groups) - len(shown)) for (kind, groups), (_, shown) in zip(kinds, chosen, strict=True)]
    hidden = words.listed([say.counted(n, kind) for kind, n in [*rest, ("owner", len(owners))] if n])
    more = paragraph(f"Not shown: {hidden}", width, QUIET) if hidden else []
    return (table(columns, rows, width) if rows else []) + more


def _chosen(kind: str, groups: Sequence[GroupRow]) -> list[GroupRow]:
    known = [group for group in groups if isinstance(group.auc, Estimate)]
    return known[-QUARTERS_SHOWN:] if kind == "quarter" else sorted(known, key=lambda group: -group.n_churned)[:GROUPS_SHOWN]


def _group_name(group: GroupRow) -> str:
    return f"{group.group} (test)" if group.in_test else group.group


def _missed(description: Description, score: ScoreResult, design: DesignReport, width: int) -> list[Text]:
    lines = heading(claims.missed_claim(score, description, words.units_of(design), design.vocabulary), width)
    lines += paragraph(description.missed.rule, width, QUIET) + _listed(description.missed, design.vocabulary, width)
    return (
        lines + heading(claims.false_alarms_claim(description.false_alarms), width) + paragraph(description.false_alarms.rule, width, QUIET)
    )


def _listed(listing: Listing, v: Vocabulary, width: int) -> list[Text]:
    if not listing.units:
        return []
    when = "due" if v.event == "renewal" else "window to"  # what is bought has no due date
    columns = [Column("account", flexible=True), Column(when), Column("score", right=True), Column("band", flexible=True)]
    columns += [Column("amount", right=True), Column("row", right=True)]
    rows: list[list[str | Text]] = []
    for unit in listing.units[:MISSES_SHOWN]:
        amount = words.money(unit.amount, unit.currency)
        rows.append([unit.account, words.day(unit.due), f"{unit.score:.4g}", unit.band, amount, words.count(unit.row)])
    hidden = listing.total - len(rows)
    more = paragraph(f"{len(rows)} of {words.count(listing.total)} shown, by amount", width, QUIET) if hidden > 0 else []
    return table(columns, rows, width) + more


def _leak(leak: LeakCheck, v: Vocabulary, width: int) -> list[Text]:
    if not leak.possible:
        return heading(claims.leak_claim(leak, v), width) + paragraph(leak.why_not, width)
    edited = f"{words.count(leak.churned_edited)} of {words.count(leak.churned)}"
    text = f"{edited} scores of {v.lost} accounts were recorded after the outcome was known, "
    text += f"against {words.count(leak.renewed_edited)} of {words.count(leak.renewed)} of those that {v.kept}; "
    text += f"AUC as dated less as known {say.gain(leak.difference)}."
    return heading(claims.leak_claim(leak, v), width) + paragraph(text, width)


def _auc_scale(values: Sequence[MaybeEstimate], cells: int = 21) -> Scale:
    """From 0.4 to 0.8, and wider by tenths where an interval is."""
    known = [value for value in values if isinstance(value, Estimate)]
    low = min([0.4, *(int(value.low * 10) / 10 for value in known)])
    high = max([0.8, *(-int(-value.high * 10 // 1) / 10 for value in known)])
    return Scale(low, min(high, 1.0), width=cells, reference=COIN)


def _axis_column(scale: Scale) -> Column:
    return Column(scale.axis((COIN, scale.low, scale.high), ".1f"))


def _auc_cells(value: MaybeEstimate, scale: Scale) -> list[str | Text]:
    if isinstance(value, NoEstimate):
        return [say.NO_ESTIMATE, no_chart(scale)]
    return [say.auc(value), whisker(value, scale)]


def _top(values: Sequence[MaybeEstimate]) -> float:
    """The scale's end: the highest interval, rounded up to the next 20 %."""
    highest = max((value.high for value in values if isinstance(value, Estimate)), default=1.0)
    return min(1.0, max(0.2, (int(highest * 5) + 1) / 5))


def _reasons(values: Sequence[tuple[str, MaybeEstimate]], width: int, start: str = "no estimate for ", style: str = QUIET) -> list[Text]:
    """Why there is no estimate, each reason once with what it holds for."""
    by_reason: dict[str, dict[str, None]] = {}
    for name, value in values:
        if isinstance(value, NoEstimate):
            by_reason.setdefault(say.full_reason(value), {})[name] = None
    texts = [f"{start}{', '.join(names)}: {reason}" for reason, names in by_reason.items()]
    return [line for text in texts for line in paragraph(text[0].upper() + text[1:], width, style)]
