"""What a trial said of a health score: shown wherever the score is. Until it was on trial it is `unvalidated`."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unspun.app.evidence.figures import KIND, VERDICT
from unspun.app.publication import from_document
from unspun.app.trial.subjects import HEALTH
from unspun.app.workspace import Workspace
from unspun.warehouse.catalog import Catalog

UNVALIDATED = "unvalidated"


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict (or UNVALIDATED), the day as of which the trial gave it and its ledger entry; `note` tells of what else is known."""

    verdict: str
    date: datetime.date | None = None
    entry: int | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """The badge in words."""
        return self.verdict if self.date is None else f"{self.verdict} (as of {self.date})"


def badge_of(workspace: Workspace, score: str, definition_sha256: str) -> Badge:
    """What the newest trial of a health score, by its id, said of that very definition. What was said of an earlier one is in its note."""
    with workspace.catalog() as catalog:
        return badge_in(catalog, score, definition_sha256)


def badge_in(catalog: Catalog, score: str, definition_sha256: str) -> Badge:
    """`badge_of`, where the catalogue is open already."""
    earlier: Badge | None = None
    for seq, as_of, value in _verdicts(catalog, score):
        said = Badge(value["verdict"], as_of, seq)
        if value["definition_sha256"] == definition_sha256:
            return said
        earlier = earlier or said
    if earlier is None:
        return Badge(UNVALIDATED, note="it was never on trial: unspun evidence")
    return Badge(UNVALIDATED, note=f"another version of it was on trial: {earlier.text}, ledger entry {earlier.entry}")


def _verdicts(catalog: Catalog, score: str) -> Iterator[tuple[int, datetime.date, Any]]:
    """The verdicts on a health score, the newest first: ledger entry, as-of date and value."""
    name = f"{HEALTH}/{score}/{VERDICT}"
    for one in reversed(catalog.entries(kind="publication")):
        if one.body.get("what") != KIND:
            continue
        document = catalog.publication(one.seq).document
        if document is not None:
            figures = from_document(document)
            yield from ((one.seq, figures.as_of, each["value"]) for each in figures.figures if each["name"] == name)
