"""A company that writes churn down weeks after the due date, and renewals at once: neither outcome may be learnt too often for it.

Every renewal churns with the same chance, so what a model must say is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from unspun.app.risk.rows import Decisions, churn_settle_days, decide, lay_rows, term_classes
from unspun.audit.terms import UNKNOWN, Terms, order_terms
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED, Codes, Renewals, Source
from unspun.risk.candidates import fit_candidate
from unspun.risk.choose import judged, settle_days
from unspun.risk.hazard import HazardModel
from unspun.risk.rows import CHURN, RiskRows, known_by

ACCOUNTS, YEAR, CHANCE, BEGINS, AS_OF = 4_000, 365, 0.2, 19_000, 19_000 + 365 + 300
CHURN_LATE, RENEWAL_LATE = (50, 90), (0, 4)
"""Days after the due date between which an outcome is written down."""


@dataclass(frozen=True, slots=True)
class Company:
    """Its renewals, the day of each one's notice, and the share of all, written down or not, that churn."""

    terms: Terms
    notice: np.ndarray
    share: float

    def rows(self, settle_days: int) -> RiskRows:
        return rows_of(self.terms, decide(self.terms, self.notice, settle_days))


def company(seed: int, churn_late: tuple[int, int] = CHURN_LATE, noticed: float = 0.0, chance: float = CHANCE) -> Company:
    """Yearly terms, the first of which began within a year; `noticed` of those that churn gave notice 40 days before."""
    rng = np.random.default_rng(seed)
    due = BEGINS + np.sort(rng.integers(0, YEAR, ACCOUNTS)) + YEAR
    left = rng.random(ACCOUNTS) < chance
    known = due + np.where(left, rng.integers(*churn_late, ACCOUNTS), rng.integers(*RENEWAL_LATE, ACCOUNTS))
    warned = left & (rng.random(ACCOUNTS) < noticed)
    notice = np.where(warned, due - 40, UNKNOWN)
    written = known <= AS_OF
    renewals = Renewals(
        source=Source("renewals", "made", "", "csv", ACCOUNTS, {}, (), ()),
        row=np.arange(2, ACCOUNTS + 2),
        account=Codes(np.arange(ACCOUNTS, dtype=np.int32), tuple(f"A-{n:05}" for n in range(ACCOUNTS))),
        due=due.astype("datetime64[D]"),
        outcome=np.where(written, np.where(left, CHURNED, RENEWED), UNDECIDED).astype(np.int8),
        term_start=(due - YEAR).astype("datetime64[D]"),
        notice=dates(notice),
        outcome_known=dates(np.where(written, known, UNKNOWN)),
        amount_before=np.full(ACCOUNTS, 100.0),
    )
    terms = order_terms(renewals, None, AS_OF, {}, None)
    return Company(terms, notice[terms.order], float(left.mean()))


def dates(days: np.ndarray) -> np.ndarray:
    return np.where(days == UNKNOWN, np.datetime64("NaT"), days.astype("datetime64[D]"))


def rows_of(terms: Terms, decisions: Decisions) -> RiskRows:
    laid = lay_rows(terms, decisions)
    account = terms.account[laid.renewal]
    return RiskRows(
        features=(),
        columns={},
        reasons={},
        stale_days={},
        renewal=laid.renewal,
        account=account,
        cluster=account,
        as_of=laid.day,
        due=terms.due[laid.renewal],
        decided_on=decisions.decided_on[laid.renewal],
        outcome=decisions.outcome[laid.renewal].astype(np.int8),
        term_class=term_classes(terms)[laid.renewal],
        arr=np.full(len(account), 100.0),
    )


def learnt(rows: RiskRows) -> float:
    """The mean probability of churn that a model of the rates alone states of renewals a month or more before they are due."""
    past = rows.take(rows.as_of < AS_OF)
    model = fit_candidate("base rate", known_by(past, AS_OF + 1), seed=0, scoring=False)
    assert isinstance(model, HazardModel)
    return float(model.probabilities(past.take(past.lead > 30))[:, CHURN].mean())


def churned_of_judged(rows: RiskRows) -> float:
    """The share that churned of the renewals that forecasts are held against, each once."""
    found = rows.take(judged(rows, AS_OF + 1))
    _, first = np.unique(found.renewal, return_index=True)
    return float((found.outcome[first] == CHURN).mean())


@pytest.mark.parametrize("seed", range(3))
def test_a_model_of_late_recorded_churn_states_the_chance_that_there_is(seed: int) -> None:
    made = company(seed)
    settle = churn_settle_days(made.terms, made.notice)
    assert 80 < settle <= 90
    assert learnt(made.rows(0)) < made.share - 0.02, "the latest due dates look as if all had renewed"
    assert learnt(made.rows(settle)) == pytest.approx(made.share, abs=0.01)


@pytest.mark.parametrize("chance", [0.04, CHANCE])
def test_renewals_are_judged_once_churned_ones_are_written_down_too_even_where_they_are_few(chance: float) -> None:
    made = company(1, chance=chance)
    rows = made.rows(churn_settle_days(made.terms, made.notice))
    assert settle_days(rows, AS_OF + 1) >= 80, "by then a renewal has long been known, and a churn is"
    assert churned_of_judged(rows) == pytest.approx(made.share, abs=0.01)


def test_churn_that_is_foretold_by_notice_and_recorded_at_once_waits_for_nothing() -> None:
    prompt = company(1, churn_late=(0, 1), noticed=0.8)
    assert churn_settle_days(prompt.terms, prompt.notice) == 0
    late = company(1, noticed=0.8)
    assert churn_settle_days(late.terms, late.notice) > 80, "of those without notice; the others are known by it"


def test_delays_are_those_that_were_known_by_the_as_of_day() -> None:
    made = company(2)
    nothing_yet = replace(made.terms, outcome=np.full(ACCOUNTS, UNDECIDED))
    assert churn_settle_days(nothing_yet, made.notice) == 0
