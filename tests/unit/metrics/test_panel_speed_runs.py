"""The benchmark of the panel runs on a few events, and its sides give the same answers, which is checked cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ACCOUNTS, EVENTS = 40, 6_000


@pytest.fixture(scope="module")
def benchmarks(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """panel_speed.py, imported as it runs: from its own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(request.config.rootpath / "benchmarks"))
        yield import_module("panel_speed")


@pytest.fixture(scope="module")
def book(benchmarks: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("panel") / "book"
    import_module("panel_data").make_book(folder, EVENTS, seed=3, accounts=ACCOUNTS)
    import_module("panel_duckdb").make_database(folder / "warehouse", folder / "usage.duckdb")
    return folder


def test_the_events_are_as_many_as_asked_in_the_order_of_their_time(benchmarks: ModuleType, book: Path) -> None:
    files = import_module("panel_clock").event_files(book / "warehouse")
    times = [time for file in files for time in pq.read_table(file).column("happened_at").to_pylist()]
    assert len(times) == EVENTS
    assert times == sorted(times)


@pytest.mark.parametrize("dates", ["monthly", "renewals"])
def test_unspun_polars_and_range_joins_give_the_same_thirty_metrics(benchmarks: ModuleType, book: Path, dates: str) -> None:
    check = import_module("panel_check")
    sides = (benchmarks.UNSPUN, benchmarks.POLARS, benchmarks.DUCKDB)
    out = {side: book / f"{dates} {side}.parquet" for side in sides}
    ran = {side: benchmarks.run_side(side, book, dates, path) for side, path in out.items()}
    assert all(run["seconds"] > 0 and run["peak_mb"] > 0 for run in ran.values())
    assert check.differing(out[benchmarks.DUCKDB], out[benchmarks.POLARS]) == {}
    assert check.differing_panel(out[benchmarks.DUCKDB], out[benchmarks.UNSPUN], book / "warehouse") == {}
    assert pq.read_metadata(out[benchmarks.UNSPUN]).num_rows == ACCOUNTS * {"monthly": 24, "renewals": 6}[dates]


def test_an_answer_that_is_off_by_one_is_found(benchmarks: ModuleType, book: Path) -> None:
    check = import_module("panel_check")
    right, wrong = book / "monthly right.parquet", book / "monthly wrong.parquet"
    benchmarks.run_side(benchmarks.POLARS, book, "monthly", right)
    rows = pq.read_table(right)
    users = rows.column("users_28d").to_pylist()
    users[-1] += 1
    place = rows.schema.get_field_index("users_28d")
    pq.write_table(rows.set_column(place, "users_28d", pa.array(users)), wrong)
    assert check.differing(right, wrong) == {"users_28d": 1}
    pq.write_table(rows.slice(1), wrong)
    assert check.differing(right, wrong) == {"rows": 1}


def test_a_reason_that_does_not_follow_from_the_account_is_found(benchmarks: ModuleType, book: Path) -> None:
    check = import_module("panel_check")
    by_hand, panel, wrong = (book / f"monthly {name}.parquet" for name in ("by hand", "panel", "wrong panel"))
    benchmarks.run_side(benchmarks.POLARS, book, "monthly", by_hand)
    benchmarks.run_side(benchmarks.UNSPUN, book, "monthly", panel)
    assert check.differing_panel(by_hand, panel, book / "warehouse") == {}
    rows = pq.read_table(panel)
    reasons = rows.column("logins_7d__missing").to_pylist()
    reasons[reasons.index("before_birth")] = "not_seen"
    place = rows.schema.get_field_index("logins_7d__missing")
    pq.write_table(rows.set_column(place, "logins_7d__missing", pa.array(reasons)), wrong)
    assert check.differing_panel(by_hand, wrong, book / "warehouse") == {"logins_7d": 1}
