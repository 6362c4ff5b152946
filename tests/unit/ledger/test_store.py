"""The ledger in SQLite: appended to within transactions, refusing change, and verified over the bytes that lie in the file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.errors import UnspunError
from unspun.ledger import store
from unspun.ledger.chain import check_chain

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def filled(path: str = ":memory:", length: int = 6) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    store.create(connection)
    store.append(connection, "opened", {"format": 1}, AT)
    for step in range(1, length):
        store.append(connection, "load", {"step": step, "tables": {"events": {"rows": 10 * step}}}, AT)
    connection.execute("COMMIT")
    return connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = filled()
    yield connection
    connection.close()


def without_triggers(connection: sqlite3.Connection) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


def test_entries_come_back_as_they_were_appended_and_their_hashes_can_be_recomputed_with_sql_and_sha256(
    connection: sqlite3.Connection,
) -> None:
    entries = list(store.entries(connection))
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert entries[3].body == {"step": 3, "tables": {"events": {"rows": 30}}}
    previous = "0" * 64
    for seq, at, kind, body, before, hashed in connection.execute("SELECT seq, at, kind, body, previous, hash FROM ledger ORDER BY seq"):
        assert before == previous
        previous = hashlib.sha256(f"{before}\n{seq}\n{at}\n{kind}\n{body}".encode()).hexdigest()
        assert hashed == previous
    assert store.head(connection) == entries[-1]


def test_entries_are_found_by_number_and_by_kind(connection: sqlite3.Connection) -> None:
    assert [entry.seq for entry in store.entries(connection, first=5)] == [5, 6]
    assert [entry.seq for entry in store.entries(connection, kind="opened")] == [1]
    third = store.entry(connection, 3)
    assert third is not None and third.body["step"] == 2
    assert store.entry(connection, 7) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET body = '{}' WHERE seq = 2",
        "UPDATE ledger SET seq = 9 WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 6",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT seq, at, kind, '{}', previous, hash FROM ledger WHERE seq = 2",
        "INSERT INTO ledger SELECT seq, at, kind, '{}', previous, hash FROM ledger WHERE seq = 2 ON CONFLICT DO UPDATE SET body = '{}'",
    ],
)
def test_sqlite_itself_refuses_to_change_or_delete_an_entry(connection: sqlite3.Connection, statement: str) -> None:
    before = store.stored(connection)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    assert store.stored(connection) == before


def test_an_entry_of_a_transaction_that_is_rolled_back_was_never_written(connection: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="transaction"):
        store.append(connection, "load", {}, AT)
    connection.execute("BEGIN")
    assert store.append(connection, "load", {}, AT).seq == 7
    connection.execute("ROLLBACK")
    head = store.head(connection)
    assert head is not None and head.seq == 6


CELLS = st.tuples(st.integers(1, 6), st.sampled_from(["at", "kind", "body", "previous", "hash"]), st.integers(0, 500), st.integers(0, 255))


@settings(max_examples=120)
@given(CELLS)
def test_any_byte_changed_in_the_table_is_found_even_where_it_leaves_no_text(cell: tuple[int, str, int, int]) -> None:
    seq, column, where, byte = cell
    connection = filled()
    without_triggers(connection)
    raw = bytearray(connection.execute(f"SELECT CAST({column} AS BLOB) FROM ledger WHERE seq = ?", (seq,)).fetchone()[0])
    if raw[where % len(raw)] != byte:
        raw[where % len(raw)] = byte
        connection.execute(f"UPDATE ledger SET {column} = CAST(? AS TEXT) WHERE seq = ?", (bytes(raw), seq))
        assert [(each.seq, each.kind) for each in check_chain(store.stored(connection))] == [(seq, "edited")]
    connection.close()


def test_a_body_that_is_no_json_is_a_fault_for_who_reads_it_and_a_finding_for_who_verifies(connection: sqlite3.Connection) -> None:
    without_triggers(connection)
    connection.execute("UPDATE ledger SET body = '{' WHERE seq = 4")
    with pytest.raises(UnspunError, match="entry 4 is damaged"):
        list(store.entries(connection))
    assert [each.seq for each in check_chain(store.stored(connection))] == [4]


def test_values_of_other_types_in_a_table_that_was_replaced_are_findings(tmp_path: Path) -> None:
    connection = filled(str(tmp_path / "ledger.db"))
    connection.execute("CREATE TABLE other AS SELECT * FROM ledger")
    connection.execute("DROP TABLE ledger")
    connection.execute("ALTER TABLE other RENAME TO ledger")
    for column, value in (("hash", None), ("body", 1.5), ("previous", b"\xff\xfe"), ("seq", "three")):
        connection.execute(
            f"UPDATE ledger SET {column} = ? WHERE rowid = ?", (value, 2 + ("hash", "body", "previous", "seq").index(column))
        )
    found = check_chain(store.stored(connection))
    assert [(each.seq, each.kind) for each in found] == [(2, "edited"), (3, "edited"), (4, "edited"), (5, "reordered")]
    connection.close()
