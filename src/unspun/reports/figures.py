"""The figures of an audit, each with the provenance it takes to compute it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unspun.audit.evidence_rows import Selection
from unspun.audit.result import AuditResult, CapturedArr, Description, GroupRow, HorizonResult, LeakCheck, ScoreResult, TestResult
from unspun.evidence import Figure, InputVersion, Provenance
from unspun.reports import words
from unspun.reports.selection import select_rows
from unspun.reports.words import TIMES, Style
from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate

Headline = Figure[MaybeEstimate | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A figure as the page shows it: `key` names its place, `n` says what it rests on, `recompute` how its rows give it.

    The value is None where the figure is a table or a chart of many estimates. `selection` names the rows, None where there
    are none but those shown.
    """

    key: str
    figure: Headline
    style: Style
    n: str
    methods: tuple[str, ...]
    caveats: tuple[str, ...]
    selection: Selection | None
    recompute: str

    @property
    def short(self) -> str:
        """As much of the label as tells it from the others beside it."""
        return self.figure.label.partition(":" if ":" in self.figure.label else ",")[0]


def open_figures(result: AuditResult, score: ScoreResult) -> list[Opened]:
    """Every figure, chart and table of estimates of one score, in the order of the page."""
    maker = _Maker(result, score, score.primary)
    figures = [*_ranking(maker), *_beside(maker), *_risk_and_capture(maker)]
    if not isinstance(score.description, NoEstimate):
        figures += _described(maker, score.description)
    if score.leak.possible:
        figures.append(_leak(maker, score.leak))
    return figures


def _ranking(maker: _Maker) -> Iterator[Opened]:
    primary, test = maker.primary, maker.primary.test
    days, lost = primary.horizon_days, maker.v.lost
    n = _tested_n(test, maker)
    turn = "-score" if maker.score.higher_is_healthier else "score"
    scored = f"Over the rows with a score: the chance that a row with event 1 has the greater {turn} than one with event 0, ties one half."
    yield maker.open("auc", f"AUC, {days} days ahead, test units", test.auc, words.AUC, n, "test", scored)
    others = [h.test.auc for h in maker.score.horizons if h is not primary]
    if others:
        n_others = "; ".join(f"{h.horizon_days} days: {_tested_n(h.test, maker)}" for h in maker.score.horizons if h is not primary)
        label = "AUC at the other horizons, test units"
        yield maker.table("horizons", label, others, n_others, "horizons", f"{scored} For each horizon_days, over part test.")
    models = (test.auc_baseline, test.auc_both)
    ranked = "Over the rows with a score: the same chance by risk_by_baseline and by risk_by_both"
    yield maker.table("baseline", f"AUC of the baseline, and of it with the score, {days} days ahead", models, n, "test", f"{ranked}.")
    label = f"Gain in AUC over the baseline, {days} days ahead, test units"
    yield maker.open("gain", label, test.gain, words.GAIN, n, "test", f"{ranked}; the second less the first.")
    rivals = {one.name for one in test.beside}
    if any(name not in rivals for name, _ in test.others):
        compared = f"Over the rows with a score: the same chance by amount, turned as it ran for those that {lost} in training."
        yield maker.table("others", "Other baselines, which decide nothing", [value for _, value in test.others], n, "test", compared)


def _beside(maker: _Maker) -> Iterator[Opened]:
    beside = maker.primary.test.beside
    if beside:
        values = [value for one in beside for value in (one.auc, one.auc_score, one.difference)]
        n = "; ".join(
            f"{one.name}: {maker.units.count(one.n)} that have both, {words.count(one.n_churned)} {maker.v.lost}" for one in beside
        )
        how = "By the rule stated, over the test rows that have both; its own values are in its input file, not in these rows."
        yield maker.table("beside", "What else one could have ranked by", values, n, "test", how)


