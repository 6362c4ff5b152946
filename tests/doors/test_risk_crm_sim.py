"""The renewals of ChurnSim's company, which follow from its subscription terms, judged as a user would: loaded, declared, judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.compute import MatchSubstringOptions, call_function

from benchmarks.crm_sim_book import FILES, definitions
from tests.doors.book_files import Book
from tests.doors.cli_files import run
from unspun.app.risk.basis import RiskRequest
from unspun.app.risk.run import RiskRun, judge_risk
from unspun.app.workspace import open_workspace
from unspun.risk.judge import RiskSettings
from unspun.risk.result import ModelRecord
from unspun.risk.rows import TERM_CLASSES
from unspun.stats.estimate import Estimate

COLUMNS = ("n_search", "n_meeting", "value_win_opportunity")
TRUE_RISK_AUC = 0.6
"""Of the risk that made the churn, among terms of one length, about: the causes are weak."""


@pytest.fixture(scope="module")
def judged(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RiskRun:
    """A third of the accounts, so that it takes seconds."""
    book = Book(tmp_path_factory.mktemp("crm_sim"))
    assert run("init", book.folder).code == 0
    for name, text in zip(("book.yml", "metrics.yml"), definitions(COLUMNS), strict=True):
        (book.folder / name).write_text(text, encoding="utf-8")
    loaded = book.load(*(_third(shared_data / "crm_sim" / f"{name}.parquet", book) for name in FILES))
    assert loaded.code == 0, loaded.err
    request = RiskRequest(settings=RiskSettings(("baseline", "linear")))
    return judge_risk(open_workspace(book.folder), request, datetime(2026, 6, 1, tzinfo=UTC))


def _third(path: Path, book: Book) -> Path:
    rows = pq.read_table(path)
    kept = [name for name in rows.column_names if not name.startswith(("n_", "value_")) or name in COLUMNS or "events" in name]
    rows = rows.select(kept)
    ids = rows["account_id"].cast(pa.string())
    mine = call_function("match_substring_regex", [ids], MatchSubstringOptions("[037]$"))
    to = book.exports / path.name
    pq.write_table(rows.filter(mine), to)
    return to


def test_the_model_is_calibrated_on_later_renewals_or_no_renewal_is_given_a_probability(judged: RiskRun) -> None:
    model = judged.result.model
    assert isinstance(model, ModelRecord)
    slope = model.check.slope
    assert isinstance(slope, Estimate)
    if slope.low <= 1 <= slope.high:
        assert model.check.verdict == "calibrated"
        assert any(isinstance(one.churn, Estimate) for one in judged.result.renewals)
    elif model.check.verdict != "calibrated":
        assert not any(isinstance(one.churn, Estimate) for one in judged.result.renewals)
    assert slope.high - slope.low < 1.5, "wide, but it tells"


def test_churn_is_told_apart_by_the_length_of_terms_and_hardly_by_anything_else(judged: RiskRun) -> None:
    model = judged.result.model
    assert isinstance(model, ModelRecord)
    assert isinstance(model.check.auc, Estimate)
    assert model.check.auc.low > 0.6, "longer terms are lost far oftener: the model must not have it the other way round"
    within = [one for one in model.check.by_lead if one.high_days <= 30 and isinstance(one.auc, Estimate)]
    for one in within:
        assert isinstance(one.auc, Estimate)
        assert one.auc.low < TRUE_RISK_AUC + 0.05
    churn = {one.term: one.churn.point for one in judged.result.renewals if isinstance(one.churn, Estimate)}
    assert not churn or churn["12 months"] > 3 * churn["1 month"]
    assert TERM_CLASSES[0] == "monthly"


def test_open_renewals_are_those_of_the_terms_that_run_and_the_lapsed_ones_are_overdue(judged: RiskRun) -> None:
    result = judged.result
    assert result.as_of == date(2024, 1, 1)
    overdue = [one for one in result.renewals if one.status == "overdue"]
    assert all(date(2023, 12, 25) <= one.due <= date(2024, 1, 1) for one in overdue), "within the grace days"
    assert all(one.due > date(2024, 1, 1) for one in result.renewals if one.status == "open")
    assert len({(one.account, one.due) for one in result.renewals}) == len(result.renewals) > 800
