"""The rows behind a figure give the figure: computed again from the CSVs by other libraries."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from tests.unit.reports import sample
from tests.unit.reports.company import audited, write_company
from unspun.audit.judge import Judged
from unspun.audit.result import Bands, Calibration, CapturedArr, Description, LeadTime
from unspun.errors import BadInput
from unspun.reports.row_files import RowFile, make_row_files, write_rows
from unspun.stats.estimate import Estimate

DESIGNS = {"renewal": 365, "landmark": 91}


@pytest.fixture(scope="module", params=DESIGNS)
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("company")
    write_company(folder, DESIGNS[request.param])
    made = audited(folder)
    assert made.result.design.name == request.param
    return made


def opened(file: RowFile) -> tuple[pd.DataFrame, dict]:
    assert file.zipped is not None
    archive = zipfile.ZipFile(io.BytesIO(file.zipped))
    return pd.read_csv(archive.open(f"{file.stem}.csv")), json.loads(archive.read(f"{file.stem}.manifest.json"))


def rows(judged: Judged, selection: str, position: int = 0) -> pd.DataFrame:
    files = make_row_files(judged.result, judged.trace, 12)
    return opened(next(one for one in files if one.selection == selection and one.position == position))[0]


def point(value: object) -> float:
    assert isinstance(value, Estimate)
    return value.point


def test_auc_and_gain_are_those_of_the_test_rows(judged: Judged) -> None:
    for position, score in enumerate(judged.result.scores):
        test = rows(judged, "test", position)
        assert len(test) == score.primary.test.n
        scored = test[test.score.notna()]
        assert roc_auc_score(scored.event, -scored.score) == pytest.approx(point(score.primary.test.auc), abs=1e-12)
        alone, both = (roc_auc_score(scored.event, scored[name]) for name in ("risk_by_baseline", "risk_by_both"))
        assert alone == pytest.approx(point(score.primary.test.auc_baseline), abs=1e-12)
        assert both - alone == pytest.approx(point(score.primary.test.gain), abs=1e-12)


def test_other_horizons_are_those_of_their_rows(judged: Judged) -> None:
    held, score = rows(judged, "horizons"), judged.result.scores[0]
    others = [h for h in score.horizons if h is not score.primary and isinstance(h.test.auc, Estimate)]
    assert others
    for horizon in others:
        own = held[(held.horizon_days == horizon.horizon_days) & (held.part == "test") & held.score.notna()]
        assert roc_auc_score(own.event, -own.score) == pytest.approx(point(horizon.test.auc), abs=1e-12)


def test_calibration_is_that_of_the_test_rows(judged: Judged) -> None:
    said = judged.result.scores[0].primary.calibration
    assert isinstance(said, Calibration)
    scored = rows(judged, "test").query("score.notna()")
    assert brier_score_loss(scored.event, scored.risk_by_score) == pytest.approx(point(said.brier), abs=1e-12)
    assert scored.risk_by_score.sum() / scored.event.sum() == pytest.approx(point(said.expected_over_observed), abs=1e-9)
    assert len(scored) == said.n == sum(b.observed.n for b in said.bins)


def test_captured_money_is_that_of_the_candidates(judged: Judged) -> None:
    said = judged.result.scores[0].primary.captured_arr
    assert isinstance(said, CapturedArr)
    held = rows(judged, "candidates")
    assert held.lost_amount.sum() == pytest.approx(said.churned_arr)
    for by, value in ((-held.score, said.score), (held.amount, said.arr_alone), (held.risk_by_score * held.amount, said.score_times_arr)):
        assert reached(held, by, said.capacity) == pytest.approx(point(value), abs=1e-12)


def reached(held: pd.DataFrame, rank_by: pd.Series, capacity: int) -> float:
    """Brute force: month by month, from the top, ties sharing what places are left."""
    total = 0.0
    for _, month in held.assign(by=rank_by).dropna(subset="by").groupby("looked_at"):
        room = float(capacity)
        for _, tied in sorted(month.groupby("by"), key=lambda one: -float(str(one[0]))):
            total += min(1.0, room / len(tied)) * tied.lost_amount.sum()
            room = max(0.0, room - len(tied))
    return total / held.lost_amount.sum()


def test_bands_misses_and_quarters_are_those_of_the_eligible_rows(judged: Judged) -> None:
    score = judged.result.scores[0]
    assert isinstance(score.description, Description)
    held = rows(judged, "eligible")
    assert len(held) == score.primary.n and held.event.sum() == score.primary.n_churned
    assert isinstance(score.description.bands, Bands)
    for band in score.description.bands.rows:
        own = held[held.band == band.band]
        assert (len(own), own.event.sum()) == (band.n, band.n_churned)
    missed = held[(held.event == 1) & (held.band == "best third")]
    units = len(missed) if judged.result.design.name == "renewal" else missed.renewals_row.nunique()
    assert units == score.description.missed.total


def test_lead_paths_are_those_of_their_rows(judged: Judged) -> None:
    description = judged.result.scores[0].description
    assert isinstance(description, Description) and isinstance(description.lead_time, LeadTime)
    held = rows(judged, "leads")
    for lead in description.lead_time.points:
        own = held[held.days_before == lead.days_before]
        assert (len(own), own.event.sum()) == (lead.n, lead.n_churned)
        if isinstance(lead.churned_score, Estimate):
            assert own.loc[own.event == 1, "score"].mean() == pytest.approx(lead.churned_score.point)
            assert own.loc[own.event == 0, "alarm"].mean() == pytest.approx(point(lead.renewed_in_alarm))


def test_the_leak_check_is_that_of_its_rows(judged: Judged) -> None:
    leak = judged.result.scores[0].leak
    held = rows(judged, "leak")
    assert held[held.event == 1].edited.sum() == leak.churned_edited > 0
    both = held.dropna(subset=["score_as_known", "score_as_dated"])
    dated, known = (roc_auc_score(both.event, -both[name]) for name in ("score_as_dated", "score_as_known"))
    assert dated - known == pytest.approx(point(leak.difference), abs=1e-12)


def test_the_manifest_says_what_the_csv_is(judged: Judged) -> None:
    for one in make_row_files(judged.result, judged.trace, 12):
        assert one.zipped is not None
        archive = zipfile.ZipFile(io.BytesIO(one.zipped))
        text = archive.read(f"{one.stem}.csv")
        manifest = json.loads(archive.read(f"{one.stem}.manifest.json"))
        assert manifest["csv"]["sha256"] == hashlib.sha256(text).hexdigest() == one.sha256
        assert manifest["rows"] == one.rows == text.count(b"\n") - 1
        assert [i["sha256"] for i in manifest["inputs"]] == [i.sha256 for i in judged.result.inputs]
        assert list(manifest["columns"]) == text.split(b"\n", 1)[0].decode().replace('"', "").split(",")
        assert manifest["filters"]["in_words"] and "SELECT" in manifest["filters"]["sql"]


def test_no_cell_is_run_by_a_spreadsheet(judged: Judged) -> None:
    held = rows(judged, "eligible")
    texts = [str(cell) for cell in held.select_dtypes(exclude="number").to_numpy().ravel()]
    assert "'=A0,evil" in texts
    assert not [cell for cell in texts if cell.startswith(("=", "+", "-", "@"))]


def test_the_folder_holds_the_bytes_that_the_page_embeds(judged: Judged, tmp_path: Path) -> None:
    written = {path.stem: path.read_bytes() for path in write_rows(tmp_path / "rows", judged.result, judged.trace)}
    files = make_row_files(judged.result, judged.trace, 12)
    assert written == {one.stem: one.zipped for one in files}
    with pytest.raises(BadInput, match="cannot be written"):
        write_rows(tmp_path / "rows" / f"{next(iter(written))}.zip", judged.result, judged.trace)


def test_what_has_no_room_keeps_its_hash(judged: Judged) -> None:
    whole, bounded = (make_row_files(judged.result, judged.trace, 12, room) for room in (10**7, 90_000))
    assert [one.sha256 for one in bounded] == [one.sha256 for one in whole]
    held = [one for one in bounded if one.zipped is not None]
    assert 0 < len(held) < len(whole)
    assert sum(len(one.zipped or b"") for one in held) * 4 / 3 <= 90_000
    assert held[0].selection == "test"


def test_without_a_trace_there_are_no_rows() -> None:
    assert make_row_files(sample.one_score(), None, 12) == []


def test_the_band_at_the_teams_capacity_is_the_interval_there(judged: Judged) -> None:
    said = judged.result.scores[0].primary.captured_arr
    assert isinstance(said, CapturedArr)
    assert [band.capacity for band in said.bands] == [row[0] for row in said.curve]
    at = next(band for band in said.bands if band.capacity == said.capacity)
    for value, ends in ((said.score, at.score), (said.arr_alone, at.arr_alone), (said.random, at.random)):
        assert isinstance(value, Estimate)
        low, high = min(ends[0], value.point), max(ends[1], value.point)
        assert (low, high) == (pytest.approx(value.low), pytest.approx(value.high))
