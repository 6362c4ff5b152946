"""Past renewals like one asked about: which they are, and what became of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.risk.made_months import SEGMENTS, MadeCompany, make_company
from unspun.risk.choose import judged
from unspun.risk.result import SimilarAccounts
from unspun.risk.rows import OUTCOMES4, RiskRows
from unspun.risk.similar import FEWEST_IN_SEGMENT, LEAD_EDGES_DAYS, NEAREST, SimilarPast
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.proportion import wilson


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(seed=7, accounts=500)


@pytest.fixture(scope="module")
def past(company: MadeCompany) -> RiskRows:
    return company.rows.take(judged(company.rows, company.cutoff))


@pytest.fixture(scope="module")
def risk(past: RiskRows) -> np.ndarray:
    return np.random.default_rng(0).normal(size=len(past))


def segments(rows: RiskRows) -> list[str | None]:
    return [SEGMENTS[int(code)] for code in rows.columns["given/segment"]]


@pytest.mark.parametrize(("lead", "segment", "at"), [(100, "Large", 0.3), (20, "Small", -1.0), (250, "Large", 9.0)])
def test_they_are_the_nearest_in_risk_each_renewal_once(
    company: MadeCompany, past: RiskRows, risk: np.ndarray, lead: int, segment: str, at: float
) -> None:
    found = SimilarPast(past, risk, segments(past), company.accounts).of(lead, segment, at)
    assert isinstance(found, SimilarAccounts)
    span = np.searchsorted(LEAD_EDGES_DAYS, lead)
    like = [i for i, own in enumerate(segments(past)) if own == segment and np.searchsorted(LEAD_EDGES_DAYS, past.lead[i]) == span]
    latest: dict[int, int] = {}
    for i in sorted(like, key=lambda i: int(past.as_of[i])):
        latest[int(past.renewal[i])] = i
    nearest = sorted(latest.values(), key=lambda i: abs(risk[i] - at))[:NEAREST]
    expected = {(company.accounts[past.account[i]], int(past.as_of[i])) for i in nearest}
    assert {(one.account, int(np.datetime64(one.as_of, "D").astype(int))) for one in found.renewals} == expected
    assert (found.n, found.segment) == (NEAREST, segment)
    shares = [np.mean([past.outcome[i] == place for i in nearest]) for place in range(len(OUTCOMES4))]
    for name, share in zip(OUTCOMES4, shares, strict=True):
        shown = found.outcomes[name]
        assert isinstance(shown, Estimate) and shown.point == pytest.approx(share)
        if 0 < share < 1 and found.n_accounts == found.n:
            assert (shown.low, shown.high) == pytest.approx(wilson(float(share), found.n))


def test_a_segment_with_too_few_is_answered_by_all_segments(company: MadeCompany, past: RiskRows, risk: np.ndarray) -> None:
    rare = ["Rare" if i < FEWEST_IN_SEGMENT - 1 else own for i, own in enumerate(segments(past))]
    found = SimilarPast(past, risk, rare, company.accounts).of(100, "Rare", 0.0)
    assert isinstance(found, SimilarAccounts) and found.segment is None and "all segments" in found.told
    unknown = SimilarPast(past, risk, rare, company.accounts).of(100, "Never seen", 0.0)
    assert isinstance(unknown, SimilarAccounts) and unknown.segment is None


def test_without_thirty_at_a_like_lead_there_is_no_answer(company: MadeCompany, past: RiskRows, risk: np.ndarray) -> None:
    assert isinstance(SimilarPast(past, risk, segments(past), company.accounts).of(700, "Large", 0.0), NoEstimate)
