"""The benchmark of loading runs on a few events, and every side takes the same rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.load_speed import SIDES, make_events, run_side


def test_every_side_takes_all_the_events_that_were_made(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    make_events(file, 3_000)
    times = pq.read_table(file).column("event_time").to_pylist()
    assert len(times) == 3_000
    assert times == sorted(times)
    ran = {side: run_side(side, [file], tmp_path / side.replace(" ", "-")) for side in SIDES}
    assert {found["rows"] for found in ran.values()} == {3_000}
    assert ran["unspun load"]["seconds"].keys() == {"load", "again"}
