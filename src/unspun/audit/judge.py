"""The audit itself: two tables in, a judged result out. Pure: no files, no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from unspun.audit.asking import choose_primary
from unspun.audit.compare import compare_best
from unspun.audit.describe import Described, describe, lead_units
from unspun.audit.evidence_rows import Trace, TracedScore, capture_bands
from unspun.audit.extras import NO_EXTRAS, ExtraIndex, extra_cautions, index_extras, set_aside_extras
from unspun.audit.frame import Frame, Lookup, Months, ScoreIndex, make_frame
from unspun.audit.gaming import check_gaming
from unspun.audit.inputs import (
    default_horizons,
    observe_until,
    refuse_if_empty,
    report_design,
    report_input,
    set_aside_outcomes,
    set_aside_scores,
)
from unspun.audit.leak import check_leak
from unspun.audit.protocol import DETAILED_SCORES, FDR_Q, FROZEN_SHARE, AuditSettings
from unspun.audit.repurchase import customer_months, order_purchases
from unspun.audit.result import (
    PROTOCOL_VERSION,
    AuditResult,
    Caution,
    CurveBand,
    Description,
    Design,
    DesignReport,
    GamingCheck,
    LeakCheck,
    ScoreResult,
)
from unspun.audit.terms import Terms, find_clusters, in_order, order_terms
from unspun.audit.trial import Shared, Trial, try_score
from unspun.audit.units import Units, active_months, choose_design
from unspun.audit.verdict import rule, work_out_need
from unspun.audit.wording import leak_cautions, percent, say, three_facts, too_good, use_cautions
from unspun.book.extras import NOTHING_ELSE, Accounts, Extras
from unspun.book.tables import Purchases, Renewals, ScoreHistory, ScoreSeries, Source
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.stats.estimate import NoEstimate
from unspun.stats.multiplicity import benjamini_hochberg

LOW_COVERAGE = 0.90
STALE_DAYS = 45
LEFT_OUT = NoEstimate(f"left out, as it was not asked for or more than {DETAILED_SCORES} scores share the run", "--detail all")
ELSEWHERE = NoEstimate("worked out at the primary horizon only, as details were not asked for or many scores share the run", "--detail all")


@dataclass(frozen=True, slots=True)
class Judged:
    """The result, all sources with the rows the audit itself set aside, and what it takes to hand out the rows behind its figures."""

    result: AuditResult
    sources: tuple[Source, ...]
    trace: Trace


@dataclass(frozen=True, slots=True)
class Evidence:
    """The two tables made ready: ordered terms, an index over the scores, and the months of the landmark design."""

    scores: ScoreHistory
    renewals: Renewals | Purchases
    settings: AuditSettings
    terms: Terms
    index: ScoreIndex
    months: Months | None
    extras: ExtraIndex = NO_EXTRAS

    @property
    def detailed(self) -> bool:
        """Whether what only describes is worked out too."""
        detail = self.settings.detail
        return detail == "all" or (detail == "auto" and len(self.scores.series) <= DETAILED_SCORES)

    def frame(self, horizon_days: int) -> Frame:
        """Units, split and baseline at one horizon."""
        return make_frame(horizon_days, self.terms, self.months, self.renewals, self.index, self.settings, self.extras)


@dataclass(frozen=True, slots=True)
class Tried:
    """One score at all horizons, before the verdict."""

    series: ScoreSeries
    lookup: Lookup
    sign: float
    trials: tuple[Trial, ...]

    def at(self, horizon_days: int) -> Trial:
        """The trial at one horizon."""
        return next(trial for trial in self.trials if trial.result.horizon_days == horizon_days)


def judge(
    scores: ScoreHistory,
    renewals: Renewals | Purchases,
    settings: AuditSettings,
    package_version: str,
    today: date | None = None,
    progress: Progress = silent,
    extras: Extras = NOTHING_ELSE,
) -> Judged:
    """Run the audit protocol on renewals, or on purchases.

    Raises BadInput where the two tables hold nothing that can be judged, and where something is declared fixed that is not there.
    """
    renewals = replace(renewals, account=in_order(renewals.account))
    as_of, as_of_why = observe_until(scores, renewals, settings, today)
    settings = replace(settings, horizons=settings.horizons or default_horizons(renewals))
    terms = _order(renewals, scores, as_of, settings, extras.accounts)
    index = ScoreIndex(scores, renewals.account.names, as_of, terms.seen)
    refuse_if_empty(terms, index)
    design, why, months = _lay_out(renewals, terms, settings)
    evidence = Evidence(scores, renewals, settings, terms, index, months, index_extras(extras, terms, settings))
    frames, primary = _frames(evidence, progress)
    shared = Shared()
    tried = _try_all(evidence, frames, shared, progress)
    results = _conclude(evidence, tried, shared, primary[0], progress)
    others = set_aside_extras(extras, evidence.extras, terms, design)
    sources = (set_aside_scores(scores, index, terms.words), set_aside_outcomes(renewals, terms), *others)
    frame = next(frame for frame in frames if frame.units.horizon_days == primary[0])
    result = AuditResult(
        protocol_version=PROTOCOL_VERSION,
        package_version=package_version,
        seed=settings.seed,
        settings=say_settings(settings, renewals),
        inputs=tuple(report_input(source) for source in sources),
        design=_with_cautions(report_design(design, why, as_of_why, primary, terms, scores, renewals, settings, frame), evidence),
        scores=results,
        n_tested=sum(one.at(primary[0]).result.test.gain_p is not None for one in tried),
        fdr_q=FDR_Q,
    )
    trace = _trace(evidence, tried, shared, result)
    if evidence.detailed:
        result = replace(result, scores=_with_bands(result.scores, trace))
    return Judged(replace(result, pairs=compare_best(trace)), sources, trace)


def _with_bands(scores: tuple[ScoreResult, ...], trace: Trace) -> tuple[ScoreResult, ...]:
    """The scores with the bands around what each would reach at its primary horizon."""
    return tuple(_with_band(score, bands) if bands else score for score, bands in zip(scores, capture_bands(trace), strict=True))


def _with_band(score: ScoreResult, bands: tuple[CurveBand, ...]) -> ScoreResult:
    captured, primary = score.primary.captured_arr, score.primary
    if isinstance(captured, NoEstimate):
        return score
    banded = replace(primary, captured_arr=replace(captured, bands=bands))
    return replace(score, horizons=tuple(banded if one is primary else one for one in score.horizons))


def _order(renewals: Renewals | Purchases, scores: ScoreHistory, as_of: int, settings: AuditSettings, accounts: Accounts | None) -> Terms:
    """The outcomes in order, with their amounts as declared, and with the parents of the accounts file where no other has any."""
    if isinstance(renewals, Purchases):
        terms = order_purchases(renewals, scores, as_of, settings.currency_rates, settings.reporting_currency)
    else:
        terms = order_terms(renewals, scores, as_of, settings.currency_rates, settings.reporting_currency)
    if accounts is None or accounts.parent is None:
        return terms
    cluster, by_parent = find_clusters(renewals, scores, accounts)
    return replace(terms, cluster=cluster, clustered_by_parent=by_parent)


def _with_cautions(design: DesignReport, evidence: Evidence) -> DesignReport:
    """The design with what readers must know of the optional files."""

    def given(role: str) -> bool:
        return getattr(evidence.scores, role) is not None or getattr(evidence.renewals, role) is not None

    cautions = extra_cautions(evidence.extras, evidence.terms, evidence.settings, given)
    return replace(design, cautions=(*design.cautions, *cautions))


def _lay_out(renewals: Renewals | Purchases, terms: Terms, settings: AuditSettings) -> tuple[Design, str, Months | None]:
    """The design, why it is that one, and the months of the landmark design."""
    if isinstance(renewals, Purchases):
        if settings.design == "renewal":
            raise BadInput(Fault("bad_option", "is 'renewal', but purchases have no due dates.", "design", "Say landmark, or nothing."))
        why = f"purchases have no due dates; who bought within {settings.active_days:,} days is looked at on the first day of each month"
        return "landmark", why, customer_months(terms, settings.active_days)
    design, why = choose_design(terms, settings.design)
    return design, why, active_months(terms) if design == "landmark" else None


def _frames(evidence: Evidence, progress: Progress) -> tuple[list[Frame], tuple[int, str]]:
    """A frame for each horizon asked, and the primary horizon with the reason it is that one."""
    settings = evidence.settings
    days = sorted({*settings.horizons} | ({settings.primary_horizon} if settings.primary_horizon else set()))
    frames = []
    for i, horizon_days in enumerate(days):
        progress("laying out units", i, len(days))
        frames.append(evidence.frame(horizon_days))
    applicable = {frame.units.horizon_days: frame.applicable_share for frame in frames}
    primary = choose_primary(settings.primary_horizon, applicable, evidence.terms.length_days)
    if primary[0] not in days:
        frames.append(evidence.frame(primary[0]))
    if not evidence.detailed:
        frames = [frame if frame.units.horizon_days == primary[0] else replace(frame, choices=ELSEWHERE, treated=None) for frame in frames]
    return sorted(frames, key=lambda frame: frame.units.horizon_days), primary


def _try_all(evidence: Evidence, frames: list[Frame], shared: Shared, progress: Progress) -> list[Tried]:
    tried = []
    series = evidence.scores.series
    for i, one in enumerate(series):
        progress("judging scores", i, len(series))
        lookup = evidence.index.lookup(one)
        sign = -1.0 if evidence.settings.higher_is_healthier(one.name) else 1.0
        tried.append(Tried(one, lookup, sign, tuple(try_score(frame, one, lookup, sign, shared) for frame in frames)))
    progress("judging scores", len(series), len(series))
    return tried


def _trace(evidence: Evidence, tried: list[Tried], shared: Shared, result: AuditResult) -> Trace:
    leads = lead_units(evidence.terms, result.design.name) if evidence.detailed else ()
    primary = result.design.primary_horizon_days
    described = [_described(evidence, one, shared, leads, one.at(primary)) for one in tried]
    scores = [TracedScore(one.series, one.lookup, one.sign, one.trials, it) for one, it in zip(tried, described, strict=True)]
    return Trace(tuple(scores), result.design.vocabulary)


def _conclude(evidence: Evidence, tried: list[Tried], shared: Shared, primary: int, progress: Progress) -> tuple[ScoreResult, ...]:
    rejected = _control_false_discovery([one.at(primary).result.test.gain_p for one in tried])
    design = "renewal" if evidence.months is None else "landmark"
    leads = lead_units(evidence.terms, design) if evidence.detailed else ()
    results = []
    for i, (one, reject) in enumerate(zip(tried, rejected, strict=True)):
        progress("describing scores", i, len(tried))
        results.append(_conclude_one(evidence, one, shared, leads, primary, reject))
    progress("describing scores", len(tried), len(tried))
    return tuple(results)


def _conclude_one(
    evidence: Evidence, one: Tried, shared: Shared, leads: tuple[Units, ...], primary: int, rejected: bool | None
) -> ScoreResult:
    trial = one.at(primary)
    words = evidence.terms.words
    leaks = {trial.result.horizon_days: _leak(evidence, one, trial) for trial in one.trials}
    ruling = rule(trial.result, leaks[primary], rejected, words)
    inputs = trial.frame.baseline.inputs if trial.frame.baseline else ()
    return ScoreResult(
        name=one.series.name,
        kind="band" if one.series.bands else "number",
        higher_is_healthier=one.sign < 0,
        verdict=ruling.verdict,
        verdict_why=ruling.why,
        sentence=say(ruling.verdict, trial.result, inputs, words),
        facts=three_facts(trial.result, inputs, words),
        cautions=(*_score_cautions(evidence, one, primary, leaks), *use_cautions(ruling.verdict, trial.result, one.sign < 0, words)),
        primary_horizon_days=primary,
        horizons=tuple(trial.result for trial in one.trials),
        leak=leaks[primary],
        needed=work_out_need(trial.result, ruling.verdict, _churned_per_month(trial), words),
        description=_description(evidence, one, shared, leads, trial),
        rejected_at_fdr=rejected,
        gaming=_gaming(evidence, one, trial),
    )


def _gaming(evidence: Evidence, one: Tried, trial: Trial) -> tuple[GamingCheck, ...]:
    if not evidence.detailed or one.series.exact:
        return ()
    return check_gaming(trial, one.series, one.lookup, one.sign, evidence.index, evidence.terms, evidence.settings)


def _description(evidence: Evidence, one: Tried, shared: Shared, leads: tuple[Units, ...], trial: Trial) -> Description | NoEstimate:
    if not evidence.detailed:
        return LEFT_OUT
    return describe(_described(evidence, one, shared, leads, trial))


def _described(evidence: Evidence, one: Tried, shared: Shared, leads: tuple[Units, ...], trial: Trial) -> Described:
    leads = () if one.series.exact else leads
    rows = tuple(shared.rows_known(one.lookup, units) for units in leads)
    return Described(trial, one.series, one.sign, leads, rows, evidence.terms, evidence.scores, evidence.renewals, evidence.settings)


def _leak(evidence: Evidence, one: Tried, trial: Trial) -> LeakCheck:
    return check_leak(trial, one.series, one.lookup, one.sign, evidence.scores, evidence.renewals, evidence.terms)


def _score_cautions(evidence: Evidence, one: Tried, primary: int, leaks: dict[int, LeakCheck]) -> list[Caution]:
    trial = one.at(primary)
    results = tuple(trial.result for trial in one.trials)
    good = too_good(results, trial.result, _frozen_share(evidence, one), evidence.terms.words)
    found = [good] if good else []
    found += [] if one.series.exact else leak_cautions(primary, leaks)
    coverage = trial.result.coverage
    if coverage is not None and coverage < LOW_COVERAGE:
        missing = trial.result.n - trial.result.n_scored
        text = f"{missing:,} of {trial.result.n:,} eligible units had no score by then ({percent(coverage)} had)"
        found.append(Caution("low_coverage", f"{text}; they are missing, not neutral, and no AUC speaks of them."))
    age = _median_age_days(evidence, trial)
    if age is not None and age > STALE_DAYS:
        found.append(Caution("stale", f"When looked at, half of the scores were {age:,} days old or more."))
    return found


def _median_age_days(evidence: Evidence, trial: Trial) -> int | None:
    if not trial.scored.any():
        return None
    dated = evidence.scores.dated[trial.row[trial.scored]].astype("datetime64[D]").astype(np.int64)
    return int(np.median(trial.frame.units.as_of[trial.scored] - dated))


def _frozen_share(evidence: Evidence, one: Tried) -> float:
    """Share of accounts whose score never changed, 0 where it is below the house's threshold. An exact series is no copy of a later day."""
    rows = one.lookup.rows
    if not len(rows) or one.series.exact:
        return 0.0
    account, value = evidence.index.account, one.series.values
    if len(rows) < len(account) or one.series.rows is not None:  # all of them are themselves, and need no copy
        account, value = account[rows], value[rows if one.series.rows is None else np.searchsorted(one.series.rows, rows)]
    accounts = int(account.max()) + 1
    low, high = np.full(accounts, np.inf), np.full(accounts, -np.inf)
    np.minimum.at(low, account, value)
    np.maximum.at(high, account, value)
    present = np.isfinite(low)
    share = float((low == high)[present].mean())
    return share if share >= FROZEN_SHARE else 0.0


