"""Several files as one input: splitting a file changes no figure, and every row still says which file it stands in."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.audit.inputs import report_input
from unspun.book.inputs import write_rejections
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, ScoreHistory
from unspun.errors import BadInput

NOTHING = ReadingOptions()
NAMES = ("account", "date", "score", "owner")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "", "007"]),
        st.sampled_from(["2026-01-01", "2026-01-02", "soon", ""]),
        st.sampled_from(["1", "2.5", "", "x"]),
        st.sampled_from(["Ann", ""]),
    ),
    max_size=12,
)
GOOD = [(f"X{i}", "2026-03-01", str(i), "Zoe") for i in range(40)]


def text(rows: list[tuple[str, ...]], order: tuple[int, ...] = (0, 1, 2, 3)) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([[row[i] for i in order] for row in [NAMES, *rows]])
    return file.getvalue().encode()


def content(history: ScoreHistory) -> tuple[Any, ...]:
    names = [history.account.names[code] for code in history.account.codes]
    owners = None if history.owner is None else [history.owner.names[code] if code >= 0 else None for code in history.owner.codes]
    return names, history.dated.tolist(), history.series[0].values.tolist(), owners


@given(ROWS, st.lists(st.integers(0, 52), max_size=3), st.permutations([0, 1, 2, 3]))
def test_splitting_a_file_changes_no_value_and_every_row_says_its_file(
    odd: list[tuple[str, ...]], cuts: list[int], order: list[int]
) -> None:
    rows = [*odd, *GOOD]
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [rows[low:high] for low, high in itertools.pairwise(bounds) if high > low]
    whole = read_scores(text(rows), NOTHING)
    split = read_scores([text(part, tuple(order) if i % 2 else (0, 1, 2, 3)) for i, part in enumerate(parts)], NOTHING)
    assert content(split) == content(whole) and split.source.rows_read == whole.source.rows_read
    starts = np.cumsum([0, *map(len, parts)])

    def in_whole(files: np.ndarray | None, numbers: np.ndarray) -> list[int]:
        return numbers.tolist() if files is None else (starts[files] + numbers).tolist()

    assert in_whole(split.file, split.row) == whole.row.tolist()
    theirs = {(r.code, r.column): (r.rows.tolist(), r.values) for r in whole.source.rejections}
    assert {(r.code, r.column): (in_whole(r.file, r.rows), r.values) for r in split.source.rejections} == theirs


def save_workbook(path: Path, rows: list[tuple[str, ...]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for name, day, score, owner in [NAMES, *rows]:
        typed = (name, day, score) if day == "date" else (name, date.fromisoformat(day), float(score))
        sheet.append((*typed, owner))
    book.save(path)


WRITERS: dict[str, Callable[[Path, list[tuple[str, ...]]], object]] = {
    "csv": lambda path, rows: path.write_bytes(text(rows)),
    "xlsx": save_workbook,
    "jsonl": lambda path, rows: path.write_text("\n".join(json.dumps(dict(zip(NAMES, row, strict=True))) for row in rows)),
    "parquet": lambda path, rows: pq.write_table(
        pa.table(pd.DataFrame(rows, columns=list(NAMES)).astype({"score": float, "date": "datetime64[us]"})), path
    ),
}


def test_a_folder_of_all_formats_is_one_table(tmp_path: Path) -> None:
    for i, (suffix, write) in enumerate(WRITERS.items()):
        write(tmp_path / f"{i}.{suffix}", GOOD[10 * i : 10 * i + 10])
    (tmp_path / ".DS_Store").write_bytes(b"\x00")
    (tmp_path / "~$1.xlsx").write_bytes(b"\x00")
    (tmp_path / "older").mkdir()
    history = read_scores(tmp_path, NOTHING)
    assert content(history) == content(read_scores(text(GOOD), NOTHING))
    source = history.source
    assert [Path(file.name).name for file in source.files] == ["0.csv", "1.xlsx[Sheet]", "2.jsonl", "3.parquet"]
    assert "folders within it not read: 'older'" in source.notes and "hidden files not read: '.DS_Store', '~$1.xlsx'" in source.notes
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(tmp_path.glob("[0-9]*"))]
    assert [file.sha256 for file in source.files] == digests
    assert source.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    report = report_input(source)
    assert [(file.name, file.rows_read) for file in report.files] == [
        ("0.csv", 10), ("1.xlsx[Sheet]", 10), ("2.jsonl", 10), ("3.parquet", 10),
    ]  # fmt: skip


def test_a_pattern_stands_for_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for month in (2, 1, 3):
        (tmp_path / f"2025-{month:02}.csv").write_text(f"account,date,score\nA,2025-{month:02}-01,{month}\n")
    (tmp_path / "2024-01.csv").write_text("nothing of the kind")
    history = read_scores(str(tmp_path / "2025-*.csv"), NOTHING)
    assert history.series[0].values.tolist() == [1.0, 2.0, 3.0] and history.row.tolist() == [2, 2, 2]
    with pytest.raises(BadInput, match="no file fits the pattern"):
        read_scores(str(tmp_path / "2023-*.csv"), NOTHING)
    odd = tmp_path / "odd[1].csv"
    odd.write_text("account,date,score\nA,2025-01-01,9\n")
    assert read_scores(str(odd), NOTHING).series[0].values.tolist() == [9.0]  # a file of that name is the file


def test_lists_of_paths_and_frames_are_read_from_python(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text(GOOD[:20]))
    frame = pd.DataFrame(GOOD[20:], columns=list(NAMES)).astype({"score": float})
    assert content(read_scores([path, frame], NOTHING)) == content(read_scores(text(GOOD), NOTHING))
    with pytest.raises(BadInput, match="an empty list holds no table"):
        read_scores([], NOTHING)


def test_a_column_missing_in_one_file_is_blank_there_and_noted() -> None:
    parts = [b"account,date,score,owner\nA,2026-01-01,1,Ann\n", b"Date,SCORE,Account\n2026-01-01,2,B\n"]
    history = read_scores(parts, NOTHING, "s")
    assert content(history)[3] == ["Ann", None]
    assert "column 'owner' is blank in 's 2', which has no such column" in history.source.notes


def test_a_needed_column_that_is_missing_in_one_file_is_a_fault_that_names_the_file() -> None:
    parts = [b"account,date,score\nA,2026-01-01,1\n", b"account,scored in,score\nB,2026-01-01,1\n"]
    with pytest.raises(BadInput) as caught:
        read_scores(parts, NOTHING, "s")
    assert (caught.value.faults[0].code, caught.value.faults[0].where) == ("no_date_column", "s 2:1")
    assert "which is 'date' in s 1" in caught.value.faults[0].message


def test_the_faults_of_all_files_are_told_together_and_cells_by_their_own_file() -> None:
    with pytest.raises(BadInput) as caught:
        read_scores([b"%PDF", b"PK\x03\x04", b"account,date,score\nA,2026-01-01,1\n"], NOTHING, "s")
    assert [fault.where for fault in caught.value.faults] == ["s 1", "s 2"]
    with pytest.raises(BadInput) as caught:
        read_scores([b"account,date,score\nA,2026-01-01,1\n", b"account,date,score\n\nA,soon,1\nB,later,1\n"], NOTHING, "s")
    assert caught.value.faults[0].where == "s 2:3:date" and "also row 4)" in caught.value.faults[0].message


def test_rows_set_aside_are_listed_with_their_own_file(tmp_path: Path) -> None:
    good = "".join(f"X{i},2026-01-01,won\n" for i in range(9))
    parts = [f"account,due,outcome\n{good}".encode(), f"account,due,outcome\n,2026-01-01,won\n{good.replace('X', 'Y')}".encode()]
    renewals = read_renewals(parts, NOTHING, "r")
    assert renewals.file is not None and renewals.file.tolist() == [0] * 9 + [1] * 9
    write_rejections(tmp_path / "rejects.csv", [renewals.source])
    assert list(csv.reader((tmp_path / "rejects.csv").open(newline="")))[1:] == [["r 2", "2", "account", "no_account", "no account", ""]]


def test_wide_files_of_a_month_each_are_joined() -> None:
    parts = [b"account,2025-01,2025-02\nA,1,2\n", b"account,2025-03,2025-04\nA,3,4\n"]
    history = read_scores(parts, NOTHING)
    assert history.dated.astype("datetime64[D]").astype(str).tolist() == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]
    assert history.source.rows_read == 4
