"""An outage raises nobody's risk: the demo company's files with usage rows taken out, beside the same files with all their rows.

The truth of what an outage may do to a probability is the probability without it. One model judges both.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unspun.app.checks import CheckRequest, check_book
from unspun.app.loads import LoadRequest, load, plan_load
from unspun.app.risk.basis import RiskRequest, opened_risk
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.app.workspace_demo import write_company
from unspun.app.workspace_making import create_workspace, template
from unspun.progress import silent
from unspun.risk.candidates import RiskModel, fit_candidate
from unspun.risk.reasons import Reasons, typical_of
from unspun.risk.rows import CHURN, known_by
from unspun.stats.estimate import NoEstimate

AS_OF, AT = date(2026, 10, 31), datetime(2026, 11, 1, tzinfo=UTC)
ACCOUNTS, SEED = 300, 3
MOST, HARM = 0.005, 0.004
"""By how much the mean probability may rise with an outage hidden, and by how much it rises at least where it is not."""
USAGE = {"logins_28d", "active_days_28d", "users_a_day", "logins_per_seat", "logins_among_peers", "logins_change", "logins_trend"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write_company(folder, SEED, ACCOUNTS)
    return folder / "files"


@pytest.fixture(scope="module")
def whole(files: Path, tmp_path_factory: pytest.TempPathFactory) -> RiskInputs:
    return inputs_of(made(files, tmp_path_factory.mktemp("whole"), None))


@pytest.fixture(scope="module")
def model(whole: RiskInputs) -> RiskModel:
    found = fit_candidate("linear", known_by(whole.history, whole.cutoff), seed=0, scoring=False)
    assert not isinstance(found, NoEstimate)
    return found


def made(files: Path, folder: Path, lost: tuple[date, date] | None) -> Workspace:
    """The company loaded and checked, without the usage of the days `lost`, both included."""
    there = folder / "files"
    shutil.copytree(files, there)
    if lost is not None:
        usage = pq.read_table(there / "usage.parquet")
        day = usage["day"].to_numpy().astype("datetime64[D]")
        inside = (day >= np.datetime64(lost[0])) & (day <= np.datetime64(lost[1]))
        pq.write_table(usage.filter(pa.array(~inside)), there / "usage.parquet")
    workspace = create_workspace(folder / "book", AT, "demo", *(template(f"demo-{part}.yml") for part in ("book", "metrics", "scores")))
    request = LoadRequest((str(there),))
    load(workspace, plan_load(workspace, request), request, AT)
    check_book(workspace, CheckRequest(only=()), AT, silent)
    return workspace


def inputs_of(workspace: Workspace, is_hidden: bool = True) -> RiskInputs:
    """What risk reads of the book; `is_hidden` False: as if nobody knew of any outage."""
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, RiskRequest(as_of=AS_OF), definition, AT, silent) as (trial, basis, _):
        basis = basis if is_hidden else replace(basis, panel=replace(basis.panel, outages={}))
        return lay_out_risk(trial, basis, definition)


def rises(model: RiskModel, inputs: RiskInputs, whole: RiskInputs) -> np.ndarray:
    assert np.array_equal(inputs.of_today.renewal, whole.of_today.renewal)
    return model.probabilities(inputs.of_today)[:, CHURN] - model.probabilities(whole.of_today)[:, CHURN]


def fallen(model: RiskModel, inputs: RiskInputs) -> list[Mapping[str, object]]:
    """Reasons that raise a risk by a usage metric of today, not of a day before the outage."""
    rows = inputs.of_today
    told = Reasons(rows, model.contributions(rows), typical_of(inputs.history))
    reasons = [one for at in range(len(rows)) for one in told.of(at)]
    return [{"feature": one.feature} for one in reasons if one.feature in USAGE and one.points > 0 and not one.stale_days]


@pytest.mark.parametrize(("days", "ago"), [(5, 0), (10, 3)], ids=["the last five days", "ten days that are over"])
def test_an_outage_raises_nobodys_risk(files: Path, whole: RiskInputs, model: RiskModel, tmp_path: Path, days: int, ago: int) -> None:
    last = AS_OF - timedelta(days=ago)
    first = last - timedelta(days=days - 1)
    workspace = made(files, tmp_path, (first, last))
    inputs = inputs_of(workspace)
    assert any(span.touches(first, last) for span in inputs.basis.panel.outages["events"]), "nobody told of it: the book shows it"
    change = rises(model, inputs, whole)
    assert abs(change.mean()) <= MOST
    assert (change > 0.05).mean() <= 0.03, "what the lost days would have told of single accounts"
    assert not fallen(model, inputs), "no reason is a fall of usage that is only the outage"
    as_if_nobody_knew = rises(model, inputs_of(workspace, is_hidden=False), whole)
    assert as_if_nobody_knew.mean() > change.mean() + HARM, "the harm that this test would see"
