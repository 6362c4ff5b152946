"""The fields of an estimate, and of a value that may be missing for one reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unspun.reports.document import INTEGER, NUMBER, STRING, Field, ListOf, Record


def always(reason: str) -> Callable[[Any], str]:
    """The same reason whatever the owner is."""
    return lambda _: reason


ESTIMATE = Record(
    "estimate",
    "A point estimate with its two-sided interval.",
    (
        Field("point", NUMBER, "The estimate."),
        Field("low", NUMBER, "Lower end of the interval."),
        Field("high", NUMBER, "Upper end of the interval."),
        Field("level", NUMBER, "The interval's level, such as 0.95."),
        Field("method", STRING, "How the interval was made."),
        Field("n", INTEGER, "Units the estimate rests on."),
        Field("caveats", ListOf(STRING), "What a reader must know before relying on it."),
    ),
)


def maybe(name: str, meaning: str, read: Callable[[Any], Any] | None = None) -> Field:
    """A field that holds an estimate, or the reason there is none."""
    return Field(name, ESTIMATE, meaning, read, always("not estimated"))
