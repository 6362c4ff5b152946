"""The files of an import, as they are kept until they are loaded: a folder each under the workspace's `.console/imports`.

An import belongs to the person who began it: to everybody else there is none. One that nobody touched for KEPT is removed when the next
import is begun or listed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from unspun.app.access import Actor
from unspun.app.loads import LoadRequest
from unspun.app.workspace import Workspace, replace_text
from unspun.book.entities import TABLES, TableName
from unspun.book.mapping.correct import ChosenMapping
from unspun.errors import BadInput, Fault

FOLDER: Final = ".console/imports"
RECORD, FILES = "import.json", "files"
KEPT: Final = timedelta(hours=24)
MOST_FILES, MOST_IMPORTS, LONGEST_NAME = 50, 10, 120
ID: Final = re.compile(r"[0-9a-f]{16}")
NO_IMPORT: Final = "no_import"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being sent: the name that the browser gives, its bytes in parts."""

    name: str
    parts: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of an import; `table` and `columns` are what somebody made of its mapping (None: as proposed)."""

    name: str
    bytes: int
    table: TableName | None = None
    columns: Mapping[str, str] | None = None

    @property
    def choice(self) -> ChosenMapping | None:
        return None if self.table is None and self.columns is None else ChosenMapping(self.table, self.columns)


@dataclass(frozen=True, slots=True)
class Import:
    """Files that wait to be loaded, and what was said of them. `revision` counts every change: a dry run is of one of them.

    `received` and `known_at` are those of a load. `tried` and `loading` are the numbers of its newest jobs; `load` is what the load did,
    after which the files are gone.
    """

    id: str
    person: int
    at: str
    revision: int = 0
    files: tuple[KeptFile, ...] = ()
    received: bool = False
    known_at: str = ""
    tried: int | None = None
    loading: int | None = None
    load: Mapping[str, Any] | None = None

    def folder(self, workspace: Workspace) -> Path:
        return workspace.folder / FOLDER / self.id

    def path(self, workspace: Workspace, name: str) -> str:
        return str(self.folder(workspace) / FILES / name)

    @property
    def begun_at(self) -> datetime:
        return datetime.fromisoformat(self.at)

    def request(self, workspace: Workspace, dry_run: bool = False) -> LoadRequest:
        """The same request as `unspun load` makes."""
        chosen = {self.path(workspace, one.name): one.choice for one in self.files}
        return LoadRequest(
            tuple(chosen), None, dry_run, self.received, date.fromisoformat(self.known_at) if self.known_at else None, True,
            chosen={path: choice for path, choice in chosen.items() if choice is not None},
        )  # fmt: skip


def begin(workspace: Workspace, actor: Actor, uploads: Sequence[Upload], at: datetime) -> Import:
    """A new import of these files. Raises Forbidden; BadInput with every fault of them, and where the person keeps too many."""
    actor.require("data.load")
    if len(listed(workspace, actor, at)) >= MOST_IMPORTS:
        raise BadInput(Fault("too_many_imports", f"{MOST_IMPORTS} imports of yours wait already.", "", "Load or discard one of them."))
    made = Import(secrets.token_hex(8), actor.id, at.isoformat())
    try:
        return add(workspace, actor, made, uploads)
    except BaseException:
        shutil.rmtree(made.folder(workspace), ignore_errors=True)
        raise


def add(workspace: Workspace, actor: Actor, to: Import, uploads: Sequence[Upload]) -> Import:
    """The import with these files more. Raises Forbidden; BadInput: a name twice, too many, too big."""
    actor.require("data.load")
    _still_open(to)
    names = [safe_name(one.name) for one in uploads]
    if faults := [*_faults(to, names)]:
        raise BadInput(faults)
    place = to.folder(workspace) / FILES
    place.mkdir(parents=True, exist_ok=True)
    to.folder(workspace).chmod(0o700)
    most = workspace.settings.serve.upload_bytes - sum(one.bytes for one in to.files)
    written: list[KeptFile] = []
    try:
        for name, upload in zip(names, uploads, strict=True):
            written.append(KeptFile(name, write_upload(place / name, upload.parts, most - sum(one.bytes for one in written))))
        if empty := [one.name for one in written if not one.bytes]:
            raise BadInput([Fault("empty_file", "the file is empty.", name, "Check the export.") for name in empty])
    except BaseException:
        for name in names:
            (place / name).unlink(missing_ok=True)
        raise
    return keep(workspace, replace(to, files=(*to.files, *written), revision=to.revision + 1))


def find(workspace: Workspace, actor: Actor, wanted: str) -> Import:
    """The import, where it is the person's own. Raises Forbidden, BadInput (`no_import`)."""
    actor.require("data.load")
    found = read(workspace, wanted)
    if found.person != actor.id:
        raise BadInput(_none(wanted))
    return found


def read(workspace: Workspace, wanted: str) -> Import:
    """The import, whosever it is. Raises BadInput (`no_import`)."""
    if not ID.fullmatch(wanted):
        raise BadInput(_none(wanted))
    try:
        kept: dict[str, Any] = json.loads((workspace.folder / FOLDER / wanted / RECORD).read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(_none(wanted)) from None
    return Import(**{**kept, "files": tuple(KeptFile(**one) for one in kept["files"])})


def keep(workspace: Workspace, changed: Import) -> Import:
    """Write down what is known of an import."""
    folder = changed.folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / RECORD, json.dumps(asdict(changed), ensure_ascii=False), "The import is as it was.")
    return changed


