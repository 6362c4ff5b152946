"""Plausible results of an audit, for tests of what shows them. The numbers are invented; their shapes are the protocol's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from unspun.audit.result import (
    AuditResult,
    BandRow,
    Bands,
    Calibration,
    CapturedArr,
    Caution,
    Description,
    DesignReport,
    Fact,
    GroupRow,
    HorizonResult,
    InputReport,
    LeadPoint,
    LeadTime,
    LeakCheck,
    ListedUnit,
    Listing,
    Needed,
    ReliabilityBin,
    ScoreResult,
    SetAside,
    Split,
    Stability,
    TestResult,
    Verdict,
)
from unspun.stats.estimate import Estimate, NoEstimate

DELONG = "DeLong placement values summed by parent account, G/(G - 1), logit scale, t with 180 degrees of freedom"
BOOTSTRAP = "2,000 cluster bootstrap replicates, ranked again in each"
WILSON = "Wilson, with the design effect of parent accounts"
NOTHING = NoEstimate("3 churned accounts in the test, 20 are needed", "About 60 more churned renewals, or 14 months at the present rate")

NAMES = (
    ("Halden Logistics", "Enterprise", "Ada Lund", 612_000.0),
    ("Corvid Health", "Enterprise", "Ben Okafor", 488_500.0),
    ("Ostrava Foods", "Mid-market", "Ada Lund", 301_200.0),
    ("Pine & Vale", "Mid-market", "Chen Wei", 274_000.0),
    ("Meridian Parts", "Mid-market", "Dina Haddad", 221_900.0),
    ("Tallow Group", "Mid-market", "Ben Okafor", 187_400.0),
    ("Northlight Studios", "Small business", "Chen Wei", 96_300.0),
)


def estimate(point: float, low: float, high: float, n: int = 1684, method: str = DELONG) -> Estimate:
    return Estimate(point, low, high, method, n)


def horizon(days: int, shift: float = 0.0, gain: tuple[float, float, float] = (0.0061, -0.0074, 0.0183)) -> HorizonResult:
    """One horizon; `shift` moves the score's AUC."""
    auc = {30: 0.66, 60: 0.64, 90: 0.62, 180: 0.55}[days] + shift
    near = {30: (1741, 201), 60: (1712, 197), 90: (1684, 193), 180: (1377, 158)}[days]
    test = TestResult(
        n=near[0] + 162,
        n_churned=near[1] + 21,
        n_scored=near[0],
        n_scored_churned=near[1],
        n_churned_clusters=near[1] - 12,
        auc=estimate(auc, auc - 0.05, auc + 0.05, near[0]),
        auc_baseline=estimate(0.641, 0.592, 0.684, near[0]),
        auc_both=estimate(0.641 + gain[0], 0.60, 0.692, near[0]),
        gain=estimate(*gain, near[0]),
        gain_p=0.174,
        gain_log_loss=estimate(0.0012, -0.0009, 0.0033, near[0]),
        others=(("ARR alone", estimate(0.581, 0.532, 0.628, near[0])), ("usage trend", NoEstimate("no usage was given"))),
    )
    return HorizonResult(
        horizon_days=days,
        n=4391 - days,
        n_churned=527,
        n_scored=4012 - days,
        n_scored_churned=488,
        coverage=(4012 - days) / (4391 - days),
        not_applicable=days * 2,
        auc=estimate(auc + 0.01, auc - 0.02, auc + 0.04, 4012 - days),
        auc_contracted=estimate(0.548, 0.497, 0.598, 1490),
        auc_expanded=NoEstimate("no renewal expanded", "Amounts after the renewal"),
        split=Split(date(2025, 10, 1), 2398, 301, 147, near[0] + 162, near[1] + 21, 288, near[1] - 12),
        test=test,
        calibration=calibration(),
        captured_arr=captured_arr(),
        flow=(
            ("Used", 4655),
            ("Undecided, not yet due", -29),
            (f"Decided before due less {days} days", -235 - days),
            ("Training (301 churned)", -2398),
            ("Outcome not known at the split", -147),
            (f"Test ({near[1] + 21} churned)", near[0] + 162),
            ("No score by then: missing, not zero", -162),
            ("Scored", near[0]),
        ),
    )


