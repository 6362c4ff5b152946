"""A small company whose metrics can be worked out by hand: four customers, usage by day, tickets, terms."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

from tests.doors.book_files import Book
from tests.doors.cli_files import run

BOOK = """\
time_zone: UTC
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: as_of, name: name, segment: tier}
  - files: "terms*.csv"
    table: subscriptions
    key: subscription_id
    columns: {subscription_id: line, account_id: id, started: from, ended: to, seats: seats, amount: {column: mrr, covers: month}}
  - files: "usage*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: what, user_id: who, value: n}
  - files: "tickets*.csv"
    table: tickets
    columns: {ticket_id: ticket, account_id: id, opened: from, closed: to}
"""
METRICS = """\
metrics:
  logins_28d:
    name: Logins
    description: How often anybody logged in.
    unit: logins
    direction: higher
    owner: Kim
    count: events
    where: {event: login}
    window: 28d
  users_28d:
    description: Who logged in.
    distinct: events.user_id
    window: 28d
  minutes_28d:
    description: Minutes of use.
    sum: events.value
    window: 28d
  last_minutes:
    description: Minutes of the last login.
    last: events.value
  days_since_login:
    description: Days since the last login.
    days_since_last: events
    where: {event: login}
  change:
    description: Logins less those of four weeks earlier.
    change: {of: logins_28d, days: 28}
  logins_per_seat:
    description: Logins by seats.
    per_seat: logins_28d
  open_tickets:
    description: Tickets that are open.
    open: tickets
  tier:
    description: The segment.
    attribute: segment
  arr:
    description: ARR.
    arr: true
"""
FIRST, LAST = date(2026, 1, 1), date(2026, 4, 10)
DAILY, EVEN, SILENT, FORMULA = "A-1", "A-2", "A-3", "=2+2"
ACCOUNTS = ("id,as_of,name,tier", f"{DAILY},2025-12-01,Acme,Small", f"{DAILY},2026-03-15,Acme,Large", f"{EVEN},2025-06-01,Bee,Small")
TERMS = (
    "line,id,from,to,seats,mrr",
    f"L-1,{DAILY},2025-12-01,2026-11-30,10,100.50",
    f"L-2,{EVEN},2025-06-01,2026-05-31,4,80",
    f"L-3,{SILENT},2026-02-01,2027-01-31,1,10",
    f"L-4,{FORMULA},2025-01-01,2025-12-31,1,10",
)  # fmt: skip
TICKETS = (
    "ticket,id,from,to",
    f"T-1,{DAILY},2026-02-01 09:00,2026-03-20 09:00",
    f"T-2,{DAILY},2026-03-10 09:00,",
    f"T-3,{EVEN},2026-03-30 23:30,2026-04-02 08:00",
)  # fmt: skip


def usage() -> list[str]:
    """A login of A-1 a day by one of three people, one of A-2 on days of even number."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    daily = [f"{DAILY},{day} 10:00,login,U{n % 3},{n}" for n, day in enumerate(days)]
    even = [f"{EVEN},{day} 23:30,login,U9,2" for day in days if day.day % 2 == 0]
    return ["id,at,what,who,n", *daily, *even]


def metric_book(folder: Path) -> Book:
    """The company's workspace, loaded."""
    book = Book(folder)
    assert run("init", book.folder).code == 0
    (book.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    (book.folder / "metrics.yml").write_text(METRICS, encoding="utf-8")
    files = (("accounts.csv", ACCOUNTS), ("terms.csv", TERMS), ("usage.csv", usage()), ("tickets.csv", TICKETS))
    loaded = book.load(*(book.export(name, lines) for name, lines in files))
    assert loaded.code == 0, loaded.err
    return book


def copied(book: Book, folder: Path) -> Book:
    """The same workspace in another folder."""
    copy = Book(folder)
    shutil.copytree(book.folder, copy.folder)
    return copy
