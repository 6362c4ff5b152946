"""`ledger.head`: number and hash of the newest ledger entry, beside the catalogue.

It is written after the commit, so after a crash it may be behind the ledger; it is never ahead of it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from unspun.errors import BadInput, Fault, UnspunError
from unspun.ledger.chain import Anchor, Entry, parse_anchor, written_anchor
from unspun.ledger.store import entry
from unspun.warehouse.catalog_faults import translating_system

NAME = "ledger.head"
MENDING = (
    "Check the ledger against the number and hash in a printed report (`unspun ledger verify`); then delete this file: the next entry "
    "writes it anew."
)


def read_head(folder: Path) -> Anchor | None:
    """What the file records; None where there is no file. Raises BadInput where it holds something else."""
    path = folder / NAME
    with translating_system(path):
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return None
    try:
        return parse_anchor(text, str(path))
    except BadInput as error:
        raise BadInput(Fault("no_anchor", f"the file is damaged: {error.faults[0].message}", str(path), MENDING)) from error


def write_head(folder: Path, head: Entry) -> None:
    """Replace the file by rename, so that it holds the old or the new head and never a part. OSError where that fails."""
    path, fresh = folder / NAME, folder / f"{NAME}.new"
    with fresh.open("w", encoding="ascii") as file:
        file.write(written_anchor(head) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable, where the system can (Windows cannot open a folder)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_behind(folder: Path, connection: sqlite3.Connection) -> None:
    """Raises UnspunError where the ledger is not the one the head file was written from: appending would hide that."""
    recorded = read_head(folder)
    if recorded is None:
        return
    found = entry(connection, recorded.seq)
    if found is None or found.hash != recorded.hash:
        what = "is not in the ledger" if found is None else "is another one in the ledger"
        hint = "Run `unspun ledger verify`. If you restored the catalogue from a backup, restore this file with it, or delete it."
        raise UnspunError(Fault("ledger_broken", f"entry {recorded.seq}, which this file records, {what}.", recorded.where, hint))
