"""Score histories: which columns are scores, what becomes of each row, and that nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, ScoreHistory
from unspun.errors import BadInput

NOTHING = ReadingOptions()


def read(*lines: str, options: ReadingOptions = NOTHING) -> ScoreHistory:
    return read_scores("\n".join(lines).encode(), options)


def series(history: ScoreHistory) -> dict[str, list[float]]:
    return {one.name: one.values.tolist() for one in history.series}


def set_aside(history: ScoreHistory) -> dict[str, list[int]]:
    return {rejection.code: rejection.rows.tolist() for rejection in history.source.rejections}


def test_a_band_beside_one_number_is_that_scores_own_band() -> None:
    history = read("account,date,score,band", "A,2026-01-01,10,red", "B,2026-01-01,90,green", "C,2026-01-01,50,")
    assert series(history) == {"score": [10, 90, 50]}
    assert history.band is not None and history.band_names == ("red", "green")
    assert history.band[:2].tolist() == [0, 1] and np.isnan(history.band[2])
    assert history.source.columns["band"] == "band"


def test_a_column_named_like_a_score_that_holds_something_else_is_noted() -> None:
    history = read("account,date,score,health_comment", "A,2026-01-01,10,fine so far", "B,2026-01-01,90,they left")
    assert series(history) == {"score": [10, 90]} and history.source.unused == ("health_comment",)
    assert any("'health_comment' is not read as a score" in note for note in history.source.notes)


def test_a_lone_band_is_the_score() -> None:
    history = read("account,date,RAG", "A,2026-01-01,R", "B,2026-01-01,G")
    assert series(history) == {"RAG": [0, 1]}
    assert history.series[0].bands == ("R", "G") and history.band is None


def test_a_band_that_the_caller_names_is_a_score_of_its_own() -> None:
    history = read(
        "account,date,score,band", "A,2026-01-01,10,red", "B,2026-01-01,90,green", options=ReadingOptions(scores=("score", "band"))
    )
    assert series(history) == {"score": [10, 90], "band": [0, 1]} and history.band is None


def test_several_score_columns_are_several_scores() -> None:
    history = read("account,date,health_score,nps,seats", "A,2026-01-01,10,3,99", "B,2026-01-01,90,,99")
    assert list(series(history)) == ["health_score", "nps"]
    assert history.source.unused == ("seats",)
    assert np.isnan(history.series[1].values[1])


def test_without_a_usual_name_every_column_of_numbers_or_bands_is_a_score() -> None:
    history = read("account,date,logins,seat_id,level,region", "A,2026-01-01,10,3,low,EU", "B,2026-01-01,90,4,high,US")
    assert series(history) == {"logins": [10, 90], "level": [0, 1]}


def test_the_caller_can_name_the_scores() -> None:
    history = read("account,date,score,logins", "A,2026-01-01,10,3", options=ReadingOptions(scores=("logins",)))
    assert series(history) == {"logins": [3]}
    mapped = read("account,date,score,logins", "A,2026-01-01,10,3", options=ReadingOptions(columns={"score": "logins"}))
    assert series(mapped) == {"logins": [3]}
    with pytest.raises(BadInput, match="Did you mean 'logins'"):
        read("account,date,score,logins", "A,2026-01-01,10,3", options=ReadingOptions(scores=("login",)))


def test_in_long_form_each_name_is_a_score_of_numbers_or_of_bands() -> None:
    history = read(
        "account,date,metric,value", "A,2026-01-01,health,10", "A,2026-01-01,mood,red", "B,2026-01-01,mood,green",
        "B,2026-01-01,health,20", "C,2026-01-01,,5",
    )  # fmt: skip
    health, mood = history.series
    assert (health.name, health.values.tolist(), health.bands) == ("health", [10, 20], ())
    assert (mood.name, mood.values.tolist(), mood.bands) == ("mood", [0, 1], ("red", "green"))
    assert health.rows is not None and history.row[health.rows].tolist() == [2, 5]
    assert set_aside(history) == {"no_score_name": [6]}


def test_rows_that_cannot_be_used_are_set_aside_for_their_first_reason() -> None:
    good = [f"X{i},2026-01-01,{i}" for i in range(40)]
    bad = ["A,2026-01-01", "", "  ,soon,x", "B,soon,5", "C,,5", "D,2026-01-01,tall", "E,2026-01-01,", "F,1950-01-01,5", "X0,2026-01-01,0"]
    history = read("account,date,score", *good, *bad, "Y,2026-01-01,1", "Y,2026-01-01,2", "Y,2026-01-01,2")
    assert set_aside(history) == {
        "malformed_row": [42], "blank_line": [43], "no_account": [44], "unreadable_date": [45], "no_date": [46],
        "unreadable_score": [47], "no_score": [48], "impossible_date": [49], "duplicate": [50], "conflict": [51, 52, 53],
    }  # fmt: skip
    assert history.source.rows_read == 52 and len(history.row) == 40
    shown = {r.code: r.values for r in history.source.rejections}
    assert shown["unreadable_date"] == ("soon",) and shown["unreadable_score"] == ("tall",) and shown["conflict"] == ("1", "2", "2")


def test_recorded_times_tell_two_values_of_one_day_apart() -> None:
    history = read(
        "account,date,score,recorded_at", "A,2026-01-01,1,2026-01-01", "A,2026-01-01,2,2026-01-09", "A,2026-01-01,2,2026-01-09T00:00:00",
        "A,2026-01-01,3,",
    )  # fmt: skip
    assert series(history) == {"score": [1, 2, 3]} and set_aside(history) == {"duplicate": [4]}
    assert history.recorded is not None and np.isnat(history.recorded).tolist() == [False, False, True]


def test_in_long_form_the_name_tells_rows_apart() -> None:
    history = read("account,date,metric,value", "A,2026-01-01,x,1", "A,2026-01-01,y,2", "A,2026-01-01,x,1")
    assert series(history) == {"x": [1], "y": [2]} and set_aside(history) == {"duplicate": [4]}


def test_rows_that_differ_in_one_of_many_scores_conflict() -> None:
    history = read(
        "account,date,a_score,b_score", "A,2026-01-01,1,", "A,2026-01-01,1,", "B,2026-01-01,1,2", "B,2026-01-01,1,", "C,2026-01-01,1,1"
    )
    assert set_aside(history) == {"duplicate": [3], "conflict": [4, 5]}


def test_in_a_wide_file_a_bad_cell_only_blanks_that_score() -> None:
    lines = [f"A{i},2026-01-01,{i},{i}" for i in range(10)]
    history = read("account,date,a_score,b_score", *lines, "B,2026-01-01,bad,7", "C,2026-01-01,,")
    assert np.isnan(history.series[0].values[10]) and history.series[1].values[10] == 7
    assert set_aside(history) == {"no_score": [13]}
    assert "unreadable cells of score 'a_score' taken as blank: 1 (first: scores:12:a_score)" in history.source.notes


@pytest.mark.parametrize(("column", "line"), [("score", "A{},2026-01-01,tall"), ("date", "A{},soon,5")])
def test_a_column_of_which_more_than_a_fifth_cannot_be_read_stops_the_reading(column: str, line: str) -> None:
    def lines(bad: int) -> list[str]:
        return [line.format(i) if i < bad else f"A{i},2026-01-01,{i}" for i in range(10)]

    assert len(read("account,date,score", *lines(2)).row) == 8
    with pytest.raises(BadInput, match=rf"scores:2:{column}: .*3 of the 10 cells"):
        read("account,date,score", *lines(3))


def test_words_of_no_known_order_are_asked_about() -> None:
    with pytest.raises(BadInput, match=r"'gold', 'brass' are neither a number nor a band.*--bands 'gold,brass'"):
        read("account,date,score", "A,2026-01-01,gold", "B,2026-01-01,brass")


def test_unscored_is_missing_and_not_unreadable() -> None:
    history = read("account,date,score", "A,2026-01-01,5", "B,2026-01-01,Unscored", "C,2026-01-01,N/A")
    assert set_aside(history) == {"no_score": [3, 4]}


def test_a_column_of_true_and_false_is_one_and_zero_in_text_and_typed() -> None:
    text = read("account,date,score", "A,2026-01-01,true", "B,2026-01-01,False")
    typed = read_scores(pd.DataFrame({"account": ["A", "B"], "date": ["2026-01-01"] * 2, "score": [True, False]}), NOTHING)
    assert series(text) == series(typed) == {"score": [1, 0]}


def test_a_file_of_which_no_row_can_be_used_is_refused_with_the_counts() -> None:
    with pytest.raises(BadInput, match=r"none of the 2 rows can be used \(no account: 1; no score value: 1\)"):
        read("account,date,score", ",2026-01-01,5", "A,2026-01-01,")


def test_all_faults_of_a_file_are_told_together() -> None:
    with pytest.raises(BadInput) as caught:
        read(
            "key,date,score,recorded_at",
            "A,03/04/2026,gold,soon",
            "A,03/04/2026,brass,2026-01-01",
            options=ReadingOptions(time_zone="Mars"),
        )
    assert [fault.code for fault in caught.value.faults] == [
        "unknown_time_zone",
        "no_account_column",
        "ambiguous_dates",
        "unreadable_column",
        "unknown_bands",
    ]


def test_at_most_twenty_faults_are_spelled_out() -> None:
    header = "account,date," + ",".join(f"s{i}_score" for i in range(30))
    with pytest.raises(BadInput) as caught:
        read(header, "A,03/04/2026," + ",".join(['"1,200"'] * 30))
    assert len(caught.value.faults) == 21 and "and 11 more faults" in caught.value.faults[-1].message


def test_attributes_beside_the_scores_are_kept_and_blank_where_empty() -> None:
    history = read("account,date,score,segment,owner,parent,set_by", "A,2026-01-01,1,SMB,Ann,P,rule", "B,2026-01-01,2,n/a,,,person")
    assert history.segment is not None and history.owner is not None and history.parent is not None and history.set_by is not None
    assert (history.segment.names, history.segment.codes.tolist()) == (("SMB",), [0, -1])
    assert (history.owner.names, history.parent.names, history.set_by.names) == (("Ann",), ("P",), ("rule", "person"))


def test_names_that_only_rejected_rows_have_are_left_out() -> None:
    history = read("account,date,score", "GONE,2026-01-01,", "A,2026-01-01,1")
    assert history.account.names == ("A",) and history.account.codes.tolist() == [0]


LONG = ("account,date,score_name,score,band", "A,2026-01-01,Pulse,10,red", "A,2026-01-01,Trend,80,green", "B,2026-01-01,Pulse,60,yellow")


def test_in_long_form_the_band_of_each_row_is_kept_beside_its_number() -> None:
    history = read(*LONG)
    assert history.band_names == ("red", "yellow", "green") and history.band is not None
    assert history.band.tolist() == [0, 2, 1]
    assert history.source.unused == ()


def test_in_long_form_bands_of_no_known_order_are_left_unused_with_a_note() -> None:
    history = read(*(line.replace("red", "teal").replace("green", "mauve").replace("yellow", "puce") for line in LONG))
    assert history.band is None and series(history) == {"Pulse": [10, 60], "Trend": [80]}
    assert any("is not read as the scores' bands" in note for note in history.source.notes)


def test_in_long_form_scores_are_asked_for_by_their_names_and_the_others_set_aside() -> None:
    history = read(*LONG, options=ReadingOptions(scores=("trend",)))
    assert series(history) == {"Trend": [80]}
    assert set_aside(history) == {"score_not_asked_for": [2, 4]}


def test_a_score_name_that_is_not_in_the_file_is_a_fault_that_lists_those_that_are() -> None:
    with pytest.raises(BadInput, match="there is no score 'nope' in it; the scores are 'Pulse', 'Trend'"):
        read(*LONG, options=ReadingOptions(scores=("Trend", "nope")))