def calibration() -> Calibration:
    pairs = ((0.041, 0.052), (0.062, 0.066), (0.079, 0.09), (0.096, 0.105), (0.114, 0.124), (0.138, 0.138), (0.179, 0.147), (0.268, 0.195))
    bins = tuple(ReliabilityBin(p, estimate(o, max(0.005, o - 0.045), o + 0.055, 210, WILSON)) for p, o in pairs)
    return Calibration(
        mapping="isotonic, fitted on 301 churned training units",
        n=1684,
        n_churned=193,
        slope=estimate(0.71, 0.45, 0.97),
        intercept=estimate(-0.06, -0.21, 0.08),
        expected_over_observed=estimate(1.06, 0.93, 1.22),
        brier=estimate(0.1003, 0.0891, 0.1114),
        brier_base_rate=estimate(0.1021, 0.0911, 0.1132),
        miscalibration=0.0014,
        discrimination=0.0032,
        uncertainty=0.1021,
        bins=bins,
    )


def captured_arr() -> CapturedArr:
    def at(k: int, rate: float) -> float:
        return 1 - (1 - rate) ** k

    curve = tuple((k, at(k, 0.0137), at(k, 0.0305), at(k, 0.0252), at(k, 0.0069)) for k in (0, 1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60))
    return CapturedArr(
        capacity=20,
        months=12,
        n_candidates=1846,
        churned_arr=8_412_300.0,
        currency="USD",
        score=estimate(at(20, 0.0137), 0.18, 0.31, 1846, BOOTSTRAP),
        score_times_arr=estimate(at(20, 0.0305), 0.38, 0.54, 1846, BOOTSTRAP),
        arr_alone=estimate(at(20, 0.0252), 0.33, 0.48, 1846, BOOTSTRAP),
        random=estimate(at(20, 0.0069), 0.09, 0.18, 1846, BOOTSTRAP),
        curve=curve,
    )


