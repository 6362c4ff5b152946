"""The making of a workspace: whole in a folder aside first, then moved into place, unspun.toml last of all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path

from unspun.app.workspace import (
    BOOK_FILE,
    METRICS_FILE,
    RETENTION_FILE,
    SCORES_FILE,
    SETTINGS_FILE,
    WAREHOUSE_FOLDER,
    Workspace,
    full_path,
    open_workspace,
)
from unspun.app.workspace_settings import checked_name, fits_name, settings_text
from unspun.book.mapping.book_file import read_definition
from unspun.errors import BadInput, Fault, UnspunError

ASIDE = ".unspun-init"
GITIGNORE = ".gitignore"
PARTS = (WAREHOUSE_FOLDER, RETENTION_FILE, METRICS_FILE, SCORES_FILE, BOOK_FILE, SETTINGS_FILE)
"""In the order in which they come into place: a folder with unspun.toml has the rest."""


def template(name: str) -> str:
    """The text of a template of the workspace's files."""
    return resources.files("unspun.app").joinpath("workspace_files", name).read_text(encoding="utf-8")


def usual_name(folder: Path) -> str:
    """What a workspace is called where nobody says: as its folder is, if that can be."""
    return folder.name if fits_name(folder.name) else "workspace"


def create_workspace(
    folder: Path,
    at: datetime,
    name: str | None = None,
    book: str | None = None,
    metrics: str | None = None,
    scores: str | None = None,
) -> Workspace:
    """Make a workspace in `folder`, which may hold other files. `book`, `metrics` and `scores` are the texts of its book.yml, metrics.yml
    and scores.yml, else ones to fill in.

    Raises BadInput where the folder is a workspace already, or has files of the names that it needs; UnspunError where it cannot be
    written. A creation that was broken off is finished by the next; until then the folder is no workspace.
    """
    folder = full_path(folder)
    from unspun.health.starter import starter_text as scores_starter
    from unspun.metrics.starter import starter_text

    texts = {METRICS_FILE: starter_text() if metrics is None else metrics, SCORES_FILE: scores_starter() if scores is None else scores}
    _make(folder, at, name, book, texts)
    return open_workspace(folder)


def _make(folder: Path, at: datetime, name: str | None, book: str | None, texts: Mapping[str, str]) -> None:
    settings = settings_text(template("unspun.toml"), usual_name(folder) if name is None else checked_name(name))
    definition = template("book.yml") if book is None else book
    read_definition(definition)
    aside = folder / ASIDE
    try:
        _check_folder(folder)
        if not (aside / SETTINGS_FILE).exists():  # it is written last there too
            _write_aside(aside, at, {**texts, BOOK_FILE: definition})
        _write(aside / SETTINGS_FILE, settings)
        _move_into_place(folder, aside)
    except OSError as refusal:
        message = f"the workspace cannot be written: {refusal.strerror or refusal}."
        raise UnspunError(Fault("unwritable", message, str(folder), "Mend that and run `unspun init` again: it goes on.")) from refusal


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise BadInput(Fault("not_a_folder", "there is a file of that name.", str(folder), "Give a folder."))
    begun = (folder / ASIDE / SETTINGS_FILE).exists()
    if (folder / SETTINGS_FILE).exists() and not begun:
        if (folder / ASIDE).is_dir():  # all that was left to do was to remove it
            shutil.rmtree(folder / ASIDE)
        raise BadInput(Fault("workspace_exists", "this is a workspace already.", str(folder), "Use it, or give another folder."))
    if begun:
        return
    in_the_way = [part for part in PARTS if os.path.lexists(folder / part)]
    if in_the_way:
        hint = "Move it away, or give another folder."
        raise BadInput([Fault("in_the_way", "a new workspace needs this name.", str(folder / part), hint) for part in in_the_way])


def _write_aside(aside: Path, at: datetime, texts: Mapping[str, str]) -> None:
    from unspun.book.retention.rules import default_text
    from unspun.warehouse.catalog import create_warehouse

    if aside.exists():  # a making that was broken off before anything was moved
        shutil.rmtree(aside)
    aside.mkdir(parents=True)
    create_warehouse(aside / WAREHOUSE_FOLDER, at).close()
    _write(aside / RETENTION_FILE, default_text())
    for part, text in texts.items():
        _write(aside / part, text)


def _move_into_place(folder: Path, aside: Path) -> None:
    _ignore_warehouse(folder / GITIGNORE)
    for part in PARTS:
        if (aside / part).exists():
            (aside / part).replace(folder / part)
    aside.rmdir()


def _ignore_warehouse(path: Path) -> None:
    """Keep the warehouse out of git, beside what the file says already."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if f"{WAREHOUSE_FOLDER}/" not in (line.strip().lstrip("/") for line in text.splitlines()):
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        _write(path, text + gap + template("gitignore"))


def _write(path: Path, text: str) -> None:
    """A text that is there whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