def _risk_and_capture(maker: _Maker) -> Iterator[Opened]:
    primary, v = maker.primary, maker.v
    if not isinstance(primary.calibration, NoEstimate):
        c = primary.calibration
        n = f"{maker.units.count(c.n)} with a score in the test; {words.count(c.n_churned)} {v.lost}"
        how = "Over the rows with a score: event against risk_by_score; slope and intercept by logistic regression on its log-odds."
        yield maker.open("calibration", "Calibration slope", c.slope, words.RATIO, n, "test", how)
        rates = [c.intercept, c.expected_over_observed, c.brier, c.brier_base_rate, *(b.observed for b in c.bins)]
        yield maker.table("reliability", "Reliability by group, said over seen, Brier score", rates, n, "test", how)
    if not isinstance(primary.captured_arr, NoEstimate):
        captured = primary.captured_arr
        label = f"{_first_upper(v.lost_money)} reached, {captured.capacity} accounts a month"
        how = "In each month (of looked_at) take the top accounts by score, ties sharing the places; add up lost_amount; divide by its sum."
        n = _captured_n(captured, maker)
        yield maker.open("captured_arr", label, captured.score, words.SHARE, n, "candidates", how)
        ways = (captured.score_times_arr, captured.arr_alone, captured.random)
        label = f"Reached by score {TIMES} {v.money}, {v.money} alone and at random"
        yield maker.table("ways", label, ways, n, "candidates", f"{how} By risk_by_score {TIMES} amount, by amount, and at random.")


def _described(maker: _Maker, description: Description) -> Iterator[Opened]:
    primary, v = maker.primary, maker.v
    eligible = f"{maker.units.count(primary.n)} eligible, {words.count(primary.n_churned)} {v.lost}, test and training"
    if not isinstance(description.bands, NoEstimate):
        rows = description.bands.rows
        values = [value for row in rows for value in (row.left, row.share_of_churned)]
        how = "By band, over the rows with one: the mean of event; and over the rows with event 1, the share in each band."
        yield maker.table("bands", f"Share that {v.lost}, by band", values, eligible, "eligible", how)
    if not isinstance(description.lead_time, NoEstimate):
        points = description.lead_time.points
        at = {p.days_before: p.n for p in points}
        n = f"{words.count(min(at.values(), default=0))} to {words.count(max(at.values(), default=0))} {v.events} with a score at each lead"
        values = [x for p in points for x in (p.auc, p.churned_in_alarm, p.renewed_in_alarm, p.churned_score, p.renewed_score)]
        how = "By days_before and event: the mean of score, the mean of alarm; by days_before: the AUC."
        yield maker.table(
            "lead_time", "The score by days before the due date", values, f"{n}. Alarm: {description.lead_time.alarm}", "leads", how
        )
    stability = description.stability
    quarterly = "By quarter of due (of looked_at for account-months), over the rows with a score: the AUC; a weighted line through them."
    n = f"{len(stability.quarters)} quarters; {eligible}"
    yield maker.open("stability", "Change in AUC a quarter", stability.trend_per_quarter, words.GAIN, n, "eligible", quarterly)
    for key, groups in (("segment", stability.segments), ("owner", stability.owners)):
        if groups:
            yield _grouped(maker, key, groups, eligible)
    for key, listing, event in (("missed", description.missed, 1), ("false_alarms", description.false_alarms, 0)):
        label = f"{_first_upper(listing.rule)}: a count and an exact sum, without interval"
        how = f"The rows with event {event} and that band" + (", one for each account." if maker.result.design.name == "landmark" else ".")
        yield maker.table(
            key, label, [u.baseline_risk for u in listing.units], f"{words.count(listing.total)} of {eligible}", "eligible", how
        )


def _grouped(maker: _Maker, key: str, groups: tuple[GroupRow, ...], n: str) -> Opened:
    how = f"By {key}, over the rows with a score: the AUC."
    return maker.table(key, f"AUC by {key}", [group.auc for group in groups], n, "eligible", how)