def remove(workspace: Workspace, of: Import, name: str) -> Import:
    """The import without that file. Raises BadInput where it has none of the name."""
    _still_open(of)
    _named(of, name)
    Path(of.path(workspace, name)).unlink(missing_ok=True)
    return keep(workspace, replace(of, files=tuple(one for one in of.files if one.name != name), revision=of.revision + 1))


def choose(workspace: Workspace, of: Import, name: str, choice: ChosenMapping | None) -> Import:
    """The import with another mapping of a file; None is the one that is proposed. Raises BadInput for no such file or table."""
    _still_open(of)
    _named(of, name)
    if choice is not None and choice.table is not None and choice.table not in TABLES:
        raise BadInput(Fault("unknown_table", "the book has no such table.", name, "Choose one of the list."))
    table, columns = (None, None) if choice is None else (choice.table, choice.columns)
    files = tuple(replace(one, table=table, columns=columns) if one.name == name else one for one in of.files)
    return keep(workspace, replace(of, files=files, revision=of.revision + 1))


def set_known(workspace: Workspace, of: Import, received: bool, known_at: str) -> Import:
    """The import with another word on when its rows were known. Raises BadInput for what is no day."""
    _still_open(of)
    try:
        day = date.fromisoformat(known_at).isoformat() if known_at else ""
    except ValueError:
        raise BadInput(Fault("bad_day", "this is no day.", "known_at", "Write it as 2026-06-30.")) from None
    return of if (received, day) == (of.received, of.known_at) else keep(
        workspace, replace(of, received=received, known_at=day, revision=of.revision + 1)
    )  # fmt: skip


def discard(workspace: Workspace, of: Import) -> None:
    """Remove an import and its files."""
    shutil.rmtree(of.folder(workspace), ignore_errors=True)


def empty(workspace: Workspace, of: Import) -> None:
    """Remove the files of an import, not what is known of it."""
    shutil.rmtree(of.folder(workspace) / FILES, ignore_errors=True)


def listed(workspace: Workspace, actor: Actor, at: datetime) -> tuple[Import, ...]:
    """The person's imports that are not loaded yet, the newest first. Raises Forbidden."""
    actor.require("data.load")
    found = [*_swept(workspace, at)]
    return tuple(sorted((one for one in found if one.person == actor.id and one.load is None), key=lambda one: one.at, reverse=True))


def _swept(workspace: Workspace, at: datetime) -> Iterator[Import]:
    """Every import, after those that nobody touched for KEPT were removed."""
    place = workspace.folder / FOLDER
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        try:
            touched = (folder / RECORD).stat().st_mtime
        except FileNotFoundError:
            touched = folder.stat().st_mtime if folder.exists() else at.timestamp()
        if at.timestamp() - touched > KEPT.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
        elif (folder / RECORD).exists():
            yield read(workspace, folder.name)


def safe_name(given: str) -> str:
    """The last part of a name that a browser gives, without what nobody can see; "" where nothing is left."""
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip().lstrip(".")
    stem, suffix = os.path.splitext(seen)
    return f"{stem[: LONGEST_NAME - len(suffix)]}{suffix}" if len(suffix) <= 10 else seen[:LONGEST_NAME]


def _faults(to: Import, names: Sequence[str]) -> Iterator[Fault]:
    if not names:
        yield Fault("no_files", "no file was chosen.", "files", "Choose one or more.")
    if len(to.files) + len(names) > MOST_FILES:
        yield Fault(
            "too_many_files", f"an import takes at most {MOST_FILES} files.", "files", "Make several imports of them, or use unspun load."
        )
    taken = {one.name for one in to.files}
    for name in names:
        if not name:
            yield Fault("no_name", "a file has no name that can be kept.", "files", "Give it another name.")
        elif name in taken:
            yield Fault("file_twice", "a file of that name is here already.", name, "Remove the other one first, or give it another name.")
        taken.add(name)


def write_upload(path: Path, parts: Iterable[bytes], most: int) -> int:
    """Write the parts to a file that only its owner reads; its size in bytes. Raises BadInput where they are more than `most`."""
    size = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for part in parts:
            size += len(part)
            if size > most:
                hint = "Load it with `unspun load`, or raise `upload` in [serve] of unspun.toml."
                raise BadInput(Fault("too_big", "the files are larger together than one request may bring.", path.name, hint))
            file.write(part)
    return size


def _named(of: Import, name: str) -> KeptFile:
    found = next((one for one in of.files if one.name == name), None)
    if found is None:
        raise BadInput(Fault(NO_IMPORT, "the import has no such file.", name))
    return found


def _still_open(of: Import) -> None:
    if of.load is not None:
        raise BadInput(Fault("loaded", "the import is loaded already.", "", "Begin a new one."))


def _none(wanted: str) -> Fault:
    return Fault(NO_IMPORT, "there is no such import: it was loaded, discarded, or not touched for a day.", wanted)
