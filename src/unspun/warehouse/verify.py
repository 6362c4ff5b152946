"""Whether the files of the book are those that were published: data files, manifests, Delta logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from unspun.errors import Fault
from unspun.progress import Progress
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_check import check_manifests
from unspun.warehouse.delta import TABLES_FOLDER
from unspun.warehouse.read_files import file_fault
from unspun.warehouse.versions import DataFile, TableVersion

LOG_HINT = "The book does not need it to be read; other readers of Delta tables do. Put it back from a copy of the warehouse folder."


def _unseen(_name: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def verify_files(catalog: Catalog, versions: Literal["current", "all"] = "current", progress: Progress = _unseen) -> tuple[Fault, ...]:
    """Everything that is not as it was published, in the newest version or in all that are kept; empty where all is well.

    Every data file is read whole and hashed. The list of files of each version is compared with its ledger entry, and with the
    Delta log at the version that it names. Each fault says which file, of which table and which book versions. `progress` is told
    the file that is read, how many are done and how many there are.
    """
    kept = [line.version for line in catalog.versions() if line.kept]
    chosen = kept if versions == "all" else kept[-1:]
    return (*check_manifests(catalog, versions), *_file_faults(catalog, chosen, progress), *_log_faults(catalog, chosen))


def _file_faults(catalog: Catalog, versions: list[int], progress: Progress) -> Iterator[Fault]:
    files: dict[str, DataFile] = {}
    holders: dict[str, list[int]] = {}
    for version in versions:
        for table in catalog.version(version).tables:
            for file in table.files:
                files[file.path] = file
                holders.setdefault(file.path, []).append(version)
    for done, (path, file) in enumerate(files.items()):
        progress(path, done, len(files))
        fault = file_fault(catalog.folder, file, hashed=True)
        if fault is not None:
            yield Fault(fault.code, f"{fault.message} It belongs to {_named(holders[path])}.", fault.where, fault.hint)
    progress("data files", len(files), len(files))


def _named(versions: list[int]) -> str:
    """ "book version 3", "book versions 3 to 7"."""
    return f"book version {versions[0]}" if len(versions) == 1 else f"book versions {versions[0]} to {versions[-1]}"


def _log_faults(catalog: Catalog, versions: list[int]) -> Iterator[Fault]:
    """Versions as they were published, before erasures: the log at that version still lists those files."""
    seen: set[tuple[str, int]] = set()
    for version in versions:
        for table in catalog.published_version(version).tables:
            if (table.name, table.delta_version) not in seen:
                seen.add((table.name, table.delta_version))
                yield from _log_fault(catalog.folder / TABLES_FOLDER / table.name, table, version)


def _log_fault(path: Path, table: TableVersion, version: int) -> Iterator[Fault]:
    what = f"The Delta log of `{table.name}` at its version {table.delta_version}, which book version {version} names,"
    try:
        listed = {unquote(Path(uri).name) for uri in DeltaTable(path, version=table.delta_version).file_uris()}
    except (DeltaError, OSError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        yield Fault("delta_log", f"{what} cannot be read ({said}).", f"{TABLES_FOLDER}/{table.name}/_delta_log", LOG_HINT)
        return
    if listed != (ours := {Path(file.path).name for file in table.files}):
        differing = ", ".join(sorted(listed ^ ours)[:3])
        yield Fault(
            "delta_log",
            f"{what} lists other files than were published ({differing}).",
            f"{TABLES_FOLDER}/{table.name}/_delta_log",
            LOG_HINT,
        )
