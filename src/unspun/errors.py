"""One error family. Every error has a code, a message, a place and a hint; nothing a user can cause ends in a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: what, where, and what to do.

    `where` is `file`, `file:row`, `file:row:column` or an option's name; rows count from 1 and include the header.
    """

    code: str
    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        todo = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}{todo}"


class UnspunError(Exception):
    """The root of the family: one or more faults, all of them reported together."""

    def __init__(self, faults: Fault | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class BadInput(UnspunError):
    """The caller's files, tables or options cannot be used as they are (exit code 2)."""
