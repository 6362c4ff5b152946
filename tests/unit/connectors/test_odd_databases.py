"""Databases that are set up otherwise than one expects: odd names, odd settings, rights for a part only, clocks and wide tables."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.connectors.reading import read, source
from tests.unit.connectors.servers import PASSWORD, Server, shared_server
from unspun.book.mapping.definition import Cursor
from unspun.connectors.sql.address import read_address
from unspun.connectors.sql.extract import extract, open_database
from unspun.errors import BadInput

GUEST, GUEST_PASSWORD = "odd_guest", "gu3st-pw"
SETTINGS = ("datestyle = 'SQL, DMY'", "intervalstyle = 'iso_8601'", "bytea_output = 'escape'", "timezone = 'America/New_York'")


@pytest.fixture
def server() -> Server:
    return shared_server()


@pytest.fixture
def url(server: Server) -> str:
    return server.fresh("odd")


@pytest.fixture
def guest(server: Server, url: str) -> str:
    """The URL of a user who owns nothing."""
    server.run(f"DROP ROLE IF EXISTS {GUEST}", f"CREATE ROLE {GUEST} LOGIN PASSWORD '{GUEST_PASSWORD}'")
    return url.replace(f"boss:{PASSWORD}", f"{GUEST}:{GUEST_PASSWORD}")


@pytest.mark.parametrize(
    ("schema", "table", "wanted"),
    [
        ("public", "my.table", "public.my.table"), ("public", "my.table", "my.table"), ("s.x", "t", "s.x.t"), ("hidden", "t", "t"),
        ("public", "Upper Case", "Upper Case"), ("public", "x'; DROP TABLE kept; --", "x'; DROP TABLE kept; --"),
        ("public", 'quo"ted', 'public.quo"ted'), ("public", "back\\slash'", "back\\slash'"),
    ],
)  # fmt: skip
def test_a_relation_of_any_name_is_found_with_its_key_and_nothing_of_the_name_is_run(
    server: Server, url: str, tmp_path: Path, schema: str, table: str, wanted: str
) -> None:
    named = ".".join('"' + name.replace('"', '""') + '"' for name in (schema, table))
    server.run("CREATE TABLE kept (account_id int)", 'CREATE SCHEMA "s.x"', "CREATE SCHEMA hidden", database="odd")
    server.run(f"CREATE TABLE {named} (account_id int PRIMARY KEY)", f"INSERT INTO {named} VALUES (7)", database="odd")
    found, rows = read(url, source(wanted), tmp_path)
    assert rows == [{"account_id": 7}] and found.key == ("account_id",)
    assert server.rows("SELECT count(*) AS n FROM kept", "odd") == [{"n": 0}]


def test_the_same_rows_are_read_alike_whatever_the_user_has_set(server: Server, url: str, guest: str, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE plain (account_id int PRIMARY KEY, at timestamptz, local timestamp, span interval, bytes bytea, list float8[])",
        "INSERT INTO plain VALUES (1, '2026-02-01 10:00Z', '2026-02-01 10:00', '1 day', '\\x0102', '{0.1234567890123456789}')",
        f"GRANT SELECT ON plain TO {GUEST}",
        *(f"ALTER ROLE {GUEST} SET {setting}" for setting in (*SETTINGS, "extra_float_digits = -5", "standard_conforming_strings = off")),
        database="odd",
    )
    for column in ("at", "local"):
        mine, theirs = (read(one, source("plain", cursor=Cursor(column)), tmp_path) for one in (url, guest))
        assert mine[1] == theirs[1] and mine[0].last == theirs[0].last and str(mine[0].last).startswith("2026-02-01 10:00:00")


def test_a_limit_that_the_database_sets_on_statements_stays(server: Server, guest: str, tmp_path: Path) -> None:
    server.run(f"ALTER ROLE {GUEST} SET statement_timeout = '300ms'")
    with pytest.raises(BadInput, match="longer than is allowed"):
        read(guest, source(query="SELECT pg_sleep(2)::text AS account_id"), tmp_path)


def test_rows_that_are_hidden_from_the_user_are_spoken_of(server: Server, url: str, guest: str, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE mine AS SELECT g AS account_id FROM generate_series(1, 2) g",
        "ALTER TABLE mine ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY one ON mine TO {GUEST} USING (account_id = 1)",
        f"GRANT SELECT ON mine TO {GUEST}",
        database="odd",
    )
    found, rows = read(guest, source("mine"), tmp_path)
    assert len(rows) == 1 and "row-level security" in " ".join(found.notes)
    assert read(url, source("mine"), tmp_path)[0].notes == ()


def test_after_a_relation_that_is_refused_the_next_is_read(server: Server, guest: str, tmp_path: Path) -> None:
    server.run("CREATE TABLE denied (account_id int)", "CREATE TABLE open (account_id int)", database="odd")
    server.run(f"GRANT SELECT ON open TO {GUEST}", database="odd")
    with open_database(read_address(guest, "", tmp_path, may_hold_password=True), "db") as session:
        for mapping, words in ((source("denied"), "permission denied"), (source(query="SELECT nothing FROM open"), "nothing")):
            with pytest.raises(BadInput, match=words):
                extract(session, mapping, None, tmp_path / "rows.parquet", "db", lambda _done, _of: None)
        assert extract(session, source("open"), None, tmp_path / "rows.parquet", "db", lambda _done, _of: None).rows == 0


@pytest.mark.parametrize("ending", ["?", "?connect_timeout=3", "?keepalives_idle=5&", "?sslmode=prefer"])
def test_a_url_may_end_as_it_likes(url: str, tmp_path: Path, ending: str) -> None:
    assert read(url + ending, source(query="SELECT 1 AS account_id"), tmp_path)[0].rows == 1


def test_a_scheme_in_capitals_is_the_same_scheme(url: str, tmp_path: Path) -> None:
    assert read(url.replace("postgresql", "POSTGRESQL"), source(query="SELECT 1 AS account_id"), tmp_path)[0].rows == 1


@pytest.mark.parametrize(("kind", "ahead"), [("timestamp", timedelta(hours=5)), ("date", timedelta(days=1)), ("date", timedelta())])
def test_a_time_without_a_zone_does_not_move_the_cursor_ahead_of_the_clock(
    server: Server, url: str, tmp_path: Path, kind: str, ahead: timedelta
) -> None:
    """What comes after the load, by the database's clock, is read by the next."""
    now = datetime.now(UTC).replace(tzinfo=None)
    server.run(f"CREATE TABLE ahead (account_id int, at {kind})", database="odd")
    server.run(f"INSERT INTO ahead VALUES (1, '{now - timedelta(days=9)}'), (2, '{now + ahead}')", database="odd")
    mapping = source("ahead", cursor=Cursor("at", 0.0))
    first = read(url, mapping, tmp_path)[0]
    assert first.cursor_kind is not None and first.last is not None
    server.run(f"INSERT INTO ahead VALUES (3, '{now + timedelta(seconds=1)}')", database="odd")
    assert 3 in [row["account_id"] for row in read(url, mapping, tmp_path, (first.cursor_kind, first.last))[1]]


