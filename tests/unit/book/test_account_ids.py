"""Account ids: one id in two spellings is one account, and two ids stay two."""

from __future__ import annotations

import pytest

from unspun.book.account_ids import long_id
from unspun.book.inputs import read_inputs
from unspun.book.tables import ReadingOptions, ScoreHistory

NOTHING = ReadingOptions()


def matched(scores: list[str], renewals: list[str]) -> ScoreHistory:
    history = "account,date,score\n" + "".join(f"{name},2025-01-31,5\n" for name in scores)
    book = "account,due,outcome\n" + "".join(f"{name},2025-06-30,won\n" for name in renewals)
    return read_inputs(history.encode(), book.encode(), NOTHING)[0]


@pytest.mark.parametrize(
    "whole", ["006q000000HddohAAB", "001q000000wW9BeAAK", "0015500000Xyy06AAB", "001q0000010QZZ7AAO", "70130000001tcyIAAQ"]
)
def test_the_last_three_of_eighteen_characters_follow_from_the_fifteen(whole: str) -> None:
    """Ids of github fivetran/dbt_salesforce_source integration_tests/seeds and of the Ruby gem salesforce_id_formatter."""
    assert long_id(whole[:15]) == whole


@pytest.mark.parametrize(("scores", "renewals"), [(15, 18), (18, 15)])
def test_fifteen_and_eighteen_characters_are_one_account_and_that_is_said(scores: int, renewals: int) -> None:
    ids = ["001q000000wW9BeAAK", "0015500000Xyy06AAB"]
    history = matched([name[:scores] for name in ids], [name[:renewals] for name in ids])
    assert history.account.names == tuple(name[:renewals] for name in ids)
    assert history.source.notes[-1].endswith("(15 or 18 characters, 43 or 43.0): 2")


def test_three_characters_that_do_not_check_the_fifteen_are_another_id() -> None:
    assert matched(["001q000000wW9BeAAA"], ["001q000000wW9Be"]).account.names == ("001q000000wW9BeAAA",)


def test_an_id_in_capitals_is_another_than_one_in_small_letters() -> None:
    assert matched(["001Q000000WW9BE"], ["001q000000wW9Be"]).account.names == ("001Q000000WW9BE",)


def test_a_whole_number_with_a_point_is_the_same_id() -> None:
    assert matched(["43.0", "44.0"], ["43", "44"]).account.names == ("43", "44")
    assert matched(["43", "44"], ["43.0", "44.0"]).account.names == ("43.0", "44.0")


def test_leading_zeros_count() -> None:
    assert matched(["7", "8"], ["007", "08"]).account.names == ("7", "8")


def test_two_spellings_in_one_file_stay_two_accounts() -> None:
    assert matched(["43.0", "43"], ["43"]).account.names == ("43.0", "43")
    assert matched(["43.0", "43.00"], ["43"]).account.names == ("43.0", "43.00")
