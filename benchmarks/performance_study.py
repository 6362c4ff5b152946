"""Does shrinkage do what it says? Simulated companies whose owners' effects are known: coverage, error beside raw, false calls.

    python -m benchmarks.performance_study                    # 300 companies a setting, result to benchmarks/results/
    python -m benchmarks.performance_study --companies 50 --out performance-study.json

Owners have books of unequal size, some much harder than others; accounts change hands; expectations may be off in level, spread and by
renewal; outcomes of one family may go together. tests/calibration runs a part.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.risk.performance.attribution import Attributed
from unspun.risk.performance.judge import JudgedRenewals, compare_groups
from unspun.risk.performance.result import Comparison
from unspun.stats.estimate import Estimate
from unspun.stats.shrinkage import Membership

RESULTS = Path(__file__).resolve().parent / "results"
SEED = 20261123
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """One kind of company. Effects, hardness and what is off in expectations are in log odds."""

    name: str
    spread: float = 0.4  # standard deviation of owners' effects
    owners: int = 20
    renewals: int = 40  # an owner, on average
    churn: float = 0.1  # of a typical renewal
    unlike: float = 0.8  # standard deviation of renewals within a book
    hard: float = 0.5  # standard deviation of books
    nobody: float = 0.0  # share of owners with no effect at all
    changed: float = 0.2  # share of renewals held by two owners
    off: float = 0.0  # expectations all too low by
    slope: float = 1.0  # by which the expectations spread too much
    noise: float = 0.0  # standard deviation of what is wrong with each expectation
    family: float = 0.0  # standard deviation of what families of three renewals share


SETTINGS = (
    *(Setting(f"spread {spread}", spread=spread) for spread in (0.0, 0.2, 0.4, 0.7, 1.0)),
    Setting("half without effect", spread=0.6, nobody=0.5),
    Setting("many small books", owners=60, renewals=20),
    Setting("few owners", owners=6, renewals=60),
    Setting("three owners, large books", owners=3, renewals=400),
    Setting("rare churn", churn=0.03, renewals=120),
    Setting("half churn", churn=0.5),
    Setting("very hard books", hard=1.2),
    Setting("expectations too wide and off", hard=1.0, slope=1.5, off=0.4, noise=0.3),
    Setting("expectations too narrow", hard=1.0, slope=0.6),
    Setting("half of renewals change owner", changed=0.5),
    Setting("families", family=1.0),
    Setting("no effect, hard books, poor expectations", spread=0.0, hard=1.0, slope=1.5, noise=0.4),
    Setting("no effect, families", spread=0.0, family=1.0),
)


@dataclass(frozen=True)
class Company:
    """Renewals with their owners, the owners' true effects, how hard their books are, and the true risk under no owner in particular."""

    judged: JudgedRenewals
    attributed: Attributed
    effects: Floats
    hardness: Floats
    risk: Floats


def simulate(one: Setting, rng: np.random.Generator) -> Company:
    """One company of a setting."""
    weights = rng.lognormal(0, 0.6, one.owners)
    sizes = np.maximum(3, np.round(one.renewals * one.owners * weights / weights.sum())).astype(np.int64)
    owner = rng.permutation(np.repeat(np.arange(one.owners), sizes))
    n = len(owner)
    hardness = rng.normal(0, one.hard, one.owners)
    family = np.arange(n) // 3 if one.family else np.arange(n)
    odds = special.logit(one.churn) + hardness[owner] + rng.normal(0, one.unlike, n)
    effects = np.where(rng.random(one.owners) < one.nobody, 0.0, rng.normal(0, 1, one.owners) * one.spread)
    members = _members(owner, one, rng)
    shared = rng.normal(0, one.family, int(family.max()) + 1)[family]
    churned = rng.random(n) < special.expit(odds + members.of_groups(effects, n) + shared)
    given = special.expit(odds.mean() - one.off + one.slope * (odds - odds.mean()) + rng.normal(0, one.noise, n))
    day = np.zeros(n, np.int64)
    judged = JudgedRenewals(np.arange(n), np.arange(n), family, day, day + 365, day, day, given, churned, np.full(n, 1e4), day)
    attributed = Attributed(members, np.arange(n), tuple(f"owner {i:03}" for i in range(one.owners)), owner)
    return Company(judged, attributed, effects, hardness, special.expit(odds))


def _members(owner: NDArray[np.int64], one: Setting, rng: np.random.Generator) -> Membership:
    """Some renewals are shared with a second owner."""
    n, other = len(owner), rng.integers(0, one.owners, len(owner))
    both = (rng.random(n) < one.changed) & (other != owner)
    first = np.where(both, rng.uniform(0.1, 0.9, n), 1.0)
    unit, group = np.concatenate([np.arange(n), np.flatnonzero(both)]), np.concatenate([owner, other[both]])
    share = np.concatenate([first, 1 - first[both]])
    order = np.lexsort((group, unit))
    return Membership(unit[order], group[order], share[order], one.owners)


