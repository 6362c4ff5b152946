"""Forecasts made from the rows of a book: as of its as-of day by the model in force, or replayed as of earlier months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from unspun._version import __version__
from unspun.app.forecast.inputs import ModelChances, OpenRows, open_rows, past_ratios, stated_probabilities
from unspun.app.risk.inputs import RiskInputs
from unspun.app.risk.models import ModelVersion
from unspun.app.risk.rows import first_days
from unspun.audit.result import Caution
from unspun.audit.terms import UNKNOWN
from unspun.progress import Progress, silent
from unspun.risk.candidates import CANDIDATES, CandidateName, RiskModel, fit_candidate
from unspun.risk.caution import cautions_by_lead
from unspun.risk.check import check_at
from unspun.risk.forecast.make import ForecastBasis, ForecastSettings, forecast_book
from unspun.risk.forecast.residuals import estimate_shocks, residual_origins
from unspun.risk.forecast.result import Forecast
from unspun.risk.forecast.simulate import NO_FACT, PATHS, OpenTerms, Shocks
from unspun.risk.result import ModelCheck
from unspun.risk.rolling import Rolling, RollingSettings, rolling
from unspun.risk.rows import CHURN, Bools, known_by
from unspun.stats.estimate import Estimate, NoEstimate

REPLAY_CANDIDATE: CandidateName = "splines"
"""Fixed beforehand: a choice made from what is known today would be no replay."""
SEED = 0
SHORT_MONTHS = 3
OF_SHORT_TERMS = "Quarters after the next rest on usage staying as it is today (docs/explanation/forecast.md)."


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model with what is said of it; `single` is False where its probabilities of single renewals are not to be told, and `check`
    says at which leads not; a replayed one has none."""

    fitted: RiskModel
    candidate: CandidateName
    entry: int | None
    words: str
    cautions: tuple[Caution, ...] = ()
    single: bool = True
    check: ModelCheck | None = None


def settings_of(months: int, paths: int = PATHS) -> ForecastSettings:
    """How far and how fine; the seed is always the same, so that the same book gives the same forecast."""
    return ForecastSettings(months, paths, SEED, __version__)


def forecast_now(inputs: RiskInputs, version: ModelVersion, settings: ForecastSettings, progress: Progress = silent) -> Forecast:
    """The forecast as of the as-of day of the inputs, by the model in force."""
    model = model_of(version)
    day = inputs.terms.as_of
    shocks = None if isinstance(model, NoEstimate) else _shocks(inputs, _residuals(inputs, [day], model.candidate, progress), day)
    return _forecast(inputs, day, model, shocks, settings, replayed=False)


def replays(
    inputs: RiskInputs,
    days: Sequence[date],
    settings: ForecastSettings,
    progress: Progress = silent,
    candidate: CandidateName = REPLAY_CANDIDATE,
) -> tuple[Forecast, ...]:
    """Forecasts as of earlier first days of months, each by a model fitted on what was known at the end of that day.

    A replay of one day is the same whichever others are made with it.
    """
    numbers = [(day - date(1970, 1, 1)).days for day in days]
    residuals = _residuals(inputs, numbers, candidate, progress)
    made: list[Forecast] = []
    for place, day in enumerate(numbers):
        progress("replaying forecasts", place, len(numbers))
        fitted = fit_candidate(candidate, known_by(inputs.history, day + 1), seed=SEED, scoring=True)
        words = f"{candidate}, fitted on what was known at the end of {days[place]}"
        model = fitted if isinstance(fitted, NoEstimate) else Model(fitted, candidate, None, words)
        made.append(_forecast(inputs, day, model, _shocks(inputs, residuals, day), settings, replayed=True))
    progress("replaying forecasts", len(numbers), len(numbers))
    return tuple(made)


def replay_days(inputs: RiskInputs, count: int) -> tuple[date, ...]:
    """The latest first days of months before the as-of day, earliest first."""
    as_of = inputs.terms.as_of
    days = first_days(as_of - 31 * (count + 2), as_of)
    return tuple(days[days < as_of][-count:].astype("datetime64[D]").tolist()) if count else ()


def model_of(version: ModelVersion) -> Model | NoEstimate:
    """The model of a version, or why no forecast can rest on it."""
    if isinstance(version.fitted, NoEstimate):
        return version.fitted
    record = version.fitted.record
    check = record.check
    if check.verdict == "cannot tell":
        return NoEstimate(f"the risk model cannot be checked: {check.why}", "more renewals that churned")
    calibrated = check.verdict == "calibrated"
    words = f"{record.chosen}, fitted as of {record.fitted_as_of}; on later renewals {check.verdict}: {check.why}"
    named: dict[str, CandidateName] = {name: name for name in CANDIDATES}
    cautions = tuple(cautions_by_lead(check)) if calibrated else (_not_calibrated(check),)
    return Model(version.fitted.model, named[record.chosen], version.entry, words, cautions, calibrated, check)


