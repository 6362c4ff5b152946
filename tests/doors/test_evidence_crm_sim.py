"""Every count and value that ChurnSim's company keeps of its accounts a month, put on trial as a user would: loaded, declared, judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from benchmarks.crm_sim_book import FILES, counts_and_values, definitions
from tests.doors.book_files import Book
from tests.doors.cli_files import run
from unspun.app.evidence.inputs import EvidenceRequest
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.workspace import open_workspace
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import VERDICTS
from unspun.stats.estimate import Estimate

TRUE_RISK_AUC = 0.6
"""Of the risk that made the churn, about: the causes are weak."""


@pytest.fixture(scope="module")
def judged(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> EvidenceRun:
    folder = shared_data / "crm_sim"
    book = Book(tmp_path_factory.mktemp("crm_sim"))
    assert run("init", book.folder).code == 0
    texts = definitions(counts_and_values(folder), ("avg_active_users",))
    for name, text in zip(("book.yml", "metrics.yml"), texts, strict=True):
        (book.folder / name).write_text(text, encoding="utf-8")
    loaded = book.load(*(folder / f"{name}.parquet" for name in FILES))
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
