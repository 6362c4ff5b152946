"""One row an account; every column without a role is an attribute."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from unspun.book.accounts import read_accounts
from unspun.book.extras import Accounts
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput

OPTIONS = ReadingOptions()
CSV = b"""Account ID,Segment,CSM,Parent,Industry,Seats,Signed on,Tier code
a1,SMB,Ada,p1,Retail,"1,200",2024-03-01,1
a2,,Ben,,retail,n/a,,2
a3,Mid,Ada,p1,,40,2023-12-31,3
"""


def attribute(accounts: Accounts, name: str) -> list[object]:
    (one,) = [one for one in accounts.attributes if one.name == name]
    if one.codes is not None:
        return [one.codes.names[code] if code >= 0 else None for code in one.codes.codes.tolist()]
    assert one.numbers is not None
    return [None if np.isnan(value) else value for value in one.numbers.tolist()]


def test_attributes_are_words_numbers_or_days() -> None:
    accounts = read_accounts(CSV.replace(b'"1,200"', b"1200"), OPTIONS)
    assert [one.name for one in accounts.attributes] == ["Industry", "Seats", "Signed on", "Tier code"]
    assert attribute(accounts, "Industry") == ["Retail", "retail", None]
    assert attribute(accounts, "Seats") == [1200.0, None, 40.0]
    assert attribute(accounts, "Signed on") == [
        (date(2024, 3, 1) - date(1970, 1, 1)).days,
        None,
        (date(2023, 12, 31) - date(1970, 1, 1)).days,
    ]
    assert attribute(accounts, "Tier code") == [1, 2, 3]
    assert accounts.segment is not None
    assert accounts.owner is not None
    assert accounts.parent is not None
    assert accounts.parent.codes.tolist() == [0, -1, 0]
    assert accounts.source.unused == ()


def test_a_number_that_could_be_two_is_kept_as_a_word() -> None:
    accounts = read_accounts(CSV, OPTIONS)
    assert attribute(accounts, "Seats") == ["1,200", None, "40"]


def test_true_and_false_are_words_and_typed_dates_are_days() -> None:
    given = pa.table({"account_id": [7, 8], "trial": [True, False], "born": pa.array([date(2020, 1, 2), None])})
    accounts = read_accounts(given, OPTIONS)
    assert accounts.account.names == ("7", "8")
    assert attribute(accounts, "trial") == ["true", "false"]
    assert attribute(accounts, "born") == [18263.0, None]


def test_a_copy_of_a_row_is_set_aside_and_of_rows_that_differ_every_one() -> None:
    rows = b"account,industry,region\na,x,EU\nb,x,EU\nb,x,EU\nc,x,EU\nc,x,US\n,x,EU\nd,,US\n"
    accounts = read_accounts(rows, OPTIONS)
    assert accounts.account.names == ("a", "b", "d")
    assert {r.code: r.rows.tolist() for r in accounts.source.rejections} == {"no_account": [7], "duplicate": [4], "conflict": [5, 6]}
    assert accounts.source.rows_read == 7 == len(accounts.row) + sum(len(r.rows) for r in accounts.source.rejections)
    assert attribute(accounts, "industry") == ["x", "x", None]


def test_without_accounts_there_is_nothing_to_read() -> None:
    with pytest.raises(BadInput) as caught:
        read_accounts(b"industry,region\nx,EU\n", OPTIONS)
    assert [fault.code for fault in caught.value.faults] == ["no_account_column"]
    with pytest.raises(BadInput, match="none of the 2 rows can be used"):
        read_accounts(b"account,region\na,EU\na,US\n", OPTIONS)