def _not_calibrated(check: ModelCheck) -> Caution:
    ratio = check.expected_over_observed
    sums = (
        f"it foretold {ratio.point:.2f} times the churn that came (95 % interval {ratio.low:.2f} to {ratio.high:.2f})"
        if isinstance(ratio, Estimate)
        else "how its sums compare with what came is not known"
    )
    text = f"The risk model is not calibrated ({check.why}): single renewals are given no probability; of sums, {sums} on later renewals."
    return Caution("not_calibrated", text, loud=True)


@dataclass(frozen=True, slots=True)
class _Residuals:
    """Past predictions on the rows of the history."""

    rolled: Rolling


def _residuals(inputs: RiskInputs, days: Sequence[int], candidate: CandidateName, progress: Progress) -> _Residuals:
    history = inputs.history
    origins = sorted({origin for day in days for origin in residual_origins(history, day)})
    if not origins:
        nothing = Rolling(np.full(len(history), UNKNOWN), np.full((len(history), 4), np.nan), (), (), ())
        return _Residuals(nothing)
    return _Residuals(rolling(history, origins, RollingSettings(candidate=candidate, seed=SEED), progress))


def _shocks(inputs: RiskInputs, residuals: _Residuals, day: int) -> Shocks:
    history = inputs.history
    own = np.isin(residuals.rolled.origin, np.array(residual_origins(history, day), np.int64))
    return estimate_shocks(history, np.where(own[:, None], residuals.rolled.probabilities, np.nan), day)


def _forecast(
    inputs: RiskInputs, day: int, model: Model | NoEstimate, shocks: Shocks | None, settings: ForecastSettings, *, replayed: bool
) -> Forecast:
    rows = open_rows(inputs, day)
    cautions = _cautions(inputs, rows, day, settings)
    if isinstance(model, NoEstimate) or shocks is None:
        refused = model if isinstance(model, NoEstimate) else NoEstimate("no past predictions")
        return forecast_book(rows.book, refused, settings, cautions, replayed=replayed)
    basis = ForecastBasis(
        probabilities=stated_probabilities(model.fitted, rows),
        chances=ModelChances(model.fitted, rows, SEED),
        shocks=shocks,
        ratios=past_ratios(inputs, day, SEED),
        model_version=model.entry,
        model_words=model.words,
        single=_single(model, rows.book.terms, day),
    )
    return forecast_book(rows.book, basis, settings, (*model.cautions, *_shock_cautions(shocks), *cautions), replayed=replayed)


def _single(model: Model, terms: OpenTerms, day: int) -> Bools:
    """By term, whether its own probabilities are told: by the model as a whole, and at its lead. Of what is known they always can be."""
    lead, told = terms.due - day, np.full(len(terms), model.single)
    if model.check is not None and model.single:
        off = {one: at.verdict == "not calibrated" for one in np.unique(lead).tolist() if (at := check_at(model.check, one)) is not None}
        told &= ~np.array([off.get(one, False) for one in lead.tolist()], bool) | (terms.fact != NO_FACT)
    return told


def _cautions(inputs: RiskInputs, rows: OpenRows, day: int, settings: ForecastSettings) -> tuple[Caution, ...]:
    found = [Caution("no_new_business", "Customers of the as-of day alone: no new business is in any figure.")]
    if rows.without_term:
        text = f"{rows.without_term:,} customers have no running term in the book, and are in no figure: their last renewal is decided."
        found.append(Caution("no_running_term", text, loud=rows.without_term > len(rows.book.terms)))
    missing = int(np.isnan(rows.book.terms.arr).sum())
    if missing:
        found.append(Caution("no_amount", f"{missing:,} running terms state no amount: they are counted, and are in no money."))
    short = int((rows.book.terms.length_months <= min(SHORT_MONTHS, settings.months)).sum())
    if 2 * short > len(rows.book.terms):
        text = f"{short:,} of {len(rows.book.terms):,} running terms are of {SHORT_MONTHS} months or less, and renew several times."
        found.append(Caution("rolled_forward", f"{text} {OF_SHORT_TERMS}", loud=True))
    beyond = _beyond(inputs, rows, day, settings)
    if beyond:
        text = f"{beyond:,} renewals due within the horizon are further off than any that the model has seen decided from so far."
        found.append(Caution("beyond_leads", text))
    return tuple(found)


def _beyond(inputs: RiskInputs, rows: OpenRows, day: int, settings: ForecastSettings) -> int:
    """Renewals due within the horizon with a lead longer than that of any row whose renewal was decided by the day."""
    history = inputs.history
    known = (history.decided_on <= day) & (history.outcome >= CHURN) & (history.as_of < day)
    longest = int(history.lead[known].max(initial=0))
    lead = rows.book.terms.due - day
    return int(((lead > longest) & (lead <= settings.months * 31)).sum())


def _shock_cautions(shocks: Shocks) -> tuple[Caution, ...]:
    if not isinstance(shocks.churn.shock.deviation, NoEstimate):
        return ()
    text = (
        "How far the outcomes of one quarter move together could not be estimated from past predictions "
        f"({shocks.churn.shock.deviation.reason}): the intervals rest on an assumption."
    )
    return (Caution("assumed_shock", text, loud=True),)
