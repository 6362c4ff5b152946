"""A finding that a person accepted: who, why, when, and how much of it there was then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One acceptance as it stands in the ledger (`entry`).

    `finding` is the finding's id; `count` of `of` is what was at fault when it was accepted. It holds up to and including `until` (None:
    without end), and for no more than `count`: a finding that has grown since stands again. `span` are the first and the last day of a
    finding about days; one that went on when it was accepted (last None) is accepted however long it lasts.
    """

    finding: str
    who: str
    why: str
    at: datetime
    count: int
    of: int
    until: date | None
    entry: int
    span: tuple[date, date | None] | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is of something that had not ended yet."""
        return self.span is not None and self.span[1] is None
