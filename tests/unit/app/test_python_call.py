"""The call from Python: what it takes, what it refuses, and what it tells of its progress."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import unspun
from tests.doors.cli_files import write_company
from unspun.app.audits import audit_scores
from unspun.app.reading import AuditRequest
from unspun.audit.protocol import AuditSettings
from unspun.book.terms.rules import TermRules
from unspun.cli.outputs import OutputFile
from unspun.cli.plan import Outputs
from unspun.cli.written import write_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def extras(files: tuple[Path, Path]) -> dict[str, Any]:
    """The optional inputs as frames of three libraries."""
    scores = pd.read_csv(files[0])
    names = sorted(set(scores.account_id))
    return {
        "accounts": pl.DataFrame({"account": names, "industry": ["ore", "oil", "gas"] * 60}),
        "events": pa.table({"account_id": list(scores.account_id), "event_time": list(scores.scored_on)}),
        "forecasts": pd.DataFrame({"account": names, "made_at": date(2023, 12, 1), "probability": [0.5, 0.9] * 90}),
    }


def gain(result: Any) -> Any:
    return result.scores[0].primary.test


def test_frames_are_read_as_their_files_are(files: tuple[Path, Path]) -> None:
    by_path = unspun.audit_score(*files)
    scores = pd.read_csv(files[0])
    by_frame = unspun.audit_score([scores[:4000], scores[4000:]], pl.read_csv(files[1]))
    assert gain(by_frame) == gain(by_path)
    assert by_frame.scores[0].facts == by_path.scores[0].facts


def test_each_optional_input_is_used_and_accounted_for(files: tuple[Path, Path], extras: dict[str, Any]) -> None:
    result = unspun.audit_score(*files, **extras, fixed=["industry"])
    assert [file.role for file in result.inputs] == ["scores", "renewals", "accounts", "events", "forecasts"]
    assert [one.name for one in gain(result).beside] == ["ARR alone", "usage trend", "usage level", "CSM forecast"]


def test_one_text_is_a_sequence_of_one(files: tuple[Path, Path], extras: dict[str, Any]) -> None:
    one = unspun.audit_score(*files, accounts=extras["accounts"], fixed="industry", reviews="2024-03-31", score_columns="score")
    many = unspun.audit_score(*files, accounts=extras["accounts"], fixed=["industry"], reviews=[date(2024, 3, 31)], score_columns=["score"])
    assert dict(one.settings) == dict(many.settings)
    assert one.scores[0].facts == many.scores[0].facts


@pytest.mark.parametrize(
    ("asked", "where", "said"),
    [
        ({"term_rules": TermRules(grace_days=1)}, "term_rules", "has no effect without subscriptions"),
        ({"active_days": 90}, "active_days", "has no effect without purchases"),
        ({"calls": ("cold", "warm")}, "calls", "has no effect without forecasts"),
        ({"purchases": "orders.csv"}, "purchases", "outcomes can come from one source"),
    ],
)
def test_what_cannot_count_is_refused(files: tuple[Path, Path], asked: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(unspun.BadInput) as refused:
        unspun.audit_score(*files, **asked)
    assert [fault.where for fault in refused.value.faults] == [where]
    assert said in refused.value.faults[0].message


def test_a_fault_of_the_options_is_told_once_however_many_files_there_are(files: tuple[Path, Path], extras: dict[str, Any]) -> None:
    with pytest.raises(unspun.BadInput) as refused:
        unspun.audit_score(*files, **extras, time_zone="Mars/Olympus")
    assert [fault.code for fault in refused.value.faults] == ["unknown_time_zone"]


def test_frames_given_the_wrong_way_round_are_told(files: tuple[Path, Path]) -> None:
    scores, renewals = (pd.read_csv(path) for path in files)
    with pytest.raises(unspun.BadInput) as refused:
        unspun.audit_score(renewals, scores)
    assert [(fault.code, fault.where) for fault in refused.value.faults] == [("swapped", "scores")]


def test_every_file_read_and_written_is_a_stage_of_the_progress(files: tuple[Path, Path], extras: dict[str, Any], tmp_path: Path) -> None:
    stages: dict[str, list[tuple[int, int]]] = {}

    def note(stage: str, done: int, total: int) -> None:
        stages.setdefault(stage, []).append((done, total))

    request = AuditRequest(str(files[0]), str(files[1]), **extras, settings=AuditSettings(fixed=("industry",)))
    done = audit_scores(request, note)
    json, html, rows, rejects = (OutputFile(f"--{name}", tmp_path / name) for name in ("json", "html", "rows", "rejects"))
    outputs = Outputs(json=json, html=html, rows=rows, rejects=rejects)
    write_files(outputs, done, note)
    reading = [f"reading {name}" for name in ("scores", "renewals", "accounts", "events", "forecasts")]
    assert list(stages)[:5] == reading
    assert list(stages)[-4:] == [f"writing the {what}" for what in ("result", "report", "rows behind the figures", "rows set aside")]
    assert all(0 <= step <= total and total > 0 for steps in stages.values() for step, total in steps)
    assert {path.name for path in tmp_path.iterdir()} == {"json", "html", "rows", "rejects"}
