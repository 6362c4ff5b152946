"""The headline figures of an audit, each with the provenance it takes to compute it again."""

from __future__ import annotations

from dataclasses import dataclass

from unspun.audit.result import AuditResult, CapturedArr, Description, HorizonResult, ScoreResult, Split, TestResult
from unspun.evidence import Figure, InputVersion, Provenance
from unspun.reports import words
from unspun.reports.selection import select_units
from unspun.reports.words import Style
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Headline = Figure[MaybeEstimate]


@dataclass(frozen=True, slots=True)
class Opened:
    """A headline figure as the page shows it: `key` names its place, `n` says what it rests on."""

    key: str
    figure: Headline
    style: Style
    n: str
    caveats: tuple[str, ...]


def headline_figures(result: AuditResult, score: ScoreResult) -> list[Opened]:
    """The figures of one score that a page can open: ranking, gain, calibration, capture, lead, stability, leak check."""
    primary, test = score.primary, score.primary.test
    days = primary.horizon_days
    units = words.UNITS[result.design.name]
    tested = _tested_n(test, units, result.design.clustered_by)
    maker = _Maker(result, score, primary)
    figures = [
        maker.open("auc", f"AUC, {days} days ahead, test units", test.auc, words.AUC, tested),
        maker.open("gain", f"Gain in AUC over the baseline, {days} days ahead, test units", test.gain, words.GAIN, tested),
    ]
    if not isinstance(primary.calibration, NoEstimate):
        n = f"{units.count(primary.calibration.n)} with a score in the test; {words.count(primary.calibration.n_churned)} churned"
        figures.append(maker.open("calibration", "Calibration slope", primary.calibration.slope, words.RATIO, n))
    if not isinstance(primary.captured_arr, NoEstimate):
        captured = primary.captured_arr
        label = f"Churned ARR reached, {captured.capacity} accounts a month"
        figures.append(maker.open("captured_arr", label, captured.score, words.SHARE, _captured_n(captured)))
    if not isinstance(score.description, NoEstimate):
        figures += _described(maker, primary, score.description)
    if score.leak.possible:
        n = f"{words.count(score.leak.churned)} churned and {words.count(score.leak.renewed)} others"
        figures.append(maker.open("leak", "AUC as dated less AUC as known", score.leak.difference, words.GAIN, n, test_only=False))
    return figures


def _tested_n(test: TestResult, units: words.Units, clustered_by: str) -> str:
    churned = f"{words.count(test.n_scored_churned)} churned, in {words.count(test.n_churned_clusters)} clusters by {clustered_by}"
    return f"{units.count(test.n_scored)} with a score, of {words.count(test.n)} in the test; {churned}"


def _captured_n(captured: CapturedArr) -> str:
    lost = f"{words.money(captured.churned_arr, captured.currency)} of ARR churned"
    return f"{words.count(captured.n_candidates)} candidates over {captured.months} months; {lost}; an unscored churn counts as missed"


def _described(maker: _Maker, primary: HorizonResult, description: Description) -> list[Opened]:
    figures: list[Opened] = []
    units = words.UNITS[maker.result.design.name]
    if not isinstance(description.bands, NoEstimate) and description.bands.rows:
        worst = description.bands.rows[0]
        n = f"{units.count(worst.n)} in the band, {words.count(worst.n_churned)} churned; all eligible, test and training"
        figures.append(
            maker.open("bands", f"Of the {words.shorten(worst.band)}, the share that left", worst.left, words.SHARE, n, test_only=False)
        )
    if not isinstance(description.lead_time, NoEstimate):
        at = min(description.lead_time.points, key=lambda p: abs(p.days_before - primary.horizon_days), default=None)
        if at is not None:
            rests_on = f"{words.count(at.n)} renewals with a score then, {words.count(at.n_churned)} churned; test and training"
            n = f"{rests_on}. Alarm: {description.lead_time.alarm}"
            label = f"Share of churned in alarm {at.days_before} days before the due date"
            figures.append(maker.open("lead_time", label, at.churned_in_alarm, words.SHARE, n, test_only=False))
    n = f"{len(description.stability.quarters)} quarters"
    figures.append(
        maker.open("stability", "Change in AUC a quarter", description.stability.trend_per_quarter, words.GAIN, n, test_only=False)
    )
    return figures


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes figures of one score, which share all of their provenance but the definition and the rows."""

    result: AuditResult
    score: ScoreResult
    primary: HorizonResult

    def open(self, key: str, label: str, value: MaybeEstimate, style: Style, n: str, *, test_only: bool = True) -> Opened:
        """`test_only` says whether the rows are the test's alone."""
        caveats = value.caveats if isinstance(value, Estimate) else ()
        general = tuple(caution.text for caution in (*self.score.cautions, *self.result.design.cautions))
        return Opened(key, Figure(label, value, self._provenance(key, test_only)), style, n, tuple(dict.fromkeys((*caveats, *general))))

    def _provenance(self, key: str, test_only: bool) -> Provenance:
        result = self.result
        split = self.primary.split
        first_test = split.first_test_as_of if test_only and isinstance(split, Split) else None
        return Provenance(
            definition=f"score_audit.{key}",
            definition_version=result.protocol_version,
            as_of=result.design.as_of,
            inputs=tuple(InputVersion(i.name, i.sha256) for i in result.inputs),
            query=select_units(result, self.score, self.primary.horizon_days, first_test),
            settings=(*result.settings, ("seed", str(result.seed)), ("score", self.score.name)),
            package_version=result.package_version,
        )
