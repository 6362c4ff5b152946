"""What people write of accounts: the ledger holds its hash, the text lies apart, is found changed, and can be erased."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.warehouse.books import new_book
from unspun.errors import BadInput
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_check import check_ledger, check_manifests
from unspun.warehouse.catalog_notes import NOTE, STATED
from unspun.warehouse.erase import Subject, erase

AT, LATER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def write(catalog: Catalog, account: str, text: str, kind: str = NOTE) -> int:
    return catalog.add_note(kind, account, {"author": 1}, json.dumps({"text": text, "salt": "5"}), AT).seq


def test_notes_are_read_by_account_and_kind_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    with new_book(tmp_path) as catalog:
        written = [write(catalog, "A-1", "one"), write(catalog, "A-2", "other"), write(catalog, "A-1", "two")]
        write(catalog, "A-1", "a forecast", STATED)
        assert [one.entry.seq for one in catalog.notes(NOTE, "A-1")] == [written[0], written[2]]
        assert [one.account for one in catalog.notes(NOTE)] == ["A-1", "A-2", "A-1"]
        assert check_ledger(catalog).sound
        assert check_manifests(catalog) == ()


def test_the_entry_holds_a_hash_and_neither_text_nor_account(tmp_path: Path) -> None:
    with new_book(tmp_path) as catalog:
        entry = catalog.entry(write(catalog, "A-1", "secret"))
        assert entry is not None
        assert set(entry.body) == {"author", "document_sha256"}


@pytest.mark.parametrize("change", ["UPDATE notes SET document = '{}'", "UPDATE notes SET document = ''", "DELETE FROM notes"])
def test_a_text_that_was_changed_or_taken_away_is_found(tmp_path: Path, change: str) -> None:
    with new_book(tmp_path) as catalog:
        seq = write(catalog, "A-1", "as it was")
        catalog.connection.execute(change)
        assert [fault.message for fault in check_manifests(catalog)] == [
            f"what was written under ledger entry {seq} is not what was recorded."
        ]


def test_an_erasure_takes_out_the_account_s_notes_and_those_that_name_it(tmp_path: Path) -> None:
    with new_book(tmp_path) as catalog:
        own, named, kept = (
            write(catalog, "A-00017", "its own"),
            write(catalog, "A-00018", "as with A-00017"),
            write(catalog, "A-00018", "another"),
        )
        found = erase(catalog, Subject("account", "A-00017"), LATER)
        assert found.notes == (own, named)
        assert [one.entry.seq for one in catalog.notes(NOTE)] == [kept]
        assert [(catalog.note(seq).account, catalog.note(seq).document) for seq in (own, named)] == [("", "")] * 2
        assert check_ledger(catalog).sound
        assert check_manifests(catalog) == ()
        held = b"".join(path.read_bytes() for path in catalog.folder.glob("catalog.db*"))
        assert b"its own" not in held


def test_a_short_id_takes_out_no_note_that_holds_it_by_chance(tmp_path: Path) -> None:
    with new_book(tmp_path) as catalog:
        own, other = write(catalog, "12", "own"), write(catalog, "13", "12 people came")
        assert erase(catalog, Subject("account", "12"), LATER).notes == (own,)
        assert catalog.note(other).document


def test_an_entry_that_is_no_note_is_told_so(tmp_path: Path) -> None:
    with new_book(tmp_path) as catalog, pytest.raises(BadInput, match="nothing that somebody wrote"):
        catalog.note(1)
