"""Calls on renewals: probabilities either way round, and the words that people use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.extras import Extras, Forecasts
from unspun.book.forecasts import SCALES, read_forecasts
from unspun.book.inputs import read_extras
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput

OPTIONS = ReadingOptions()


def read(cells: list[str], column: str, options: ReadingOptions = OPTIONS) -> Forecasts:
    rows = "".join(f"a{i},2026-06-30,2026-03-{i + 1:02},{cell}\n" for i, cell in enumerate(cells))
    return read_forecasts(f"account,renewal date,made at,{column}\n{rows}".encode(), options)


def faults(cells: list[str], column: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read(cells, column)
    return [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("column", "cells", "renewal"),
    [
        ("probability", ["0.9", "0.25", "1"], [0.9, 0.25, 1.0]),
        ("renewal probability", ["90", "25", "0.5"], [0.9, 0.25, 0.005]),
        ("churn probability", ["0.1", "75e-2", "0"], [0.9, 0.25, 1.0]),
        ("churn likelihood", ["10%", "75%", "100 %"], [0.9, 0.25, 0.0]),
        ("forecast", ["90 %", "25 %", "0 %"], [0.9, 0.25, 0.0]),
    ],
)
def test_probabilities_are_of_renewal_unless_the_column_speaks_of_churn(column: str, cells: list[str], renewal: list[float]) -> None:
    forecasts = read(cells, column)
    assert forecasts.probability
    assert forecasts.value.tolist() == pytest.approx(renewal)
    assert any("read as probabilities of" in note for note in forecasts.source.notes)


def test_salesforces_forecast_categories_are_in_order() -> None:
    # ForecastCategory and ForecastCategoryName of Opportunity, Salesforce object reference
    by_label = ["Omitted", "Pipeline", "Best Case", "Most Likely", "Commit", "Closed"]
    by_value = ["Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed"]
    for words in (by_label, by_value):
        forecasts = read(words[::-1], "forecast category")
        assert not forecasts.probability
        assert forecasts.value.tolist() == [5, 4, 3, 2, 1, 0]
        assert forecasts.calls == tuple(words)


def test_everyday_words_are_in_order_and_a_step_not_taken_leaves_no_gap() -> None:
    assert read(["Will renew", "at risk", "Likely churn", "At Risk"], "csm call").value.tolist() == [2, 1, 0, 1]
    assert read(["green", "red", "amber"], "call").value.tolist() == [2, 0, 1]


@given(st.data())
def test_of_any_two_words_of_a_scale_the_worse_has_the_lower_rank(data: st.DataObject) -> None:
    scale = data.draw(st.sampled_from(SCALES))
    steps = data.draw(st.lists(st.integers(0, len(scale) - 1), min_size=2, max_size=6))
    words = [data.draw(st.sampled_from(scale[step].split(", "))) for step in steps]
    value = read(words, "call").value
    common = [s for s in SCALES if all(any(word in step.split(", ") for step in s) for word in words)]
    if common[0] is scale:
        assert np.sign(np.subtract.outer(value, value)).tolist() == np.sign(np.subtract.outer(steps, steps)).tolist()


def test_an_order_of_the_callers_own_goes_before_any_known_one() -> None:
    options = ReadingOptions(calls=("Cold", "Warm", "Hot"))
    assert read(["Hot", "cold", "Warm"], "call", options).value.tolist() == [2, 0, 1]
    assert read(["Commit", "Omitted"], "call", options).value.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("column", "cells", "code"),
    [
        ("call", ["hot", "cold", "tepid"], "unknown_calls"),
        ("forecast", ["1", "5", "3"], "unknown_calls"),
        ("probability", ["0.5", "140", "-3"], "unreadable_column"),
        ("remark", ["x", "y", "z"], "no_call_column"),
    ],
)
def test_what_cannot_be_ranked_is_a_fault(column: str, cells: list[str], code: str) -> None:
    assert faults(cells, column) == [code]


def test_rows_without_a_call_or_a_day_are_set_aside_and_unlike_copies_too() -> None:
    rows = b"""account,due,made at,recorded at,probability,by
a,2026-06-30,2026-03-01,2026-03-02,0.9,Ada
a,2026-06-30,2026-03-01,2026-03-02,0.9,Ada
a,2026-06-30,2026-03-01,2026-03-02,0.8,Ben
b,2026-06-30,2026-03-01,,0.7,Ada
b,2026-06-30,2026-03-01,,0.6,Ada
c,2026-06-30,2026-03-01,,,Ada
c,2026-06-30,,,0.5,Ada
c,,2026-03-01,,0.5,Ada
"""
    forecasts = read_forecasts(rows, OPTIONS)
    assert forecasts.row.tolist() == [2, 4]
    found = {r.code: r.rows.tolist() for r in forecasts.source.rejections if r.code != "no_date"}
    assert found == {"no_call": [7], "duplicate": [3], "conflict": [5, 6]}
    assert sorted(r.rows.tolist() for r in forecasts.source.rejections if r.code == "no_date") == [[8], [9]]
    assert forecasts.source.rows_read == 8 == len(forecasts.row) + sum(len(r.rows) for r in forecasts.source.rejections)
    assert forecasts.recorded is not None
    assert forecasts.by is not None
    assert forecasts.by.names == ("Ada", "Ben")


def test_a_due_date_is_not_needed_but_the_day_of_the_call_is() -> None:
    assert read_forecasts(b"account,made at,probability\na,2026-03-01,0.5\n", OPTIONS).due is None
    with pytest.raises(BadInput, match="no column says when each forecast was made"):
        read_forecasts(b"account,due,probability\na,2026-03-01,0.5\n", OPTIONS)


def test_the_optional_files_are_read_together_and_all_their_faults_told_at_once() -> None:
    assert read_extras(None, None, None, OPTIONS) == Extras()
    one = read_extras(b"account,industry\na,x\n", None, b"account,made at,probability\na,2026-03-01,0.5\n", OPTIONS)
    assert (one.accounts is None, one.events is None, one.forecasts is None) == (False, True, False)
    with pytest.raises(BadInput) as caught:
        read_extras(b"industry\nx\n", b"account\na\n", b"account,made at\na,2026-03-01\n", OPTIONS)
    assert [fault.code for fault in caught.value.faults] == ["no_account_column", "no_date_column", "no_call_column"]
