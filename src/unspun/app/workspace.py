"""A workspace: the folder with a company's definitions and its warehouse. Made, found and opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unspun.app.workspace_settings import WorkspaceSettings, read_settings
from unspun.book.mapping.book_file import read_definition
from unspun.book.mapping.definition import BookDefinition
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput, Fault, UnspunError

if TYPE_CHECKING:
    from unspun.book.retention.rules import RetentionRules
    from unspun.warehouse.catalog import Catalog


SETTINGS_FILE, BOOK_FILE, RETENTION_FILE, WAREHOUSE_FOLDER = "unspun.toml", "book.yml", "retention.yml", "warehouse"
METRICS_FILE, SCORES_FILE = "metrics.yml", "scores.yml"
VARIABLE = "UNSPUN_WORKSPACE"


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace: its folder (absolute) and settings. Its definitions and catalogue are read when they are asked for."""

    folder: Path
    settings: WorkspaceSettings

    @property
    def book_file(self) -> Path:
        return self.folder / BOOK_FILE

    @property
    def retention_file(self) -> Path:
        return self.folder / RETENTION_FILE

    @property
    def metrics_file(self) -> Path:
        return self.folder / METRICS_FILE

    @property
    def scores_file(self) -> Path:
        return self.folder / SCORES_FILE

    @property
    def warehouse(self) -> Path:
        return self.folder / WAREHOUSE_FOLDER

    def book_text(self) -> str:
        """book.yml as it stands, line ends too. Raises BadInput where it is not there or is not UTF-8."""
        return read_text(self.book_file)

    def retention_text(self) -> str:
        """retention.yml as it stands; empty where there is none, which leaves every rule at its default."""
        return read_text(self.retention_file) if self.retention_file.exists() else ""

    def metrics_text(self) -> str:
        """metrics.yml as it stands. Raises BadInput where there is none: nothing is a metric by default."""
        if not self.metrics_file.exists():
            hint = "`unspun metrics suggest --write` makes one of what the book holds."
            raise BadInput(Fault("no_metrics_file", f"the workspace has no {METRICS_FILE}, which declares the metrics.", "", hint))
        return read_text(self.metrics_file)

    def scores_text(self) -> str:
        """scores.yml as it stands; empty where there is none, which declares no score."""
        return read_text(self.scores_file) if self.scores_file.exists() else ""

    def definition(self) -> BookDefinition:
        """book.yml as it stands now. Raises BadInput with all its faults."""
        return read_definition(self.book_text(), BOOK_FILE)

    def retention_rules(self) -> RetentionRules:
        """retention.yml as it stands now. Raises BadInput with all its faults."""
        from unspun.book.retention.rules import read_rules

        return read_rules(read_yaml(self.retention_text(), RETENTION_FILE))

    def catalog(self) -> Catalog:
        """The warehouse's catalogue, opened: a context manager, which closes it. Raises BadInput where there is none."""
        from unspun.warehouse.catalog import open_catalog

        return open_catalog(self.warehouse)


def open_workspace(folder: Path | None = None) -> Workspace:
    """The workspace in `folder` (one above it will not do), else that of UNSPUN_WORKSPACE, else the nearest from here upwards.

    Raises BadInput: `no_workspace`, or every fault of unspun.toml.
    """
    found = _find(folder)
    return Workspace(found, read_settings(read_text(found / SETTINGS_FILE), SETTINGS_FILE, found.name))


def _find(folder: Path | None) -> Path:
    named, where = folder, "--workspace"
    if named is None and os.environ.get(VARIABLE):
        named, where = Path(os.environ[VARIABLE]), VARIABLE
    if named is not None:
        named = full_path(named)
        return named if _is_workspace(named) else _refuse(named, where)
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if _is_workspace(one)), None) or _refuse(here, "")


def _is_workspace(folder: Path) -> bool:
    try:
        return (folder / SETTINGS_FILE).is_file()
    except OSError:  # a folder that may not be looked into
        return False


def _refuse(folder: Path, where: str) -> Path:
    above = "" if where else " and none above it"
    hint = f"Make one with `unspun init`{'' if where else ', or name one with --workspace'}."
    raise BadInput(Fault("no_workspace", f"{folder} is no workspace{above}: there is no {SETTINGS_FILE}.", where, hint))


def full_path(folder: Path) -> Path:
    """The folder from the root, `~` and `..` followed."""
    return Path(os.path.abspath(folder.expanduser()))


def read_text(path: Path) -> str:
    """A definition file's text, line ends as they are. Raises BadInput where it is not there, UnspunError where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        hint = "Take it from your backups or git; an empty file of that name will do to begin with."
        raise BadInput(Fault("missing_definition", "the workspace has no such file.", str(path), hint)) from None
    except UnicodeDecodeError as refusal:
        line = refusal.object.count(b"\n", 0, refusal.start) + 1
        raise BadInput(Fault("not_utf8", "the file is not UTF-8.", f"{path.name}:{line}", "Save it as UTF-8.")) from None
    except OSError as refusal:
        raise UnspunError(Fault("unreadable_file", f"the file cannot be read: {refusal.strerror or refusal}.", str(path))) from refusal


def replace_text(path: Path, text: str, hint: str) -> None:
    """Write a definition file, whole or not at all. Raises BadInput where it cannot be written; `hint` says what then."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except OSError as refusal:
        temporary.unlink(missing_ok=True)
        raise BadInput(Fault("unwritable", f"the file cannot be written: {refusal.strerror or refusal}.", str(path), hint)) from refusal
