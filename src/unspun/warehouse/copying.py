"""A copy of the book as it stands, while others read it and write to its ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from unspun.ledger import store
from unspun.ledger.chain import written_anchor
from unspun.progress import Progress, silent
from unspun.warehouse import catalog_head
from unspun.warehouse.catalog import NAME, Catalog, open_catalog
from unspun.warehouse.catalog_faults import translating, translating_system
from unspun.warehouse.delta import LOG_FOLDER, TABLES_FOLDER

PAGES_AT_ONCE = 4096  # 16 MB


@dataclass(frozen=True, slots=True)
class BookCopy:
    """The files of a whole warehouse, by their path in it, each where it can be read. `anchor` is the newest ledger entry as SEQ:HASH,
    `version` the newest book version (None before the first)."""

    files: dict[str, Path]
    anchor: str
    version: int | None


@contextmanager
def book_copied(catalog: Catalog, aside: Path, progress: Progress = silent) -> Iterator[BookCopy]:
    """Within it, the files of the copy lie still. Call it as the one writer (`catalog.writing`): no load, compaction or erasure then
    takes a data file away. The catalogue is copied into the empty folder `aside`; data files never change, and are read where they are.

    Raises UnspunError for what the disk or a damaged file does.
    """
    _copy_catalog(catalog, aside, progress)
    with open_catalog(aside) as copy:
        with copy.reading() as connection:
            head = store.head(connection)
        if head is None:
            raise RuntimeError("every ledger has its first entry")
        with translating_system(aside):
            catalog_head.write_head(aside, head)
        current, data = copy.current(), sorted(copy.files_in_use())
        copy.checkpoint()
    files = {NAME: aside / NAME, catalog_head.NAME: aside / catalog_head.NAME}
    with translating_system(catalog.folder):
        files |= {path: catalog.folder / path for path in (*data, *_logs(catalog.folder))}
    yield BookCopy(files, written_anchor(head), None if current is None else current.version)


def _copy_catalog(catalog: Catalog, aside: Path, progress: Progress) -> None:
    with translating(aside / NAME), closing(sqlite3.connect(aside / NAME)) as target:
        told = lambda _status, left, total: progress("copying the catalogue", total - left, total)  # noqa: E731
        with catalog.reading() as connection:
            connection.backup(target, pages=PAGES_AT_ONCE, progress=told)


def _logs(folder: Path) -> Iterator[str]:
    for log in sorted((folder / TABLES_FOLDER).glob(f"*/{LOG_FOLDER}")):
        yield from (path.relative_to(folder).as_posix() for path in sorted(log.rglob("*")) if path.is_file())