@dataclass
class Tally:
    """What came of the companies of a setting, by owner."""

    covered: list[Floats] = field(default_factory=list)
    width: list[Floats] = field(default_factory=list)
    called: list[Floats] = field(default_factory=list)
    nobody: list[Floats] = field(default_factory=list)
    raw_error: list[Floats] = field(default_factory=list)
    error: list[Floats] = field(default_factory=list)
    wrong_way: list[Floats] = field(default_factory=list)
    ranked: list[Floats] = field(default_factory=list)
    beside_hardness: list[float] = field(default_factory=list)
    chance: list[bool] = field(default_factory=list)
    outside: list[Floats] = field(default_factory=list)

    def add(self, company: Company, comparison: Comparison) -> None:
        """Compare what was estimated with the truth."""
        place = {one.name: i for i, one in enumerate(comparison.groups)}
        groups = [comparison.groups[place[name]] for name in company.attributed.names]
        members, n = company.attributed.members, len(company.judged)
        variance = company.risk * (1 - company.risk)
        told = members.of_units(variance)
        true = company.effects - told @ company.effects / told.sum()
        odds = [one.odds_ratio for one in groups]
        if not all(isinstance(one, Estimate) for one in odds):
            return
        low, point, high = (np.log([getattr(one, end) for one in odds]) for end in ("low", "point", "high"))
        called = np.array([one.verdict != "cannot tell" for one in groups])
        self.covered.append((low <= true) & (true <= high))
        self.width.append(high - low)
        self.called.append(called)
        self.nobody.append(called[company.effects == 0])
        self.wrong_way.append((np.sign(point) != np.sign(true))[called])
        rate = _rate(company, true)
        self.error.append(np.array([one.effect.point for one in groups if isinstance(one.effect, Estimate)]) - rate)
        self.raw_error.append(np.array([one.difference / one.renewals for one in groups]) - rate)
        self.beside_hardness.append(float(np.polyfit(company.hardness, point - true, 1)[0]) if n else 0.0)
        self.chance.append((comparison.differ_p or 0.0) <= 0.05)
        self.outside.append(np.array([not one.limits[0].low <= one.renewed <= one.limits[0].high for one in groups]))
        rank = true.argsort().argsort() + 1
        self.ranked.append(np.array([(one.rank_low or 0) <= r <= (one.rank_high or 0) for one, r in zip(groups, rank, strict=True)]))

    def summary(self) -> dict[str, float | int | None]:
        """The shares and errors of all companies."""
        return {
            "companies": len(self.covered),
            "covered": _mean(self.covered),
            "width_log_odds": _mean(self.width),
            "called_different": _mean(self.called),
            "owners_without_effect_called": _mean(self.nobody),
            "called_the_wrong_way": _mean(self.wrong_way),
            "companies_with_a_call": round(float(np.mean([bool(one.any()) for one in self.called])), 4),
            "groups_differ_at_5_percent": round(float(np.mean(self.chance)), 4),
            "outside_95_percent_funnel": _mean(self.outside),
            "error_raw": _root(self.raw_error),
            "error_shrunken": _root(self.error),
            "true_rank_within_interval": _mean(self.ranked),
            "bias_a_unit_of_hardness": round(float(np.mean(self.beside_hardness)), 4),
        }


def _rate(company: Company, true: Floats) -> Floats:
    """By how much more of each owner's renewals renew than without the owner's effect."""
    members = company.attributed.members
    odds = special.logit(company.risk)[members.unit]
    moved = special.expit(odds) - special.expit(odds + true[members.group])
    weight = np.bincount(members.group, weights=members.share, minlength=members.groups)
    return np.bincount(members.group, weights=members.share * moved, minlength=members.groups) / weight


def _mean(values: list[Floats]) -> float | None:
    joined = np.concatenate(values)
    return round(float(joined.mean()), 4) if len(joined) else None


def _root(values: list[Floats]) -> float:
    return round(float(np.sqrt(np.mean(np.concatenate(values) ** 2))), 5)


def study(one: Setting, companies: int, seed: int = SEED) -> dict[str, float | int | None]:
    """Many companies of a setting, compared and held against the truth."""
    rng, tally = np.random.default_rng(seed), Tally()
    for number in range(companies):
        company = simulate(one, rng)
        tally.add(company, compare_groups(company.judged, company.attributed, "owner", "owner", ("USD",), number).comparison)
    return tally.summary()


def main() -> None:
    """Run every setting and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--companies", type=int, default=300)
    parser.add_argument("--out", type=Path, default=RESULTS / f"performance-study-{datetime.now(UTC):%Y-%m-%d}.json")
    asked = parser.parse_args()
    started, cells = time.perf_counter(), []
    for one in SETTINGS:
        companies = asked.companies if one.owners > 6 else 2 * asked.companies
        cells.append({**asdict(one), **study(replace(one), companies)})
        print(cells[-1], flush=True)
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "unspun": version("unspun"),
    }
    seconds = round(time.perf_counter() - started, 1)
    asked.out.write_text(json.dumps({**about, "seed": SEED, "seconds": seconds, "settings": cells}, indent=1) + "\n")


if __name__ == "__main__":
    main()
