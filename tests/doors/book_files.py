"""A small company's exports, as its systems would write them, and workspaces to load them into."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.doors.cli_files import Ran, run

BOOK = """\
time_zone: Europe/Berlin
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: as_of, name: name, owner: csm}
  - files: "terms*.csv"
    table: subscriptions
    columns: {subscription_id: line, account_id: id, started: from, ended: to, amount: {column: mrr, covers: month}}
  - files: "usage*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: what}
"""
ACCOUNTS = ("id,as_of,name,csm", "A-1,2026-01-05,Acme,Kim", "A-2,2026-01-06,=2+2,Lee", "A-1,2026-03-01,Acme,Lee")
TERMS = ("line,id,from,to,mrr", "L-1,A-1,2026-01-01,2026-12-31,100.50", "L-2,A-2,2026-02-01,2027-01-31,80")
USAGE = ("id,at,what", "A-1,2026-01-07 10:00,login", "A-2,2026-01-08 11:00,export", ",2026-01-09 12:00,login", ",2026-01-10 12:00,export")


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Book:
    """A workspace in a folder, and the command run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.exports = folder / "book", folder / "exports"
        self.exports.mkdir(parents=True)

    def run(self, *arguments: str | Path, stdin: str = "") -> Ran:
        return run(*arguments, "--workspace", self.folder, stdin=stdin)

    def load(self, *lines_or_options: str | Path) -> Ran:
        return self.run("load", *lines_or_options)

    def export(self, name: str, lines: Sequence[str]) -> Path:
        return write(self.exports / name, lines)

    def rows(self, table: str, *options: str) -> list[dict[str, str]]:
        """The rows of `unspun show`, without those that only say when and whence they came."""
        path = self.folder.parent / "shown.csv"
        ran = self.run("show", table, "--csv", path, *options)
        assert ran.code == 0, ran.err
        return rows_of(path)

    def contents(self) -> dict[str, bytes]:
        """Every file that makes the book: definitions and warehouse, without locks and logs of the database."""
        files = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in files
            if ".staging" not in path.parts and path.suffix in (".yml", ".toml", ".parquet", ".head")
        }


def empty_book(folder: Path) -> Book:
    """A workspace without a source in its book.yml."""
    book = Book(folder)
    assert run("init", book.folder).code == 0
    (book.folder / "book.yml").write_text("time_zone: Europe/Berlin\n", encoding="utf-8")
    return book


def company_book(folder: Path) -> Book:
    """A workspace that knows the company's files, which are exported and not loaded yet."""
    book = empty_book(folder)
    (book.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    for name, lines in (("accounts.csv", ACCOUNTS), ("terms.csv", TERMS), ("usage.csv", USAGE)):
        book.export(name, lines)
    return book
