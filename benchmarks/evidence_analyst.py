"""What an analyst writes by hand to judge many metrics: a loop over a data frame with pandas and scikit-learn.

Written to be fair: the frame is laid out once, B's columns are made once, and B is fitted once for all metrics that lack values on the same
rows. It gives points, no intervals, verdicts or control of false finds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from evidence_company import HORIZON_DAYS, SEGMENTS, TERM_DAYS, Company
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from unspun.audit.redundancy import MOST_UNITS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Points = dict[str, float]

WORDS, NUMBERS, BINS = ["segment", "last_outcome"], ["log_arr", "log_tenure"], 10


@dataclass(slots=True)
class Laid:
    """The units with every metric, the split in time, B's columns, and B as fitted on each set of rows so far."""

    units: pd.DataFrame
    churned: Bools
    train: Bools
    test: Bools
    features: Floats
    fits: dict[bytes, Floats] = field(default_factory=dict)

    def baseline(self, held: Bools) -> Floats:
        """Linear predictor of B fitted on the training rows that have a value."""
        key = np.packbits(held).tobytes()
        if key not in self.fits:
            fitted = self.train & held
            self.fits[key] = LogisticRegression(C=1.0).fit(self.features[fitted], self.churned[fitted]).decision_function(self.features)
        return self.fits[key]


def frame_of(company: Company) -> pd.DataFrame:
    """The renewals with their metrics, as an analyst has them: one row each, in order of due date."""
    renewals = company.renewals
    due = pd.to_datetime(renewals.due.astype("datetime64[ns]"))
    columns = {
        "account": renewals.account.codes,
        "due": due,
        "term_start": due - pd.Timedelta(days=TERM_DAYS),
        "churned": renewals.outcome == 1,
        "arr": renewals.amount_before,
        "segment": np.array(SEGMENTS)[company.segment],
    }
    return pd.concat([pd.DataFrame(columns), pd.DataFrame(company.metrics)], axis=1)


def lay_out(frame: pd.DataFrame) -> Laid:
    """Units of one horizon with what the baseline knows, and the split in time."""
    by_account = frame.groupby("account", sort=False)
    as_of = frame["due"] - pd.Timedelta(days=HORIZON_DAYS)
    units = frame.assign(
        as_of=as_of,
        last_outcome=np.where(by_account.cumcount() > 0, "renewed", "none"),
        log_arr=np.log1p(frame["arr"]),
        log_tenure=np.log1p((as_of - by_account["term_start"].transform("min")).dt.days / 30.4375),
    )
    churned = units["churned"].to_numpy()
    churned_on = np.sort(units["as_of"].to_numpy()[churned])[::-1]
    cut = churned_on[int(np.ceil(0.4 * len(churned_on))) - 1]
    test = (units["as_of"] >= cut).to_numpy()
    train = (units["due"] < cut).to_numpy() & ~test
    commonest = [units.loc[train, word].mode()[0] for word in WORDS]
    encoder = OneHotEncoder(drop=commonest, min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False)
    columns = ColumnTransformer([("numbers", StandardScaler(), NUMBERS), ("words", make_pipeline(encoder, StandardScaler()), WORDS)])
    return Laid(units, churned, train, test, np.asarray(columns.fit(units[train]).transform(units)))


def metric_points(laid: Laid, metric: str) -> Points:
    """AUC on all units and in the test, AUC of B and of B + S, and the gain, on the units that have a value."""
    value = laid.units[metric].to_numpy()
    held = np.isfinite(value)
    fitted, tested = laid.train & held, laid.test & held
    risk = -value[held]
    in_training = np.sort(-value[fitted])
    percentile = np.full(len(value), np.nan)
    percentile[held] = np.searchsorted(in_training, risk, side="left") + np.searchsorted(in_training, risk, side="right")
    scaler = StandardScaler().fit(percentile[fitted, None])
    features = np.hstack([laid.features, np.asarray(scaler.transform(percentile[:, None]))])
    model = LogisticRegression(C=1.0).fit(features[fitted], laid.churned[fitted])
    alone = laid.baseline(held)[tested]
    both = model.decision_function(features[tested]) if model.coef_[0, -1] > 0 else alone
    event = laid.churned[tested]
    together, before = float(roc_auc_score(event, both)), float(roc_auc_score(event, alone))
    return {
        "auc": float(roc_auc_score(laid.churned[held], risk)),
        "auc in test": float(roc_auc_score(event, -value[tested])),
        "auc of B": before,
        "auc of B + S": together,
        "gain": together - before,
    }


def rank_correlations(laid: Laid, metrics: list[str]) -> Floats:
    """Spearman's rho of every pair, on as many evenly spaced units as the product looks at."""
    n = len(laid.units)
    rows = np.linspace(0, n - 1, MOST_UNITS).round().astype(np.int64) if n > MOST_UNITS else np.arange(n)
    return laid.units[metrics].iloc[rows].corr(method="spearman").to_numpy()


def rates_by_tenths(laid: Laid, metric: str) -> Floats:
    """The share that churned by tenths of the metric."""
    tenth = np.asarray(pd.qcut(laid.units[metric], BINS, labels=False, duplicates="drop"))
    return np.asarray(laid.units["churned"].groupby(tenth).mean(), dtype=np.float64)
