"""Panels on a company's own Postgres: what DuckDB gives of the files, to the last cell, whether rows are copied or read where they lie."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import unspun
from tests.doors.book_files import Book
from tests.doors.cli_files import Ran, run
from tests.doors.metric_book import ACCOUNTS, BOOK, METRICS, TERMS, TICKETS, copied, usage
from tests.unit.connectors.servers import PASSWORD, Server, running_server, shared_server
from unspun.engines import postgres_panel
from unspun.errors import UnspunError

DATES = ("--every", "month", "--from", "2025-11-01", "--to", "2026-04-30")
MORE = """\
  last_who:
    description: Who logged in last, of all time.
    last: events.user_id
  minutes_z:
    description: Minutes beside those of others.
    z_score: minutes_28d
"""
TABLES = {
    "accounts": ("id text, as_of date, name text, tier varchar(10)", ACCOUNTS),
    "terms": ('line text PRIMARY KEY, id text, "from" date, "to" date, seats int, mrr numeric(12, 2)', TERMS),
    "usage": ("id text, at timestamptz, what text, who text, n int", usage()),
    "tickets": ('ticket text PRIMARY KEY, id text, "from" timestamp, "to" timestamp', TICKETS),
}
SOURCES = re.compile(r"  - files: \"(\w+)\*\.csv\"\n")
WAITING_SECONDS = 30.0


def put(server: Server, database: str) -> None:
    """The company's tables, as its own systems would have them."""
    for name, (columns, lines) in TABLES.items():
        server.run(f"CREATE TABLE {name} ({columns})", database=database)
        rows = [", ".join(f"'{cell}'" if cell else "NULL" for cell in line.split(",")) for line in lines[1:]]
        server.run(f"INSERT INTO {name} VALUES {', '.join(f'({row})' for row in rows)}", database=database)


def in_place(text: str) -> str:
    """The company's book.yml, with its tables left in the database."""
    sources = SOURCES.sub(r"  - database: crm\n    relation: public.\1\n    in_place: true\n", text)
    return f"databases:\n  crm: {{url_from: CRM_URL}}\n{sources}"


@pytest.fixture(scope="module")
def server() -> Server:
    return shared_server()


