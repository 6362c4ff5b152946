"""Does the tracking check find outages, and does it leave customers who use less alone? Simulated companies, judged as the product judges.

python benchmarks/tracking_study.py --companies 500 --out benchmarks/results/tracking-study-YYYY-MM-DD.json
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tracking_companies import (
    DAYS,
    EVENTS,
    FIRST_DAY,
    LESS,
    REGIONS,
    Company,
    Ints,
    Outage,
    plan_outages,
    simulate_company,
    with_less_use,
    with_outages,
)

from unspun.book.tracking.judge import TrackingChange, judge_usage
from unspun.book.tracking.level import Levels, levels
from unspun.book.tracking.question import LARGEST, WATCHED
from unspun.book.tracking.usage import DailyUsage, Key, Watched, is_countable

ACCOUNTS = (20, 50, 200, 1000)
IN_TURN = (20, 50, 200, 20, 50, 200, 20, 50, 200, 1000)  # sizes of the companies: a large one in ten
DELAY_ACCOUNTS = 200  # the delay is looked at in companies of this size
DELAYS = (1, 2, 3, 5, 7, 10, 14, 21)
REGION = "accounts.region"


@dataclass(frozen=True, slots=True)
class Found:
    """What was said of one planted outage. `delay` are the days of data needed until it was said (0: not asked or never)."""

    accounts: int
    scope: str
    kept: float
    days: int
    said: str  # broke, usage fell, nothing
    first_error: int
    last_error: int
    where_right: bool
    delay: int


@dataclass(frozen=True, slots=True)
class CompanyResult:
    accounts: int
    found: tuple[Found, ...]
    false_alarms: int  # in two years without an outage
    retired: str  # what was said of an event retired for good: "" there was none
    beside: int  # findings beside those planted, in two years with five outages
    less: dict[str, tuple[int, int]]  # for each way to use less: called broken, told as usage that fell


def usage_of(counts: Ints, region: Ints) -> DailyUsage:
    """What the product's question would give for these counts."""
    by_event = counts.astype(np.float64)
    series: dict[Key, np.ndarray] = {Key(""): by_event.sum(axis=(0, 1))}
    series |= {Key(name): by_event[:, e].sum(axis=0) for e, name in enumerate(EVENTS)}
    for r, name in enumerate(REGIONS):
        inside = by_event[region == r]
        series[Key("", "", (REGION, name))] = inside.sum(axis=(0, 1))
        series |= {Key(event, "", (REGION, name)): inside[:, e].sum(axis=0) for e, event in enumerate(EVENTS)}
    keys = tuple(key for i, key in enumerate(series) if i == 0 or is_countable(series[key]))
    order = np.argsort(-by_event.sum(axis=(1, 2)), kind="stable")
    places = np.arange(len(order))
    looked_at = order[(places < LARGEST) | (places % max(1, -(-len(order) // WATCHED)) == 0)]
    single = {Key(""): by_event[looked_at].sum(axis=1)} | {Key(name): by_event[looked_at, e] for e, name in enumerate(EVENTS)}
    watched = Watched(np.arange(len(looked_at)), single, {REGION: tuple(REGIONS[r] for r in region[looked_at])}, len(order))
    return DailyUsage(keys, FIRST_DAY + np.arange(counts.shape[2]), np.array([series[key] for key in keys]), watched)


def study_company(seed: int, accounts: int) -> CompanyResult:
    rng = np.random.default_rng([seed, accounts])
    company = simulate_company(rng, accounts)
    outages = plan_outages(rng, company)
    firsts = rng.integers(200, 560, len(LESS)).tolist()
    made = [company.counts, with_outages(rng, company, outages)]
    made += [with_less_use(rng, company, kind, first) for kind, first in zip(LESS, firsts, strict=True)]
    usages = [usage_of(counts, company.region) for counts in made]
    known = levels_of(usages)
    calm, judged, *lesser = [judge_usage(usage, found) for usage, found in zip(usages, known, strict=True)]
    less: dict[str, tuple[int, int]] = {}
    for kind, first, said in zip(LESS, firsts, lesser, strict=True):
        near = [one for one in said if first - 7 <= one.first_day - FIRST_DAY <= first + 70 and not _is_retirement(company, one)]
        less[kind] = (sum(one.is_broken for one in near), sum(not one.is_broken for one in near))
    return CompanyResult(
        accounts,
        tuple(_said(usages[1], known[1], accounts, one, judged) for one in outages),
        sum(one.is_broken and not _is_retirement(company, one) for one in calm),
        "" if company.retired < 0 else "stopped" if any(_is_retirement(company, one) for one in calm) else "nothing",
        sum(one.is_broken and not _is_retirement(company, one) and not any(_same(one, o) for o in outages) for one in judged),
        less,
    )


def levels_of(usages: list[DailyUsage]) -> list[Levels]:
    """The levels of each, worked out in one go."""
    found = levels(np.concatenate([usage.counts for usage in usages]), FIRST_DAY)
    edges = np.cumsum([0, *(len(usage.counts) for usage in usages)])
    parts = (found.expected, found.change, found.sd, found.level, found.shape)
    return [Levels(*(part[start:end] for part in parts)) for start, end in pairwise(edges)]


def _is_retirement(company: Company, one: TrackingChange) -> bool:
    named = company.retired >= 0 and one.key.event == EVENTS[company.retired]
    return named and one.kind == "stopped" and abs(one.first_day - FIRST_DAY - company.retired_on - 1) <= 2


def _said(usage: DailyUsage, known: Levels, accounts: int, outage: Outage, judged: Iterable[TrackingChange]) -> Found:
    hits = sorted((one for one in judged if _same(one, outage)), key=lambda one: (not one.is_broken, not _is_where(one, outage)))
    delay = _delay(usage, known, outage) if outage.days >= 7 and hits and accounts == DELAY_ACCOUNTS else 0
    if not hits:
        return Found(accounts, outage.scope, outage.kept, outage.days, "nothing", 0, 0, False, delay)
    best = hits[0]
    last = DAYS if best.last_day is None else best.last_day - FIRST_DAY
    errors = best.first_day - FIRST_DAY - outage.first, last - outage.last
    said = "broke" if best.is_broken else "usage fell"
    return Found(accounts, outage.scope, outage.kept, outage.days, said, *errors, _is_where(best, outage), delay)


def _delay(usage: DailyUsage, known: Levels, outage: Outage) -> int:
    """Days of the outage that must have been seen until it is said, with nothing known of later days; 0 where it is not said within it."""
    for days in (d for d in DELAYS if d <= outage.days):
        cut = outage.first + days
        all_days = usage.watched
        watched = Watched(all_days.places, {k: v[:, :cut] for k, v in all_days.counts.items()}, all_days.values, all_days.accounts)
        until = DailyUsage(usage.keys, usage.days[:cut], usage.counts[:, :cut], watched)
        parts = (known.expected, known.change, known.sd, known.level, known.shape)
        if any(one.is_broken and _same(one, outage) for one in judge_usage(until, Levels(*(part[:, :cut] for part in parts)))):
            return days
    return 0


def _same(one: TrackingChange, outage: Outage) -> bool:
    """Whether a finding speaks of an outage: shared days, the same direction, and an event and region that are not others."""
    first, last = one.first_day - FIRST_DAY, DAYS if one.last_day is None else one.last_day - FIRST_DAY
    if first > outage.last or last < outage.first or (one.kind == "rose") != (outage.kept > 1):
        return False
    if outage.scope == "one event":
        return one.key.event in ("", EVENTS[outage.target])
    return outage.scope == "all events" or not one.key.where or one.key.where[1] == REGIONS[outage.target]


def _is_where(one: TrackingChange, outage: Outage) -> bool:
    """Whether it names just what broke."""
    where = (REGION, REGIONS[outage.target]) if outage.scope == "one region" else ()
    return one.key == Key(EVENTS[outage.target] if outage.scope == "one event" else "", "", where)


def summary(results: list[CompanyResult]) -> dict[str, object]:
    found = [one for result in results for one in result.found]
    return {
        "companies": len(results),
        "outages": len(found),
        "by_accounts": {str(n): _of_accounts([r for r in results if r.accounts == n]) for n in ACCOUNTS},
        "found_share": _shares(found, lambda o: (o.accounts, o.scope, o.kept, o.days)),
        "found_by_size_and_length": _shares([o for o in found if o.accounts >= 200], lambda o: (o.scope, o.kept, o.days)),
        "found_by_accounts_and_size": _shares([o for o in found if o.days >= 3], lambda o: (o.accounts, o.scope, o.kept)),
        "delay_days": _delays(found),
    }


def _of_accounts(results: list[CompanyResult]) -> dict[str, object]:
    found = [one for result in results for one in result.found]
    said = [one for one in found if one.said == "broke"]
    retired = [result.retired for result in results if result.retired]
    return {
        "companies": len(results),
        "false_alarms_per_company_year": round(sum(r.false_alarms for r in results) / max(2 * len(results), 1), 4),
        "companies_with_false_alarm": sum(r.false_alarms > 0 for r in results),
        "findings_beside_per_company_year": round(sum(r.beside for r in results) / max(2 * len(results), 1), 4),
        "outages": len(found),
        "called_broke": len(said),
        "called_usage_fell": sum(one.said == "usage fell" for one in found),
        "place_named_exactly": sum(one.where_right for one in said),
        "first_day_exact": sum(one.first_error == 0 for one in said),
        "first_day_within_1": sum(abs(one.first_error) <= 1 for one in said),
        "last_day_exact": sum(one.last_error == 0 for one in said),
        "last_day_within_1": sum(abs(one.last_error) <= 1 for one in said),
        "retired_events": len(retired),
        "retired_told": sum(one == "stopped" for one in retired),
        "less_use_called_broke": {kind: sum(r.less[kind][0] > 0 for r in results) for kind in LESS},
        "less_use_told_as_such": {kind: sum(r.less[kind][1] > 0 for r in results) for kind in LESS},
    }


def _shares(found: list[Found], by: Callable[[Found], tuple[Any, ...]]) -> list[dict[str, object]]:
    groups: dict[tuple[Any, ...], list[Found]] = defaultdict(list)
    for one in found:
        groups[by(one)].append(one)
    return [
        {"of": list(key), "outages": len(group), "called_broke": sum(o.said == "broke" for o in group)}
        for key, group in sorted(groups.items())
    ]


def _delays(found: list[Found]) -> list[dict[str, object]]:
    groups: dict[float, list[int]] = defaultdict(list)
    for one in found:
        if one.days >= 7 and one.said == "broke" and one.accounts == DELAY_ACCOUNTS:
            groups[one.kept].append(one.delay or 99)
    return [
        {"kept": kept, "outages": len(d), "median": float(np.median(d)), "within_3": sum(x <= 3 for x in d)}
        for kept, d in sorted(groups.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    start = perf_counter()
    sizes = [IN_TURN[i % len(IN_TURN)] for i in range(given.companies)]
    with ProcessPoolExecutor(given.workers) as pool:
        results = list(pool.map(study_company, range(given.seed, given.seed + given.companies), sizes, chunksize=4))
    said = {"what": "tracking study", "seed": given.seed, "seconds": round(perf_counter() - start, 1)} | summary(results)
    if given.out:
        given.out.write_text(
            json.dumps(said | {"outages_one_by_one": [asdict(o) for r in results for o in r.found]}) + "\n", encoding="utf-8"
        )
    print(json.dumps(said["by_accounts"], indent=1))


if __name__ == "__main__":
    main()
