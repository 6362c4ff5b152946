"""The IBM Telco customers: Kaplan-Meier as published with the data, and the additive hazard beside lifelines' Cox regression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from unspun.stats.additive import AdditiveFit, fit_additive
from unspun.stats.discrete_hazard import CodedTerm, Spells
from unspun.stats.splines import BASES, centred, choose_scale, curve_table, level_table, line_table
from unspun.stats.survival import harrell_concordance, integrated_brier, kaplan_meier

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MONTHS = 72
NOT_KNOWN_BEFORE = ("customerID", "tenure", "Churn", "TotalCharges")  # what was paid in all is the tenure again


@dataclass(frozen=True)
class Telco:
    """Customers of at least a month: months they stayed, and whether they then left."""

    table: pd.DataFrame
    time: Floats
    event: Bools

    def terms(self, train: Bools) -> list[CodedTerm]:
        """Each text column by its levels, the monthly charges by a curve; centred over the customers of training."""
        found = []
        for name in self.table.columns.difference(NOT_KNOWN_BEFORE):
            column = self.table[name]
            if name == "MonthlyCharges":
                values = column.to_numpy(dtype=np.float64)
                scale = choose_scale(values[train])
                assert scale is not None
                codes, groups = scale.place(values), (("line:charges", 1), ("curve:charges", BASES - 2))
                counts = np.bincount(codes[train], minlength=scale.steps).astype(np.float64)
                table = np.hstack([line_table(scale, counts), curve_table(scale, counts)])
            else:
                codes, levels = pd.factorize(column.astype(str), sort=True)
                table, groups = level_table(len(levels)), ((f"levels:{name}", len(levels)),)
                counts = np.bincount(codes[train], minlength=len(levels)).astype(np.float64)
            found.append(CodedTerm(name, np.asarray(codes), centred(table, counts), groups))
        return found


@pytest.fixture(scope="module")
def telco(shared_data: Path) -> Telco:
    table = pd.read_csv(shared_data / "telco" / "Telco-Customer-Churn.csv")
    table = table.query("tenure > 0").reset_index(drop=True)
    return Telco(table, table.tenure.to_numpy(dtype=np.float64), (table.Churn == "Yes").to_numpy())


def test_kaplan_meier_of_monthly_internet_customers_is_as_published(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "telco" / "Telco-Customer-Churn.csv")
    monthly = table[(table.Contract == "Month-to-month") & (table.InternetService != "No")]
    event = (monthly.Churn == "Yes").to_numpy()
    assert (len(monthly), event.sum()) == (3_351, 1_556)
    curve = kaplan_meier(monthly.tenure.to_numpy(dtype=np.float64), event)
    assert curve.median() == 34
    assert curve.at(np.array([6.0, 12.0, 24.0, 48.0, 60.0])).round(4).tolist() == [0.7803, 0.6950, 0.5753, 0.3872, 0.2890]


@pytest.mark.filterwarnings("ignore:Starting with pandas")
def test_the_additive_hazard_is_at_least_as_good_as_cox_on_the_same_split(telco: Telco) -> None:
    test = np.random.default_rng(0).random(len(telco.time)) < 0.3
    times = np.arange(1.0, MONTHS)
    risk, survival = _additive(telco, ~test)
    cox_risk, cox_survival = _cox(telco, ~test, test, times)
    time, event = telco.time[test], telco.event[test]
    censoring = kaplan_meier(telco.time[~test], ~telco.event[~test])
    assert harrell_concordance(time, event, risk[test]) >= harrell_concordance(time, event, cox_risk) > 0.85
    ours = integrated_brier(time, event, survival[test][:, : len(times)], times, censoring)
    assert ours <= integrated_brier(time, event, cox_survival, times, censoring) < 0.09


def _additive(telco: Telco, train: Bools) -> tuple[Floats, Floats]:
    """Log-odds and survival by month of every customer, by the hazard fitted in training."""
    terms, n = telco.terms(train), int(train.sum())
    months = telco.time[train].astype(np.int64) - 1
    spells = Spells(np.zeros(n, dtype=np.int64), months, telco.event[train], np.zeros(n), np.arange(n), MONTHS)
    fit = fit_additive(spells, [term.take(train) for term in terms])
    assert isinstance(fit, AdditiveFit)
    own = np.split(fit.coefficients, np.cumsum([term.table.shape[1] for term in terms])[:-1])
    log_odds = sum(((term.table @ part)[term.codes] for term, part in zip(terms, own, strict=True)), np.zeros(len(telco.time)))
    hazard = 1 / (1 + np.exp(-(fit.intercepts + log_odds[:, None])))
    return np.asarray(log_odds), np.asarray(np.cumprod(1 - hazard, axis=1), dtype=np.float64)


def _cox(telco: Telco, train: Bools, test: Bools, times: Floats) -> tuple[Floats, Floats]:
    """The same of the test customers by lifelines, on dummies that are no copies of one another."""
    words = [name for name in telco.table.columns.difference(NOT_KNOWN_BEFORE) if name != "MonthlyCharges"]
    design = pd.get_dummies(telco.table[words].astype(str), drop_first=True).astype(float)
    design = design.T.drop_duplicates().T.assign(charges=telco.table.MonthlyCharges)
    fitted = lifelines.CoxPHFitter(penalizer=1e-4).fit(design[train].assign(T=telco.time[train], E=telco.event[train]), "T", "E")
    survival = fitted.predict_survival_function(design[test], times=times)
    return fitted.predict_partial_hazard(design[test]).to_numpy(), survival.to_numpy().T
