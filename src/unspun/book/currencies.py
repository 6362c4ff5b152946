"""Currencies as amounts name them: ISO 4217 codes, and the signs that stand for one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Codes
from unspun.book.text import Words, codes_of

ISO_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNH CNY COP "
    "CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL"
)
SIGNS = {
    "\u20ac": "EUR", "\u00a3": "GBP", "\u20b9": "INR", "\u20bd": "RUB", "\u20a9": "KRW", "\u20aa": "ILS", "\u20ba": "TRY",
    "\u20ab": "VND", "\u20b1": "PHP", "\u0e3f": "THB", "\u20b4": "UAH", "\u20a6": "NGN", "Z\u0141": "PLN", "K\u010c": "CZK",
    "FT": "HUF", "US$": "USD", "A$": "AUD", "AU$": "AUD", "CA$": "CAD", "C$": "CAD", "NZ$": "NZD", "R$": "BRL", "HK$": "HKD",
    "S$": "SGD", "SG$": "SGD", "NT$": "TWD", "MX$": "MXN",
}  # fmt: skip
UNCLEAR = {  # a sign that several countries write, and what it may be
    "$": "USD, CAD, AUD and others", "\u00a5": "JPY or CNY", "KR": "SEK, NOK, DKK or ISK", "RS": "INR, PKR or LKR",
}  # fmt: skip
KNOWN = frozenset({*ISO_CODES.split(), *SIGNS, *UNCLEAR, ""})
PATTERN = r"(?:[A-Z]{1,2}\$|\p{Sc}|[A-Z]{3}|kr\.?|rs\.?|ft|z\x{142}|k\x{10D})"  # case aside; more than the known ones, for speed


def currency_of(mark: str) -> str:
    """The ISO code that a mark stands for, or the mark itself where it could be several."""
    return SIGNS.get(_plain(mark), _plain(mark))


def is_currency(mark: str) -> bool:
    """Whether a mark is a known one, or none at all."""
    return _plain(mark) in KNOWN


def currency_codes(words: Words, rows: NDArray[Any] | None) -> Codes:
    """The currencies of a column's rows (None: of all), signs and small letters as the ISO code that they stand for."""
    codes = codes_of(words, rows)
    named = [currency_of(name) if is_currency(name) else name for name in codes.names]
    names = list(dict.fromkeys(named))
    place = np.array([names.index(name) for name in named] + [-1], np.int32)
    return Codes(place[codes.codes], tuple(names))


def _plain(mark: str) -> str:
    return mark.upper().rstrip(".")
