"""How the reports write numbers, dates and money, and which word a unit goes by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time

from unspun.audit.result import DesignReport
from unspun.reports.conventions import convention, signs
from unspun.stats.estimate import Estimate

NBSP = "\u00a0"
JOIN = "\u2060"  # word joiner: an interval never breaks across lines
DASH = "\u2013"
MINUS = "\u2212"
TIMES = "\u00d7"
LONGEST_NAME = 80
SMALL_SHARE = 0.02  # below it a whole per cent says too little
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Units:
    """What a unit is called, and the day its lead is counted to."""

    one: str
    many: str
    lead: str  # "before the renewal date", "ahead"

    def count(self, n: int) -> str:
        return f"{count(n)}{NBSP}{self.one if n == 1 else self.many}"


def units_of(design: DesignReport) -> Units:
    """What a unit of the design is called in the words of its outcome."""
    if design.name == "landmark":
        return Units("account-month", "account-months", "ahead")
    return Units(design.vocabulary.event, design.vocabulary.events, f"before the {design.vocabulary.event} date")


@dataclass(frozen=True, slots=True)
class Style:
    """How figures of one kind are written. `reference` is the value that no rounding may make an end of an interval touch."""

    decimals: int
    signed: bool = False
    percent: bool = False
    reference: float | None = None


AUC = Style(2, reference=0.5)
PROBABILITY = Style(2)
GAIN = Style(3, signed=True, reference=0.0)
SHARE = Style(0, percent=True)
RATIO = Style(2, reference=1.0)
BRIER = Style(3)
BIAS = Style(3, signed=True, reference=0.0)
STYLES = {"auc": AUC, "gain": GAIN, "share": SHARE}


def number(value: float, decimals: int = 0, signed: bool = False) -> str:
    """With thousands separators and a true minus; never a minus zero."""
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0,."):
        return signs(text)
    text = signs(text)
    return f"{MINUS}{text}" if value < 0 else f"+{text}" if signed else text


def count(n: int) -> str:
    return number(n)


def in_words(n: int) -> str:
    return SMALL[n] if 0 <= n < len(SMALL) else count(n)


def percent(share: float, decimals: int = 0) -> str:
    return f"{number(100 * share, decimals)}{NBSP}%"


def point(estimate: Estimate, style: Style) -> str:
    scale = 100 if style.percent else 1
    return number(scale * estimate.point, _decimals(estimate, style), style.signed) + (f"{NBSP}%" if style.percent else "")


def interval(estimate: Estimate, style: Style) -> str:
    """(0.57-0.67) with an en dash, or (-0.007 to 0.018) with true minuses where an end is negative."""
    scale = 100 if style.percent else 1
    low, high = (number(scale * end, _decimals(estimate, style)) for end in (estimate.low, estimate.high))
    return f"({low}{NBSP}to{NBSP}{high})" if MINUS in low + high else f"({low}{JOIN}{DASH}{JOIN}{high})"


def estimated(estimate: Estimate, style: Style) -> str:
    return f"{point(estimate, style)}{NBSP}{interval(estimate, style)}"


def _decimals(estimate: Estimate, style: Style) -> int:
    """One digit more where an interval is too narrow for its digits, or where rounding would put an end on the reference."""
    scale, ends = (100 if style.percent else 1), (estimate.low, estimate.high)
    narrow = round(scale * ends[0], style.decimals) == round(scale * ends[1], style.decimals) and ends[0] != ends[1]
    touches = any(style.reference is not None and end != style.reference and round(end, style.decimals) == style.reference for end in ends)
    small = style.percent and 0 < estimate.point < SMALL_SHARE
    return style.decimals + (1 if narrow or touches or small else 0)


def day(value: date, year: bool = True) -> str:
    """5 Mar 2026, in the order of the reader's country; without its year where that is plain."""
    order, end = convention().order, f"{NBSP}{value.year}" if year else ""
    if order == "mdy":
        return f"{value:%b}{NBSP}{value.day}" + (f",{end}" if year else "")
    if order == "ymd":
        return (f"{value.year}{NBSP}" if year else "") + f"{value:%b}{NBSP}{value.day}"
    return f"{value.day}{NBSP}{value:%b}{end}"


def clock(value: time) -> str:
    """13:05, or 1:05 PM where hours are counted to 12."""
    if convention().clock == 12:
        return f"{value.hour % 12 or 12}:{value:%M}{NBSP}{'PM' if value.hour >= 12 else 'AM'}"
    return f"{value:%H:%M}"


def month(value: date) -> str:
    return f"{value:%B}{NBSP}{value.year}"


def money(amount: float | None, currency: str | None) -> str:
    """Exact: $184,000, or 9,410,250.50 CHF, or the bare number where no currency is stated."""
    if amount is None:
        return "not given"
    return _with_currency(number(amount, 0 if float(amount).is_integer() else 2), currency)


def money_short(amount: float, currency: str | None) -> str:
    """$6.42M: three significant digits, for headings."""
    size, suffix = next(((s, w) for s, w in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if abs(amount) >= s), (1.0, ""))
    scaled = amount / size
    decimals = 0 if not suffix or abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
    return _with_currency(number(scaled, decimals) + suffix, currency)


def _with_currency(text: str, currency: str | None) -> str:
    if currency in SYMBOLS and not convention().symbol_first:
        return f"{text}{NBSP}{SYMBOLS[currency]}"
    if currency in SYMBOLS:
        return f"{MINUS}{SYMBOLS[currency]}{text[1:]}" if text.startswith(MINUS) else f"{SYMBOLS[currency]}{text}"
    return f"{text}{NBSP}{currency}" if currency else text


def size(n_bytes: int) -> str:
    """12 kB, 3.4 MB."""
    return f"{number(n_bytes / 1e6, 1)}{NBSP}MB" if n_bytes >= 1e6 else f"{number(max(1, n_bytes / 1e3))}{NBSP}kB"


def sentence(text: str) -> str:
    """With a full stop, where it has none."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def spaced(text: str) -> str:
    """Sentences made elsewhere: a per cent sign stands off its number by a no-break space, and a number's minus is a true one.

    Hyphens within words, dates and identifiers stay.
    """
    text = re.sub(r"(?<=\d) ?%", f"{NBSP}%", text)
    return re.sub(r"(?<![\w.,:/#'\"-])-(?=\d)|(?<=[\w)] )-(?= \d)", MINUS, text)


def shorten(name: str, longest: int = LONGEST_NAME) -> str:
    """A name that fits in a table; the whole of it stays in the JSON."""
    return name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"


def listed(parts: list[str]) -> str:
    """a, b and c."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def p_value(p: float) -> str:
    return "<" + NBSP + "0.001" if p < 0.001 else number(p, 3)
