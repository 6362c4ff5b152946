"""Whether the intervals of forecasts hold: forecasts replayed quarter by quarter as known then, beside what came.

    python -m benchmarks.forecast_study                              # 12 demo companies of 1,000 accounts, and crm_sim where it is there
    python -m benchmarks.forecast_study --seeds 1 --accounts 400 --no-crm-sim --out forecast-study.json

Each company is made from a seed, loaded into a workspace, and its past forecasts are made as `unspun forecast --record --replay` makes
them: the model, the shared shocks and the amounts from what was known on the day. Each is scored by the code that scores the record.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.crm_sim_book import FILES, counts_and_values, definitions
from unspun.app.forecast.figures import forecast_figures, past_forecast
from unspun.app.forecast.making import replays, settings_of
from unspun.app.loads import LoadRequest, load, plan_load
from unspun.app.risk.basis import RiskRequest
from unspun.app.risk.inputs import RiskInputs, risk_inputs
from unspun.app.workspace import open_workspace
from unspun.app.workspace_demo import create_demo_workspace
from unspun.app.workspace_making import create_workspace
from unspun.risk.forecast.record_periods import Realised, SaidOfPeriod, score_snapshot
from unspun.risk.forecast.result import Forecast, MaybePredicted, PeriodOutcome, PeriodQuantity, Predicted
from unspun.stats.estimate import Estimate
from unspun.stats.proportion import clustered_share

RESULTS = Path(__file__).resolve().parent / "results"
AT = datetime(2026, 11, 23, tzinfo=UTC)
DEMO_AS_OF, CRM_AS_OF = date(2026, 10, 31), date(2024, 1, 1)
DEMO_DAYS = (*(date(2025, month, 1) for month in (1, 4, 7, 10)), date(2026, 1, 1), date(2026, 4, 1))
CRM_DAYS = (date(2022, 10, 1), date(2022, 11, 1), date(2022, 12, 1), *(date(2023, month, 1) for month in range(1, 11)))
MONTHS, WHOLE = 12, "12 months"


@dataclass(frozen=True)
class Scored:
    """One outcome of one forecast, and which company it is of."""

    company: str
    as_of: date
    outcome: PeriodOutcome


def demo_inputs(folder: Path, seed: int, accounts: int) -> RiskInputs:
    workspace = create_demo_workspace(folder, AT, seed=seed, accounts=accounts).workspace
    return risk_inputs(workspace, RiskRequest(as_of=DEMO_AS_OF), AT)


def crm_inputs(folder: Path, data: Path) -> RiskInputs:
    """ChurnSim's company with its monthly counts as metrics."""
    texts = definitions(counts_and_values(data), ("avg_active_users",))
    workspace = create_workspace(folder, AT, "crm_sim", *texts)
    request = LoadRequest(tuple(str(data / f"{name}.parquet") for name in FILES))
    load(workspace, plan_load(workspace, request), request, AT)
    return risk_inputs(open_workspace(folder), RiskRequest(as_of=CRM_AS_OF), AT)


def score(company: str, inputs: RiskInputs, days: Sequence[date], paths: int) -> Iterator[Scored]:
    """What each forecast said of each quarter, and of its twelve months as a whole, that is over now."""
    realised = Realised(inputs.terms)
    for forecast in replays(inputs, days, settings_of(MONTHS, paths)):
        past = past_forecast(0, AT.date(), forecast_figures(inputs, forecast))
        for one in (past, replace(past, periods=[_whole(forecast)])):
            yield from (Scored(company, forecast.as_of, outcome) for outcome in score_snapshot(one, realised).outcomes)


def _whole(forecast: Forecast) -> SaidOfPeriod:
    said: dict[tuple[PeriodQuantity, str], MaybePredicted] = {("churned", ""): forecast.total.churned}
    for one in forecast.total.money:
        said |= {("grr", one.currency): one.grr, ("nrr", one.currency): one.nrr}
    known = {key: value for key, value in said.items() if isinstance(value, Predicted)}
    return SaidOfPeriod(WHOLE, forecast.total.first, forecast.total.last, known)


