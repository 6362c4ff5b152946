"""Plausible evidence, for tests of what shows it. The numbers are invented; their shapes are the protocol's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import squareform

from tests.unit.reports import sample
from unspun.audit.evidence_result import (
    Coverage,
    EvidenceResult,
    Join,
    Redundancy,
    RedundantGroup,
    Shape,
    ShapeBin,
    ShapeCut,
    Subject,
    SubjectEvidence,
    SubjectKind,
)
from unspun.audit.result import VERDICTS, Caution, Needed, ScoreResult, Verdict
from unspun.reports.evidence_claims import Change, Side, Since
from unspun.stats.estimate import NoEstimate
from unspun.stats.shape import ShapeKind

REASONS = (("the account was not there yet", 61), ("tracking was down", 36), ("no seats are known", 4))
DEFINITION = "logins_28d:\n  description: How often anybody logged in.\n  count: events\n  where: {event: login}\n  window: 28d\n"
NEEDED = Needed("Does it rank better than a coin?", 140, 17.0, "About 140 more churned renewals, some 17 months at the present rate.")
FEW: tuple[tuple[str, SubjectKind, Verdict, float, ShapeKind], ...] = (
    ("metric/logins_28d", "metric", "foretells", 0.09, "falling"),
    ("metric/sessions_28d", "metric", "foretells, gain unproven", 0.08, "falling"),
    ("metric/open_tickets", "metric", "foretells", 0.06, "threshold"),
    ("metric/days_since_login", "metric", "foretells, gain unproven", 0.07, "rising"),
    ("metric/seats", "metric", "no evidence", -0.11, "flat"),
    ("metric/onboarding_days", "metric", "reversed", -0.2, "U"),
    ("score/customer engagement", "score", "foretells, adds nothing", 0.0, "inverted U"),
    ("health/health", "health score", "leaks", 0.3, "falling"),
    ("survey/NPS <b>2026</b>", "survey", "cannot tell", 0.0, "cannot tell"),
    ("forecast/CSM call", "forecast", "cannot tell", 0.02, "cannot tell"),
)


def few() -> EvidenceResult:
    """Ten subjects of every kind, with every verdict; three say the same."""
    subjects = [(subject(key, kind), sample_score(key, verdict, shift), shape(form)) for key, kind, verdict, shift, form in FEW]
    rho = np.full((len(FEW), len(FEW)), 0.12)
    np.fill_diagonal(rho, 1.0)
    for i, j, value in ((0, 1, 0.93), (0, 3, -0.88), (1, 3, -0.85), (2, 5, 0.41), (6, 7, 0.66)):
        rho[i, j] = rho[j, i] = value
    rho[8, :8] = rho[:8, 8] = np.nan
    return evidence(subjects, rho)


def many(n: int = 200, seed: int = 7) -> EvidenceResult:
    """So many metrics, in families that say the same thing more or less."""
    rng = np.random.default_rng(seed)
    families = rng.integers(0, max(1, n // 6), n)
    loading = rng.beta(6, 1.5, n) * rng.choice([1, -1], n, p=[0.85, 0.15])
    values = loading[:, None] * rng.normal(size=(n, 900))[families] + np.sqrt(1 - loading**2)[:, None] * rng.normal(size=(n, 900))
    verdicts = rng.choice(len(VERDICTS), n, p=[0.06, 0.1, 0.1, 0.45, 0.04, 0.01, 0.24])
    kinds: tuple[ShapeKind, ...] = ("falling", "flat", "threshold", "cannot tell")
    made = [
        (
            subject(f"metric/{'abcdefghij'[families[i] % 10]}_family_{families[i]}_reading_{i}", "metric"),
            sample_score(f"m{i}", VERDICTS[verdicts[i]], float(rng.normal(0, 0.05)), details=False),
            shape(kinds[i % 4]) if i % 5 else NoEstimate("it has one value only"),
        )
        for i in range(n)
    ]
    return evidence(made, np.asarray(np.corrcoef(values), dtype=np.float64))


def hollow() -> EvidenceResult:
    """Two subjects of whom nothing could be estimated."""
    blank = sample.blank_score()
    made = [(subject(key, "metric"), replace(blank, name=key), sample.NOTHING) for key in ("metric/a", "metric/b")]
    found = evidence(made, np.eye(2))
    empty = Coverage(600, 0, 0, 11, (("nothing was recorded", 600),))
    subjects = tuple(replace(one, coverage=empty, stability=sample.NOTHING, group=None) for one in found.subjects)
    return replace(found, subjects=subjects, redundancy=NoEstimate("too few units have both", "50 units that have two of them"))


def one() -> EvidenceResult:
    """A single subject."""
    key, kind, verdict, shift, form = FEW[2]
    return evidence([(subject(key, kind), sample_score(key, verdict, shift), shape(form))], np.eye(1))


def since() -> Since:
    """A metric whose verdict is another, one on other figures, one on nearly the same, one new and one gone."""
    low, high = sample.estimate(0.58, 0.52, 0.64), sample.estimate(0.71, 0.66, 0.76)
    gain = sample.estimate(0.031, 0.011, 0.052)
    moved, nearly = sample.estimate(0.576, 0.516, 0.636), sample.estimate(0.7101, 0.6601, 0.7601)
    changes = (
        Change(
            "metric/logins_28d",
            "changed",
            Side("cannot tell", low, sample.NOTHING),
            Side("foretells", high, gain),
            ("+0.090 AUC from data: 412 renewals were decided since", "+0.040 AUC from its definition: window 14d became 28d"),
        ),
        Change("metric/seats", "changed", Side("no evidence", low, gain), Side("no evidence", moved, gain), ("-0.004 AUC from data",)),
        Change(
            "metric/sessions_28d", "changed", Side("foretells", high, gain), Side("foretells", nearly, gain), ("Unspun 0.2.0; then 0.1.0",)
        ),
        Change(
            "forecast/CSM call", "added", None, Side("cannot tell", sample.NOTHING, sample.NOTHING), ("put on trial for the first time",)
        ),
        Change("metric/old <i>", "removed", Side("no evidence", low, gain), None, ("no longer in metrics.yml",)),
        Change("metric/open_tickets", "same", Side("foretells", high, gain), Side("foretells", high, gain), ()),
    )
    return Since(17, "Since entry 17 of 1 Sep 2026: book version 4 is now 6, as of 31 Oct 2026 instead of 31 Aug 2026", changes)


def subject(key: str, kind: SubjectKind) -> Subject:
    name = key.partition("/")[2]
    return Subject(
        key,
        kind,
        name.replace("_", " "),
        "logins" if "logins" in key else "",
        DEFINITION if kind == "metric" else "",
        kind != "metric" or "seats" not in key,
    )


def sample_score(key: str, verdict: Verdict, shift: float, details: bool = True) -> ScoreResult:
    """A score whose AUC is moved by so much."""
    made = sample.score(key, verdict)
    gain = (round(shift / 3, 4), round(shift / 3 - 0.013, 4), round(shift / 3 + 0.013, 4))
    said = (Caution("direction_not_declared", "No direction is declared: it was read as higher is healthier."),) if "seats" in key else ()
    made = replace(
        made,
        horizons=tuple(sample.horizon(days, shift, gain) for days in (30, 60, 90, 180)),
        rejected_at_fdr=verdict == "foretells",
        cautions=(*made.cautions, *said),
    )
    if verdict == "cannot tell":
        blank = sample.blank_score(key)
        return replace(blank, needed=replace(NEEDED, more_churned=NEEDED.more_churned + len(key)))
    return made if details else replace(made, description=NoEstimate("details were not asked for"), horizons=made.horizons[2:3])


def shape(kind: ShapeKind) -> Shape:
    rates = {
        "falling": (0.24, 0.19, 0.15, 0.12, 0.08, 0.05), "rising": (0.05, 0.08, 0.12, 0.15, 0.19, 0.24),
        "threshold": (0.08, 0.07, 0.09, 0.08, 0.22, 0.21), "U": (0.2, 0.12, 0.07, 0.08, 0.13, 0.22),
        "inverted U": (0.07, 0.11, 0.19, 0.2, 0.12, 0.08), "flat": (0.12, 0.11, 0.13, 0.12, 0.11, 0.12),
        "cannot tell": (0.14, 0.1, 0.16, 0.09, 0.12, 0.13),
    }[kind]  # fmt: skip
    edges = ((0, 0), (1, 3), (4, 11), (12, 47), (48, 208), (210, 15_400))
    bins = tuple(
        ShapeBin(low, high, 280, round(280 * rate), sample.estimate(rate, rate * 0.7, rate * 1.4, 280, sample.WILSON))
        for (low, high), rate in zip(edges, rates, strict=True)
    )
    cut = ShapeCut(208, 210, 48, 320, bins[3].rate, bins[4].rate) if kind == "threshold" else None
    said = "Up to 208 some 8 % churned, from 210 on 22 %: churn steps up once and is level before and after."
    return Shape(
        kind=kind,
        rises={"falling": False, "rising": True, "threshold": True}.get(kind),
        sentence=said
        if cut
        else f"Churn is {kind} along the value, from {rates[0]:.0%} in the lowest group to {rates[-1]:.0%} in the highest.",
        support=0.83,
        bins=bins,
        cut=cut,
        p_flat=0.0004,
        p_monotone=0.41,
        p_turns=0.22,
        n=1680,
        n_churned=207,
        method="rates by group of values with clustered covariance; kinds weighed by draws from their sampling distribution",
    )


def evidence(made: Sequence[tuple[Subject, ScoreResult, Shape | NoEstimate]], rho: NDArray[np.float64]) -> EvidenceResult:
    """A whole result, its tree by average linkage on 1 - |rho|, cut at 0.2."""
    n = len(made)
    far = 1 - np.abs(np.nan_to_num(rho))
    np.fill_diagonal(far, 0.0)
    tree = linkage(squareform(far, checks=False), "average") if n > 1 else np.empty((0, 4))
    order = leaves_list(tree).tolist() if n > 1 else [0]
    label = fcluster(tree, 0.2, "distance") if n > 1 else np.array([1])
    keys = [one.key for one, _, _ in made]
    groups = []
    for number in dict.fromkeys(label[order].tolist()):
        held = [i for i in order if label[i] == number]
        if len(held) > 1:
            inside = np.abs(rho[np.ix_(held, held)])
            groups.append(
                RedundantGroup(tuple(keys[i] for i in held), keys[min(held)], "it gains most over the baseline", float(inside.min()))
            )
    redundancy = Redundancy(
        order=tuple(keys[i] for i in order),
        groups=tuple(groups),
        rho=tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in rho),
        joins=tuple(_joins(tree, order)),
        n=1781,
        fewest_in_common=412,
        method="Spearman's rank correlation in pairs; average linkage on 1 - |rho|, cut at 0.2",
    )
    of = {key: at for at, group in enumerate(groups) for key in group.keys}
    coverage = Coverage(1781, 1680, 207, 21, REASONS)
    stability = sample.description().stability
    subjects = tuple(SubjectEvidence(subject, coverage, form, stability, of.get(subject.key)) for subject, _, form in made)
    audit = replace(sample.result(*(score for _, score, _ in made)), inputs=(), pairs=())
    return EvidenceResult(audit, subjects, redundancy)


def _joins(tree: NDArray[np.float64], order: list[int]) -> list[Join]:
    place = {leaf: at for at, leaf in enumerate(order)}
    spans = {leaf: (at, at) for leaf, at in place.items()}
    found = []
    for number, (left, right, height, _) in enumerate(tree, len(order)):
        a, b = spans[int(left)], spans[int(right)]
        spans[number] = (min(a[0], b[0]), max(a[1], b[1]))
        found.append(Join(*spans[number], float(height)))
    return found
