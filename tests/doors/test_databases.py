"""Databases as sources, from the command line: real servers, real files, real faults."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doors.book_files import Book, empty_book
from tests.doors.cli_files import Ran, run
from tests.unit.connectors.servers import PASSWORD, Server, running_server, shared_server
from unspun.app.loads import LoadRequest, load, plan_load
from unspun.app.workspace import open_workspace
from unspun.errors import BadInput, UnspunError

TERMS = """CREATE TABLE terms (line text PRIMARY KEY, account text, began date, until date, mrr numeric(12, 2), changed timestamptz)"""
BOOK = """\
time_zone: Europe/Berlin
currency: EUR
databases:
  billing: {url_from: BILLING_URL}
sources:
  - database: billing
    relation: public.terms
    table: subscriptions
    CURSOR
    columns: {subscription_id: line, account_id: account, started: began, ended: until, amount: {column: mrr, covers: month}}
"""
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Server:
    return shared_server()


@pytest.fixture
def url(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    url = server.fresh("billing")
    server.run(TERMS, database="billing")
    monkeypatch.setenv("BILLING_URL", url)
    return url


def book_of(folder: Path, more: str = "") -> Book:
    book = empty_book(folder)
    (book.folder / "book.yml").write_text(BOOK.replace("CURSOR\n", f"{more}\n" if more else "known: happened\n"), encoding="utf-8")
    return book


def put(server: Server, number: int, mrr: float, changed: datetime | None = NOON) -> None:
    at = "NULL" if changed is None else f"'{changed.isoformat()}'"
    values = f"('L{number}', 'A{number % 7}', date '2025-01-01' + {number}, NULL, {mrr}, {at})"
    again = "ON CONFLICT (line) DO UPDATE SET mrr = excluded.mrr, changed = excluded.changed"
    server.run(f"INSERT INTO terms VALUES {values} {again}", database="billing")


def amounts(book: Book) -> dict[str, float]:
    return {row["subscription_id"]: float(row["amount"]) for row in book.rows("subscriptions")}


def held(server: Server) -> dict[str, float]:
    return {row["line"]: row["mrr"] for row in server.rows("SELECT line, mrr::float8 AS mrr FROM terms", "billing")}


def outcome(ran: Ran) -> tuple[int, int, int]:
    """Rows new, changed and unchanged, by the totals of the table that a load prints."""
    line = next(line for line in ran.out.splitlines() if ("subscriptions" in line and "…" in line) or "billing:" in line)
    return tuple(int(part.replace(",", "")) for part in line.split()[-4:-1])  # pyright: ignore[reportReturnType]


def test_a_table_is_loaded_as_a_file_is_and_the_same_rows_once(server: Server, url: str, tmp_path: Path) -> None:
    book = book_of(tmp_path)
    for number in range(5):
        put(server, number, 100 + number)
    first = book.load("billing")
    assert first.code == 0 and "book version 1" in first.out
    assert amounts(book) == held(server)
    again = book.load("billing")
    assert "Nothing new" in again.out and "Loaded already, by load 1" in again.out
    put(server, 3, 5)
    book.load("billing")
    assert amounts(book) == held(server) and amounts(book)["L3"] == 5
    put(server, 3, 103)
    back = book.load("billing")
    assert amounts(book) == held(server), f"what was said before and is so again counts as said now: {back.out}"
    assert not any(path.is_file() for path in (book.folder / "warehouse" / ".extracts").rglob("*")), "the extracts are gone"
    catalogue = b"".join(path.read_bytes() for path in (book.folder / "warehouse").glob("catalog.db*"))
    assert b"billing:public.terms" in catalogue and b"127.0.0.1" not in catalogue


def test_a_url_without_a_relation_lists_what_there_is_and_with_one_gets_a_proposal(
    server: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = empty_book(tmp_path)
    server.run("ALTER TABLE terms RENAME COLUMN began TO start_date", database="billing")
    server.run(
        "INSERT INTO terms SELECT 'L' || g, 'A' || g, date '2025-01-01' + g, NULL, 10, now() FROM generate_series(1, 30) g",
        database="billing",
    )
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    bare = url.replace(f":{PASSWORD}", "")
    listed = book.load(bare)
    assert listed.code == 2 and "public.terms" in listed.err
    asked = book.load(bare, "--relation", "terms")
    assert asked.code == 2 and "billing:" not in (book.folder / "book.yml").read_text(), "nobody accepted it"
    taken = book.load(bare, "--relation", "terms", "--as", "subscriptions", "--yes")
    assert taken.code == 0, taken.err
    text = (book.folder / "book.yml").read_text()
    assert "relation: public.terms" in text and PASSWORD not in text
    assert len(book.rows("subscriptions")) == 30
    assert book.load("billing").out.startswith("Nothing new")


@pytest.mark.parametrize("seed", range(2))
def test_with_a_cursor_nothing_is_lost_and_nothing_repeated(server: Server, url: str, tmp_path: Path, seed: int) -> None:
    """Random changes between loads, some committed late, some without a time, some undone: the book is what the table is."""
    dice, clock, mrr = random.Random(seed), NOON, 0.0
    place = open_workspace(book_of(tmp_path, "cursor: changed").folder)
    book = Book.__new__(Book)
    book.folder = place.folder
    known: dict[str, float] = {}
    undone: list[dict[str, float]] = []
    for _ in range(7):
        clock += timedelta(minutes=dice.randint(0, 90))
        for _ in range(dice.randint(0, 6)):
            mrr += 1
            late = timedelta(minutes=dice.choice([0, 0, 0, 30, 59]))
            put(server, dice.randint(0, 25), mrr, dice.choice([clock - late] * 8 + [None]))
        request = LoadRequest(("billing",), accept=True)
        result = load(place, plan_load(place, request), request, datetime.now(UTC))
        now = held(server)
        assert amounts(book) == now if now else True
        new = sum(row.new for row in result.sources), sum(row.changed for row in result.sources)
        assert new == (len(now.keys() - known.keys()), sum(1 for line in known if now[line] != known[line]))
        if result.version is not None:
            undone.append(known)
            known = now
        if undone and dice.random() < 0.3:
            assert run("undo", "--workspace", place.folder).code == 0
            known = undone.pop()


def test_a_cursor_reads_only_what_is_new_until_it_is_told_otherwise(server: Server, url: str, tmp_path: Path) -> None:
    book = book_of(tmp_path, "cursor: {column: changed, overlap: 1 hour}")
    for number in range(40):
        put(server, number, 10, NOON + timedelta(hours=number))
    assert outcome(book.load("billing")) == (40, 0, 0)
    put(server, 99, 10, NOON + timedelta(hours=39, minutes=1))
    ran = book.load("billing")
    assert outcome(ran) == (1, 0, 2), "the last row, and those of the hour before"
    assert "From billing:public.terms" in ran.out.replace("from", "From")
    assert outcome(book.load("billing", "--full")) == (0, 0, 41)
    text = (book.folder / "book.yml").read_text()
    (book.folder / "book.yml").write_text(text.replace("ended: until, ", ""), encoding="utf-8")
    assert "all rows are read: the mapping is not that of load 2" in " ".join(book.load("billing").out.split())
    (book.folder / "book.yml").write_text(text.replace("column: changed", "column: began").replace("1 hour", "2 days"), encoding="utf-8")
    assert "the cursor was changed in load" in " ".join(book.load("billing").out.split())


def test_undo_takes_the_cursor_back(server: Server, url: str, tmp_path: Path) -> None:
    book = book_of(tmp_path, "cursor: {column: changed, overlap: 0}")
    put(server, 1, 10, NOON)
    book.load("billing")
    put(server, 2, 10, NOON + timedelta(days=1))
    put(server, 3, 10, NOON + timedelta(days=2))
    book.load("billing")
    assert book.run("undo").code == 0
    assert set(amounts(book)) == {"L1"}
    assert outcome(book.load("billing"))[0] == 2
    assert amounts(book) == held(server)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("columns: {subscription_id: line,", "columns: {", ), ("url_from: BILLING_URL", "url: 'postgresql://me:pw12345@host/db'"),
        ("url_from: BILLING_URL", "url_from: 'postgresql://me:pw12345@host/db'"),
        ("database: billing", "database: 'postgresql://me:pw12345@h/d'"),
        ("relation: public.terms", "relation: public.terms\n    query: SELECT 1"), ("relation: public.terms", "query: DELETE FROM terms"),
        ("database: billing", "files: x.csv"), ("database: billing", "database: bilings"),
        ("known: happened", "in_place: true\n    cursor: changed"),
    ],
)  # fmt: skip
def test_book_yml_is_refused_without_repeating_a_password(tmp_path: Path, lines: str, said: str) -> None:
    book = book_of(tmp_path)
    text = (book.folder / "book.yml").read_text()
    assert lines in text
    (book.folder / "book.yml").write_text(text.replace(lines, said), encoding="utf-8")
    ran = book.load("billing")
    assert ran.code == 2 and "book.yml:" in ran.err and "12345" not in ran.err + ran.out


def test_no_secret_is_in_any_message_or_file(server: Server, url: str, tmp_path: Path) -> None:
    book = book_of(tmp_path)
    put(server, 1, 10)
    server.run("DROP ROLE IF EXISTS guest2", "CREATE ROLE guest2 LOGIN PASSWORD 'gu3st-pw'")
    bad = {
        "wrong password": url.replace(PASSWORD, "wr0ng-pw"), "host": url.replace("127.0.0.1", "no-such-host.invalid"),
        "port": url.replace(str(server.port), "9"), "database": url.replace("/billing", "/nothing"),
        "twofold": url.replace(PASSWORD, "a@wr0ng-pw"),
        "denied": url.replace(f"boss:{PASSWORD}", "guest2:gu3st-pw"), "setting": f"{url}?sslpassword=wr0ng-pw&sslmode=verify-full",
        "unknown setting": f"{url}?nonsense=wr0ng-pw", "empty": "", "no url": "wr0ng-pw",
    }  # fmt: skip
    secrets = (PASSWORD, "wr0ng-pw", "gu3st-pw")
    arguments = [str(argument) for argument in ("load", "billing", "--workspace", book.folder)]
    for what, value in bad.items():
        for form in ((), ("--json",)):
            ran = run(*arguments, *form, BILLING_URL=value)
            assert ran.code != 0, what
            assert not any(secret in ran.out + ran.err for secret in secrets), what
            assert "Traceback" not in ran.err
    assert book.load("billing").code == 0
    assert book.run("load", url.replace("billing", "other")).code == 2
    assert not any(secret in book.run("load", url).err for secret in secrets)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not any(secret.encode() in path.read_bytes() for secret in secrets), path


def test_a_server_that_dies_midway_leaves_the_book_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = book_of(tmp_path)
    with running_server() as server:
        monkeypatch.setenv("BILLING_URL", server.fresh("billing"))
        columns = "'L' || g AS line, 'A' AS account, date '2025-01-01' AS began, NULL::date AS until, 1.0 AS mrr"
        server.run(
            f"CREATE VIEW terms AS SELECT {columns}, repeat('x', 2000) AS filler FROM generate_series(1, 60000) g", database="billing"
        )
        place, before = open_workspace(book.folder), book.contents()

        def killing(name: str, done: int, _total: int) -> None:
            if done > 1 and server.process.poll() is None:
                server.kill()

        with pytest.raises(UnspunError, match="broke the reading off"):
            plan_load(place, LoadRequest(("billing",)), killing)
        assert server.process.poll() is not None
    assert book.contents() == before
    assert not any(path.is_file() for path in (book.folder / "warehouse" / ".extracts").rglob("*"))
    gone = book.load("billing")
    assert gone.code != 0 and "nothing answers at that host and port" in gone.err


def test_a_sqlite_file_is_a_source_and_what_cannot_be_read_is_rejected(tmp_path: Path) -> None:
    book = empty_book(tmp_path)
    with sqlite3.connect(book.folder / "crm.db") as connection:
        connection.execute("CREATE TABLE customers (account_id INTEGER PRIMARY KEY, name TEXT, since DATE, seats)")
        rows = [(n, f"Customer {n}", f"2025-01-{n % 28 + 1:02}", n * 10) for n in range(1, 41)]
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?, ?, ?)", [*rows, (41, "odd", "2025-13-45", 5), (42, "none", None, "many")]
        )
    connection.close()
    book_yml = """\