def description() -> Description:
    bands = Bands(
        "the file's own bands",
        (
            BandRow("red", 187, 39, estimate(0.209, 0.156, 0.273, 187, WILSON), estimate(0.202, 0.151, 0.264, 193, WILSON)),
            BandRow("yellow", 702, 93, estimate(0.132, 0.109, 0.16, 702, WILSON), estimate(0.482, 0.412, 0.552, 193, WILSON)),
            BandRow("green", 795, 61, estimate(0.077, 0.06, 0.097, 795, WILSON), estimate(0.316, 0.255, 0.385, 193, WILSON)),
        ),
    )
    shares = (
        (360, 0.09, 0.08),
        (270, 0.1, 0.085),
        (180, 0.12, 0.09),
        (120, 0.15, 0.095),
        (90, 0.202, 0.099),
        (60, 0.31, 0.1),
        (30, 0.44, 0.11),
        (7, 0.5, 0.11),
    )
    points = tuple(
        LeadPoint(
            days,
            1684,
            193,
            estimate(0.5 + churned / 3, 0.452 + churned / 3, 0.548 + churned / 3),
            estimate(churned, churned * 0.7, churned * 1.35, 193, WILSON),
            estimate(renewed, renewed * 0.85, renewed * 1.17, 1491, WILSON),
            estimate(68 - 40 * churned, 66 - 40 * churned, 70 - 40 * churned, 193, "mean; clustered, t"),
            estimate(70.5, 69.8, 71.2, 1491, "mean; clustered, t"),
        )
        for days, churned, renewed in shares
    )
    lead = LeadTime("the band red", points, 90, "The AUC interval stays above one half from 90 days before the due date on.")
    quarters = tuple(
        GroupRow(f"{year} Q{q}", 470, 54, estimate(a, a - 0.075, a + 0.073, 470), in_test)
        for year, q, a, in_test in (
            (2025, 1, 0.66, False), (2025, 2, 0.65, False), (2025, 3, 0.67, False), (2025, 4, 0.63, True),
            (2026, 1, 0.64, True), (2026, 2, 0.62, True), (2026, 3, 0.60, True),
        )
    )  # fmt: skip
    segments = (
        GroupRow("Enterprise", 412, 39, estimate(0.58, 0.49, 0.67, 412)),
        GroupRow("Mid-market", 703, 81, estimate(0.61, 0.54, 0.68, 703)),
        GroupRow("Small business", 569, 73, estimate(0.65, 0.58, 0.72, 569)),
    )
    owners = tuple(GroupRow(f"Owner {i}", 120 - i, 14 - i // 2, estimate(0.6, 0.5, 0.7, 120 - i)) for i in range(14))
    owners += (GroupRow("Dina Haddad", 41, 2, NoEstimate("2 churned, 5 are needed", "3 more churned renewals")),)
    stability = Stability(quarters, segments, owners, estimate(-0.0104, -0.0241, 0.0043), "Groups were not corrected for one another.")
    return Description(
        bands=bands,
        lead_time=lead,
        stability=stability,
        missed=Listing("churned, yet green when looked at", 61, 3_105_800.0, units("green", 86.0)),
        false_alarms=Listing("red when looked at, yet did not churn", 148, 9_410_250.5, units("red", 31.0)),
    )


def units(band: str, score: float) -> tuple[ListedUnit, ...]:
    due = date(2026, 8, 12)
    return tuple(
        ListedUnit(
            name,
            due - timedelta(days=9 * i),
            due - timedelta(days=9 * i + 90),
            score - i,
            band,
            amount,
            "USD",
            segment,
            owner,
            40 + i,
            history=tuple(
                (days, score - i + days / 90 - (12 if days < 60 else 0)) for days in range(360, 0, -30) if i != 3 or not 150 < days < 270
            ),
            baseline_risk=NOTHING if i == 4 else estimate(0.1 + i / 50, 0.05 + i / 60, 0.2 + i / 30, 982),
        )
        for i, (name, segment, owner, amount) in enumerate(NAMES)
    )


def facts() -> tuple[Fact, ...]:
    return (
        Fact(
            "AUC, test renewals",
            estimate(0.62, 0.57, 0.67),
            "auc",
            0.5,
            "Given one churned and one renewed account, it puts the churned one lower 62 times in 100. A coin does so 50 times.",
        ),
        Fact(
            "Gain over the baseline",
            estimate(0.0061, -0.0074, 0.0183),
            "gain",
            0.0,
            "Added to what the contract already says, it changes the ranking by less than 0.02 at either end.",
        ),
        Fact(
            "Churned ARR, at 20 a month",
            estimate(0.2411, 0.18, 0.31, 1846, BOOTSTRAP),
            "share",
            0.4,
            "Calling the 20 largest renewals each month, with no score at all, reaches 40 % (33 to 48).",
        ),
    )


def leak(leaks: bool = False) -> LeakCheck:
    if leaks:
        moved = (estimate(0.93, 0.9, 0.95), estimate(0.58, 0.53, 0.63), estimate(0.35, 0.29, 0.41))
        return LeakCheck(True, "", 141, 193, 22, 1491, 3.2e-41, *moved, True)
    still = (estimate(0.621, 0.571, 0.671), estimate(0.62, 0.57, 0.67), estimate(0.001, -0.003, 0.005))
    return LeakCheck(True, "", 2, 193, 9, 1491, 0.41, *still, False)


def score(name: str = "customer engagement score", verdict: Verdict = "foretells, adds nothing") -> ScoreResult:
    """One score with the estimates of a score that foretells and adds nothing, whatever its verdict is said to be."""
    return ScoreResult(
        name=name,
        kind="number",
        higher_is_healthier=True,
        verdict=verdict,
        verdict_why="AUC low 0.57 > 0.5 and gain high 0.018 < 0.02",
        sentence="The score does see churn coming, but it tells you nothing that contract age, size and segment had not told you already.",
        facts=facts(),
        cautions=(Caution("no_notice_dates", "No notice dates were given: 90 days of lead may be overstated."),),
        primary_horizon_days=90,
        horizons=(horizon(30), horizon(60), horizon(90), horizon(180)),
        leak=leak(verdict == "leaks"),
        needed=None,
        description=description(),
        rejected_at_fdr=None,
    )


def blank_score(name: str = "young score") -> ScoreResult:
    """A score about which nothing can be estimated."""
    test = TestResult(240, 4, 231, 3, 3, NOTHING, NOTHING, NOTHING, NOTHING, None, NOTHING, (("ARR alone", NOTHING),))
    blank = HorizonResult(
        90,
        600,
        11,
        571,
        10,
        571 / 600,
        12,
        NOTHING,
        NOTHING,
        NOTHING,
        NOTHING,
        test,
        NOTHING,
        NOTHING,
        (("Used", 655), ("Not yet due", -55)),
    )
    said = Caution("too_good", "It is far better in the past than such scores are. Check whether it was filled in afterwards.", True)
    return replace(
        score(name, "cannot tell"),
        verdict_why="3 churned accounts in the test, 20 are needed",
        sentence="It is too early to say whether this score foretells churn: only 3 churned accounts can be judged.",
        facts=tuple(replace(fact, value=NOTHING, text="") for fact in facts()),
        cautions=(said,),
        horizons=(blank,),
        leak=LeakCheck(False, "the scores have no recorded_at column", 0, 0, 0, 0, None, NOTHING, NOTHING, NOTHING, False),
        needed=Needed("Does it rank better than a coin?", 60, 14.0, "About 60 more churned renewals, some 14 months at the present rate."),
        description=NOTHING,
    )


def hollow_score(name: str = "hollow score") -> ScoreResult:
    """A described score none of whose parts could be estimated."""
    rows = (BandRow("red", 0, 0, NOTHING, NOTHING), BandRow("green", 571, 10, NOTHING, NOTHING))
    lead = LeadTime("the band red", (LeadPoint(90, 571, 10, NOTHING, NOTHING, NOTHING),), None, "No lead can be judged.")
    groups = (GroupRow("2026 Q1", 300, 5, NOTHING, False), GroupRow("2026 Q2", 271, 5, NOTHING, True))
    stability = Stability(groups, groups[:1], (), NOTHING, "")
    listing = Listing("churned, though green", 0, None, ())
    return replace(
        blank_score(name), description=Description(Bands("thirds of the training scores", rows), lead, stability, listing, listing)
    )


def _inputs() -> tuple[InputReport, ...]:
    return (
        InputReport(
            "scores",
            "health_scores.csv",
            "9be0" + "5d" * 28 + "7171",
            "CSV, UTF-8, comma",
            118_406,
            117_193,
            (
                SetAside("the same account and date again, with the same value", 702),
                SetAside("of an account without a renewal", 436),
                SetAside("the score is not a number", 75),
            ),
            (("account", "Account ID"), ("date", "as_of"), ("score", "engagement"), ("recorded_at", "recorded_at")),
            ("csm_note",),
            ("Dates are written year-month-day.", "Time zone: UTC."),
        ),
        InputReport(
            "renewals",
            "renewals.csv",
            "4c19" + "a3" * 28 + "e2e2",
            "CSV, UTF-8, comma",
            4_812,
            4_684,
            (SetAside("the outcome is blank", 61), SetAside("the same account and due date twice", 44), SetAside("a negative amount", 23)),
            (
                ("account", "account_id"),
                ("due", "due_date"),
                ("outcome", "status"),
                ("amount_before", "arr"),
                ("outcome_known_at", "decided_on"),
            ),
            (),
            (),
        ),
    )  # fmt: skip


def design(name: str = "renewal") -> DesignReport:
    return DesignReport(
        name="landmark" if name == "landmark" else "renewal",
        why="96 % of the terms last 180 days or more",
        as_of=date(2026, 10, 31),
        as_of_why="the last date in the files",
        primary_horizon_days=90,
        primary_why="90 days is the longest default horizon that fits at least 80 % of the terms",
        n_renewals=4_684,
        n_accounts=2_011,
        n_clusters=1_874,
        clustered_by="parent account",
        outcomes=(("renewed", 3_502), ("churned", 548), ("contracted", 214), ("expanded", 391), ("undecided", 29)),
        first_due=date(2024, 1, 4),
        last_due=date(2026, 9, 30),
        currency="USD",
        capacity=20,
        cautions=(Caution("snapshot_segment", "Segments are undated: used because they were declared fixed."),),
    )


def result(*scores: ScoreResult, design_name: str = "renewal") -> AuditResult:
    """An audit of these scores (of one, where none is given)."""
    judged = scores or (score(),)
    if len(judged) > 1:
        judged = tuple(replace(s, rejected_at_fdr=s.verdict == "foretells") for s in judged)
    return AuditResult(
        protocol_version="1",
        package_version="0.1.0",
        seed=20261031,
        settings=(("capacity", "20"), ("horizons", "30, 60, 90, 180"), ("design", "auto")),
        inputs=_inputs(),
        design=design(design_name),
        scores=judged,
        n_tested=len(judged),
        fdr_q=0.025,
    )


def one_score() -> AuditResult:
    return result()


def three_scores() -> AuditResult:
    good = replace(
        score("honest score", "foretells"),
        sentence="The score sees churn coming, and tells you what the contract does not.",
        horizons=tuple(horizon(days, 0.12, (0.081, 0.052, 0.109)) for days in (30, 60, 90, 180)),
        facts=(
            replace(facts()[0], value=estimate(0.74, 0.69, 0.79)),
            replace(facts()[1], value=estimate(0.081, 0.052, 0.109), text="Beyond what the contract says, it ranks better."),
            facts()[2],
        ),
    )
    leaking = replace(
        score("edited score", "leaks"),
        sentence="The score cannot be judged: it was edited after the outcome was known.",
        cautions=(Caution("too_good", "Its past is too good: 141 of 193 churned accounts were rescored after they had left.", True),),
    )
    return result(score("hand-weighted score"), good, leaking)


def nothing_estimated() -> AuditResult:
    return result(blank_score(), hollow_score())
