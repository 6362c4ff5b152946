"""A value that knows where it came from: `Provenance` and `Figure`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class InputVersion:
    """One input a figure was made from: the name it was given by, and the SHA-256 of its bytes (or of its Arrow form)."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a figure came from, in enough detail to compute it again.

    `definition` and `definition_version` name the rule, `query` says in SQL which rows went in, `settings` are the
    options that change the value (seed included), `package_version` is Unspun's own. A figure made from a book names its
    version and digest, the engine that ran the query, and the SHA-256 of the definition's text.
    """

    definition: str
    definition_version: str
    as_of: date
    inputs: tuple[InputVersion, ...]
    query: str
    settings: tuple[tuple[str, str], ...]
    package_version: str
    definition_sha256: str = ""
    book_version: int | None = None
    book_digest: str = ""
    engine: str = ""
    engine_version: str = ""


@dataclass(frozen=True, slots=True)
class Figure(Generic[Value]):
    """A number fit to be shown: its value (an estimate, a count, or the reason there is none) and its provenance."""

    label: str
    value: Value
    provenance: Provenance
