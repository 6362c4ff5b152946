"""One score at one horizon: AUC on all eligible units, and the out-of-time test against the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unspun.audit.baseline import BaselineFit, FrozenRisks, fit_baseline, freeze_risks, percentile_in, training_percentile
from unspun.audit.capture import captured_arr
from unspun.audit.forecasters import Rival, set_beside
from unspun.audit.frame import Frame, Lookup, rows_known, value_at
from unspun.audit.mapping import Mapping, calibrate, fit_mapping
from unspun.audit.protocol import MIN_TRAIN_CHURNED_FOR_GAIN
from unspun.audit.result import NOT_ON_THESE_DAYS, Calibration, CapturedArr, HorizonResult, Split, TestResult
from unspun.audit.split import Parts
from unspun.audit.units import Units
from unspun.book.tables import ScoreSeries
from unspun.stats.calibration import clustered_mean
from unspun.stats.concordance import (
    Influence,
    auc_estimate,
    auc_interval,
    count_clusters,
    dense_ranks,
    influence,
    paired_difference,
)
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trial:
    """A score laid over a frame's units: history row, and risk (the value turned so that more is worse) with its dense ranks."""

    frame: Frame
    row: Ints
    sign: float
    risk: Floats
    rank: NDArray[np.int32]
    scored: Bools
    result: HorizonResult

    @property
    def value(self) -> Floats:
        """The score of each unit as it was given, NaN where there is none."""
        return self.sign * self.risk


class Shared:
    """What scores known on the same rows have in common, worked out once: known rows, baseline fits, other baselines."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], tuple[Lookup, Units, Ints]] = {}
        self._fits: dict[int, tuple[bytes, BaselineFit]] = {}  # the latest of each horizon
        self._alone: dict[tuple[int, bytes, bytes], Influence] = {}
        self._rivals: dict[tuple[int, str], tuple[bytes, Influence]] = {}  # the latest of each horizon and rival
        self._rival_ranks: dict[tuple[int, str], Ints] = {}  # sorted once, whichever units it is judged on

    def rows_known(self, lookup: Lookup, units: Units) -> Ints:
        """History row of each unit's score as known."""
        if not lookup.shared:
            return rows_known(lookup, units.account, units.as_of)
        key = (id(lookup), id(units))  # both are kept with the answer, so that no other object can take their identity
        if key not in self._rows:
            self._rows[key] = (lookup, units, rows_known(lookup, units.account, units.as_of))
        return self._rows[key][2]

    def fit(self, frame: Frame, fit_on: Bools) -> BaselineFit:
        """B fitted on these units."""
        if frame.baseline is None:
            raise ValueError("a frame without a split has no baseline")
        horizon, key = frame.units.horizon_days, np.packbits(fit_on).tobytes()
        if horizon not in self._fits or self._fits[horizon][0] != key:
            self._fits[horizon] = (key, fit_baseline(frame.baseline, frame.units.churned, fit_on))
        return self._fits[horizon][1]

    def alone(self, frame: Frame, fit_on: Bools, judged: Bools, linear: Floats) -> Influence:
        """Concordance of B, fitted on some units, on those it is judged on."""
        key = (frame.units.horizon_days, np.packbits(fit_on).tobytes(), np.packbits(judged).tobytes())
        if key not in self._alone:
            self._alone[key] = influence(linear[judged], frame.units.churned[judged])
        return self._alone[key]

    def rival(self, frame: Frame, rival: Rival, judged: Bools) -> Influence:
        """Concordance of something else one could have ranked by, on some units."""
        of, key = (frame.units.horizon_days, rival.name), np.packbits(judged).tobytes()
        if of not in self._rivals or self._rivals[of][0] != key:
            if of not in self._rival_ranks:
                self._rival_ranks[of] = dense_ranks(rival.risk)
            self._rivals[of] = (key, influence(self._rival_ranks[of][judged], frame.units.churned[judged]))
        return self._rivals[of][1]


