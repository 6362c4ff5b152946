"""`unspun metrics`: listed, checked, explained, and a value opened to rows from which it can be computed again."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from tests.doors.metric_book import DAILY, EVEN, FORMULA, SILENT, copied

AS_OF = "2026-03-31"


@pytest.fixture(scope="module")
def book(loaded_company: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    return copied(loaded_company, tmp_path_factory.mktemp("metrics"))


def shown(book: Book, path: Path, metric: str, account: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """A value as JSON, and all rows behind it from the file."""
    ran = book.run("metrics", "show", metric, "--account", account, "--as-of", AS_OF, "--rows", path, "--json")
    assert ran.code == 0, ran.err
    with path.open(newline="", encoding="utf-8") as file:
        return json.loads(ran.out), list(csv.DictReader(file))


def test_the_list_has_what_is_declared_of_each_metric(book: Book) -> None:
    found = {one["id"]: one for one in json.loads(book.run("metrics", "list", "--json").out)}
    assert len(found) == 10
    logins = found["logins_28d"]
    assert [logins[name] for name in ("name", "unit", "direction", "owner", "kind")] == ["Logins", "logins", "higher", "Kim", "count"]
    assert found["logins_per_seat"]["kind"] == "per_seat"
    table = book.run("metrics", "list").out
    assert all(id in table for id in found)
    assert "How often anybody logged in." in table


def test_a_sound_file_has_no_fault_and_all_faults_of_another_are_told_with_their_lines(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    assert "10 metrics, no fault" in book.run("metrics", "check").out
    wrong = "metrics:\n  a: {description: x, count: evnts}\n  b: {description: x, sum: events.event}\n  c: {description: x, ratio: [a]}\n"
    (book.folder / "metrics.yml").write_text(wrong, encoding="utf-8")
    ran = book.run("metrics", "check")
    assert ran.code == 2
    assert [line.partition(" ")[0] for line in ran.faults] == ["metrics.yml:2:", "metrics.yml:4:"]
    assert "Did you mean 'events'" in ran.faults[0]
    (book.folder / "metrics.yml").write_text("metrics:\n  b: {description: x, sum: events.event}\n", encoding="utf-8")
    against = book.run("metrics", "check", "--json")
    assert against.code == 2
    assert [fault["where"] for fault in json.loads(against.out)["faults"]] == ["metrics.yml:2"]
    assert book.run("panel").code == 2


def test_a_metric_is_explained_in_words_with_its_versions(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    assert "Not recorded yet" in book.run("metrics", "explain", "logins_28d").out
    assert book.run("panel", "--metrics", "arr").code == 0
    file = book.folder / "metrics.yml"
    file.write_text(file.read_text().replace("where: {event: login}\n    window: 28d", "window: 7d"), encoding="utf-8")
    assert book.run("panel", "--metrics", "arr").code == 0
    told = json.loads(book.run("metrics", "explain", "logins_28d", "--json").out)
    assert told["reads"] == {"tables": ["events"], "metrics": []}
    assert "7 days to the as-of date" in told["sentence"]
    assert ["login}" in one["yaml"] for one in told["versions"]] == [True, False]
    assert {"not_seen", "outage", "before_birth"} <= set(told["no_value"])
    assert "no_rows" not in told["no_value"]
    assert "events_versions" in book.run("metrics", "explain", "logins_28d", "--sql").out
    assert "Did you mean 'logins_28d'" in book.run("metrics", "explain", "login_28d").err


BEHIND: dict[str, Callable[[list[dict[str, str]]], object]] = {
    "logins_28d": len,
    "users_28d": lambda rows: len({row["user_id"] for row in rows}),
    "minutes_28d": lambda rows: sum(float(row["value"]) for row in rows),
    "last_minutes": lambda rows: float(rows[0]["value"]),
    "open_tickets": len,
    "tier": lambda rows: rows[-1]["segment"],
    "arr": lambda rows: sum(float(row["arr"]) for row in rows),
}


@pytest.mark.parametrize(
    ("account", "metrics"),
    [(DAILY, ("users_28d", "minutes_28d", "last_minutes", "tier")), (EVEN, ("logins_28d", "open_tickets", "arr"))],
)
def test_the_rows_behind_a_value_are_those_that_count(book: Book, tmp_path: Path, account: str, metrics: tuple[str, ...]) -> None:
    path, rows = tmp_path / "rows.csv", list[dict[str, str]]()
    for metric in metrics:
        value, rows = shown(book, path, metric, account)
        assert value["value"] == BEHIND[metric](rows), metric
        assert value["parts"][0]["rows"] == len(rows) > 0
    manifest = json.loads(Path(f"{path}.manifest.json").read_text())
    assert manifest["csv"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["rows"] == len(rows)
    assert list(manifest["source_files"].values()) == ["accounts.csv" if account == DAILY else "terms.csv"]


def test_a_derived_value_shows_each_of_its_parts(book: Book, tmp_path: Path) -> None:
    value, rows = shown(book, tmp_path / "rows.csv", "change", DAILY)
    now, before = value["parts"]
    assert (value["value"], now["value"] - before["value"]) == (0, 0)
    assert (now["rows"], before["rows"], len(rows)) == (28, 28, 56)
    assert "28 days earlier" in before["words"]
    seats, _ = shown(book, tmp_path / "rows.csv", "logins_per_seat", DAILY)
    assert [part["value"] for part in seats["parts"]] == [28, 10]
    out = book.run("metrics", "show", "logins_per_seat", "--account", DAILY, "--as-of", AS_OF).out
    assert "2.8" in out
    assert "usage.csv" in out
    assert "terms.csv" in out
    heads = [line.split() for line in out.splitlines() if line.strip().startswith("file ")]
    assert heads[1][:4] == ["file", "row", "day", "seats"], "what is measured stands first, however many columns there are"


def test_a_value_that_is_none_says_why_and_an_unknown_account_is_refused(book: Book) -> None:
    missing = book.run("metrics", "show", "logins_28d", "--account", SILENT, "--as-of", AS_OF).out
    assert "no value" in missing
    assert "the account had not appeared in this table by then" in " ".join(missing.split())
    assert "after_churn" in book.run("metrics", "show", "arr", "--account", FORMULA, "--as-of", AS_OF).out
    unknown = book.run("metrics", "show", "arr", "--account", "A-11")
    assert (unknown.code, "Did you mean" in unknown.err) == (2, True)


def test_rows_that_stay_in_a_database_are_shown_under_its_name(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database:
        database.execute("CREATE TABLE orders (account TEXT, at TEXT)")
        database.execute("INSERT INTO orders VALUES ('A-1', '2026-01-10 10:00:00')")
        database.commit()
    book = Book(tmp_path)
    assert run("init", book.folder).code == 0
    source = "{database: crm, relation: orders, table: purchases, in_place: true, columns: {account_id: account, purchased: at}}"
    (book.folder / "book.yml").write_text(f"databases: {{crm: {{url: 'sqlite:///{tmp_path}/crm.db'}}}}\nsources: [{source}]\n")
    (book.folder / "metrics.yml").write_text("metrics: {orders: {description: x, count: purchases}}\n")
    assert book.load("crm").code == 0
    assert "crm:orders" in book.run("metrics", "show", "orders", "--account", "A-1").out


def test_the_schema_of_metrics_is_printed() -> None:
    assert json.loads(run("schema", "metrics").out)["$schema"].startswith("https://json-schema.org")


def test_a_text_that_no_row_has_is_told_with_the_line_and_what_may_be_meant(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    assert "no row has" not in book.run("metrics", "check").out
    definitions = (book.folder / "metrics.yml").read_text(encoding="utf-8")
    misspelt = definitions.replace("where: {event: login}", "where: {event: logn}", 1)
    steps = "  way:\n    description: x\n    funnel: {of: events, steps: [{event: login}, {not: {event: '''; DROP'}}]}\n"
    (book.folder / "metrics.yml").write_text(misspelt + steps, encoding="utf-8")
    ran = book.run("metrics", "check")
    assert ran.code == 0, "it may come yet"
    assert "no row has 'logn' in events.event. Did you mean 'login'?" in " ".join(ran.out.split())
    found = json.loads(book.run("metrics", "check", "--json").out)["texts_without_rows"]
    assert [(one["column"], one["text"]) for one in found] == [("event", "logn"), ("event", "'; DROP")]
    assert found[0]["metrics"] == ["metrics.yml:2"]
