"""The ledger as pages show it: entries of one kind or all, the newest first, and whether the chain holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from unspun.app.access import Actor
from unspun.app.workspace import Workspace
from unspun.ledger import store
from unspun.ledger.chain import Entry
from unspun.warehouse.catalog_check import LedgerCheck, check_ledger

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Entries, the newest first. `kinds` counts all by kind, `before` leads to the next page (None: this is the last one)."""

    entries: tuple[Entry, ...]
    kinds: Mapping[str, int]
    before: int | None


def ledger_page(workspace: Workspace, actor: Actor, kind: str | None = None, before: int | None = None) -> LedgerPage:
    """A page of the ledger. Raises Forbidden; UnspunError at an entry that is damaged."""
    actor.require("ledger.see")
    with workspace.catalog() as catalog, catalog.reading() as connection:
        found = store.newest(connection, PAGE_SIZE + 1, before, kind)
        kinds = store.counts(connection)
    shown = tuple(found[:PAGE_SIZE])
    return LedgerPage(shown, kinds, shown[-1].seq if len(found) > PAGE_SIZE else None)


def verified_chain(workspace: Workspace, actor: Actor) -> LedgerCheck:
    """Check every entry against its hash, its neighbours, and the hashes kept beside the chain. Raises Forbidden."""
    actor.require("ledger.see")
    with workspace.catalog() as catalog:
        return check_ledger(catalog)
