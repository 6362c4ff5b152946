"""Both files together, real data with known numbers, and the list of rows set aside."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from unspun.book.inputs import read_inputs, write_rejections
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, RENEWED, ReadingOptions
from unspun.errors import BadInput

NOTHING = ReadingOptions()


def test_the_simulated_crm_has_its_known_numbers(shared_data: Path) -> None:
    history, renewals = read_inputs(shared_data / "crm_sim" / "health_scores.csv", shared_data / "crm_sim" / "renewals.csv", NOTHING)
    counts = {outcome: int(np.sum(renewals.outcome == outcome)) for outcome in (RENEWED, CHURNED, CONTRACTED, EXPANDED)}
    assert counts == {RENEWED: 28_567, CHURNED: 942, CONTRACTED: 605, EXPANDED: 1_788}
    assert len(renewals.row) == renewals.source.rows_read == 31_902
    assert len(history.row) == history.source.rows_read == 44_793
    assert history.band_names == ("red", "yellow", "green") and [one.name for one in history.series] == ["score"]
    assert (str(renewals.due.min()), str(renewals.due.max())) >= ("2022-01-01", "2022-01-01") and str(renewals.due.max()) <= "2024-01-31"


def test_the_simulated_crm_agrees_with_the_standard_librarys_reader(shared_data: Path) -> None:
    path = shared_data / "crm_sim" / "health_scores.csv"
    history = read_scores(path, NOTHING)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [history.account.names[code] for code in history.account.codes] == [row["account_id"] for row in rows]
    assert history.dated.astype("datetime64[D]").astype(str).tolist() == [row["scored_on"] for row in rows]
    assert history.series[0].values.tolist() == [float(row["score"]) for row in rows]


def test_a_file_without_dates_is_refused_with_that_reason(shared_data: Path) -> None:
    telco = shared_data / "telco" / "Telco-Customer-Churn.csv"
    with pytest.raises(BadInput) as caught:
        read_inputs(telco, telco, NOTHING)
    assert [fault.code for fault in caught.value.faults] == ["no_date_column", "no_due_column"]
    assert "nobody can tell what was known when" in caught.value.faults[0].message


def test_the_faults_of_both_files_are_told_together() -> None:
    with pytest.raises(BadInput) as caught:
        read_inputs(b"account,date,score\nA,03/04/2026,5\n", b"account,due,outcome\nA,04/05/2026,zombie\n", NOTHING)
    assert [(fault.where, fault.code) for fault in caught.value.faults] == [
        ("scores:2:date", "ambiguous_dates"), ("renewals:2:due", "ambiguous_dates"), ("renewals:2:outcome", "unknown_outcomes"),
    ]  # fmt: skip


def test_a_wrong_option_is_told_even_where_both_files_are_good() -> None:
    wrong = ReadingOptions(time_zone="Europe/Berln")
    with pytest.raises(BadInput, match="Did you mean 'Europe/Berlin'"):
        read_inputs(b"account,date,score\nA,2026-01-01,5\n", b"account,due,outcome\nA,2026-01-01,won\n", wrong)


def test_rows_set_aside_are_written_one_a_line_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    lines = "account,due,outcome,arr\nA,2026-01-01,won,-5\nB,=1+1,won,5\n" + "".join(f"X{i},2026-01-01,won,5\n" for i in range(9))
    renewals = read_renewals(f"{lines},2026-01-01,won,5\nC,2026-01-01\n".encode(), NOTHING, "my renewals.csv")
    write_rejections(tmp_path / "rejects.csv", [renewals.source])
    with (tmp_path / "rejects.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["file", "row", "column", "code", "reason", "value"],
        ["my renewals.csv", "14", "", "malformed_row", "malformed row: not the 4 cells of the header", "C,2026-01-01"],
        ["my renewals.csv", "13", "account", "no_account", "no account", ""],
        ["my renewals.csv", "3", "due", "unreadable_date", "unreadable date", "'=1+1"],
        ["my renewals.csv", "2", "arr", "negative_amount", "negative amount", "'-5"],
    ]


def test_a_list_that_cannot_be_written_is_a_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_rejections(tmp_path / "no folder" / "rejects.csv", [])
