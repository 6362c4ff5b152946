"""The UCI Online Retail shop as account-months: will a customer buy within 90 days? Read as hazards, and as BG/NBD histories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.published.bg_nbd import BgNbd, Histories, fit
from unspun.audit.repurchase import customer_months, order_purchases, repurchase_units
from unspun.audit.split import Parts, split_units
from unspun.audit.terms import Terms
from unspun.audit.units import Units
from unspun.book.purchases import read_purchases
from unspun.book.tables import Codes, ReadingOptions, ScoreHistory
from unspun.risk.rows import CHURN, FLAT, Feature, RiskRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HORIZON_DAYS, ACTIVE_DAYS = 90, 365
FEATURES = (
    Feature("recency", "Time since the last purchase", "log days", "number"),
    Feature("rate", "Purchases by the time seen", "log purchases a day", "number"),
    Feature("spend", "Spend of a year", "log GBP", "number"),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """Units as account-months. The event is the purchase (in the place of churn): who has not bought by the end is decided flat."""

    rows: RiskRows
    histories: Histories
    cut: int
    test: NDArray[np.bool_]


def read_shop(path: Path) -> Shop:
    """The units of the tutorial, in days."""
    purchases = read_purchases(str(path), ReadingOptions())
    nobody = Codes(np.zeros(0, dtype=np.int32), ())
    no_scores = ScoreHistory(purchases.source, np.zeros(0, dtype=np.int64), nobody, np.zeros(0, dtype="datetime64[D]"), ())
    terms = order_purchases(purchases, no_scores, int(purchases.date.max().astype("datetime64[D]").astype(int)), {}, None)
    units = repurchase_units(terms, customer_months(terms, ACTIVE_DAYS), HORIZON_DAYS)
    parts = split_units(units)
    assert isinstance(parts, Parts)
    histories, bought_on = _histories(terms, units)
    columns = (
        np.log1p(histories.age - histories.last),
        np.log((histories.repeats + 0.5) / (histories.age + 30.0)),
        np.log(np.where(units.amount > 0, units.amount, np.nan)),
    )
    again = ~units.churned
    rows = RiskRows(
        features=FEATURES,
        columns={feature.id: column for feature, column in zip(FEATURES, columns, strict=True)},
        reasons={},
        stale_days={},
        renewal=np.arange(len(units)),
        account=units.account,
        cluster=units.cluster,
        as_of=units.as_of,
        due=units.as_of + HORIZON_DAYS,
        decided_on=np.where(again, bought_on, units.as_of + HORIZON_DAYS + 1),
        outcome=np.where(again, CHURN, FLAT).astype(np.int8),
        term_class=np.full(len(units), -1),
        arr=units.amount,
    )
    return Shop(rows, histories, parts.cut, parts.test)


def fit_bg_nbd(shop: Shop) -> BgNbd:
    """On every customer's history as of the last month before the test."""
    before = shop.rows.as_of < shop.cut
    last = before & (shop.rows.as_of == shop.rows.as_of[before].max())
    return fit(at(shop.histories, last))


def at(histories: Histories, rows: NDArray[np.bool_]) -> Histories:
    """Some of the histories."""
    return Histories(histories.repeats[rows], histories.last[rows], histories.age[rows])


def _histories(terms: Terms, units: Units) -> tuple[Histories, Ints]:
    """The purchases of each unit's customer up to its day, and the day of the next one (the largest integer where there is none)."""
    span = int(terms.due.max()) + 1
    keys = terms.account * span + terms.due
    first = np.searchsorted(keys, units.account * span)
    end = np.searchsorted(keys, units.account * span + units.as_of, side="right")
    born, latest = terms.due[first], terms.due[end - 1]
    follows = (end < len(keys)) & (terms.account[np.minimum(end, len(keys) - 1)] == units.account)
    bought_on = np.where(follows, terms.due[np.minimum(end, len(keys) - 1)], np.iinfo(np.int64).max)
    repeats = (end - first - 1).astype(np.float64)
    return Histories(repeats, (latest - born).astype(np.float64), (units.as_of - born).astype(np.float64)), bought_on
