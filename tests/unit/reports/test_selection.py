"""The query shown under a figure selects the rows that the figure counts: run by DuckDB, on the files themselves."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

import unspun
from unspun.reports.figures import headline_figures


def write_files(folder: Path, term_days: int) -> None:
    """150 accounts, four terms each at most; scores every 20 days, some recorded late, some accounts without."""
    draw = np.random.default_rng(7)
    scores, renewals = ["account,date,recorded_at,score_name,score"], ["account,due,outcome,arr before,outcome known at"]
    for account in range(150):
        due = date(2022, 1, 5) + timedelta(days=int(draw.integers(0, 200)))
        for _ in range(4):
            due += timedelta(days=term_days)
            churned = draw.random() < 0.25
            known = due - timedelta(days=int(draw.integers(0, term_days)))
            renewals.append(f"A{account},{due},{'churned' if churned else 'renewed'},1000,{known}")
            if account % 9:
                for back in range(0, term_days, 20):
                    dated = due - timedelta(days=back)
                    recorded = dated + timedelta(days=int(draw.integers(0, 30)))
                    scores += [f"A{account},{dated},{recorded},{name},{draw.integers(0, 100)}" for name in ("it's one", "two")]
            if churned:
                break
    (folder / "scores.csv").write_text("\n".join(scores) + "\n")
    (folder / "renewals.csv").write_text("\n".join(renewals) + "\n")


@pytest.mark.parametrize(("term_days", "design"), [(365, "renewal"), (91, "landmark")])
@pytest.mark.parametrize("key", ["auc", "bands"])
def test_the_query_selects_the_rows_that_the_figure_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, term_days: int, design: str, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, term_days)
    result = unspun.audit_score("scores.csv", "renewals.csv")
    assert result.design.name == design
    score = result.scores[0]
    (query,) = [one.figure.provenance.query for one in headline_figures(result, score) if one.key == key]
    rows = duckdb.execute(query).fetchall()
    counted = score.primary.test if key == "auc" else score.primary
    assert len(rows) == counted.n > 50
    assert sum(row[2] is not None for row in rows) == counted.n_scored < counted.n
    assert sum(row[3] == "churned" for row in rows) == counted.n_churned > 0
