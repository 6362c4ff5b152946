from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.connectors.reading import read, source
from tests.unit.connectors.servers import PASSWORD, Server, shared_server
from unspun.book.mapping.definition import Cursor
from unspun.errors import BadInput, UnspunError

KINDS = """CREATE TABLE kinds (
    account_id text PRIMARY KEY, fixed numeric(12, 2), free numeric, key uuid, doc jsonb, list int[], mood mood, local timestamp,
    zoned timestamptz, day date, flag bool, small int2, big int8, real float8, cash money, span interval, bytes bytea, padded char(5))"""
MEMORY = """
import resource, sys
from pathlib import Path
from tests.unit.connectors.reading import source
from unspun.connectors.sql.address import read_address
from unspun.connectors.sql.extract import extract, open_database
url, rows, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
query = f"SELECT g::text AS account_id, repeat('x', 1000) || g AS filler FROM generate_series(1, {rows}) g"
with open_database(read_address(url, "", folder, True), "db") as session:
    found = extract(session, source(query=query), None, folder / "rows.parquet", "db", lambda done, of: None)
assert found.rows == int(rows)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture
def server() -> Server:
    return shared_server()


@pytest.fixture
def url(server: Server) -> str:
    return server.fresh("kinds")


def test_every_kind_of_column_comes_as_what_it_is(server: Server, url: str, tmp_path: Path) -> None:
    server.run(
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        KINDS,
        """INSERT INTO kinds VALUES ('a', 1.5, 123456789.123456789, '00000000-0000-0000-0000-00000000000a', '{"k": 1}', '{1,2}', 'glad',
           '2026-03-29 02:30', '2026-03-29 02:30+02', '2026-02-28', true, 7, 9007199254740993, 0.5, '12.30', '1 month', '\\x01', 'ab')""",
        "INSERT INTO kinds (account_id) VALUES ('b')",
        database="kinds",
    )
    first, second = read(url, source("public.kinds"), tmp_path)[1]
    assert first == {
        "account_id": "a", "fixed": Decimal("1.50"), "free": Decimal("123456789.123456789"), "doc": '{"k": 1}', "list": "{1,2}",
        "key": "00000000-0000-0000-0000-00000000000a", "mood": "glad", "local": datetime(2026, 3, 29, 2, 30), "day": date(2026, 2, 28),
        "zoned": datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "flag": True, "small": 7, "big": 2**53 + 1, "real": 0.5,
        "cash": Decimal("12.30"), "span": "1 mon", "bytes": "\\x01", "padded": "ab",
    }  # fmt: skip
    assert {value for name, value in second.items() if name != "account_id"} == {None}


def test_times_that_no_calendar_has_are_read_as_empty_and_counted(server: Server, url: str, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE odd (account_id int PRIMARY KEY, day date, local timestamp, zoned timestamptz)",
        "INSERT INTO odd VALUES (1, 'infinity', '-infinity', 'infinity'), (2, '0044-03-15 BC', '12026-01-01', '2026-01-01 UTC')",
        "INSERT INTO odd VALUES (3, '9999-12-31', '0001-01-01', '9999-12-31 23:59:59.999999 UTC')",
        database="kinds",
    )
    found, rows = read(url, source("odd"), tmp_path)
    assert [(row["day"], row["local"]) for row in rows] == [(None, None), (None, None), (date(9999, 12, 31), datetime(1, 1, 1))]
    assert [row["zoned"] for row in rows][:2] == [None, datetime(2026, 1, 1, tzinfo=UTC)]
    said = "values of '{}' are infinite or outside the years 1 to 9999, and are read as empty"
    assert found.notes == tuple(f"{n} {said.format(name)}" for n, name in ((2, "day"), (2, "local"), (1, "zoned")))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e-30", "1e60"])
def test_a_number_that_has_no_decimal_makes_its_column_text(server: Server, url: str, tmp_path: Path, value: str) -> None:
    server.run(f"CREATE TABLE wide AS SELECT 1 AS account_id, 2.5::numeric AS n UNION ALL SELECT 2, '{value}'::numeric", database="kinds")
    rows = read(url, source("wide"), tmp_path)[1]
    assert [str(float(row["n"])) for row in rows] == ["2.5", str(float(value))]
    assert all(isinstance(row["n"], str) for row in rows)


def test_the_same_rows_give_the_same_bytes_in_whatever_order_they_lie(server: Server, url: str, tmp_path: Path) -> None:
    server.run("CREATE TABLE plain (account_id int, word text)", database="kinds")
    made = []
    for order in ("ASC", "DESC"):
        server.run(
            "TRUNCATE plain",
            f"INSERT INTO plain SELECT g % 50, md5(g::text) FROM generate_series(1, 500) g ORDER BY g {order}",
            database="kinds",
        )
        read(url, source("plain"), tmp_path)
        made.append((tmp_path / "rows.parquet").read_bytes())
    assert made[0] == made[1]


def test_a_query_is_a_source_too_and_can_change_nothing(server: Server, url: str, tmp_path: Path) -> None:
    server.run("CREATE TABLE kept AS SELECT g AS account_id FROM generate_series(1, 3) g", database="kinds")
    server.run("CREATE FUNCTION take() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM kept; RETURN 1; END $$", database="kinds")
    assert len(read(url, source(query="SELECT * FROM kept WHERE account_id > 1;"), tmp_path)[1]) == 2
    for query in (
        "SELECT take() AS account_id",
        "SELECT 1) AS x; DELETE FROM kept; --",
        "WITH gone AS (DELETE FROM kept RETURNING 1) SELECT 1",
    ):
        with pytest.raises(BadInput):
            read(url, source(query=query), tmp_path)
    assert server.rows("SELECT count(*) AS n FROM kept", "kinds") == [{"n": 3}]
    assert not list(tmp_path.glob("*.part")), "nothing half-made stays"


def test_faults_say_what_is_wrong_and_never_the_password(server: Server, url: str, tmp_path: Path) -> None:
    server.run("CREATE TABLE locked (account_id int)", database="kinds")
    server.run("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN PASSWORD 'gu3st-pw'")
    guest = url.replace(f"boss:{PASSWORD}", "guest:gu3st-pw")
    cases = {
        "permission_denied": (guest, source("locked"), 0),
        "no_such_relation": (url, source("loked"), 0),
        "query_refused": (url, source(query="SELECT nothing FROM locked"), 0),
        "statement_timeout": (url, source(query="SELECT pg_sleep(5)::text AS account_id"), 1),
        "login_refused": (url.replace(PASSWORD, "wr0ng-pw"), source("locked"), 0),
        "unknown_host": (url.replace("127.0.0.1", "no-such-host.invalid"), source("locked"), 0),
        "no_server": (url.replace(str(server.port), "1"), source("locked"), 0),
        "no_such_database": (url.replace("/kinds", "/kindz"), source("locked"), 0),
        "tls": (f"{url}?sslmode=require", source("locked"), 0),
        "bad_database_url": (f"{url}?bogus=s3cret", source("locked"), 0),
    }
    for code, (where, mapping, seconds) in cases.items():
        with pytest.raises(UnspunError) as refusal:
            read(where, mapping, tmp_path, statement_seconds=seconds)
        assert [fault.code for fault in refusal.value.faults] == [code]
        assert refusal.value.__suppress_context__ or refusal.value.__context__ is None, "a traceback shows no other error"
        assert not any(secret in str(refusal.value) for secret in (PASSWORD, "wr0ng-pw", "gu3st-pw", "s3cret", "postgresql://"))


@pytest.mark.parametrize(
    ("kind", "values", "overlap"),
    [
        ("timestamptz", ["2026-01-01 00:00+00", "2026-01-01 00:59:59.5+00", "2026-01-01 01:00+00", "2026-01-01 02:00+00"], None),
        ("timestamp", ["2026-01-01 00:00", "2026-01-01 00:30", "2026-01-01 01:00", "2026-01-01 03:00"], None),
        ("date", ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"], 86_400.0),
        ("bigint", ["1", "2998", "3000", "4000"], None),
    ],
)
def test_a_cursor_reads_from_its_last_value_less_the_overlap(
    server: Server, url: str, tmp_path: Path, kind: str, values: list[str], overlap: float | None
) -> None:
    rows = ", ".join(f"({i}, '{value}')" for i, value in enumerate(values))
    server.run(f"CREATE TABLE moving (account_id int, at {kind})", f"INSERT INTO moving VALUES {rows}, (9, NULL)", database="kinds")
    mapping = source("moving", cursor=Cursor("at", overlap))
    whole, found = read(url, mapping, tmp_path)
    assert [row["account_id"] for row in found] == [0, 1, 2, 3, 9] and whole.cursor_kind is not None and whole.last is not None
    again, found = read(url, mapping, tmp_path, (whole.cursor_kind, whole.last))
    assert [row["account_id"] for row in found] == [2, 3, 9]
    assert again.last == whole.last
    assert again.notes == ("1 rows without a value in 'at' are read each time",)


def test_a_cursor_does_not_run_ahead_of_the_clock(server: Server, url: str, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE ahead (account_id int, at timestamptz)",
        "INSERT INTO ahead VALUES (1, '2026-01-01 UTC'), (2, now() + interval '3 days'), (3, 'infinity')",
        database="kinds",
    )
    found, rows = read(url, source("ahead", cursor=Cursor("at")), tmp_path)
    assert len(rows) == 3 and found.last == "2026-01-01 00:00:00+00"


def test_memory_does_not_grow_with_the_rows(url: str, tmp_path: Path) -> None:
    few, many = (
        int(subprocess.run([sys.executable, "-c", MEMORY, url, str(n), str(tmp_path)], capture_output=True, check=True, text=True).stdout)
        for n in (20_000, 300_000)  # 300 MB of text
    )
    assert many - few < 180_000, "kB"