def _leak(maker: _Maker, leak: LeakCheck) -> Opened:
    n = f"{words.count(leak.churned)} {maker.v.lost} and {words.count(leak.renewed)} others"
    how = "Over the rows with both scores: the AUC of score_as_dated less that of score_as_known; edited by event for Fisher's test."
    return maker.open("leak", "AUC as dated less AUC as known", leak.difference, words.GAIN, n, "leak", how)


def _tested_n(test: TestResult, maker: _Maker) -> str:
    by = maker.result.design.clustered_by
    lost = f"{words.count(test.n_scored_churned)} {maker.v.lost}, in {words.count(test.n_churned_clusters)} clusters by {by}"
    return f"{maker.units.count(test.n_scored)} with a score, of {words.count(test.n)} in the test; {lost}"


def _captured_n(captured: CapturedArr, maker: _Maker) -> str:
    lost = f"{words.money(captured.churned_arr, captured.currency)} of {maker.v.lost_money}"
    months = f"{captured.months} {'month' if captured.months == 1 else 'months'}"
    return (
        f"{words.count(captured.n_candidates)} candidates over {months}; {lost}; one that {maker.v.lost} without a score counts as missed"
    )


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


class _Maker:
    """Makes figures of one score, which share all of their provenance but the definition and the rows."""

    def __init__(self, result: AuditResult, score: ScoreResult, primary: HorizonResult) -> None:
        self.result, self.score, self.primary = result, score, primary
        self.v, self.units = result.design.vocabulary, words.units_of(result.design)
        self._queries: dict[Selection, str] = {}
        self._general = tuple(caution.text for caution in (*score.cautions, *result.design.cautions))

    def open(self, key: str, label: str, value: MaybeEstimate, style: Style, n: str, rows: Selection, recompute: str) -> Opened:
        """A figure that is one estimate."""
        caveats = value.caveats if isinstance(value, Estimate) else ()
        return self._opened(key, label, value, style, n, _methods([value]), caveats, rows, recompute)

    def table(self, key: str, label: str, values: Iterable[MaybeEstimate], n: str, rows: Selection, recompute: str) -> Opened:
        """A figure that is many estimates."""
        held = list(values)
        caveats = tuple(dict.fromkeys(c for value in held if isinstance(value, Estimate) for c in value.caveats))
        return self._opened(key, label, None, words.AUC, n, _methods(held), caveats, rows, recompute)

    def _opened(
        self,
        key: str,
        label: str,
        value: MaybeEstimate | None,
        style: Style,
        n: str,
        methods: tuple[str, ...],
        caveats: tuple[str, ...],
        rows: Selection,
        recompute: str,
    ) -> Opened:
        figure = Figure(label, value, self._provenance(key, rows))
        return Opened(key, figure, style, n, methods, tuple(dict.fromkeys((*caveats, *self._general))), rows, recompute)

    def _provenance(self, key: str, rows: Selection) -> Provenance:
        result = self.result
        if rows not in self._queries:
            self._queries[rows] = select_rows(result, self.score, rows)
        return Provenance(
            definition=f"score_audit.{key}",
            definition_version=result.protocol_version,
            as_of=result.design.as_of,
            inputs=tuple(InputVersion(i.name, i.sha256) for i in result.inputs),
            query=self._queries[rows],
            settings=(*result.settings, ("seed", str(result.seed)), ("score", self.score.name)),
            package_version=result.package_version,
        )


def _methods(values: list[MaybeEstimate]) -> tuple[str, ...]:
    """The distinct methods and levels of some estimates, or why there is none."""
    known = [f"{_first_upper(v.method)}; {words.percent(v.level)} interval" for v in values if isinstance(v, Estimate)]
    if known:
        return tuple(dict.fromkeys(known))
    gaps = dict.fromkeys(words.sentence(_first_upper(v.reason)) for v in values if isinstance(v, NoEstimate))
    return tuple(f"None. {gap}" for gap in gaps) or (f"Counts and exact sums; no interval at {words.percent(LEVEL)} or any level",)
