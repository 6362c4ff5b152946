"""Plausible renewal risk, for tests of what shows it. The numbers are invented; what must add up adds up."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from unspun.audit.result import Caution, ReliabilityBin
from unspun.reports.risk_claims import Earlier
from unspun.risk.result import (
    DUE_WITHIN_DAYS,
    CandidateRecord,
    CannotTell,
    CurvePoint,
    DueTotal,
    LeadCheck,
    ModelCheck,
    ModelRecord,
    ModelVerdict,
    PastRenewal,
    Reason,
    RenewalRisk,
    RenewalStatus,
    RiskCoverage,
    RiskResult,
    SimilarAccounts,
    TermRecord,
)
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

AS_OF = date(2026, 11, 1)
DELTA = "delta method on the logit, clustered by top parent"
WILSON = "Wilson interval"
METRICS = (
    ("logins_per_seat", "Logins a seat", "logins", 2.1, -1),
    ("login_fall", "Fall of logins in eight weeks", "%", 3.0, 1),
    ("champion_left", "Champion left", "flag", 0.0, 1),
    ("price_rise", "Price rise at the last renewal", "%", 4.0, 1),
    ("open_tickets", "Open tickets", "", 3.0, 1),
    ("depth", "Features in use", "features", 11.0, -1),
    ("tenure", "Tenure", "days", 840.0, -1),
    ("segment", "Segment", "", 0.0, 0),
)
NAMES = (
    "Kestrel Freight", "Harrow Insurance", "Solent <b>Diagnostics</b>", "=HYPERLINK(\"x\")", "Bluefin Robotics", "Ardent Schools Trust",
    "Fenwick & Lowe", "Ibex Energy", "Oakhurst Clinics", "Vantage Rail", "Wren Pharmacy", "Dunmore Hotels",
)  # fmt: skip
OWNERS = ("A. Osei", "M. Lindqvist", "R. Banerjee", "J. Park")
SEGMENTS = ("Enterprise", "Mid-market", "Small business")
LONG = "A very long account name of a public body that was merged of several others and kept all of their names, with limited liability"


def share(point: float, spread: float = 0.3, method: str = DELTA, n: int = 8140) -> Estimate:
    """A probability with an interval made on the logit."""
    z = math.log(point / (1 - point))
    low, high = (1 / (1 + math.exp(-(z + sign * 1.96 * spread))) for sign in (-1, 1))
    return Estimate(point, low, high, method, n)


def near(point: float, half: float, method: str = "clustered by top parent", n: int = 612) -> Estimate:
    return Estimate(point, point - half, point + half, method, n)


def renewal(place: int, seed: int = 5) -> RenewalRisk:
    """One open renewal with reasons; another `place`, another renewal."""
    rng = np.random.default_rng([seed, place])
    typical = float(rng.uniform(0.06, 0.16))
    reasons = [_reason(int(at), float(rng.normal(0.05, 0.07)), rng) for at in rng.choice(len(METRICS), int(rng.integers(0, 5)), False)]
    others = float(rng.normal(0.0, 0.01))
    churn = typical + sum(one.points for one in reasons) + others
    if not 0.01 < churn < 0.9:
        reasons, churn = [], typical + others
    rest = 1 - churn
    lead = int(rng.integers(3, 360))
    arr = float(rng.integers(12, 400)) * 1000
    p = share(churn, float(rng.uniform(0.2, 0.4)))
    return RenewalRisk(
        account=f"A{place:05d}",
        name=NAMES[place % len(NAMES)] if place < len(NAMES) else f"{NAMES[place % len(NAMES)]} {place}",
        due=AS_OF + timedelta(days=lead),
        lead_days=lead,
        arr=arr,
        currency="USD",
        segment=SEGMENTS[place % 3],
        owner=OWNERS[place % 4],
        term="year",
        status="open",
        probabilities={"churn": p, "contraction": share(rest * 0.1), "flat": share(rest * 0.7), "expansion": share(rest * 0.2)},
        expected_lost=Estimate(arr * p.point, arr * p.low, arr * p.high, DELTA, p.n),
        typical=typical,
        reasons=tuple(sorted(reasons, key=lambda one: -abs(one.points))),
        others=others,
        similar=similar(rng),
        coverage=RiskCoverage(6, 8, (("NPS", "fewer than 5 answers"), ("Seats", "not known")), (("Open tickets", 34),)),
    )


def _reason(at: int, points: float, rng: np.random.Generator) -> Reason:
    feature, label, unit, typical, way = METRICS[at]
    half = abs(points) * 0.7
    value = float(typical * (1 + way * math.copysign(rng.uniform(0.3, 0.9), points)) + (1 if unit == "flag" else 0))
    verb = "raises" if points > 0 else "lowers"
    said: float | str = "Small business" if feature == "segment" else value
    return Reason(
        feature=feature,
        label=label,
        value=said,
        typical=None if feature == "segment" else typical,
        unit=unit,
        points=points,
        low=points - half,
        high=points + half,
        log_odds=points * 9,
        sentence=f"{label}: {said}; {verb} the risk of churn by {abs(100 * points):.0f} points",
        metric=feature not in ("tenure", "segment"),
        stale_days=34 if feature == "open_tickets" else 0,
    )


def similar(rng: np.random.Generator) -> SimilarAccounts:
    words_of = rng.choice(("churn", "contraction", "flat", "expansion"), 50, p=(0.3, 0.1, 0.45, 0.15))
    past = tuple(
        PastRenewal(f"B{int(rng.integers(1, 9999)):04d}", date(2025, 1 + i % 12, 14), date(2024, 1 + i % 12, 1), str(word))
        for i, word in enumerate(words_of)
    )
    outcomes: dict[str, MaybeEstimate] = {
        word: wilson(sum(one.outcome == word for one in past), 50) for word in ("churn", "contraction", "flat", "expansion")
    }
    return SimilarAccounts(
        50, 44, "Mid-market", 60, 120, outcomes, past, "the 50 nearest in risk, of the segment, 60 to 120 days before due"
    )


def wilson(k: int, n: int, z: float = 1.959964) -> Estimate:
    middle, spread = (k + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return Estimate(k / n, max(0.0, middle - spread), min(1.0, middle + spread), WILSON, n)


def without(one: RenewalRisk, status: RenewalStatus = "open", code: CannotTell = "", why: str = "") -> RenewalRisk:
    """The same renewal with nothing told."""
    none = NoEstimate(why or "notice was given", "" if status == "notice given" else "a metric with a value")
    return replace(
        one,
        status=status,
        probabilities=dict.fromkeys(one.probabilities, none),
        expected_lost=none,
        typical=None,
        reasons=(),
        others=0.0,
        similar=NoEstimate("there is no probability to be like"),
        cannot_tell=code,
        why=why or "Notice was given on 3 Oct 2026.",
    )


def check(verdict: ModelVerdict = "calibrated") -> ModelCheck:
    slope = {"calibrated": near(0.97, 0.16), "not calibrated": near(0.41, 0.2), "cannot tell": NoEstimate("11 churned, 20 are needed")}
    known = verdict != "cannot tell"
    bins = tuple(
        ReliabilityBin(p, wilson(round(q * 300), 300)) for p, q in ((0.03, 0.03), (0.07, 0.06), (0.12, 0.14), (0.2, 0.19), (0.42, 0.4))
    )
    return ModelCheck(
        first_as_of=date(2025, 9, 1),
        last_as_of=date(2026, 9, 1),
        n=6150,
        n_renewals=612,
        n_churned=74 if known else 11,
        n_churned_clusters=70 if known else 10,
        n_train_churned=140,
        settle_days=21,
        n_undecided=4,
        slope=slope[verdict],
        intercept=near(-0.05, 0.2) if known else slope[verdict],
        expected_over_observed=near(1.04, 0.2) if known else slope[verdict],
        auc=near(0.71, 0.05) if known else slope[verdict],
        brier=near(0.091, 0.012) if known else slope[verdict],
        log_loss=near(0.812, 0.05) if known else slope[verdict],
        churn_log_loss=near(0.31, 0.03) if known else slope[verdict],
        base_log_loss=near(0.861, 0.05) if known else slope[verdict],
        by_lead=tuple(_lead(low, high, known) for low, high in ((0, 30), (30, 60), (60, 90), (90, 180), (180, 365))),
        bins=bins if known else (),
        verdict=verdict,
        why={"calibrated": "its slope's interval holds 1", "not calibrated": "its slope's interval does not hold 1"}.get(
            verdict, "11 renewals churned in the test, and 20 clusters are needed"
        ),
    )


def _lead(low: int, high: int, known: bool) -> LeadCheck:
    none = NoEstimate("too few churned at this lead")
    told = known and low < 180
    return LeadCheck(
        low,
        high,
        1200,
        70,
        0.12,
        wilson(140, 1200),
        near(1.03, 0.2) if told else none,
        near(0.74 - low / 1000, 0.06) if told else none,
        near(0.98, 0.2) if told else none,
        "calibrated" if told else "cannot tell",
    )


def model(verdict: ModelVerdict = "calibrated") -> ModelRecord:
    names = (("base rate", 0.861), ("baseline", 0.848), ("linear", 0.822), ("splines", 0.815), ("boosting", 0.812))
    told = {
        "base rate": "periods, lead and term length",
        "baseline": "and what is given: ARR, tenure, segment, last outcome",
        "linear": "and every metric, linear",
        "splines": "and every metric, as a smooth curve",
        "boosting": "gradient boosting, monotone where a direction is declared",
    }
    return ModelRecord(
        version="9",
        fitted_as_of=AS_OF,
        chosen="splines",
        why="the simplest whose log loss is within one standard error of the best",
        candidates=tuple(
            CandidateRecord(
                name,
                told[name],
                near(loss, 0.04, n=5210),
                NoEstimate("it is the best") if name == "boosting" else near(loss - 0.812, 0.009, "paired, clustered by top parent", 5210),
                None if name == "boosting" else 0.0046,
                near(loss * 0.42, 0.03, n=5210),
                name == "splines",
            )
            for name, loss in names
        ),
        origins=(date(2024, 9, 1), date(2025, 1, 1), date(2025, 5, 1)),
        check=check(verdict),
        terms=tuple(_term(at) for at in range(len(METRICS))),
        left_out=(("NPS <i>", "fewer than 30 churned renewals have a value"), ("Tier", "it is a text")),
        n=8140,
        n_renewals=1411,
        n_churned=214,
    )


def _term(at: int) -> TermRecord:
    feature, label, unit, typical, way = METRICS[at]
    if feature == "segment":
        points = tuple(
            CurvePoint(name, z, z - 0.3, z + 0.3) for name, z in (("Enterprise", -0.2), ("Mid-market", 0.05), ("Small business", 0.31))
        )
    else:
        grid = np.linspace(0, 2.5 * (typical or 1.0), 40)
        curve = way * 0.9 * np.tanh(1.4 * (grid / (typical or 1.0) - 1))
        points = tuple(
            CurvePoint(float(x), float(z), float(z - 0.25 - 0.1 * abs(z)), float(z + 0.25 + 0.1 * abs(z)))
            for x, z in zip(grid, curve, strict=True)
        )
    return TermRecord(
        feature, label, unit, feature not in ("tenure", "segment"), 1.0 + at * 0.4, (0.0002, 0.02, 0.4)[at % 3], at % 3 < 2, points
    )


def due(renewals: list[RenewalRisk]) -> tuple[DueTotal, ...]:
    """The totals of the renewals, by days and currency."""
    currencies = sorted({one.currency or "" for one in renewals})
    return tuple(_total(days, currency or None, renewals) for currency in currencies for days in DUE_WITHIN_DAYS)


def _total(days: int, currency: str | None, renewals: list[RenewalRisk]) -> DueTotal:
    held = [one for one in renewals if one.lead_days <= days and one.currency == currency]
    told = [one.expected_lost for one in held if isinstance(one.expected_lost, Estimate)]
    point, low, high = (sum(getattr(one, end) for one in told) for end in ("point", "low", "high"))
    dark, left = [one for one in held if one.cannot_tell], [one for one in held if one.status == "notice given"]
    return DueTotal(
        within_days=days,
        currency=currency,
        n=len(held),
        n_without_arr=sum(one.arr is None for one in held),
        arr=sum(one.arr or 0.0 for one in held),
        expected_lost=Estimate(point, (point + low) / 2, (point + high) / 2, DELTA, len(told)) if told else NoEstimate("nothing is told"),
        n_cannot_tell=len(dark),
        arr_cannot_tell=sum(one.arr or 0.0 for one in dark),
        n_notice=len(left),
        arr_notice=sum(one.arr or 0.0 for one in left),
    )


def result(renewals: list[RenewalRisk], made: ModelRecord | NoEstimate, cautions: tuple[Caution, ...] = ()) -> RiskResult:
    def key(one: RenewalRisk) -> tuple[float, str]:
        return (-one.expected_lost.point if isinstance(one.expected_lost, Estimate) else 0.0), one.account

    return RiskResult(AS_OF, tuple(sorted(renewals, key=key)), made, due(renewals), cautions, "0.0.test")


def few() -> RiskResult:
    """Twelve renewals of every kind: told, untold, notice given, overdue, without ARR, in another currency."""
    found = [renewal(place) for place in range(12)]
    found[1] = without(found[1], "notice given")
    found[3] = replace(found[3], lead_days=-12, due=AS_OF - timedelta(days=12), status="overdue")
    found[5] = replace(found[5], currency="EUR")
    found[6] = replace(found[6], name=LONG, segment=None, owner=None)
    found[7] = without(found[7], code="nothing_known", why="No metric has a value: tracking began 9 days ago.")
    found[8] = replace(found[8], arr=None, expected_lost=NoEstimate("no ARR is known"), currency=None)
    found[9] = without(found[9], code="too_wide", why="The interval of P(churn) is 0.1 to 0.7.")
    return result(
        found, model(), (Caution("stale", "Tracking was down from 3 Sep to 7 Oct 2026: older values are used and marked.", True),)
    )


def many(n: int = 20_000) -> RiskResult:
    """So many open renewals; 1 in 40 cannot be told."""
    found = [renewal(place) for place in range(n)]
    found[::40] = [without(one, code="nothing_known", why="No metric has a value.") for one in found[::40]]
    return result(found, model())


def hollow() -> RiskResult:
    """No model could be fitted: nothing is told of anything."""
    why = NoEstimate("9 renewals churned before 1 Nov 2026, and 30 are needed", "21 more churned renewals")
    return result([without(renewal(place), code="model_cannot", why="No model could be fitted.") for place in range(3)], why)


def uncalibrated() -> RiskResult:
    """A model whose risks did not come true."""
    told = [without(renewal(place), code="model_cannot", why="The model's risks did not come true as said.") for place in range(4)]
    return result(told, model("not calibrated"))


def empty() -> RiskResult:
    return result([], model("cannot tell"))


def earlier(of: RiskResult) -> Earlier:
    """A run before: three quarters of the renewals with other probabilities."""
    churn = {
        (one.account, one.due): share(one.churn.point * 0.6, 0.3) if isinstance(one.churn, Estimate) else NoEstimate("not told")
        for place, one in enumerate(of.renewals)
        if place % 4
    }
    return Earlier(
        4, datetime(2026, 10, 9, 8, tzinfo=UTC), date(2026, 10, 1), churn, ("book version 6; then 4", "as of 1 Nov 2026; then 1 Oct 2026")
    )