def try_score(frame: Frame, series: ScoreSeries, lookup: Lookup, sign: float, shared: Shared) -> Trial:
    """Everything the protocol asks of one score at one horizon. `sign` is -1 where higher is healthier, else 1."""
    units = frame.units
    row = shared.rows_known(lookup, units)
    value = value_at(series, row)
    risk, scored = sign * value, np.isfinite(value)
    rank = dense_ranks(risk)  # sorted once; every concordance and percentile below rests on it
    n_scored = int(scored.sum())
    renewed = scored & ~units.churned
    percentile = training_percentile(rank, frame.parts.train) if isinstance(frame.parts, Parts) else np.full(len(units), np.nan)
    parts = frame.parts
    mapping = fit_mapping(percentile, units.churned, parts.train & scored, units.words) if isinstance(parts, Parts) else parts
    result = HorizonResult(
        horizon_days=units.horizon_days,
        n=len(units),
        n_churned=int(units.churned.sum()),
        n_scored=n_scored,
        n_scored_churned=int((scored & units.churned).sum()),
        coverage=n_scored / len(units) if len(units) else None,
        not_applicable=units.not_applicable,
        auc=_auc(rank, units.churned, units.cluster, scored, units.words.lost),
        auc_contracted=_auc(rank, units.contracted, units.cluster, renewed, "contracted"),
        auc_expanded=_auc(rank.max(initial=0) - rank, units.expanded, units.cluster, renewed, "expanded"),
        split=_split(frame, scored),
        test=_test(frame, rank, percentile, scored, shared),
        calibration=_calibration(frame, mapping, percentile, scored),
        captured_arr=_capture(frame, series, shared.rows_known(lookup, frame.treated) if frame.treated else None, sign, mapping, risk),
        flow=_flow(frame, scored),
    )
    return Trial(frame, row, sign, risk, rank.astype(np.int32), scored, result)


def _auc(risk: Floats | Ints, event: Bools, cluster: Ints, among: Bools, name: str) -> MaybeEstimate:
    if not among.any():
        return NoEstimate("no eligible unit has a score", "scores dated and recorded by the as-of dates")
    found = auc_interval(risk[among], event[among], cluster[among])
    if isinstance(found, NoEstimate):
        return NoEstimate(found.reason.replace("has the event", name).replace("events", f"units that {name}"), found.what_it_would_take)
    return found


def _split(frame: Frame, scored: Bools) -> Split | NoEstimate:
    if isinstance(frame.parts, NoEstimate):
        return frame.parts
    parts, units = frame.parts, frame.units
    judged = parts.test & scored & units.churned
    return Split(
        first_test_as_of=date.fromordinal(parts.cut + date(1970, 1, 1).toordinal()),
        n_train=int(parts.train.sum()),
        n_train_churned=int((parts.train & units.churned).sum()),
        n_left_out=int((~parts.test & ~parts.train).sum()),
        n_test=int(parts.test.sum()),
        n_test_churned=int((parts.test & units.churned).sum()),
        n_train_scored_churned=int((parts.train & scored & units.churned).sum()),
        n_test_churned_clusters=len(np.unique(units.cluster[judged])),
    )


def _test(frame: Frame, rank: Ints, percentile: Floats, scored: Bools, shared: Shared) -> TestResult:
    units, parts = frame.units, frame.parts
    if isinstance(parts, NoEstimate):
        return TestResult(0, 0, 0, 0, 0, parts, parts, parts, parts, None, parts, ())
    judged = parts.test & scored
    event, cluster = units.churned[judged], units.cluster[judged]
    auc = _auc(rank, units.churned, units.cluster, judged, units.words.lost)
    gain = _gain(frame, percentile, judged, parts.train & scored, shared) if isinstance(auc, Estimate) else _no_gain(auc)
    beside = tuple(set_beside(one, rank, units, parts.test, judged, partial(shared.rival, frame)) for one in frame.rivals)
    return TestResult(
        n=int(parts.test.sum()),
        n_churned=int((parts.test & units.churned).sum()),
        n_scored=int(judged.sum()),
        n_scored_churned=int(event.sum()),
        n_churned_clusters=len(np.unique(cluster[event])),
        auc=auc,
        auc_baseline=gain.baseline,
        auc_both=gain.both,
        gain=gain.gain,
        gain_p=gain.p,
        gain_log_loss=gain.log_loss,
        others=tuple((one.name, one.auc) for one in beside if one.n),
        beside=beside,
    )


