"""Renewals as they are kept in the read model, made judged renewals again, so that they are told in the same words as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from unspun.app.portfolio.account import estimate_of
from unspun.risk.result import PastRenewal, Reason, RenewalRisk, RiskCoverage, SimilarAccounts
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import NoEstimate


def renewal_of(held: Mapping[str, Any], account: str, name: str, segment: str | None, owner: str | None) -> RenewalRisk:
    """A renewal of `AccountDetail.renewals`."""
    return RenewalRisk(
        account=account,
        name=name,
        due=date.fromisoformat(held["due"]),
        lead_days=held["lead_days"],
        arr=held["arr"],
        currency=held["currency"],
        segment=segment,
        owner=owner,
        term=held["term"],
        status=held["status"],
        probabilities={name: estimate_of(held["probabilities"][name]) for name in OUTCOMES4},
        expected_lost=estimate_of(held["expected_lost"]),
        typical=held["typical"],
        reasons=tuple(Reason(**one) for one in held["reasons"]),
        others=held["others"],
        similar=_similar(held["similar"]),
        coverage=RiskCoverage(
            held["coverage"]["with_value"], held["coverage"]["of"], _pairs(held["coverage"]["missing"]), _pairs(held["coverage"]["stale"])
        ),
        cannot_tell=held["cannot_tell"],
        why=held["why"],
    )


def _pairs(held: Any) -> tuple[Any, ...]:
    return tuple((first, second) for first, second in held)


def _similar(held: Mapping[str, Any]) -> SimilarAccounts | NoEstimate:
    if "reason" in held:
        return NoEstimate(held["reason"], held["what_it_would_take"])
    past = tuple(
        PastRenewal(account, date.fromisoformat(due), date.fromisoformat(day), outcome) for account, due, day, outcome in held["renewals"]
    )
    outcomes = {name: estimate_of(value) for name, value in held["outcomes"].items()}
    return SimilarAccounts(
        held["n"],
        held["n_accounts"],
        held.get("segment"),
        held.get("lead_low_days", 0),
        held.get("lead_high_days", 0),
        outcomes,
        past,
        held["told"],
    )
