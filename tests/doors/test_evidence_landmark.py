"""Metrics on trial where terms are short: renewals that follow from terms, and a panel on the first days of months."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doors.evidence_company import Company, made_company
from unspun.app.evidence.inputs import EvidenceRequest
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.panel.request import PanelRequest
from unspun.app.panel.run import panel_table
from unspun.app.proofs import open_figure
from unspun.app.workspace import Workspace, open_workspace
from unspun.audit.protocol import AuditSettings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HORIZON, GRACE_DAYS = 90, 7
BARE = AuditSettings(detail="none", replicates=0, horizons=(HORIZON,))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return made_company(tmp_path_factory.mktemp("monthly"), monthly=True)


@pytest.fixture(scope="module")
def workspace(company: Company) -> Workspace:
    return open_workspace(company.book.folder)


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> EvidenceRun:
    return judge_evidence(workspace, EvidenceRequest(("logins_8w", "Feeling"), BARE), NOW)


@pytest.fixture(scope="module")
def rows(workspace: Workspace, run: EvidenceRun) -> list[dict[str, Any]]:
    return open_figure(workspace, f"{run.entry}/metric/logins_8w/auc", lambda *_: None).rows.to_pylist()


def months_by_hand(company: Company) -> dict[tuple[str, date], bool]:
    """Each account on the first day of each month that it was a customer, whose window is over: whether it left in it."""
    first: dict[str, date] = {}
    ends: dict[str, date] = {}
    for _, id, begin, last, _ in company.files["terms"][1:]:
        assert isinstance(begin, date)
        assert isinstance(last, date)
        first.setdefault(str(id), begin)
        ends[str(id)] = last + timedelta(days=1)
    as_of = max(begin for _, _, begin, _, _ in company.files["terms"][1:] if isinstance(begin, date))
    months = np.arange(np.datetime64("2022-01"), np.datetime64(as_of, "M") + 1).astype("datetime64[D]").astype(object)
    found = {}
    for id, begun in first.items():
        end = ends[id]
        left = end + timedelta(days=GRACE_DAYS) <= as_of
        for month in months:
            window_ends = month + timedelta(days=HORIZON)
            in_window = month < end <= window_ends
            undecided = not left and end <= as_of and in_window
            if begun <= month < (end if left or end > as_of else as_of + timedelta(days=1)) and window_ends <= as_of and not undecided:
                found[id, month] = left and in_window
    return found


def test_the_units_are_the_months_of_customers_and_left_are_those_whose_last_term_ended(company: Company, run: EvidenceRun) -> None:
    primary, by_hand = run.result.of("metric/logins_8w")[0].primary, months_by_hand(company)
    assert run.result.audit.design.name == "landmark"
    assert (primary.n, primary.n_churned) == (len(by_hand), sum(by_hand.values()))
    assert run.panel_rows >= primary.n


def test_a_metric_on_a_first_day_of_a_month_is_what_a_panel_of_that_day_has(workspace: Workspace, rows: list[dict[str, Any]]) -> None:
    days = (date(2023, 3, 1), date(2024, 8, 1))
    panel = panel_table(workspace, PanelRequest(("logins_8w",), days), NOW).to_pylist()
    alike = {(one["account_id"], one["as_of"]): (one["logins_8w"], one["logins_8w__missing"]) for one in panel}
    judged = [row for row in rows if row["looked_at"] in days]
    assert len(judged) > 200
    for row in judged:
        assert (row["score"], row["missing"]) == alike[row["account"], row["looked_at"]]


def test_renewals_that_follow_from_terms_name_the_rows_of_their_files(company: Company, rows: list[dict[str, Any]]) -> None:
    lines = company.files["terms"]
    for row in rows[::50]:
        _, id, begin, last, _ = lines[int(str(row["renewals_row"])) - 1]
        assert (row["renewals_file"], id) == ("terms.csv", row["account"])
        assert isinstance(begin, date)
        assert isinstance(last, date)
        assert row["event"] == 1 or begin <= row["looked_at"] <= last + timedelta(days=30)


def test_what_is_known_only_later_is_not_read(workspace: Workspace, company: Company, tmp_path: Path) -> None:
    as_of = date(2024, 6, 30)
    found = judge_evidence(workspace, EvidenceRequest(("logins_8w",), BARE, as_of=as_of), NOW, compare=False)
    primary = found.result.audit.scores[0].primary
    cut = {name: [row for n, row in enumerate(rows) if not n or _known(name, row) <= as_of] for name, rows in company.files.items()}
    earlier = made_company(tmp_path, monthly=True, files=cut)
    alone = judge_evidence(open_workspace(earlier.book.folder), EvidenceRequest(("logins_8w",), BARE, as_of=as_of), NOW)
    assert alone.result.audit.scores[0].primary == primary


def _known(name: str, row: tuple[object, ...]) -> date:
    return date.fromisoformat(str(row[{"terms": 2, "scores": 2}.get(name, 1)])[:10])