databases: {crm: {url: "sqlite:///crm.db"}}
sources:
  - database: crm
    relation: customers
    table: accounts
    columns: {account_id: account_id, name: name, created_on: since, seats: {column: seats, kind: whole}}
"""
    (book.folder / "book.yml").write_text(book_yml, encoding="utf-8")
    ran = book.load("crm", "--json")
    assert ran.code == 0 and '"rows_read": 42' in ran.out and '"rows_rejected": 2' in ran.out, ran.out + ran.err
    assert len(book.rows("accounts")) == 40


@pytest.mark.parametrize("meanwhile", ["load", "undo"])
def test_rows_that_were_overtaken_while_they_were_read_are_not_loaded(server: Server, url: str, tmp_path: Path, meanwhile: str) -> None:
    """Else older rows would stand for newer ones, or rows before a cursor that is no more would be passed over for good."""
    book = book_of(tmp_path, "cursor: changed")
    for number in range(3):
        put(server, number, 10, NOON + timedelta(days=number))
        assert book.load("billing").code == 0
    place, request = open_workspace(book.folder), LoadRequest(("billing",), accept=True)
    put(server, 9, 1, NOON + timedelta(days=9))
    plan = plan_load(place, request)
    if meanwhile == "load":
        put(server, 9, 2, NOON + timedelta(days=9, hours=1))
        assert book.load("billing").code == 0
    else:
        assert book.run("undo").code == 0
    with pytest.raises(BadInput, match="while these rows were read"):
        load(place, plan, request, datetime.now(UTC))
    assert not any(path.is_file() for path in (book.folder / "warehouse" / ".extracts").rglob("*"))
    book.load("billing")
    assert amounts(book) == held(server)


def test_what_is_wrong_with_several_relations_is_told_of_each(server: Server, url: str, tmp_path: Path) -> None:
    book = book_of(tmp_path, "cursor: changed")
    text = (book.folder / "book.yml").read_text()
    more = text[text.index("  - database") :]
    (book.folder / "book.yml").write_text(text + more.replace("public.terms", "public.more") + more.replace("public.terms", "public.gone"))
    server.run("DROP ROLE IF EXISTS guest3", "CREATE ROLE guest3 LOGIN PASSWORD 'gu3st-pw'")
    server.run("CREATE TABLE more (LIKE terms)", "GRANT SELECT ON terms TO guest3", database="billing")
    server.run("ALTER TABLE terms DROP COLUMN changed", database="billing")
    ran = run("load", "billing", "--workspace", book.folder, BILLING_URL=url.replace(f"boss:{PASSWORD}", "guest3:gu3st-pw"))
    assert ran.code == 2 and len(ran.faults) == 3, ran.err
    said = {fault.split(": ")[0]: fault for fault in ran.faults}
    assert "the cursor 'changed' is none of the columns" in said["billing:public.terms"]
    assert "permission denied for table more" in said["billing:public.more"]
    assert "no table or view 'public.gone'" in said["billing:public.gone"]


def test_a_column_that_was_renamed_is_named_with_what_it_may_be_now(server: Server, url: str, tmp_path: Path) -> None:
    book = book_of(tmp_path, "cursor: changed")
    for number in range(30):
        put(server, number, 100.25 + number * 7)
    first = book.load("billing")
    assert first.code == 0 and "does not name" not in first.out, "the cursor is named"
    server.run("ALTER TABLE terms RENAME COLUMN mrr TO monthly", database="billing")
    ran = book.load("billing")
    assert ran.code == 2 and ran.err.startswith("billing:public.terms: there is no column 'mrr'"), ran.err
    assert "Was 'mrr' renamed to 'monthly' since load 1" in " ".join(ran.err.split())
