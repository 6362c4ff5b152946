"""Forecasts as entries of the ledger: the same bytes again, proved later, scored against what came, and replayed without hindsight."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from tests.doors.book_files import Book
from tests.doors.evidence_company import AS_OF, Company
from unspun.app.forecast.figures import forecast_figures, past_forecast
from unspun.app.forecast.inputs import open_rows, rows_on
from unspun.app.forecast.making import replays, settings_of
from unspun.app.forecast.record import RecordRequest, RecordRun, forecast_record
from unspun.app.proofs import open_figure, recompute
from unspun.app.publication import publish, to_document
from unspun.app.risk.basis import RiskRequest
from unspun.app.risk.inputs import TENURE, RiskInputs, risk_inputs
from unspun.app.workspace import Workspace, open_workspace
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED
from unspun.progress import silent
from unspun.risk.forecast.record_periods import Realised, score_snapshot
from unspun.risk.forecast.result import Forecast, Predicted
from unspun.risk.rows import CHURN, FLAT
from unspun.stats.estimate import Estimate

THEN = date(2025, 7, 1)
DAY = (THEN - date(1970, 1, 1)).days
METRICS = ("logins_fall",)
AT = datetime(2026, 6, 1, tzinfo=UTC)
OF_THE_TIME = datetime(2025, 7, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    workspace: Workspace
    inputs: RiskInputs
    then: Forecast
    entry: int
    record: RecordRun


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, evidence_company: Company) -> Made:
    """A company whose forecast of half a year before its last day was entered the day after, and scored at the end."""
    book = Book(tmp_path_factory.mktemp("forecasts"))
    shutil.copytree(evidence_company.book.folder, book.folder)
    workspace = open_workspace(book.folder)
    inputs = risk_inputs(workspace, RiskRequest(as_of=AS_OF, metrics=METRICS), AT)
    then = replayed(inputs)
    entry = publish(workspace, forecast_figures(inputs, then), OF_THE_TIME).seq
    return Made(workspace, inputs, then, entry, forecast_record(workspace, RecordRequest(as_of=AS_OF, metrics=METRICS), AT))


def test_the_same_request_gives_the_same_entry_and_bytes(made: Made) -> None:
    again = forecast_figures(made.inputs, replayed(made.inputs))
    assert to_document(again) == to_document(forecast_figures(made.inputs, made.then))
    assert publish(made.workspace, again, AT).seq == made.entry


def test_what_was_published_is_computed_again_to_the_last_byte(made: Made) -> None:
    for entry in (made.entry, made.record.entry):
        found = recompute(made.workspace, str(entry), silent)
        assert (found.verdict, found.compared) == ("same", found.published.figures.count)


def test_the_figures_of_a_group_open_to_its_renewals(made: Made) -> None:
    total = made.then.total
    rows = open_figure(made.workspace, f"{made.entry}/total", silent).rows
    assert rows.num_rows == total.renewals == len(made.then.renewals)
    month = made.then.by_month[0]
    assert open_figure(made.workspace, f"{made.entry}/month/{month.name}", silent).rows.num_rows == month.renewals
    lead = made.record.result.forecasters[0].leads[0]
    rows = open_figure(made.workspace, f"{made.record.entry}/{made.record.result.forecasters[0].name}/{lead.lead_days}", silent).rows
    assert {"account_id", "due", "lead_days", "churned", "model"} <= set(rows.column_names)


def test_a_forecast_of_the_time_is_the_models_and_is_scored_on_what_came(made: Made) -> None:
    (model, *_) = made.record.result.forecasters
    assert (model.name, model.kind) == ("model", "model")
    spoken = [lead for lead in model.leads if lead.n]
    assert any(isinstance(lead.brier, Estimate) for lead in spoken)
    (snapshot,) = made.record.result.snapshots
    assert (snapshot.entry, snapshot.as_of, snapshot.replayed) == (made.entry, THEN, False)
    quarter = made.then.by_quarter[0]
    came = next(one for one in snapshot.outcomes if one.quantity == "churned" and one.period == quarter.name)
    terms = made.inputs.terms
    listed = {(one.account, one.due) for one in made.then.renewals if one.due <= quarter.last}
    lost = [
        terms.due[row]
        for row in np.flatnonzero(terms.outcome == CHURNED)
        if (terms.account_names[terms.account[row]], np.datetime64(int(terms.due[row]), "D").item()) in listed
    ]
    assert came.actual == len(lost) > 0
    assert isinstance(quarter.churned, Predicted) and came.predicted == quarter.churned


def test_every_running_term_goes_by_what_was_known_of_its_own_account(made: Made) -> None:
    """Those decided before their due date too: the risk of the terms after them is that of nobody else."""
    inputs = made.inputs
    rows = open_rows(inputs, DAY)
    terms, now = inputs.terms, rows.now
    assert (rows.book.terms.fact > CHURN).any(), "some stay for certain"
    assert [terms.account_names[code] for code in now.account.tolist()] == list(rows.book.accounts)
    np.testing.assert_array_equal(now.due, rows.book.terms.due)
    place = {renewal: at for at, renewal in enumerate(now.renewal.tolist())}
    looked_at = np.flatnonzero(inputs.rows.as_of == DAY)
    open_ = [place[renewal] for renewal in inputs.rows.renewal[looked_at].tolist()]
    assert 0 < len(open_) < len(now)
    for feature, column in inputs.rows.columns.items():
        np.testing.assert_allclose(now.columns[feature][open_], column[looked_at], equal_nan=True)


def test_a_term_decided_before_it_was_looked_at_goes_by_an_earlier_one_of_its_account_or_by_nothing(made: Made) -> None:
    inputs = made.inputs
    renewal = np.flatnonzero((inputs.decisions.start <= DAY) & (inputs.terms.due > DAY))[:2]
    first, second = inputs.terms.account[renewal].tolist()
    kept = (inputs.rows.renewal != renewal[0]) & (inputs.rows.account != second)
    rows = rows_on(replace(inputs, rows=inputs.rows.take(kept)), renewal, DAY)
    assert (rows.account.tolist(), rows.due.tolist()) == ([first, second], inputs.terms.due[renewal].tolist())
    of_first = inputs.rows.take(kept & (inputs.rows.account == first) & (inputs.rows.as_of <= DAY))
    latest = of_first.columns[METRICS[0]][np.argmax(of_first.as_of)] if len(of_first) else np.nan
    np.testing.assert_equal(rows.columns[METRICS[0]], [latest, np.nan])
    assert np.isfinite(rows.columns[TENURE]).all(), "what the book gives is known of everybody"


def replayed(inputs: RiskInputs) -> Forecast:
    (found,) = replays(inputs, (THEN,), settings_of(6, 400))
    return found


def without_hindsight(inputs: RiskInputs) -> RiskInputs:
    """The same inputs with everything that was decided after the day turned into its opposite."""
    later = (inputs.rows.decided_on > DAY) & (inputs.rows.outcome >= 0)
    outcome = np.where(later, np.where(inputs.rows.outcome == CHURN, FLAT, CHURN), inputs.rows.outcome).astype(np.int8)
    terms = inputs.terms
    after = (terms.known_on > DAY) & (terms.outcome != UNDECIDED)
    turned = np.where(after, np.where(terms.outcome == CHURNED, RENEWED, CHURNED), terms.outcome).astype(np.int8)
    money = replace(terms.money, after=np.where(after, 1e9, terms.money.after))
    return replace(inputs, rows=replace(inputs.rows, outcome=outcome), terms=replace(terms, outcome=turned, money=money))


def test_a_replay_reads_nothing_of_what_came_later_and_is_labelled(made: Made) -> None:
    found = made.then
    assert found.replayed and found.as_of == THEN
    assert isinstance(found.total.churned, Predicted)
    assert replayed(without_hindsight(made.inputs)) == found


def test_a_replay_entered_later_counts_as_replayed_and_is_held_against_the_same_outcomes(made: Made) -> None:
    past = past_forecast(99, AT.date(), forecast_figures(made.inputs, made.then))
    assert past.replayed
    snapshot = score_snapshot(past, Realised(made.inputs.terms))
    assert {one.quantity for one in snapshot.outcomes} >= {"churned", "grr", "arr"}
