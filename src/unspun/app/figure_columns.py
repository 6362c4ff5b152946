"""Figures of many renewals as columns: as single records 20,000 renewals would be tens of megabytes, as columns they are one or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """One figure of each renewal, in the order of the renewals: an estimate, or why there is none.

    `cells` gives each one's place in the distinct answers: (point, low, high, n), numbers but for n in units of 10^-digits, or a reason and
    what it would take. What is the same of all estimates (`method`, `level`) is kept once.
    """

    label: str
    unit: str
    cells: tuple[int, ...]
    answers: tuple[tuple[Any, ...], ...]
    digits: int
    method: str
    level: float = LEVEL

    def __len__(self) -> int:
        return len(self.cells)

    def estimate(self, at: int) -> MaybeEstimate:
        """The figure of one renewal."""
        answer = self.answers[self.cells[at]]
        if len(answer) == 2:
            return NoEstimate(*answer)
        point, low, high = (number / 10**self.digits for number in answer[:3])
        return Estimate(point, low, high, self.method, answer[3], self.level)

    def value(self, at: int) -> dict[str, Any]:
        """The figure of one renewal as a published value."""
        found = self.estimate(at)
        if isinstance(found, NoEstimate):
            return {"reason": found.reason, "what_it_would_take": found.what_it_would_take}
        names = ("point", "low", "high", "level", "n", "method")
        return {**{name: getattr(found, name) for name in names}, "caveats": []}

    def to_json(self) -> dict[str, Any]:
        """Plain values: the cells as they are where answers are shared, else the answers of all in order; an n of all is written once."""
        shared, counts = 2 * len(self.answers) < len(self.cells), {one[3] for one in self.answers if len(one) > 2}
        answers = self.answers if shared else tuple(self.answers[at] for at in self.cells)
        told: dict[str, Any] = {name: getattr(self, name) for name in ("label", "unit", "digits", "method", "level")}
        told |= {"cells": list(self.cells)} if shared else {}
        told |= {"n": next(iter(counts))} if len(counts) == 1 else {}
        return {**told, "answers": [list(one[:3] if len(counts) == 1 else one) for one in answers]}


def estimate_column(label: str, unit: str, values: Sequence[MaybeEstimate], digits: int) -> FigureColumn:
    """A column of these values, rounded to so many digits: what is published and proved is what is rounded.

    ValueError where the estimates are not of one method and level.
    """
    kinds = {(one.method, one.level) for one in values if isinstance(one, Estimate)}
    if len(kinds) > 1:
        raise ValueError(f"a column holds estimates of one method, not of {len(kinds)}")
    method, level = next(iter(kinds), ("", LEVEL))
    return _column([_answer(one, digits) for one in values], label=label, unit=unit, digits=digits, method=method, level=level)


def _column(answers: Sequence[tuple[Any, ...]], **told: Any) -> FigureColumn:
    place = {answer: at for at, answer in enumerate(dict.fromkeys(answers))}
    return FigureColumn(cells=tuple(place[one] for one in answers), answers=tuple(place), **told)


def _answer(value: MaybeEstimate, digits: int) -> tuple[Any, ...]:
    if isinstance(value, NoEstimate):
        return value.reason, value.what_it_would_take
    return (*(round(float(number) * 10**digits) for number in (value.point, value.low, value.high)), value.n)


def _column_from_json(document: Mapping[str, Any]) -> FigureColumn:
    told = {name: document[name] for name in ("label", "unit", "digits", "method", "level")}
    n = (document["n"],) if "n" in document else ()
    answers = [(*one, *n) if len(one) == 3 else tuple(one) for one in document["answers"]]
    return _column([answers[at] for at in document["cells"]] if "cells" in document else answers, **told)


@dataclass(frozen=True, slots=True)
class FigureColumns:
    """Figures of renewals, each named `ACCOUNT@DUE/FIGURE`; where an account has several renewals due on one day, the second is
    `ACCOUNT@DUE#2`. `figures` gives the column of each figure by its name; `beside` has further columns that are told, and are no figures.
    """

    account: tuple[str, ...]
    due: tuple[date, ...]
    figures: Mapping[str, FigureColumn]
    beside: Mapping[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])

    def __len__(self) -> int:
        return len(self.account) * len(self.figures)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for at, renewal in enumerate(self.renewals()):
            for name, column in self.figures.items():
                yield self._record(at, renewal, name, column)

    def renewals(self) -> list[str]:
        """The name of each renewal, in order."""
        seen, found = Counter[tuple[str, date]](), list[str]()
        for key in zip(self.account, self.due, strict=True):
            seen[key] += 1
            found.append(f"{key[0]}@{key[1]}" + (f"#{seen[key]}" if seen[key] > 1 else ""))
        return found

    def place(self, renewal: str) -> int | None:
        """Which renewal has that name; None where there is none."""
        return next((at for at, name in enumerate(self.renewals()) if name == renewal), None)

    def figure(self, name: str) -> Mapping[str, Any] | None:
        """The figure of that name; None where there is none."""
        renewal, _, key = name.rpartition("/")
        at = self.place(renewal) if key in self.figures else None
        return None if at is None else self._record(at, renewal, key, self.figures[key])

    def _record(self, at: int, renewal: str, name: str, column: FigureColumn) -> Mapping[str, Any]:
        label = f"{self.account[at]}, due {self.due[at]}: {column.label}"
        return {"name": f"{renewal}/{name}", "label": label, "unit": column.unit, "value": column.value(at)}

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `columns_from_json` makes equal columns; due dates are days since 1970-01-01."""
        figures = {name: column.to_json() for name, column in self.figures.items()}
        beside = {name: list(values) for name, values in self.beside.items()}
        return {"account": list(self.account), "due": [(one - EPOCH).days for one in self.due], "figures": figures, "beside": beside}


def columns_from_json(document: Mapping[str, Any]) -> FigureColumns:
    """The columns that `to_json` wrote."""
    return FigureColumns(
        account=tuple(document["account"]),
        due=tuple(EPOCH + timedelta(days=days) for days in document["due"]),
        figures={name: _column_from_json(column) for name, column in document["figures"].items()},
        beside={name: tuple(values) for name, values in document["beside"].items()},
    )
