"""Numbers and amounts: however they are written, the same value; and where two locales would differ, no guess."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.numbers import Kind, Numbers, read_numbers

CENTS = st.decimals(0, 99_999_999, places=2)


def read(*cells: str | None, kind: Kind = "score") -> Numbers:
    return read_numbers(pa.chunked_array([pa.array(cells, pa.string())]), kind)


def grouped(value: Decimal, separator: str, mark: str) -> str:
    return f"{value:,.2f}".replace(",", "\0").replace(".", mark).replace("\0", separator)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_number_as_python_writes_it_comes_back_to_the_last_bit(values: list[float]) -> None:
    assert read(*map(repr, values)).values.tolist() == values
    assert read(*map(repr, values), " n/a ").values[:-1].tolist() == values  # the slower way round


@given(
    values=st.lists(CENTS, min_size=1, max_size=10),
    marks=st.sampled_from(
        [(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u00a0", ","), ("\u202f", ","), ("\u2019", "."), ("\u2009", ".")]
    ),
)
def test_thousands_and_cents_of_either_locale_are_the_same_amount(values: list[Decimal], marks: tuple[str, str]) -> None:
    numbers = read(*(grouped(value, *marks) for value in values), kind="amount")
    assert numbers.complaint is None
    assert numbers.values.tolist() == [float(value) for value in values]


@pytest.mark.parametrize(
    ("cell", "value", "currency"),
    [
        ("$1,200.50", 1200.5, "$"), ("US$ 1200.50", 1200.5, "USD"), ("\u20ac1.200,50", 1200.5, "EUR"), ("1200.50 \u00a3", 1200.5, "GBP"),
        ("USD 1,200", 1200, "USD"), ("1,200.00 EUR", 1200, "EUR"), ("-$5.00", -5, "$"), ("$-5.00", -5, "$"), ("($5.00)", -5, "$"),
        ("(1,200.00)", -1200, None), ("\u22125", -5, None), ("CHF 1'200.00", 1200, "CHF"), ("\u00a512,000", 12000, "\u00a5"),
    ],
)  # fmt: skip
def test_amounts_with_a_currency(cell: str, value: float, currency: str | None) -> None:
    numbers = read(cell, kind="amount")
    assert numbers.values.tolist() == [value]
    assert (numbers.currency.names if numbers.currency else ()) == ((currency,) if currency else ())


def test_a_bare_dollar_sign_is_noted_since_several_countries_write_it() -> None:
    assert any("'$'" in note for note in read("$5.00", kind="amount").notes)
    assert read("\u20ac5.00", kind="amount").notes == ()


def test_an_amount_in_thousands_is_no_fraction_and_a_score_is_not_guessed() -> None:
    assert read("1,200", "12,000", kind="amount").values.tolist() == [1200, 12000]
    complaint = read("1,200", "12,000").complaint
    assert complaint is not None and complaint.code == "ambiguous_numbers"


def test_an_amount_with_three_decimals_after_a_point_is_not_guessed() -> None:
    complaint = read("1.200", "950", kind="amount").complaint
    assert complaint is not None and "'1.200' could be 1200 or 1.200" in complaint.message
    assert read("1.200", "950.5", kind="amount").values.tolist() == [1.2, 950.5]
    assert read("1.200", "72.125").values.tolist() == [1.2, 72.125]  # scores have decimals


def test_one_telling_number_settles_the_decimal_mark_of_the_column() -> None:
    assert read("1,200", "12,5").values.tolist() == [1.2, 12.5]
    assert read("1,200", "12.5").values.tolist() == [1200, 12.5]
    assert read("1.200", "1.200,50", kind="amount").values.tolist() == [1200, 1200.5]


def test_a_column_with_both_marks_is_refused() -> None:
    complaint = read("12,5", "12.5").complaint
    assert complaint is not None and complaint.code == "mixed_numbers" and complaint.row == 0


def test_indian_grouping() -> None:
    assert read("12,34,567.50", "1,23,456", kind="amount").values.tolist() == [1234567.5, 123456]


def test_blank_cells_are_missing_and_never_zero() -> None:
    numbers = read("1", None, "", " ", "NaN", "N/A", "-", "null", "#N/A")
    assert numbers.blank.tolist() == [False] + [True] * 8
    assert np.isnan(numbers.values[1:]).all()
    assert not numbers.unread.any()


@pytest.mark.parametrize(
    "cell", ["inf", "-Infinity", "1e400", "12 apples", "1,2,3", "1.2.3", "--5", "0x10", "1_000", "(5", "EUR 5", "()", "."]
)
def test_what_is_no_number_is_unreadable(cell: str) -> None:
    numbers = read("5", cell)
    assert numbers.unread.tolist() == [False, True]
    assert np.isnan(numbers.values[1])


def test_a_percent_sign_is_read_off_and_a_column_that_mixes_is_refused() -> None:
    assert read("85%", "7.5 %").values.tolist() == [85, 7.5]
    complaint = read("85%", "0.85").complaint
    assert complaint is not None and complaint.code == "mixed_percent" and complaint.row == 1


def test_typed_columns_are_taken_as_they_are() -> None:
    for values, kind in (
        ([1, None], pa.int8()),
        ([0.5, None], pa.float32()),
        ([Decimal("2.50"), None], pa.decimal128(9, 2)),
        ([True, None], pa.bool_()),
    ):
        numbers = read_numbers(pa.chunked_array([pa.array(values, kind)]))
        assert numbers.values[0] == float(values[0] or 0)
        assert np.isnan(numbers.values[1]) and numbers.blank.tolist() == [False, True]


def test_a_float_column_goes_straight_through_without_a_copy() -> None:
    values = np.arange(5.0)
    assert np.shares_memory(read_numbers(pa.chunked_array([pa.array(values)])).values, values)


def test_infinity_in_a_typed_column_is_unreadable_and_nan_is_missing() -> None:
    numbers = read_numbers(pa.chunked_array([pa.array([1.0, float("inf"), float("nan")])]))
    assert numbers.unread.tolist() == [False, True, False]
    assert numbers.blank.tolist() == [False, False, True]


DIGITS = {"Arabic-Indic": 0x0660, "Devanagari": 0x0966, "full-width": 0xFF10}


@given(value=CENTS, script=st.sampled_from(sorted(DIGITS)))
def test_digits_of_other_scripts_are_the_same_amount(value: Decimal, script: str) -> None:
    cell = "".join(chr(DIGITS[script] + int(char)) if char.isdigit() else char for char in f"{value:,.2f}")
    assert read(cell, kind="amount").values.tolist() == [float(value)]


@given(value=st.decimals(0, 9_999, places=2), unit=st.sampled_from([("k", 3), ("K", 3), ("M", 6), ("m", 6), ("mio", 6), ("bn", 9)]))
def test_an_amount_in_thousands_or_millions_is_exact_and_said(value: Decimal, unit: tuple[str, int]) -> None:
    numbers = read(f"${value}{unit[0]}", kind="amount")
    assert numbers.values.tolist() == [float(value.scaleb(unit[1]))]
    assert any("k, M or bn" in note for note in numbers.notes)


@given(
    value=st.decimals(-99_999, -1, places=2),
    form=st.sampled_from(["({})", "$({})", "({} EUR)", "{}-", "-{}", "\u2212{}", "\u2013{}", "- {}"]),
)
def test_every_way_of_writing_a_loss_is_below_zero(value: Decimal, form: str) -> None:
    assert read(form.format(f"{-value:,.2f}"), kind="amount").values.tolist() == [float(value)]


@given(
    text=st.text(st.sampled_from("0123456789.,' %kM()-$\u20ac/"), min_size=1, max_size=9),
    kind=st.sampled_from(["score", "amount"]),
)
def test_whatever_is_read_is_a_reading_that_a_locale_has(text: str, kind: Kind) -> None:
    """Its digits are those of the cell, in their order, with the point where the cell has a mark, or at the end."""
    numbers = read(text, kind=kind)
    if numbers.complaint is None and not numbers.unread[0] and not numbers.blank[0]:
        power = {"k": 3, "M": 6}.get(next((char for char in text if char in "kM"), ""), 0)
        head = text.split("/")[0]
        cuts = [i for i, char in enumerate(head) if char in ".,"] + [len(head)]
        digits = ["".join(c for c in part if c.isdigit()) for cut in cuts for part in (head[:cut], head[cut:])]
        readings = [float(Decimal(f"{whole or 0}.{rest or 0}e{power}")) for whole, rest in zip(digits[::2], digits[1::2], strict=True)]
        assert abs(float(numbers.values[0])) in readings


@pytest.mark.parametrize(
    ("cell", "value", "currency"),
    [
        ("R$ 1.234,56", 1234.56, "BRL"), ("\u20b91,23,456.78", 123456.78, "INR"), ("1 234,50 z\u0142", 1234.5, "PLN"),
        ("2 000 kr", 2000, "KR"),
        ("100 SEK", 100, "SEK"), ("US$1,000", 1000, "USD"), ("1'200 CHF", 1200, "CHF"), ("$1.2k", 1200, "$"),
        ("3,4M \u20ac", 3_400_000, "EUR"),
        ("Rs. 500", 500, "RS"), ("$(1,200)", -1200, "$"), ("1.234,56- EUR", None, None), ("5 USD EUR", None, None), ("12 pts", None, None),
    ],
)  # fmt: skip
def test_currencies_by_their_sign_or_code(cell: str, value: float | None, currency: str | None) -> None:
    numbers = read(cell, kind="amount")
    assert numbers.values.tolist() == [value] if value is not None else numbers.unread.tolist() == [True]
    assert (numbers.currency.names if numbers.currency else ()) == ((currency,) if currency else ())


def test_a_score_out_of_ten_is_the_number_before_and_two_scales_in_one_column_are_refused() -> None:
    numbers = read("8/10", "7 / 10", "10 out of 10")
    assert numbers.values.tolist() == [8, 7, 10]
    assert numbers.notes == ("each is written as out of 10: the number before it is read",)
    for other in ("72/100", "7"):
        complaint = read("8/10", other).complaint
        assert complaint is not None and complaint.code == "mixed_denominators"
        assert f"'8/10' is out of 10 and '{other}' is not" in complaint.message
    assert read("11/10", "8/10").unread.tolist() == [True, False]


@pytest.mark.parametrize("cell", ["\u226590", "<5", "~80", "85k", "5\u00b2", "$5", "90+", "8/11", "1,2/10/5"])
def test_a_score_that_is_not_exactly_a_number_is_unreadable(cell: str) -> None:
    assert read("5", cell).unread.tolist() == [False, True]
