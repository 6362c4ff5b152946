"""How the reports write numbers, dates and money."""

from __future__ import annotations

from datetime import date

import pytest

from unspun.reports import words
from unspun.reports.words import AUC, GAIN, SHARE, Style
from unspun.stats.estimate import Estimate


def plain(text: str) -> str:
    """Without the characters that only keep a line from breaking."""
    return text.replace("\u2060", "").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("ends", "style", "written"),
    [
        ((0.621, 0.572, 0.668), AUC, "0.62 (0.57\u20130.67)"),
        ((0.0061, -0.0074, 0.0183), GAIN, "+0.006 (\u22120.007 to 0.018)"),
        ((-0.0061, -0.0074, -0.0012), GAIN, "\u22120.006 (\u22120.007 to \u22120.001)"),
        ((0.2411, 0.18, 0.3149), SHARE, "24 % (18\u201331)"),
        ((0.0021, 0.001, 0.004), SHARE, "0.2 % (0.1\u20130.4)"),
        ((1060.5, 930.0, 1220.0), Style(0), "1,060 (930\u20131,220)"),
    ],
)
def test_an_estimate_is_its_point_and_its_interval(ends: tuple[float, float, float], style: Style, written: str) -> None:
    assert plain(words.estimated(Estimate(*ends, "m", 100), style)) == written


def test_rounding_never_puts_the_end_of_an_interval_on_the_value_to_beat() -> None:
    assert plain(words.estimated(Estimate(0.55, 0.503, 0.6, "m", 100), AUC)) == "0.550 (0.503\u20130.600)"
    assert plain(words.estimated(Estimate(0.55, 0.5, 0.6, "m", 100), AUC)) == "0.55 (0.50\u20130.60)"
    assert plain(words.estimated(Estimate(0.02, 0.0003, 0.04, "m", 100), GAIN)) == "+0.0200 (0.0003\u20130.0400)"


def test_an_interval_never_breaks_across_lines() -> None:
    for ends in ((0.62, 0.57, 0.67), (0.006, -0.007, 0.018)):
        assert " " not in words.estimated(Estimate(*ends, "m", 100), AUC)


def test_there_is_no_minus_zero_and_the_minus_is_a_true_one() -> None:
    assert words.number(-0.0001, 2, signed=True) == "0.00"
    assert words.number(-1234.5, 1) == "\u22121,234.5"


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (184000.0, "USD", "$184,000"),
        (9410250.5, "CHF", "9,410,250.50 CHF"),
        (-61.25, "EUR", "\u2212€61.25"),
        (24000.0, None, "24,000"),
        (None, "USD", "not given"),
    ],
)
def test_money_in_tables_is_exact(amount: float | None, currency: str | None, written: str) -> None:
    assert plain(words.money(amount, currency)) == written


@pytest.mark.parametrize(
    ("amount", "written"), [(6_420_000, "$6.42M"), (3_105_800, "$3.11M"), (412, "$412"), (99_960, "$100k"), (2.5e9, "$2.50B")]
)
def test_money_in_headings_has_three_digits(amount: float, written: str) -> None:
    assert words.money_short(amount, "USD") == written


def test_dates_are_written_out() -> None:
    assert plain(words.day(date(2026, 3, 4))) == "4 Mar 2026"


def test_a_long_name_is_shortened_to_what_a_table_holds() -> None:
    assert words.shorten("x" * 500) == "x" * 79 + "…"
    assert words.shorten("Halden Logistics") == "Halden Logistics"


def test_a_per_cent_sign_in_a_sentence_keeps_to_its_number() -> None:
    assert words.spaced("40% (33 % to 48%)") == "40\u00a0% (33\u00a0% to 48\u00a0%)"


@pytest.mark.parametrize(
    ("plain", "printed"),
    [
        ("changed by -1.0 points a year (-3.0 to +1.0)", "changed by \u22121.0 points a year (\u22123.0 to +1.0)"),
        ("times G/(G - 1), t", "times G/(G \u2212 1), t"),
        ("on 2026-06-17, A-00134, row-5 of out-2.csv, 30-day", "on 2026-06-17, A-00134, row-5 of out-2.csv, 30-day"),
    ],
)
def test_a_numbers_minus_is_a_true_one_and_hyphens_stay(plain: str, printed: str) -> None:
    assert words.spaced(plain) == printed


def test_a_share_under_two_per_cent_keeps_a_digit() -> None:
    assert plain(words.estimated(Estimate(0.004, 0.003, 0.006, "", 1), words.SHARE)) == "0.4 % (0.3\u20130.6)"