def _churned_per_month(trial: Trial) -> float | None:
    units = trial.frame.units
    if not len(units):
        return None
    months = max((int(units.due.max()) - int(units.due.min())) / 30.4375, 1.0)
    return len(np.unique(units.terms_row[units.churned])) / months or None


def _control_false_discovery(p_values: list[float | None]) -> list[bool | None]:
    """Benjamini-Hochberg over the scores that have a gain; with a single score there is nothing to control."""
    if len(p_values) < 2:
        return [None] * len(p_values)
    tested = [i for i, p in enumerate(p_values) if p is not None]
    rejected: list[bool | None] = [None] * len(p_values)
    for i, reject in zip(
        tested, benjamini_hochberg(np.array([p_values[i] for i in tested], dtype=np.float64), FDR_Q).tolist(), strict=True
    ):
        rejected[i] = bool(reject)
    return rejected


def say_settings(settings: AuditSettings, renewals: Renewals | Purchases) -> tuple[tuple[str, str], ...]:
    """The settings that change figures, as text."""
    said = {
        "design": settings.design,
        "horizons": ",".join(str(days) for days in settings.horizons),
        "primary_horizon": str(settings.primary_horizon or "by the protocol"),
        "capacity": str(settings.capacity),
        "direction": ",".join(f"{name}={way}" for name, way in sorted(settings.direction.items())) or "higher is healthier",
        "thresholds": ",".join(f"{cut:g}" for cut in settings.thresholds) or "none",
        "fixed": ",".join(settings.fixed) or "none",
        "as_of": str(settings.as_of or "by the files"),
        "reviews": ",".join(str(day) for day in settings.reviews) or "none",
        "rates": ",".join(f"{name}={rate:g}" for name, rate in sorted(settings.currency_rates.items())) or "none",
        "detail": settings.detail,
    }
    if isinstance(renewals, Purchases):
        said["active_days"] = str(settings.active_days)
    return tuple(said.items())
