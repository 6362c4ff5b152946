"""Every count and value that ChurnSim's company keeps of its accounts a month, put on trial as a user would: loaded, declared, judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from unspun.app.evidence.inputs import EvidenceRequest
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.workspace import open_workspace
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import VERDICTS
from unspun.stats.estimate import Estimate

BOOK = """\
time_zone: UTC
currency: USD
sources:
  - files: accounts.parquet
    table: accounts
    columns: {{account_id: account_id, dated: first_start_date, created_on: first_start_date, country: country}}
    ignore: [channel, date_of_birth, shard_seed, has_events, n_events_simulated]
  - files: subscriptions.parquet
    table: subscriptions
    columns: {{subscription_id: subscription_id, account_id: account_id, started: start_date, ended: end_date, amount: {{column: mrr, covers: month}}, product: product, is_addon: is_addon}}
    ignore: [quantity, units, bill_period_months, discount, addon_held, addon_inferred]
  - files: account_months.parquet
    table: events
    columns:
      account_id: account_id
      occurred: month_end
      event: {{value: month}}
      {own}
    ignore: [month_no, month_start]
"""  # noqa: E501
METRIC = "  {id}:\n    description: The sum of {column} over the last month that is over.\n    sum: events.{column}\n    window: 31d\n"
TRUE_RISK_AUC = 0.6
"""Of the risk that made the churn, about: the causes are weak."""


@pytest.fixture(scope="module")
def judged(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> EvidenceRun:
    folder = shared_data / "crm_sim"
    columns = [name for name in pq.read_schema(folder / "account_months.parquet").names if name.startswith(("n_", "value_"))]
    book = Book(tmp_path_factory.mktemp("crm_sim"))
    assert run("init", book.folder).code == 0
    own = "\n      ".join(f"{name}: {{column: {name}, kind: number}}" for name in (*columns, "avg_active_users"))
    (book.folder / "book.yml").write_text(BOOK.format(own=own), encoding="utf-8")
    declared = "".join(METRIC.format(id=name, column=name) for name in columns)
    (book.folder / "metrics.yml").write_text(f"sources:\n  events: {{silent_days: 62}}\nmetrics:\n{declared}", encoding="utf-8")
    loaded = book.load(*(folder / f"{name}.parquet" for name in ("accounts", "subscriptions", "account_months")))
    assert loaded.code == 0, loaded.err
    settings = AuditSettings(detail="none", replicates=0)
    return judge_evidence(open_workspace(book.folder), EvidenceRequest(settings=settings), datetime(2026, 6, 1, tzinfo=UTC))


def test_every_count_and_value_of_all_accounts_gets_a_verdict(judged: EvidenceRun) -> None:
    result = judged.result
    assert (len(result.subjects), judged.set_aside) == (25, ())
    assert {one.verdict for one in result.audit.scores} <= set(VERDICTS)
    assert result.audit.design.name == "landmark"
    assert result.audit.design.as_of == date(2024, 1, 1)
    assert dict(result.audit.design.outcomes) == {"renewed": 28_567, "churned": 942, "contracted": 605, "expanded": 1_788}
    for score, evidence in zip(result.audit.scores, result.subjects, strict=True):
        assert evidence.coverage.with_value > 0.8 * evidence.coverage.n
        assert isinstance(score.primary.test.auc, Estimate)
        assert score.primary.test.auc.low < TRUE_RISK_AUC + 0.05, "no count says more than the risk that made the churn"


def test_counts_without_a_direction_are_not_said_to_be_reversed_without_telling_so(judged: EvidenceRun) -> None:
    for score in judged.result.audit.scores:
        assert "direction_not_declared" in [caution.code for caution in score.cautions]
