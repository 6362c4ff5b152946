"""Properties: every row of any file is accounted for, and how a file is written changes no value in it."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, Renewals, ScoreHistory
from unspun.errors import BadInput

NOTHING = ReadingOptions()
ACCOUNTS = st.sampled_from(["A", "B", "C", " ", "\u00dc x", 'q"uote', "new\nline", "co,mma", "null"])
DATES = st.sampled_from(["2026-01-01", "2026-01-02", "", "soon", "1900-01-01", "2026-01-01T00:00:00"])
SCORES = st.sampled_from(["1", "2.50", "", "n/a", "inf", "x", "7e1", " 3 "])
OUTCOMES = st.sampled_from(["won", "Lost", "", "expanded"])
AMOUNTS = st.sampled_from(["10", "$1,000.00", "", "-5", "(3.00)", "lots"])
GOOD_SCORES = [[f"X{i}", "2026-03-01", str(i)] for i in range(60)]
GOOD_RENEWALS = [[f"X{i}", "2026-03-01", "won", "5.50"] for i in range(60)]


def messy(header: list[str], good: list[list[str]], *cells: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """CSV of good rows with odd, torn, over-long and blank ones among them."""
    torn = st.lists(st.sampled_from(["A", "", "2026-01-01"]), max_size=6).filter(lambda row: len(row) != len(header))
    odd = st.one_of(st.tuples(*cells).map(list), torn, st.sampled_from(good), st.just([]))
    places = st.integers(0, len(good))

    def mixed(drawn: list[tuple[int, list[str]]]) -> list[list[str]]:
        rows = list(good)
        for place, row in drawn:
            rows.insert(place, row)
        return [header, *rows]

    return st.builds(written, st.lists(st.tuples(places, odd), max_size=14).map(mixed), st.sampled_from(["\n", "\r\n"]))


def written(rows: list[list[str]], end: str, separator: str = ",") -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, delimiter=separator).writerows(rows)
    return file.getvalue()


def check_accounts(table: ScoreHistory | Renewals, text: str) -> None:
    """Every record of the file, as the standard library counts them, is in the table or set aside, and in one place only."""
    records = len(list(csv.reader(io.StringIO(text, newline=""))))
    numbers = np.concatenate([table.row, *(rejection.rows for rejection in table.source.rejections)])
    assert sorted(numbers.tolist()) == list(range(2, records + 1))
    assert table.source.rows_read == records - 1
    for rejection in table.source.rejections:
        assert rejection.values is None or len(rejection.values) == len(rejection.rows)


@given(messy(["account", "date", "score"], GOOD_SCORES, ACCOUNTS, DATES, SCORES))
def test_every_row_of_a_messy_score_file_is_used_or_set_aside_once(text: str) -> None:
    history = read_scores(text.encode(), NOTHING)
    check_accounts(history, text)
    keys = list(zip(history.account.codes.tolist(), history.dated.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    assert np.isfinite(history.series[0].values).all() and not np.isnat(history.dated).any()


@given(messy(["account", "due", "outcome", "arr"], GOOD_RENEWALS, ACCOUNTS, DATES, OUTCOMES, AMOUNTS))
def test_every_row_of_a_messy_renewal_file_is_used_or_set_aside_once(text: str) -> None:
    renewals = read_renewals(text.encode(), NOTHING)
    check_accounts(renewals, text)
    assert renewals.amount_before is not None and not (renewals.amount_before < 0).any()
    assert renewals.account.codes.min() >= 0


@given(st.binary(max_size=300))
def test_no_bytes_at_all_end_in_anything_but_a_table_or_a_clear_fault(content: bytes) -> None:
    for prefix in (b"", b"account,date,score\n", b"PAR1", b"\x1f\x8b\x08\x00", b"\xff\xfe"):
        try:
            read_scores(prefix + content, NOTHING)
        except BadInput as error:
            assert error.faults and all(fault.message and fault.where for fault in error.faults)


@given(st.text('abA1,;"\n\t -/.:$%0', max_size=200))
def test_no_text_at_all_ends_in_anything_but_a_table_or_a_clear_fault(text: str) -> None:
    for header in ("account,date,score\n", "account;due;outcome;arr\n"):
        try:
            read_scores((header + text).encode(), NOTHING)
        except BadInput as error:
            assert error.faults
        try:
            read_renewals((header + text).encode(), NOTHING)
        except BadInput as error:
            assert error.faults


NAMES = st.text("abcXYZ \u00e4\u00f6\u00e9,;|\"'0", min_size=1, max_size=6).map(str.strip).filter(lambda n: n not in ("", "-"))
ROWS = st.lists(st.tuples(NAMES, st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(-99, 99)), min_size=1, max_size=12)


def content(history: ScoreHistory) -> list[tuple[int, str, object, float]]:
    names = [history.account.names[code] for code in history.account.codes]
    return list(zip(history.row.tolist(), names, history.dated.tolist(), history.series[0].values.tolist(), strict=True))


@given(
    rows=ROWS,
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    order=st.permutations(["account", "date", "score"]),
    zipped=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_how_a_file_is_written_changes_no_value(
    rows: list[tuple[str, date, int]], separator: str, encoding: str, order: list[str], zipped: bool, end: str
) -> None:
    cells: list[dict[str, str]] = [{"account": name, "date": str(day), "score": str(score)} for name, day, score in rows]
    plain = written([["account", "date", "score"], *([row["account"], row["date"], row["score"]] for row in cells)], "\n").encode()
    other = written([list(order), *([row[name] for name in order] for row in cells)], end, separator).encode(encoding)
    try:
        expected = content(read_scores(plain, NOTHING))
    except BadInput:  # all rows contradict each other
        return
    assert content(read_scores(gzip.compress(other) if zipped else other, NOTHING)) == expected
