"""What a score row costs in memory while files are audited, measured on processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.audit_memory import BEGIN, DOCUMENT, END, RESULTS, make_inputs, measure_audit, table

SMALL, LARGE, ACCOUNTS = 100_000, 1_000_000, 2_000
MOST_BYTES_A_ROW = 190  # about 163 measured: four eight-byte numbers more in the largest step would pass it


def peak_mb(rows: int, folder: Path) -> float:
    scores = make_inputs(rows, ACCOUNTS, "recorded", folder)
    return measure_audit(scores, folder / "renewals.csv", folder / "out.json")["peak_mb"]


def test_each_further_score_row_costs_a_bounded_number_of_bytes(tmp_path: Path) -> None:
    small, large = (peak_mb(rows, tmp_path / str(rows)) for rows in (SMALL, LARGE))
    assert (large - small) * 1e6 / (LARGE - SMALL) < MOST_BYTES_A_ROW


def test_the_table_says_whether_the_aim_was_reached() -> None:
    cell = {"peak_mb": 1_500, "seconds": 9.0, "load_before": 0.0}
    machine = {"cpus": 2, "system": "", "machine": ""}
    results = {"date": "2026-11-22", "versions": {}, "machine": machine, "forms": {"csv": {"10000000": cell}}}
    assert "**reached**, the most being 1,500 MB" in table(results)
    cell["peak_mb"] = 2_500
    assert "**missed**" in table(results)


def test_the_table_of_the_page_is_that_of_the_committed_results() -> None:
    written = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0].strip()
    assert written == table(json.loads(RESULTS.read_text()))
