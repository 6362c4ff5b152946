"""What a check found: how grave, how much of what, what it touches, and how it is mended or accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Severity = Literal["error", "warning", "note"]
"""error: figures built on it are wrong; warning: they may mislead; note: it is described, so that nobody wonders later."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SpanKind = Literal["stopped", "fell", "rose", "usage_fell"]


@dataclass(frozen=True, slots=True)
class Span:
    """Days over which a table's rows do not say what they usually say; both days are included, `last` None: it goes on.

    `event` is the name of the event ("" all of them), `measure` the column that is counted ("" rows). `where` are the column and the
    value of the part of the book that it is limited to (() the whole). `kept_share` is what was counted over what was expected.
    """

    kind: SpanKind
    first: date
    last: date | None
    event: str = ""
    measure: str = ""
    where: tuple[str, str] | tuple[()] = ()
    kept_share: float = 0.0

    def touches(self, first: date, last: date) -> bool:
        """Whether the span and the days from `first` to `last` have a day in common."""
        return self.first <= last and (self.last is None or first <= self.last)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, about a table as a whole: never about one account, so that it may be kept when an account is erased.

    `count` of `of` things (`unit`: rows, accounts, terms, days, loads) are at fault. `subject` says which one of several of a
    check it is (a column, an event and its first day): check, table and subject together are its `id`, the same from one run to the next.
    `affects` are the figures that it reaches, `mend` says what to do. `rows_sql` selects the rows at fault from the views of the book,
    `facts` are further figures by name, for those who read the JSON. `rows_from` is a table, there as long as the check runs, which may
    stand for `table` in `rows_sql`: it holds all the rows that this SQL looks for; "" there is none.
    """

    check: str
    table: str
    severity: Severity
    count: int
    of: int
    unit: str
    message: str
    affects: tuple[str, ...]
    mend: str
    rows_sql: str
    subject: str = ""
    span: Span | None = None
    facts: dict[str, str | int | float | None] = field(default_factory=dict[str, "str | int | float | None"])
    rows_from: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.count <= self.of:
            raise ValueError(f"{self.id}: {self.count} of {self.of}")

    @property
    def id(self) -> str:
        """Its address: `check/table` or `check/table/subject`."""
        return "/".join(part for part in (self.check, self.table, self.subject) if part)

    @property
    def share(self) -> float:
        return self.count / self.of
