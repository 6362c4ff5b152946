"""What an analyst writes by hand: the audit's figures with pandas and scikit-learn, and their intervals by cluster bootstrap.

Written to be fair: scores and baseline columns are laid over the renewals once for all scores, B is fitted once, clusters
are indexed before the first draw. `weighted_replicate` is what the bootstrap becomes in the hands of someone who knows that
resampling is weighting and that nothing need be sorted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

WORDS, NUMBERS = ["segment", "last_outcome"], ["log_arr", "log_tenure"]


@dataclass(frozen=True, slots=True)
class Laid:
    """One horizon, ready for any score: the units with every score as known, and B's columns and fit."""

    units: pd.DataFrame
    train: Bools
    test: Bools
    features: Floats
    baseline: Floats  # linear predictor of B on the test units
    auc_of_baseline: float


def read_tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and renewals."""
    wide = folder / "scores.parquet"
    scores = pd.read_parquet(wide) if wide.exists() else pd.read_csv(folder / "scores.csv", parse_dates=["date"])
    return scores, pd.read_csv(folder / "renewals.csv", parse_dates=["term_start", "due_date"])


def prepare(scores: pd.DataFrame, renewals: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables in order of time, with what each renewal's account did before it."""
    renewals = renewals.sort_values("due_date", kind="stable")
    by_account = renewals.groupby("account", sort=False)
    renewals = renewals.assign(
        churned=renewals["outcome"] == "churned",
        first_seen=by_account["term_start"].transform("min"),
        last_outcome=by_account["outcome"].shift().fillna("none"),
    )
    return scores.sort_values("date", kind="stable"), renewals


def lay_out(scores: pd.DataFrame, renewals: pd.DataFrame, horizon_days: int) -> Laid:
    """Units of one horizon, the scores as known then, the split in time, and B fitted in training."""
    units = renewals.assign(as_of=renewals["due_date"] - pd.Timedelta(days=horizon_days))
    units = units[units["term_start"] <= units["as_of"]]
    units = pd.merge_asof(units, scores, left_on="as_of", right_on="date", by="account")
    units["log_arr"] = np.log1p(units["arr_before"])
    units["log_tenure"] = np.log1p((units["as_of"] - units["first_seen"]).dt.days / 30.4375)
    churned_on = np.sort(units["as_of"].to_numpy()[units["churned"]])[::-1]
    cut = churned_on[int(np.ceil(0.4 * len(churned_on))) - 1]  # 40 % of the churned units lie there or later
    test = (units["as_of"] >= cut).to_numpy()
    train = (units["due_date"] < cut).to_numpy() & ~test
    commonest = [units.loc[train, word].mode()[0] for word in WORDS]
    encoder = OneHotEncoder(drop=commonest, min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False)
    columns = ColumnTransformer([("numbers", StandardScaler(), NUMBERS), ("words", make_pipeline(encoder, StandardScaler()), WORDS)])
    features = np.asarray(columns.fit(units[train]).transform(units))
    model = LogisticRegression(C=1.0).fit(features[train], units["churned"].to_numpy()[train])
    baseline = model.decision_function(features[test])
    return Laid(units, train, test, features, baseline, float(roc_auc_score(units["churned"].to_numpy()[test], baseline)))


def score_points(laid: Laid, score: str) -> dict[str, float]:
    """AUC on all units and in the test, AUC of B and of B + S, and the gain, of one score."""
    risk, churned = -laid.units[score].to_numpy(), laid.units["churned"].to_numpy()
    in_training = np.sort(risk[laid.train])
    percentile = np.searchsorted(in_training, risk, side="left") + np.searchsorted(in_training, risk, side="right")
    column = np.asarray(StandardScaler().fit(percentile[laid.train, None]).transform(percentile[:, None]))
    features = np.hstack([laid.features, column])
    model = LogisticRegression(C=1.0).fit(features[laid.train], churned[laid.train])
    both = model.decision_function(features[laid.test]) if model.coef_[0, -1] > 0 else laid.baseline
    tested = churned[laid.test]
    together = float(roc_auc_score(tested, both))
    return {
        "auc": float(roc_auc_score(churned, risk)),
        "auc in test": float(roc_auc_score(tested, risk[laid.test])),
        "auc of B": laid.auc_of_baseline,
        "auc of B + S": together,
        "gain": together - laid.auc_of_baseline,
    }


def resampled_replicate(risks: list[Floats], event: Bools, cluster: Ints) -> Callable[[np.random.Generator], list[float]]:
    """Draw clusters with replacement, gather their rows, and let scikit-learn work out each AUC again."""
    members = np.split(np.argsort(cluster, kind="stable"), np.cumsum(np.bincount(cluster))[:-1])

    def replicate(rng: np.random.Generator) -> list[float]:
        rows = np.concatenate([members[drawn] for drawn in rng.integers(0, len(members), len(members))])
        return [float(roc_auc_score(event[rows], risk[rows])) for risk in risks]

    return replicate


def weighted_replicate(risks: list[Floats], event: Bools, cluster: Ints) -> Callable[[np.random.Generator], list[float]]:
    """The same draws as weights: each risk is sorted once, and a replicate is one pass over its order."""
    orders = [np.argsort(risk, kind="stable") for risk in risks]
    sorted_risks = [risk[order] for risk, order in zip(risks, orders, strict=True)]
    starts = [np.flatnonzero(np.diff(values, prepend=np.nan) != 0) for values in sorted_risks]
    events = [event[order] for order in orders]
    clusters = [cluster[order] for order in orders]
    total = int(cluster.max()) + 1

    def auc(weight: Floats, start: Ints, is_event: Bools) -> float:
        cases = np.add.reduceat(weight * is_event, start)
        controls = np.add.reduceat(weight, start) - cases
        below = np.cumsum(controls) - 0.5 * controls
        return float(cases @ below / (cases.sum() * controls.sum()))

    def replicate(rng: np.random.Generator) -> list[float]:
        drawn = np.bincount(rng.integers(0, total, total), minlength=total).astype(np.float64)
        return [auc(drawn[own], start, is_event) for own, start, is_event in zip(clusters, starts, events, strict=True)]

    return replicate
