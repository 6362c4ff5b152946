"""The definitions as pages show them: each file with its versions in the ledger, and what changed between two of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from unspun.app.access import Actor
from unspun.app.workspace import BOOK_FILE, METRICS_FILE, RETENTION_FILE, SCORES_FILE, Workspace
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog_lines import Definition

FILES: Final = (METRICS_FILE, SCORES_FILE, RETENTION_FILE, BOOK_FILE)
CONTEXT: Final = 3  # lines shown around a change
Side = Literal["same", "out", "in", "gap"]
SIDES: Final[dict[str, Side]] = {" ": "same", "-": "out", "+": "in", "@": "gap"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference; a `gap` stands where unchanged lines are left out."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """A file of definitions and its versions in the ledger, the oldest first. `on_disk` is its text in the workspace, None: no file."""

    name: str
    versions: tuple[Definition, ...]
    on_disk: str | None

    @property
    def is_recorded(self) -> bool:
        """Whether what stands in the workspace is the newest version in the ledger."""
        return bool(self.versions) and self.versions[-1].text == self.on_disk


@dataclass(frozen=True, slots=True)
class DefinitionVersion:
    """One version, counted from 1, beside the one before it: what came in and what went out (() the first one)."""

    file: DefinitionFile
    number: int
    shown: Definition
    changed: tuple[DiffLine, ...]


def definition_files(workspace: Workspace, actor: Actor) -> tuple[DefinitionFile, ...]:
    """Every file of definitions. Raises Forbidden."""
    actor.require("definitions.see")
    return tuple(_file(workspace, name) for name in FILES)


def definition_version(workspace: Workspace, actor: Actor, name: str, number: int | None = None) -> DefinitionVersion:
    """A version of a definition, the newest by default. Raises Forbidden; BadInput where there is no such file or version."""
    actor.require("definitions.see")
    if name not in FILES:
        raise BadInput(Fault("unknown_definition", f"there is no definition '{name}'.", name, f"There are {', '.join(FILES)}."))
    file = _file(workspace, name)
    place = len(file.versions) if number is None else number
    if not 1 <= place <= len(file.versions):
        raise BadInput(Fault("unknown_version", f"the ledger holds {len(file.versions)} versions of {name}.", name))
    shown = file.versions[place - 1]
    before = file.versions[place - 2].text if place > 1 else None
    return DefinitionVersion(file, place, shown, () if before is None else tuple(difference(before, shown.text)))


def difference(before: str, after: str) -> Iterator[DiffLine]:
    """What changed from one text to another, with a few lines around each change."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=CONTEXT))
    for line in lines[2:]:  # the first two name the files
        side = SIDES[line[0]]
        yield DiffLine(side, "" if side == "gap" else line[1:])


def _file(workspace: Workspace, name: str) -> DefinitionFile:
    with workspace.catalog() as catalog:
        versions = catalog.definitions(name)
    path = workspace.folder / name
    return DefinitionFile(name, versions, path.read_text("utf-8", errors="replace") if path.is_file() else None)