def test_the_hour_that_a_clock_without_a_zone_repeats_is_read_twice(server: Server, url: str, tmp_path: Path) -> None:
    """In Berlin 2025-10-26 02:59 summer time is followed by 02:00 winter time."""
    server.run("CREATE TABLE local (account_id int, at timestamp)", database="odd")
    server.run("INSERT INTO local VALUES (1, '2025-10-26 02:59')", database="odd")
    with sqlite3.connect(tmp_path / "local.db") as lite:
        lite.execute("CREATE TABLE local AS SELECT 1 AS account_id, '2025-10-26 02:59' AS at")
    mapping = source("local", cursor=Cursor("at", 0.0))
    for where in (url, f"sqlite:///{tmp_path}/local.db"):
        first = read(where, mapping, tmp_path)[0]
        assert first.cursor_kind is not None and first.last is not None
        if where == url:
            server.run("INSERT INTO local VALUES (2, '2025-10-26 02:01')", database="odd")
        else:
            with sqlite3.connect(tmp_path / "local.db") as lite:
                lite.execute("INSERT INTO local VALUES (2, '2025-10-26 02:01')")
        assert len(read(where, mapping, tmp_path, (first.cursor_kind, first.last))[1]) == 2
    lite.close()


def test_a_thousand_columns_are_read_from_either_system(server: Server, url: str, tmp_path: Path) -> None:
    names = ["account_id", *(f"c{i}" for i in range(1000))]
    made = f"CREATE TABLE wide ({', '.join(f'{name} numeric' for name in names)})"
    filled = f"INSERT INTO wide VALUES ({', '.join(str(i) for i in range(len(names)))})"
    server.run(made, filled, database="odd")
    with sqlite3.connect(tmp_path / "wide.db") as lite:
        lite.execute(made)
        lite.execute(filled)
    lite.close()
    for where in (url, f"sqlite:///{tmp_path}/wide.db"):
        (row,) = read(where, source("wide"), tmp_path)[1]
        assert [int(value) for value in row.values()] == list(range(1001))
