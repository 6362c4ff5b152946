"""Numbers, money, days and times as a reader's country writes them; reports stay as they are."""

from __future__ import annotations

from datetime import date, time

from unspun.reports import words
from unspun.reports.conventions import NBSP, Convention, written_as

GERMAN = Convention(".", ",", symbol_first=False)
AMERICAN = Convention(order="mdy", clock=12)


def test_numbers_and_money_take_the_signs_of_the_country_within_the_block_alone() -> None:
    with written_as(GERMAN):
        assert words.number(1_234_567.5, 1) == "1.234.567,5"
        assert words.number(-0.25, 2) == "\u22120,25"
        assert words.money(1234.5, "EUR") == f"1.234,50{NBSP}€"
        assert words.money_short(6_420_000, "USD") == f"6,42M{NBSP}$"
        assert words.percent(0.756, 1) == f"75,6{NBSP}%"
    assert words.number(1_234_567.5, 1) == "1,234,567.5"
    assert words.money(1234.5, "EUR") == "€1,234.50"


def test_a_zero_has_no_sign_whatever_the_country() -> None:
    with written_as(GERMAN):
        assert words.number(-0.001, 2) == "0,00"


def test_days_and_times_take_the_order_of_the_country() -> None:
    day = date(2026, 3, 5)
    assert words.day(day) == f"5{NBSP}Mar{NBSP}2026"
    assert words.day(day, year=False) == f"5{NBSP}Mar"
    assert words.clock(time(13, 5)) == "13:05"
    with written_as(AMERICAN):
        assert words.day(day) == f"Mar{NBSP}5,{NBSP}2026"
        assert words.clock(time(13, 5)) == f"1:05{NBSP}PM"
        assert words.clock(time(0, 30)) == f"12:30{NBSP}AM"
    with written_as(Convention(order="ymd")):
        assert words.day(day) == f"2026{NBSP}Mar{NBSP}5"
