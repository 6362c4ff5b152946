"""Amounts of money as they are typed into a form: read as the reader's country writes them, or refused, and never taken for another."""

from __future__ import annotations

from decimal import Decimal

import pytest

from unspun.console.reader import read_amount
from unspun.reports.conventions import ENGLISH, NBSP, Convention, written_as

GERMAN, FRENCH = Convention(".", ",", symbol_first=False), Convention(NBSP, ",", symbol_first=False)


@pytest.mark.parametrize(
    ("way", "text", "amount"),
    [
        (ENGLISH, "165600", "165600"),
        (ENGLISH, " $165,600.50 ", "165600.50"),
        (ENGLISH, "0", "0"),
        (GERMAN, "1.234,50", "1234.50"),
        (GERMAN, "165.600 €", "165600"),
        (GERMAN, "165600,5", "165600.5"),
        (FRENCH, f"165{NBSP}600,50", "165600.50"),
        (FRENCH, "1 234 567 €", "1234567"),
        (FRENCH, "1\u202f234", "1234"),
    ],
)
def test_an_amount_is_read_as_the_country_writes_it(way: Convention, text: str, amount: str) -> None:
    with written_as(way):
        assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (ENGLISH, "1.234,50"),
        (ENGLISH, "1.234"),
        (ENGLISH, "12,34"),
        (ENGLISH, "1,2345"),
        (GERMAN, "1,234.50"),
        (GERMAN, "165600.50"),
        (GERMAN, "1,234"),
        (FRENCH, "1.234"),
        *((ENGLISH, text) for text in ("", "-5", "1e5", "nan", "١٢٣", "12 34", "5 %", "$", "1,234,", "165600\n1")),
    ],
)
def test_what_another_country_would_read_otherwise_is_refused(way: Convention, text: str) -> None:
    with written_as(way), pytest.raises(ValueError):
        read_amount(text)