@dataclass(frozen=True, slots=True)
class Gain:
    """What the score adds to the baseline on the test units."""

    baseline: MaybeEstimate
    both: MaybeEstimate
    gain: MaybeEstimate
    p: float | None
    log_loss: MaybeEstimate


def _no_gain(reason: NoEstimate) -> Gain:
    return Gain(reason, reason, reason, None, reason)


def _gain(frame: Frame, percentile: Floats, judged: Bools, fit_on: Bools, shared: Shared) -> Gain:
    units = frame.units
    churned = int((fit_on & units.churned).sum())
    if churned < MIN_TRAIN_CHURNED_FOR_GAIN or frame.baseline is None:
        reason = f"{churned} training units with a score {units.words.lost}; under {MIN_TRAIN_CHURNED_FOR_GAIN} no baseline is fitted"
        return _no_gain(NoEstimate(reason, f"{MIN_TRAIN_CHURNED_FOR_GAIN - churned} more {units.words.lost} units before the test begins"))
    risks = freeze_risks(frame.baseline, shared.fit(frame, fit_on), percentile, units.churned, fit_on)
    return _compare(risks, shared.alone(frame, fit_on, judged, risks.baseline), units.churned[judged], units.cluster[judged], judged)


def _compare(risks: FrozenRisks, alone: Influence, event: Bools, cluster: Ints, judged: Bools) -> Gain:
    counts = count_clusters(event, cluster)
    both = alone if risks.both is risks.baseline else influence(risks.both[judged], event)
    gain, p = paired_difference(both, alone, counts, cluster)
    if risks.against_direction:
        caveat = "fitted freely, the score's coefficient ran against its declared direction; held at zero, it changes nothing"
        gain = Estimate(gain.point, gain.low, gain.high, gain.method, gain.n, caveats=(caveat,))
    saved = _log_loss(risks.baseline[judged], event) - _log_loss(risks.both[judged], event)
    log_loss = clustered_mean(saved, event, cluster, "mean log loss of B less that of B + S; clustered, t")
    return Gain(auc_estimate(alone, counts, cluster), auc_estimate(both, counts, cluster), gain, p, log_loss)


def _log_loss(linear: Floats, event: Bools) -> Floats:
    return np.logaddexp(0.0, linear) - event * linear


def _calibration(frame: Frame, mapping: Mapping, percentile: Floats, scored: Bools) -> Calibration | NoEstimate:
    if isinstance(frame.parts, NoEstimate):
        return frame.parts
    judged, fit_on = frame.parts.test & scored, frame.parts.train & scored
    base_rate = float(frame.units.churned[fit_on].mean()) if fit_on.any() else 0.0
    return calibrate(mapping, percentile[judged], frame.units.churned[judged], frame.units.cluster[judged], base_rate, frame.units.words)


def _capture(frame: Frame, series: ScoreSeries, row: Ints | None, sign: float, mapping: Mapping, risk: Floats) -> CapturedArr | NoEstimate:
    """Rank the candidates by the score as known on the first day of their month, at these rows of the history."""
    if isinstance(frame.choices, NoEstimate) or row is None or isinstance(frame.parts, NoEstimate):
        return frame.choices if isinstance(frame.choices, NoEstimate) else NoEstimate("there is no test period")
    if series.exact and (row < 0).any():
        return NOT_ON_THESE_DAYS
    then = sign * value_at(series, row)
    if isinstance(mapping, NoEstimate):
        return captured_arr(frame.choices, then, None)
    reference = np.sort(risk[frame.parts.train & np.isfinite(risk)])
    return captured_arr(frame.choices, then, mapping(percentile_in(reference, then)))


def _flow(frame: Frame, scored: Bools) -> tuple[tuple[str, int], ...]:
    """From rows used to units judged: signed counts that add up."""
    parts, units = frame.parts, frame.units
    if isinstance(parts, NoEstimate):
        return units.flow
    return (
        *units.flow,
        (f"training ({int((parts.train & units.churned).sum()):,} {units.words.lost})", -int(parts.train.sum())),
        ("outcome not known when the test began", -int((~parts.train & ~parts.test).sum())),
        (f"test ({int((parts.test & units.churned).sum()):,} {units.words.lost})", int(parts.test.sum())),
        ("no score by then: missing, not zero", -int((parts.test & ~scored).sum())),
        ("judged", int((parts.test & scored).sum())),
    )
