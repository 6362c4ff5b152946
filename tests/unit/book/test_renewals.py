"""Renewals: dates, outcomes, amounts and currencies; and what becomes of rows that cannot be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unspun.book.renewals import read_renewals
from unspun.book.tables import CHURNED, EXPANDED, RENEWED, UNDECIDED, ReadingOptions, Renewals
from unspun.errors import BadInput

NOTHING = ReadingOptions()


def read(*lines: str, options: ReadingOptions = NOTHING) -> Renewals:
    return read_renewals("\n".join(lines).encode(), options)


def set_aside(renewals: Renewals) -> dict[str, list[int]]:
    return {rejection.code: rejection.rows.tolist() for rejection in renewals.source.rejections}


def test_the_words_of_the_file_stand_even_where_amounts_grew() -> None:
    renewals = read("account,due,outcome,arr_before,arr_after", "A,2026-01-01,renewed,100,200", "B,2026-01-01,expanded,100,200")
    assert renewals.outcome.tolist() == [RENEWED, EXPANDED]
    assert renewals.amount_after is not None and renewals.amount_after.tolist() == [200, 200]


def test_dates_are_days_in_the_zone() -> None:
    lines = ("account,due,outcome,closed_at", "A,2026-03-01T02:00:00Z,won,2026-02-01 23:30", "B,2026-03-02,,")
    renewals = read(*lines, options=ReadingOptions(time_zone="America/New_York"))
    assert renewals.due.astype(str).tolist() == ["2026-02-28", "2026-03-02"]
    assert renewals.outcome.tolist() == [RENEWED, UNDECIDED]
    assert renewals.outcome_known is not None and renewals.outcome_known.dtype == np.dtype("datetime64[D]")
    assert renewals.outcome_known.astype(str).tolist() == ["2026-02-01", "NaT"]
    assert any("America/New_York" in note for note in renewals.source.notes)


def test_a_currency_column_goes_before_the_signs_in_the_cells() -> None:
    renewals = read("account,due,outcome,arr,currency", "A,2026-01-01,won,$5.00,CAD", "B,2026-01-01,won,5.00,")
    assert renewals.currency is not None
    assert (renewals.currency.names, renewals.currency.codes.tolist()) == (("CAD",), [0, -1])


def test_signs_in_the_cells_give_the_currency_where_no_column_does() -> None:
    renewals = read(
        "account,due,outcome,arr_before,arr_after", "A,2026-01-01,won,,EUR 5", "B,2026-01-01,won,\u00a37.00,5", "C,2026-01-01,won,1,1"
    )
    assert renewals.currency is not None
    assert [renewals.currency.names[code] if code >= 0 else None for code in renewals.currency.codes] == ["EUR", "GBP", None]
    assert read("account,due,outcome,arr", "A,2026-01-01,won,5").currency is None


def test_of_two_signs_in_a_row_the_one_before_renewal_is_its_currency() -> None:
    renewals = read("account,due,outcome,arr_before,arr_after", "A,2026-01-01,won,USD 5,EUR 5")
    assert renewals.currency is not None and renewals.currency.names == ("USD",)


def test_rows_that_cannot_be_used_are_set_aside_for_their_first_reason() -> None:
    good = [f"X{i},2026-01-01,won,10" for i in range(30)]
    bad = ["A,2026-01-01,won,-5", "B,2026-01-01,won,(5)", "C,2026-01-01,won,lots", "X0,2026-01-01,Won,10.0"]
    renewals = read("account,due,outcome,arr", *good, *bad, "Y,2026-01-01,won,1", "Y,2026-01-01,lost,1", ",2026-01-01,lost,1")
    assert set_aside(renewals) == {
        "no_account": [38], "unreadable_amount": [34], "negative_amount": [32, 33], "duplicate": [35], "conflict": [36, 37],
    }  # fmt: skip
    assert renewals.source.rows_read == len(renewals.row) + 7 == 37


def test_one_account_may_have_several_due_dates() -> None:
    assert len(read("account,due,outcome", "A,2026-01-01,won", "A,2027-01-01,lost").row) == 2


MISLEADING = ("account,due,outcome,notice,arr", "A,2026-01-01,won,yes,big", "B,2026-01-01,lost,no,small")


def test_an_optional_column_whose_name_misleads_is_a_fault_that_says_how_to_go_on_without_it() -> None:
    with pytest.raises(BadInput) as refusal:
        read(*MISLEADING)
    places = [(fault.where, fault.hint.rpartition("go on without it: ")[2]) for fault in refusal.value.faults]
    assert places == [("renewals:2:notice", "--map renewals.notice=-."), ("renewals:2:arr", "--map renewals.amount_before=-.")]


def test_a_role_mapped_to_a_dash_has_no_column() -> None:
    renewals = read(*MISLEADING, options=ReadingOptions(columns={"renewals.notice": "-", "amount_before": "-"}))
    assert renewals.notice is None and renewals.amount_before is None
    assert renewals.source.unused == ("notice", "arr")


def test_an_optional_column_that_the_caller_names_must_hold_what_he_says() -> None:
    with pytest.raises(BadInput, match="'yes' is not a date that can be read"):
        read("account,due,outcome,notice", "A,2026-01-01,won,yes", options=ReadingOptions(columns={"notice": "notice"}))


def test_a_missing_amount_is_missing_and_not_zero() -> None:
    renewals = read("account,due,outcome,arr", "A,2026-01-01,won,", "B,2026-01-01,won,n/a", "C,2026-01-01,won,0")
    assert renewals.amount_before is not None
    assert np.isnan(renewals.amount_before[:2]).all() and renewals.amount_before[2] == 0


def test_a_typed_churn_flag() -> None:
    for flags in ([True, False, None], [1, 0, None], [1.0, 0.0, np.nan]):
        frame = pd.DataFrame({"account": list("ABC"), "due": pd.to_datetime(["2026-01-01"] * 3), "churned": pd.Series(flags)})
        assert read_renewals(frame, NOTHING).outcome.tolist() == [CHURNED, RENEWED, UNDECIDED]


def test_renewals_without_a_due_date_are_refused_with_the_reason() -> None:
    with pytest.raises(BadInput, match="no column says when each renewal was due"):
        read("account,outcome", "A,won")
