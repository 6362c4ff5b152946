"""Has a score been steered? Five checks, each with its evidence and its measured false-alarm rate; none accuses."""

from __future__ import annotations

import numpy as np

from unspun.audit.frame import Lookup, ScoreIndex, value_at
from unspun.audit.gaming.back_dated import check_back_dated
from unspun.audit.gaming.before_reviews import check_before_reviews
from unspun.audit.gaming.bunching import check_bunching, cuts_of_bands
from unspun.audit.gaming.checks import conclude
from unspun.audit.gaming.entries import Entries, Floats, collect, gather
from unspun.audit.gaming.goodhart import check_goodhart
from unspun.audit.gaming.period_end import check_period_end
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import GamingCheck
from unspun.audit.terms import Terms
from unspun.audit.trial import Trial
from unspun.book.tables import ScoreHistory, ScoreSeries

__all__ = ["check_gaming"]


def check_gaming(
    trial: Trial, series: ScoreSeries, lookup: Lookup, sign: float, index: ScoreIndex, terms: Terms, settings: AuditSettings
) -> tuple[GamingCheck, ...]:
    """All five checks of one score, at the primary horizon's trial. `sign` is -1 where higher is healthier."""
    history = index.history
    entries = collect(lookup, series, sign, history, index.account, terms.cluster, terms.as_of)
    cuts, why_no_cut = _cuts(entries, series, sign < 0, history, settings)
    findings = (
        check_bunching(entries, _values(entries, series) if cuts else np.empty(0), sign < 0, cuts, why_no_cut),
        check_period_end(entries),
        check_back_dated(entries, terms),
        check_before_reviews(entries, settings.reviews),
        check_goodhart(trial.frame.units, np.where(trial.scored, -trial.risk, np.nan), terms.words),
    )
    return tuple(conclude(finding) for finding in findings)


def _cuts(
    entries: Entries, series: ScoreSeries, higher_is_healthier: bool, history: ScoreHistory, settings: AuditSettings
) -> tuple[tuple[float, ...], str]:
    """Declared thresholds, else those between the file's own bands; none for a score that is a band itself."""
    if series.bands:
        return (), "the score is a band, so that no value lies near a threshold"
    if settings.thresholds:
        return tuple(sorted(set(settings.thresholds))), ""
    if history.band is None:
        return (), ""
    return cuts_of_bands(_values(entries, series), history.band[entries.row], higher_is_healthier)


def _values(entries: Entries, series: ScoreSeries) -> Floats:
    return gather(len(entries), np.float64, lambda part: value_at(series, entries.row[part]))
