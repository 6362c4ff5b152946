"""The words of the command line, read into typed settings; every fault is noted and none stops the reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Literal, TypeVar, get_args

from unspun.audit.result import VERDICTS, Verdict
from unspun.errors import Fault

EVERY = "*"  # in place of a score's name: all of them
Value = TypeVar("Value")
Number = TypeVar("Number", int, float)


@dataclass(slots=True)
class OptionReader:
    """Reads one option after another and keeps the faults. A faulty option reads as its default."""

    faults: list[Fault] = field(default_factory=list)

    def refuse(self, option: str, message: str, hint: str = "", code: str = "bad_option") -> None:
        self.faults.append(Fault(code, message, option, hint))

    def integer(self, option: str, text: str | None, default: Value, at_least: int) -> int | Value:
        return default if text is None else self._number(option, text, int, at_least, default)

    def share(self, option: str, text: str | None, default: float) -> float:
        return default if text is None else self._number(option, text, float, 0.0, default)

    def integers(self, option: str, text: str | None, default: tuple[int, ...], at_least: int) -> tuple[int, ...]:
        """A comma list of distinct whole numbers, in ascending order."""
        found = self._numbers(option, text, int, at_least)
        if len(set(found)) < len(found):
            self.refuse(option, f"{text!r} gives the same number twice.", "Give each once.")
        return tuple(sorted(set(found))) or default

    def ascending(self, option: str, text: str | None) -> tuple[float, ...]:
        """A comma list of numbers, each above the one before."""
        found = self._numbers(option, text, float, -math.inf)
        if any(low >= high for low, high in pairwise(found)):
            self.refuse(option, f"{text!r} does not rise.", "Give the cuts from low to high: 40,70.")
            return ()
        return tuple(found)

    def day(self, option: str, text: str | None) -> date | None:
        if text is None:
            return None
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            self.refuse(option, f"{text!r} is not a date.", "Write it as year-month-day: 2026-10-31.")
            return None

    def days(self, option: str, text: str | None) -> tuple[date, ...]:
        """A comma list of days."""
        found = [self.day(option, part) for part in (text.split(",") if text is not None else [])]
        return tuple(sorted({day for day in found if day is not None}))

    def choice(self, option: str, text: str | None, choices: Sequence[str], default: str) -> str:
        if text is None or text.strip().lower() in choices:
            return default if text is None else text.strip().lower()
        self.refuse(option, f"{text!r} is not known.", f"Choose {one_of(choices)}.")
        return default

    def words(self, option: str, text: str | None) -> tuple[str, ...]:
        """A comma list of distinct words."""
        found = tuple(word.strip() for word in (text or "").split(",")) if text is not None else ()
        if any(not word for word in found):
            self.refuse(option, f"{text!r} has an empty place in its list.", "Separate the words by single commas.")
            return ()
        if len({word.casefold() for word in found}) < len(found):
            self.refuse(option, f"{text!r} names the same thing twice.", "Give each once.")
        return found

    def pairs(self, option: str, texts: Sequence[str], example: str, last: bool = False) -> dict[str, str]:
        """NAME=VALUE given any number of times, cut at the first `=` (or the last)."""
        found: dict[str, str] = {}
        for text in texts:
            name, equals, value = (part.strip() for part in (text.rpartition("=") if last else text.partition("=")))
            if not (name and equals and value):
                self.refuse(option, f"{text!r} is not of the form {example}.", "Quote it where it holds a space.")
            elif name in found:
                self.refuse(option, f"{name!r} is given twice.", "Give it once.")
            else:
                found[name] = value
        return found

    def known_values(self, option: str, pairs: dict[str, str], known: Sequence[str]) -> dict[str, str]:
        """Those `pairs` whose value, in lower case, is one of `known`; the others are refused."""
        for name, value in pairs.items():
            if value.lower() not in known:
                whose = "" if name == EVERY else f" (given for {name!r})"
                self.refuse(option, f"{value!r}{whose} is not known.", f"Choose {one_of(known)}.")
        return {name: value.lower() for name, value in pairs.items() if value.lower() in known}

    def directions(self, option: str, texts: Sequence[str]) -> dict[str, str]:
        """`lower`, for every score, or `NAME=lower`."""
        named = [text if "=" in text else f"{EVERY}={text}" for text in texts]
        return self.known_values(option, self.pairs(option, named, "NAME=lower", last=True), ("higher", "lower"))

    def rates(self, option: str, texts: Sequence[str]) -> dict[str, float]:
        """CURRENCY=FACTOR, each factor above 0."""
        rates: dict[str, float] = {}
        for currency, text in self.pairs(option, texts, "EUR=1.08").items():
            rate = self._number(option, text, float, 0.0, math.nan)
            if rate == 0:
                self.refuse(option, f"{text!r} is no rate of exchange.", "Give a number above 0.")
            elif rate > 0:
                rates[currency.upper()] = rate
        return rates

    def verdicts(self, option: str, text: str | None) -> frozenset[Verdict]:
        """The verdicts that a comma list of words and patterns (`foretells*`) stands for.

        Some verdicts hold a comma themselves: `foretells, adds nothing` is read as the one verdict.
        """
        wanted: set[Verdict] = set()
        if text is not None and not text.strip():
            self.refuse(option, "no verdict is named.", "Name one, such as foretells, or leave the option out.")
        for word in _verdict_words(text or ""):
            matches: set[Verdict] = {verdict for verdict in VERDICTS if fnmatchcase(verdict, word)}
            if not matches:
                choices = one_of([repr(verdict) for verdict in VERDICTS])
                self.refuse(option, f"{word!r} is no verdict.", f"Choose {choices}, or a pattern: 'foretells*'.")
            wanted |= matches
        return frozenset(wanted)

    def _numbers(self, option: str, text: str | None, kind: Callable[[str], Number], at_least: float) -> list[Number]:
        texts = text.split(",") if text is not None else []
        found = [self._number(option, part, kind, at_least, None) for part in texts]
        return [number for number in found if number is not None]

    def _number(self, option: str, text: str, kind: Callable[[str], Number], at_least: float, default: Value) -> Number | Value:
        try:
            number = kind(text.strip().replace("_", ""))
        except ValueError:
            self.refuse(option, f"{text!r} is not a {'whole ' if kind is int else ''}number.")
            return default
        if not math.isfinite(number) or number < at_least:
            at_least_text = f" of at least {at_least:g}" if math.isfinite(at_least) else ""
            self.refuse(option, f"{text!r} is out of range.", f"Give a number{at_least_text}.")
            return default
        return number


def one_of(choices: Sequence[str]) -> str:
    """`a, b or c`."""
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last


def _verdict_words(text: str) -> list[str]:
    words = [word for word in (part.strip().lower() for part in text.split(",")) if word]
    joined: list[str] = []
    for word in words:
        if joined and f"{joined[-1]}, {word}" in VERDICTS:
            joined[-1] = f"{joined[-1]}, {word}"
        else:
            joined.append(word)
    return joined


Design = Literal["auto", "renewal", "landmark"]
Detail = Literal["auto", "all", "none"]
DESIGNS: tuple[str, ...] = get_args(Design)
DETAILS: tuple[str, ...] = get_args(Detail)
