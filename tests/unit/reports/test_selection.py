"""The query shown under a figure selects the rows that its CSV holds: run by DuckDB, on the files themselves."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.unit.reports.company import audited, write_company
from unspun.reports.row_files import make_row_files


@pytest.mark.parametrize(("term_days", "design"), [(365, "renewal"), (91, "landmark")])
@pytest.mark.parametrize(("lost", "kept"), [("churned", "renewed"), ("Closed-Lost", "Closed Won")])
def test_the_query_selects_the_rows_of_the_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, term_days: int, design: str, lost: str, kept: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_company(tmp_path, term_days, lost, kept)
    judged = audited(tmp_path)
    assert judged.result.design.name == design
    files = make_row_files(judged.result, judged.trace, 12)
    compared = [one for one in files if one.selection in ("test", "eligible", "leak")]
    assert len(compared) == 6
    for one in compared:
        assert one.zipped is not None
        with zipfile.ZipFile(io.BytesIO(one.zipped)) as archive:
            held = pd.read_csv(archive.open(f"{one.stem}.csv"))
        column = "score_as_dated" if one.selection == "leak" else "score"
        asked = duckdb.execute(one.query).df()
        asked = asked.dropna(subset="score") if one.selection == "leak" else asked
        assert keyed(asked, "score") == keyed(held, column)
        assert len(held) == one.rows > 50


def keyed(frame: pd.DataFrame, column: str) -> list[tuple[str, ...]]:
    """Rows as sorted text, in which a missing score is a word of its own."""
    account = frame.account.astype(str).str.removeprefix("'")
    looked_at = pd.to_datetime(frame.looked_at).dt.strftime("%Y-%m-%d")
    score = ["none" if pd.isna(value) else f"{float(value):g}" for value in frame[column]]
    return sorted(zip(account, looked_at, frame.outcome.astype(str), score, strict=True))
