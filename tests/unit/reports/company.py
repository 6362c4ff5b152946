"""A small company in two files, audited: for tests that compute figures again from the rows behind them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from unspun.audit.judge import Judged, judge
from unspun.audit.protocol import AuditSettings
from unspun.book.inputs import read_inputs
from unspun.book.tables import ReadingOptions


def write_company(folder: Path, term_days: int, lost: str = "churned", kept: str = "renewed") -> None:
    """240 accounts, four terms each at most; scores that know a little, every 20 days, some recorded late, some accounts without."""
    draw = np.random.default_rng(7)
    scores, renewals = ["account,date,recorded_at,score_name,score"], ["account,due,outcome,arr before,currency,segment,outcome known at"]
    for account in range(240):
        due = date(2022, 1, 5) + timedelta(days=int(draw.integers(0, 200)))
        name = f"A{account}" if account else "=A0,evil"
        for _ in range(4):
            due += timedelta(days=term_days)
            churned = draw.random() < 0.25
            known = due - timedelta(days=int(draw.integers(0, term_days // 2)))
            amount = round(float(draw.lognormal(8, 1)), 2)
            renewals.append(f'"{name}",{due},{lost if churned else kept},{amount},USD,S{account % 3},{known}')
            if account % 9:
                for back in range(0, term_days, 20):
                    dated = due - timedelta(days=back)
                    recorded = dated + timedelta(days=int(draw.integers(0, 30)))
                    values = (draw.integers(0, 100) - 25 * churned, draw.integers(0, 100))
                    scores += [f'"{name}",{dated},{recorded},{which},{v}' for which, v in zip(("it's one", "two"), values, strict=True)]
            if churned:
                break
    (folder / "scores.csv").write_text("\n".join(scores) + "\n")
    (folder / "renewals.csv").write_text("\n".join(renewals) + "\n")


def audited(folder: Path, only: tuple[str, ...] = ()) -> Judged:
    """The audit of the company's two files, of both scores or of those named."""
    scores, renewals = read_inputs(str(folder / "scores.csv"), str(folder / "renewals.csv"), ReadingOptions(scores=only))
    return judge(scores, renewals, AuditSettings(capacity=4, replicates=200), "0.1.0")
