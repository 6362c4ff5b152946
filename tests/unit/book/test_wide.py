"""Score tables with a column a month read like long ones, and no month is known before it is over."""

from __future__ import annotations

import calendar
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, ScoreHistory
from unspun.book.wide import periods_in
from unspun.errors import BadInput

NOTHING = ReadingOptions()
SPELLINGS = {
    "2025-01": "%Y-%m", "202501": "%Y%m", "Jan 2025": "%b %Y", "Jan-25": "%b-%y", "Jan '25": "%b '%y", "January 2025": "%B %Y",
    "01/2025": "%m/%Y", "2025 Jan": "%Y %b", "Health 2025-01": "Health %Y-%m", "Health score (Jan 2025)": "Health score (%b %Y)",
    "health_2025_01": "health_%Y_%m", "2025-01 NPS": "%Y-%m NPS", "2025-01-01 00:00:00": "%Y-%m-01 00:00:00",
}  # fmt: skip


def content(history: ScoreHistory) -> set[tuple[int, str, str, float]]:
    names = [history.account.names[code] for code in history.account.codes]
    days = history.dated.astype("datetime64[D]").astype(str)
    return set(zip(history.row.tolist(), names, days.tolist(), history.series[0].values.tolist(), strict=True))


@pytest.mark.parametrize("header", SPELLINGS)
def test_every_spelling_of_a_month_is_its_last_day(header: str) -> None:
    form = SPELLINGS[header]
    assert date(2025, 1, 1).strftime(form) == header
    months = [date(2024 + i // 12, 1 + i % 12, 1) for i in range(30)]
    found = periods_in(["account", *(month.strftime(form) for month in months), "segment"])
    assert [period.column for period in found] == list(range(1, 31))
    assert [period.day for period in found] == [m.replace(day=calendar.monthrange(m.year, m.month)[1]) for m in months]


@pytest.mark.parametrize(
    "header", ["account", "ARR 2025", "score 5", "Region 12", "phone", "plan 2025-13", "Marge 25", "May 5", "2025", ""]
)
def test_other_headers_are_no_month(header: str) -> None:
    assert periods_in([header, header]) == []


def test_quarters_are_dated_their_last_day_and_full_dates_their_own() -> None:
    days = {
        "2025 Q1": "2025-03-31",
        "Q4 2025": "2025-12-31",
        "Q2'25": "2025-06-30",
        "2025-01-15": "2025-01-15",
        "M\u00e4rz 2025": "2025-03-31",
    }
    assert {header: str(periods_in([header])[0].day) for header in days} == days


def test_a_wide_table_reads_like_the_long_one_that_pandas_makes_of_it() -> None:
    rng = np.random.default_rng(1)
    months = [str(month) for month in pd.period_range("2024-01", "2025-06", freq="M")]
    wide = pd.DataFrame(rng.integers(0, 100, (40, len(months))).astype(float), columns=months)
    wide = wide.mask(rng.random(wide.shape) < 0.2)
    wide.insert(0, "account", [f"A{i}" for i in range(40)])
    wide["owner"] = [f"Owner {i % 3}" for i in range(40)]
    wide["row"] = np.arange(40) + 2
    long = wide.melt(["account", "owner", "row"], var_name="month", value_name="score").dropna()
    ends = pd.PeriodIndex(long["month"], freq="M").to_timestamp("D", "end").strftime("%Y-%m-%d")
    expected = set(zip(long["row"], long["account"], ends, long["score"], strict=True))
    table = wide.drop(columns="row")
    for source in (table, table.to_csv(index=False).encode()):
        history = read_scores(source, NOTHING)
        assert content(history) == expected
        assert history.source.rows_read == 40 * len(months)
        assert [(r.reason, len(r.rows)) for r in history.source.rejections] == [("no score value", 40 * len(months) - len(long))]
        note = f"a column a month: {len(months)} from 2024-01 to 2025-06, each dated the last day of its period, as nobody knows it earlier"
        assert f"{note}; every cell is a row" in history.source.notes


def test_several_scores_a_month_are_several_series() -> None:
    history = read_scores(b"account,Health 2025-01,NPS 2025-01,Health 2025-02,NPS 2025-02\nA,1,2,3,\n", NOTHING)
    health, nps = history.series
    assert (health.name, health.values.tolist()) == ("Health", [1.0, 3.0])
    assert nps.name == "NPS" and nps.values[0] == 2.0 and np.isnan(nps.values[1])


def test_days_as_headers_tell_each_other_whether_the_day_comes_first() -> None:
    history = read_scores(b"account,01/31/2025,02/03/2025\nA,1,2\n", NOTHING)
    assert {day for _, _, day, _ in content(history)} == {"2025-01-31", "2025-02-03"}
    with pytest.raises(BadInput, match="could be 1 February or 2 January"):
        read_scores(b"account,01/02/2025,01/03/2025\nA,1,2\n", NOTHING)
    declared = read_scores(b"account,15/02/2025,01/03/2025\nA,1,2\n", ReadingOptions(date_format="%d/%m/%Y"))
    assert {day for _, _, day, _ in content(declared)} == {"2025-02-15", "2025-03-01"}


def test_headers_that_could_be_months_or_days_are_a_fault() -> None:
    with pytest.raises(BadInput, match="months of a year or days of a month"):
        read_scores(b"account,01/02,02/02\nA,1,2\n", NOTHING)


def test_a_fault_names_the_months_own_column() -> None:
    rows = b"account,2025-01,2025-02\nA,1,x\n"
    with pytest.raises(BadInput) as caught:
        read_scores(rows, NOTHING, "s.csv")
    assert caught.value.faults[0].where == "s.csv:2:2025-02"


def test_a_table_with_dates_is_left_as_it_is() -> None:
    history = read_scores(b"account,date,2025-01,2025-02\nA,2025-03-01,1,2\n", NOTHING)
    assert history.source.rows_read == 1 and [one.name for one in history.series] == ["2025-01", "2025-02"]


def test_totals_of_a_wide_table_are_set_aside_once() -> None:
    history = read_scores(b"account,2025-01,2025-02\nA,1,2\nB,3,4\nTotal,4,6\n", NOTHING)
    assert [(r.reason, r.rows.tolist()) for r in history.source.rejections] == [("totals row", [4])]
    assert history.source.rows_read == 5


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(0, 99)), min_size=3, max_size=3), min_size=1, max_size=8))
def test_every_cell_is_used_or_set_aside_once(cells: list[list[int | None]]) -> None:
    lines = [
        "account,Jan 2025,Feb 2025,Mar 2025",
        *(f"A{i}," + ",".join("" if c is None else str(c) for c in row) for i, row in enumerate(cells)),
    ]
    filled = {(i + 2, m) for i, row in enumerate(cells) for m, cell in enumerate(row, 1) if cell is not None}
    if not filled:
        return
    history = read_scores("\n".join(lines).encode(), NOTHING)
    months = history.dated.astype("datetime64[M]").astype(int) % 12 + 1
    assert set(zip(history.row.tolist(), months.tolist(), strict=True)) == filled
    assert history.source.rows_read == 3 * len(cells) == len(history.row) + sum(len(r.rows) for r in history.source.rejections)