def coverage(scored: Sequence[Scored]) -> list[dict[str, object]]:
    """By quantity and how far ahead: the share inside the intervals, clustered by company (of a single company by period); and how wide
    and how far off they were."""
    groups: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        ahead = (
            WHOLE if one.outcome.period == WHOLE else "quarters up to 4 months ahead" if one.outcome.lead_months <= 4 else "later quarters"
        )
        for key in ((one.outcome.quantity, ahead), (one.outcome.quantity, "all")):
            groups.setdefault(key, []).append(one)
    return [_covered(quantity, ahead, found) for (quantity, ahead), found in sorted(groups.items())]


def _covered(quantity: str, ahead: str, found: Sequence[Scored]) -> dict[str, object]:
    several = len({one.company for one in found}) > 1
    labels = [(one.company, "" if several else one.outcome.period) for one in found]  # a company's quarters inherit each other's errors
    names = sorted(set(labels))
    cluster = np.array([names.index(one) for one in labels])
    inside = {}
    for level in ("in_80", "in_95"):
        share = clustered_share(np.array([getattr(one.outcome, level) for one in found]), cluster)
        inside[level] = [round(share.point, 4), round(share.low, 4), round(share.high, 4)] if isinstance(share, Estimate) else None
    said, came = (np.array([value(one.outcome) for one in found]) for value in (lambda o: o.predicted.mean, lambda o: o.actual))
    width = np.mean([one.outcome.predicted.high_95 - one.outcome.predicted.low_95 for one in found])
    return {
        "quantity": quantity,
        "ahead": ahead,
        "outcomes": len(found),
        "clusters": len(names),
        **inside,
        "said_over_came": round(float(said.sum() / came.sum()), 4) if came.sum() else None,
        "mean_error": round(float((said - came).mean()), 5),
        "mean_width_95": round(float(width), 5),
    }


def shared_data() -> Path | None:
    """Where crm_sim lies, if it does: `../shared/data` or UNSPUN_DATA."""
    folder = Path(os.environ.get("UNSPUN_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "crm_sim"
    return folder if folder.is_dir() else None


def study(seeds: int, accounts: int, paths: int, crm: bool) -> Iterator[dict[str, object]]:
    """The coverage of all companies so far, after each: a study that is stopped keeps what it has found."""
    result: dict[str, object] = {}
    demo: list[Scored] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, seeds + 1):
            began = time.monotonic()
            demo += score(f"demo {seed}", demo_inputs(Path(folder) / f"demo-{seed}", seed, accounts), DEMO_DAYS, paths)
            result["demo"] = {"seeds": seed, "accounts": accounts, "coverage": coverage(demo)}
            print(f"demo {seed}: {time.monotonic() - began:.0f} s", *map(_line, coverage(demo)), sep="\n  ", flush=True)
            yield result
        data = shared_data() if crm else None
        if data is not None:
            found = list(score("crm_sim", crm_inputs(Path(folder) / "crm_sim", data), CRM_DAYS, paths))
            result["crm_sim"] = {"forecasts": len(CRM_DAYS), "coverage": coverage(found)}
            print("crm_sim", *map(_line, coverage(found)), sep="\n  ", flush=True)
            yield result


def _line(one: dict[str, object]) -> str:
    names = ("quantity", "ahead", "outcomes", "in_80", "in_95", "said_over_came", "mean_width_95")
    return " ".join(str(one[name]) for name in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--paths", type=int, default=1_000)
    parser.add_argument("--no-crm-sim", action="store_true")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    out = asked.out or RESULTS / f"forecast-study-{datetime.now(UTC).date()}.json"
    began = time.monotonic()
    for found in study(asked.seeds, asked.accounts, asked.paths, not asked.no_crm_sim):
        _write(out, asked.paths, round(time.monotonic() - began), found)


def _write(out: Path, paths: int, seconds: int, found: dict[str, object]) -> None:
    """Into the file, beside an earlier part that was run by itself."""
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "paths": paths,
        "seconds": seconds,
        **found,
    }
    earlier = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    out.write_text(json.dumps(earlier | record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