@pytest.fixture(scope="module")
def files(loaded_company: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = copied(loaded_company, tmp_path_factory.mktemp("engines"))
    (book.folder / "metrics.yml").write_text(METRICS + MORE, encoding="utf-8")
    return book


@pytest.fixture
def crm(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the company's database, without its password."""
    url = server.fresh("crm_panel")
    put(server, "crm_panel")
    monkeypatch.setenv("CRM_URL", url)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return url.replace(f":{PASSWORD}@", "@")


@pytest.fixture
def there(crm: str, tmp_path: Path) -> Book:
    """A workspace whose tables are all in the company's database."""
    book = Book(tmp_path / "there")
    assert run("init", book.folder).code == 0
    (book.folder / "book.yml").write_text(in_place(BOOK), encoding="utf-8")
    (book.folder / "metrics.yml").write_text(METRICS + MORE, encoding="utf-8")
    assert book.load("crm").code == 0
    return book


def computed(book: Book, *options: str) -> tuple[dict[str, Any], pa.Table]:
    """The manifest of a panel on all dates, and its rows."""
    path = book.folder / "p.parquet"
    ran = book.run("panel", *DATES, "--out", path, "--json", *options)
    assert ran.code == 0, ran.err
    assert PASSWORD not in ran.out + ran.err and PASSWORD.encode() not in path.read_bytes()
    return json.loads(ran.out), pq.read_table(path)


def assert_equal(one: pa.Table, other: pa.Table) -> None:
    """Equal to the last cell; z-scores to the last digits."""
    assert one.schema.equals(other.schema)
    for name in one.column_names:
        mine, its = one[name].to_pylist(), other[name].to_pylist()
        same = [a == (pytest.approx(b, rel=1e-9) if name == "minutes_z" and b is not None else b) for a, b in zip(mine, its, strict=True)]
        assert all(same), name


def test_rows_copied_from_files_give_the_panel_that_duckdb_gives(files: Book, crm: str) -> None:
    _, expected = computed(files)
    run, found = computed(files, "--engine", crm)
    assert_equal(expected, found)
    assert expected.num_rows == 24 and {"Large", "Small"} <= set(expected["tier"].to_pylist()) and 3 in expected["users_28d"].to_pylist()
    assert run["engine"].startswith("postgresql 1") and "DATE '1970-01-01'" in " ".join(run["queries"].values())
    assert b"postgresql" in (found.schema.metadata or {})[b"unspun.engine"] and "127.0.0.1" not in json.dumps(run)


def test_rows_read_where_they_lie_give_the_same_and_none_is_copied(files: Book, there: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[str] = []
    fill = postgres_panel.PostgresPanel._copied

    def counted(self: postgres_panel.PostgresPanel, name: str, rows: pa.RecordBatchReader) -> None:
        copies.append(name)
        fill(self, name, rows)

    monkeypatch.setattr(postgres_panel.PostgresPanel, "_copied", counted)
    _, expected = computed(files)
    run, found = computed(there, "--engine", "crm")
    assert_equal(expected, found)
    assert "points" in copies and not [name for name in copies if name.endswith("_versions")]
    assert {(one["table"], one["rows"]) for one in run["in_place"]} >= {("events", len(usage()) - 1), ("tickets", 3)}
    assert [one["sha256"] for one in run["in_place"] if one["table"] == "events"] == [""], "no row of it came here"
    copies.clear()
    _, here = computed(there)
    assert_equal(expected, here)


def test_nothing_of_a_panel_is_left_in_the_database(server: Server, there: Book) -> None:
    tables = "SELECT count(*) AS n FROM pg_class WHERE relkind IN ('r', 'v', 'i')"
    before = server.rows(tables, "crm_panel")
    computed(there, "--engine", "crm")
    assert server.rows(tables, "crm_panel") == before


def test_texts_are_taken_as_files_are_read(server: Server, files: Book, there: Book) -> None:
    server.run("UPDATE usage SET what = ' login '", "UPDATE usage SET who = 'n/a' WHERE who = 'U2'", database="crm_panel")
    assert_equal(computed(there)[1], computed(there, "--engine", "crm")[1])
    assert 2 in computed(there, "--engine", "crm")[1]["users_28d"].to_pylist()


def test_what_cannot_be_said_in_the_database_is_told_before_anything_runs(server: Server, there: Book) -> None:
    server.run(
        'ALTER TABLE tickets ALTER "to" TYPE text', "ALTER TABLE tickets DROP CONSTRAINT tickets_pkey",
        "INSERT INTO tickets SELECT * FROM tickets WHERE ticket = 'T-1'", database="crm_panel",
    )  # fmt: skip
    for command in (("panel", "--engine", "crm"), ("metrics", "check", "--engine", "crm")):
        ran = there.run(*command)
        assert ran.code == 2 and len(ran.faults) >= 1, ran.err
        assert "tickets.closed cannot be read where it is: it is text, and is read as a time (needed by open_tickets)" in flat(ran)
    assert there.run("panel", "--engine", "crm", "--metrics", "logins_28d").code == 0, "other metrics need no tickets"
    server.run('ALTER TABLE tickets ALTER "to" TYPE timestamp USING "to"::timestamp', database="crm_panel")
    assert "1 keys have several rows" in flat(there.run("panel", "--engine", "crm"))


def flat(ran: Ran) -> str:
    return " ".join(ran.err.split())


def test_a_panel_of_postgres_is_computed_again(there: Book, files: Book, crm: str, server: Server) -> None:
    exact = ("--metrics", "logins_28d,users_28d,last_minutes")
    entry = re.findall(r"entry (\d+) of", files.run("panel", *DATES, *exact, "--engine", crm).out)[0]
    same = files.run("recompute", entry)
    assert same.code == 0 and "same" in same.out, same.err
    all_of_it = re.findall(r"entry (\d+) of", files.run("panel", *DATES, "--engine", crm).out)[0]
    other = files.run("recompute", all_of_it)
    assert other.code == 2 and "minutes_z" in other.err and "--engine" in other.err
    again = files.run("recompute", all_of_it, "--engine", crm)
    assert again.code == 0 and "same" in again.out, again.err
    placed = re.findall(r"entry (\d+) of", there.run("panel", *DATES, *exact, "--engine", "crm").out)[0]
    assert there.run("recompute", placed).code == 0
    server.run("DELETE FROM usage WHERE who = 'U1'", database="crm_panel")
    changed = there.run("recompute", placed)
    assert changed.code == 3 and "came out otherwise" in changed.out


def test_the_engine_may_stand_in_the_settings_and_in_a_python_call(files: Book, crm: str, tmp_path: Path) -> None:
    book = copied(files, tmp_path)
    with (book.folder / "unspun.toml").open("a", encoding="utf-8") as file:
        file.write(f'\nengine = "{crm}"\n')
    run, _ = computed(book)
    assert run["engine"].startswith("postgresql")
    assert computed(book, "--engine", "duckdb")[0]["engine"].startswith("duckdb")
    found = unspun.panel(book.folder, "logins_28d", as_of="2026-03-31", engine=crm)
    assert found["logins_28d"].to_pylist()[1:3] == [28, 14]
    sql = book.run("metrics", "explain", "logins_28d", "--sql", "--engine", crm).out
    assert "DATE '1970-01-01'" in sql and "accounts_versions" in sql


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("oracle://host/db", "there is no such engine of panels"),
        ("postgresql://boss:pw@127.0.0.1:5432/x", "the URL holds a password"),
        ("postgresql://boss@127.0.0.1:9/x", "nothing answers at that host and port"),
        ("sqlite:///file.db", "there is no such engine of panels"),
        ("postgres", "there is no such engine of panels"),
    ],
)
def test_an_engine_that_cannot_be_is_one_clear_fault(files: Book, engine: str, said: str) -> None:
    ran = files.run("panel", "--engine", engine)
    assert ran.code != 0 and len(ran.faults) <= 2 and said in flat(ran), ran.err
    assert "Traceback" not in ran.err and ":pw@" not in ran.err


def test_a_role_without_the_right_to_temporary_tables_is_told_which_it_lacks(server: Server, files: Book, crm: str) -> None:
    server.run("DROP ROLE IF EXISTS reader", f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'", database="crm_panel")
    server.run("REVOKE TEMPORARY ON DATABASE crm_panel FROM PUBLIC", database="crm_panel")
    ran = files.run("panel", "--engine", crm.replace("boss@", "reader@"))
    assert ran.code != 0 and "permission denied" in flat(ran) and "TEMPORARY on the database" in flat(ran)


def test_a_role_that_may_read_and_make_temporary_tables_is_enough(server: Server, there: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    server.run("DROP ROLE IF EXISTS analyst", f"CREATE ROLE analyst LOGIN PASSWORD '{PASSWORD}'", database="crm_panel")
    server.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO analyst", database="crm_panel")
    monkeypatch.setenv("CRM_URL", server.url("crm_panel", user="analyst"))
    computed(there, "--engine", "crm")
    server.run("REVOKE SELECT ON usage FROM analyst", database="crm_panel")
    ran = there.run("panel", "--engine", "crm")
    assert ran.code != 0 and "permission denied for table usage" in flat(ran)


def test_a_step_that_takes_too_long_is_told_so(server: Server, there: Book) -> None:
    server.run("INSERT INTO usage SELECT 'A-1', now() - interval '1 year' + g * interval '1 second', 'login', 'U' || g, 1 "
               "FROM generate_series(1, 300000) g", database="crm_panel")  # fmt: skip
    text = (there.folder / "book.yml").read_text()
    (there.folder / "book.yml").write_text(text.replace("url_from: CRM_URL", "url_from: CRM_URL, statement_seconds: 1"), encoding="utf-8")
    server.run("ALTER DATABASE crm_panel SET work_mem = '64kB'", database="crm_panel")
    ran = there.run("panel", "--every", "day", "--from", "2025-04-30", "--to", "2026-04-30", "--engine", "crm")
    assert ran.code != 0 and "a step took longer than is allowed" in flat(ran), ran.out


@pytest.fixture
def own_server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def test_a_server_that_goes_midway_is_one_clear_fault(own_server: Server, files: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    url = own_server.url(password=None)
    killed = threading.Event()
    make = postgres_panel.PostgresPanel.make

    def made(self: postgres_panel.PostgresPanel, name: str, query: Any) -> None:
        if name == "measured" and not killed.is_set():
            own_server.kill()
            killed.set()
            time.sleep(0.2)
        make(self, name, query)

    monkeypatch.setattr(postgres_panel.PostgresPanel, "make", made)
    ran = files.run("panel", "--engine", url)
    assert killed.is_set() and ran.code != 0 and "broke the computation off" in flat(ran), ran.err
    assert len(files.run("ledger", "show").out) > 0
    with pytest.raises(UnspunError):
        unspun.panel(files.folder, engine=url)
