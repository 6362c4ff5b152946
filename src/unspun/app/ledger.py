"""The operations on the ledger: show its entries, and verify that nothing recorded was changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault, UnspunError
from unspun.ledger import store
from unspun.ledger.chain import Anchor, Entry, parse_anchor
from unspun.progress import Progress
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_check import LedgerCheck, check_database, check_ledger
from unspun.warehouse.verify import verify_files


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found: in the chain of entries (`ledger`), and in the catalogue, data files and Delta logs (`faults`)."""

    ledger: LedgerCheck
    faults: tuple[Fault, ...]

    @property
    def is_clean(self) -> bool:
        return self.ledger.sound and not self.faults


def list_entries(workspace: Workspace, kind: str | None = None, first: int = 1) -> tuple[Entry, ...]:
    """The entries from number `first` on, of one kind where it is named."""
    with workspace.catalog() as catalog, catalog.reading() as connection:
        return tuple(store.entries(connection, first, kind))


def verify(workspace: Workspace, anchors: tuple[str, ...], all_versions: bool, progress: Progress) -> Verification:
    """Check the chain against every head recorded elsewhere, and the data files against the chain.

    `anchors` are NUMBER:HASH as printed, or files with such lines. Raises BadInput for one that is neither.
    """
    given = [anchor for text in anchors for anchor in _anchors(text)]
    with workspace.catalog() as catalog:
        damaged = check_database(catalog)
        found = check_ledger(catalog, given)
        files = () if damaged else _verified_files(catalog, all_versions, progress)
    return Verification(found, (*found.faults, *damaged, *files))


def _verified_files(catalog: Catalog, all_versions: bool, progress: Progress) -> tuple[Fault, ...]:
    """What is wrong with the files and the catalogue; what cannot even be read there is a finding too."""
    try:
        return verify_files(catalog, "all" if all_versions else "current", progress)
    except UnspunError as refusal:
        return refusal.faults


def _anchors(text: str) -> list[Anchor]:
    path = Path(text)
    if ":" in text and not path.exists():
        return [parse_anchor(text, "--anchor")]
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        hint = "Give NUMBER:HASH as it was printed, or a file that holds such lines."
        raise BadInput(Fault("no_anchor", f"'{text}' is not an anchor, and no file that can be read.", "--anchor", hint)) from error
    return [parse_anchor(line, text) for line in lines]
