"""Which subjects say the same thing: rank correlation in pairs, a tree of likeness, and whom to keep of each group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.audit.evidence_result import Join, Redundancy, RedundantGroup
from unspun.audit.split import Parts
from unspun.audit.trial import Trial
from unspun.audit.wording import percent
from unspun.stats.concordance import concordance
from unspun.stats.estimate import NoEstimate
from unspun.stats.rank_correlation import join_alike, spearman

Floats = NDArray[np.float64]
MOST_UNITS = 5000  # on so many a correlation near .8 is known to .005; every pair of 200 subjects is then a matter of seconds
FEWEST_IN_COMMON = 30
SAME_BELOW = 0.2  # of 1 - |rho|
METHOD = f"Spearman in pairs on the units that have both, from {FEWEST_IN_COMMON} on; average linkage on 1 - |rho|, cut at {SAME_BELOW:.1f}"


def compare_subjects(keys: tuple[str, ...], trials: tuple[Trial, ...]) -> Redundancy | NoEstimate:
    """All pairs at the primary horizon, on its eligible units; of more than MOST_UNITS as many, evenly spaced in time."""
    if len(keys) < 2:
        return NoEstimate("one subject has nothing to be compared with", "a second one")
    units = len(trials[0].frame.units)
    looked_at = np.linspace(0, units - 1, MOST_UNITS).round().astype(np.int64) if units > MOST_UNITS else np.arange(units)
    rho, shared = spearman([trial.sign * trial.risk[looked_at] for trial in trials], FEWEST_IN_COMMON)
    tree = join_alike(rho, SAME_BELOW)
    told = np.isfinite(rho) & ~np.eye(len(keys), dtype=bool)
    return Redundancy(
        order=tuple(keys[at] for at in tree.order),
        groups=tuple(_group(members, keys, trials, rho) for members in tree.groups),
        rho=tuple(tuple(None if np.isnan(one) else one for one in row) for row in rho.tolist()),
        joins=tuple(Join(*join) for join in tree.joins),
        n=len(looked_at),
        fewest_in_common=int(shared[told].min(initial=len(looked_at))),
        method=METHOD if len(looked_at) == units else f"{METHOD}; on {len(looked_at):,} of {units:,} units, evenly spaced in time",
    )


def _group(members: tuple[int, ...], keys: tuple[str, ...], trials: tuple[Trial, ...], rho: Floats) -> RedundantGroup:
    best, why = _choose([trials[at] for at in members])
    inside = np.abs(rho[np.ix_(members, members)])
    return RedundantGroup(tuple(keys[at] for at in members), keys[members[best]], why, float(np.nanmin(inside)))


def _choose(trials: list[Trial]) -> tuple[int, str]:
    """The one that tells most in training, so that the choice does not flatter its figures in the test; the first of equals."""
    coverage = [float(trial.scored.mean()) for trial in trials]
    aucs = [_auc_in_training(trial) for trial in trials]
    if any(auc is None for auc in aucs):
        best = int(np.argmax(coverage))
        return best, f"the widest coverage of the group, {percent(coverage[best])} of units"
    told = [abs(auc - 0.5) * held for auc, held in zip(aucs, coverage, strict=True) if auc is not None]
    best = int(np.argmax(told))
    where = f"{aucs[best]:.2f} on {percent(coverage[best])} of units"
    return best, f"in training its AUC is furthest from 0.50, weighed by coverage: {where}"


def _auc_in_training(trial: Trial) -> float | None:
    parts = trial.frame.parts
    if not isinstance(parts, Parts):
        return None
    fitted = parts.train & trial.scored
    found = concordance(trial.rank[fitted].astype(np.int64), trial.frame.units.churned[fitted]) if fitted.any() else np.nan
    return None if np.isnan(found) else found
