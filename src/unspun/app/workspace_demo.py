"""The operation "make a demo workspace": the demo company's files, a book.yml that maps them all, and the book loaded from them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from unspun.app.loads import LoadRequest, load, plan_load
from unspun.app.workspace import Workspace, full_path
from unspun.app.workspace_making import create_workspace, template
from unspun.book.demo import DEMO_ACCOUNTS, DEMO_SEED, write_demo
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.warehouse.load import LoadResult

FILES, TRUTH = "files", "truth"
NOT_OF_THE_BOOK = "owners"  # who works at the company and since when


@dataclass(frozen=True, slots=True)
class DemoWorkspace:
    """A workspace with the demo company in it: `files` are what was loaded, `truth` the folder with what nobody in it knows."""

    workspace: Workspace
    files: tuple[Path, ...]
    truth: Path
    loaded: LoadResult


def create_demo_workspace(
    folder: Path, at: datetime, name: str | None = None, seed: int = DEMO_SEED, accounts: int = DEMO_ACCOUNTS, progress: Progress = silent
) -> DemoWorkspace:
    """Make a workspace, write the demo company's files into it and load them all.

    Raises BadInput as `create_workspace` does, or where the folder has a `files` or `truth` already.
    """
    folder = full_path(folder)
    there = [part for part in (FILES, TRUTH) if (folder / part).exists()]
    if there:
        hint = "Give a new or empty folder."
        raise BadInput([Fault("in_the_way", "the demo company's files go here.", str(folder / part), hint) for part in there])
    texts = [template(f"demo-{part}.yml") for part in ("book", "metrics", "scores")]
    workspace = create_workspace(folder, at, name or "Demo company", *texts)
    progress("making the demo company", 0, 1)
    files = write_company(folder, seed, accounts)
    progress("making the demo company", 1, 1)
    request = LoadRequest((str(folder / FILES),))
    loaded = load(workspace, plan_load(workspace, request, progress), request, at, progress)
    return DemoWorkspace(workspace, files, folder / TRUTH, loaded)


def write_company(folder: Path, seed: int, accounts: int) -> tuple[Path, ...]:
    """The company's files in `folder/files`, as its systems would export them, and what nobody knows in `folder/truth`."""
    paths = write_demo(folder / FILES, seed, accounts)
    shutil.move(folder / FILES / TRUTH, folder / TRUTH)
    paths[NOT_OF_THE_BOOK].unlink()
    return tuple(sorted((folder / FILES).iterdir()))
