"""How well the risks of demo companies are calibrated: the model of each, held against its later renewals by the code that judges models.

python -m benchmarks.risk_demo_study                             # 6 demo companies of 2,000 accounts
python -m benchmarks.risk_demo_study --seeds 1 --accounts 400 --out risk-demo-study.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.forecast_study import demo_inputs
from unspun.progress import silent
from unspun.risk.judge import RiskSettings, fit_risk
from unspun.risk.result import NoEstimate
from unspun.stats.estimate import Estimate, MaybeEstimate

RESULTS = Path(__file__).resolve().parent / "results"


def checked(folder: Path, seed: int, accounts: int) -> dict[str, Any]:
    """The check of one company's model, as a whole and by lead."""
    inputs = demo_inputs(folder, seed, accounts)
    fitted = fit_risk(inputs.history, inputs.cutoff, RiskSettings(), silent)
    if isinstance(fitted, NoEstimate):
        return {"seed": seed, "refused": fitted.reason}
    check = fitted.record.check
    leads = [
        {
            "days": [one.low_days, one.high_days],
            "churned": one.n_churned,
            "slope": numbers(one.slope),
            "expected_over_observed": numbers(one.expected_over_observed),
            "verdict": one.verdict,
        }
        for one in check.by_lead
    ]
    return {
        "seed": seed,
        "model": fitted.record.chosen,
        "churned_in_training": check.n_train_churned,
        "account_months": check.n,
        "churned": check.n_churned,
        "verdict": check.verdict,
        "slope": numbers(check.slope),
        "expected_over_observed": numbers(check.expected_over_observed),
        "auc": numbers(check.auc),
        "by_lead": leads,
    }


def numbers(one: MaybeEstimate) -> list[float] | str:
    """Point and 95 % interval, or why there is none."""
    return [round(value, 3) for value in (one.point, one.low, one.high)] if isinstance(one, Estimate) else one.reason


def study(seeds: int, accounts: int) -> Iterator[list[dict[str, Any]]]:
    """All companies so far, after each: a study that is stopped keeps what it has found."""
    found = list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, seeds + 1):
            found.append(checked(Path(folder) / f"demo-{seed}", seed, accounts))
            print(json.dumps(found[-1]), flush=True)
            yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    today = datetime.now(UTC).date().isoformat()
    out = asked.out or RESULTS / f"risk-demo-study-{today}.json"
    for found in study(asked.seeds, asked.accounts):
        out.write_text(json.dumps({"date": today, "accounts": asked.accounts, "companies": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
