"""A company with everything that the page of an account shows, refreshed once: yearly terms whose churn follows the usage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from tests.doors.book_files import Book
from unspun.app.access import COMMAND_LINE, Actor, Scope
from unspun.app.refresh import RefreshRequest, RefreshRun, refresh
from unspun.app.workspace import Workspace, open_workspace
from unspun.cli import main

FIRST, AS_OF = date(2022, 1, 1), date(2025, 12, 31)
AT = datetime(2026, 1, 2, 8, 0, tzinfo=UTC)
ACCOUNTS = 125
OPEN_ENDED, DECIDED_EARLY, HOSTILE, PARENT = "A-OPEN", "A-EARLY", "A-006", "A-003"
HOSTILE_NAME = '=2+2 <script>alert("x")</script>'
BOOK = """\
time_zone: Europe/Berlin
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: since, name: name, segment: tier, owner: csm, parent_id: parent, country: country}
  - files: "renewals*.csv"
    table: renewals
    columns: {account_id: id, due: due, outcome: outcome, decided: decided, amount_before: before, amount_after: after, term_start: from,
      notice: notice}
  - files: "usage*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: what, value: logins}
  - files: "terms*.csv"
    table: subscriptions
    columns: {subscription_id: line, account_id: id, started: from, ended: to, product: product, amount: {column: arr, covers: year}}
  - files: "tickets*.csv"
    table: tickets
    columns: {ticket_id: ticket, account_id: id, opened: opened, closed: closed, subject: subject, priority: priority}
  - files: "calls*.csv"
    table: touchpoints
    columns: {touchpoint_id: call, account_id: id, occurred: at, channel: channel, owner: csm, minutes: minutes}
  - files: "answers*.csv"
    table: responses
    columns: {response_id: response, account_id: id, answered: at, survey: survey, answer: answer, verbatim: said}
  - files: "people*.csv"
    table: contacts
    columns: {contact_id: person, account_id: id, dated: since, name: name, email: mail, role: role}
"""
METRICS = """\
metrics:
  logins_2m:
    name: Logins
    description: Logins of two months.
    unit: logins
    direction: higher
    sum: events.value
    window: 61d
"""
Change = Callable[[dict[str, list[str]]], dict[str, list[str]]]
KIM = Actor(7, "Kim", "kim@example.org", "csm", Scope(owners=frozenset({"Kim"})), "session")
VIEWER = Actor(8, "Vic", "vic@example.org", "viewer", Scope(accounts=frozenset({"A-004"})), "session")
OWNER = COMMAND_LINE


@dataclass(frozen=True, slots=True)
class Company:
    """The company's book, and its first refresh."""

    book: Book
    run: RefreshRun

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.book.folder)


def refreshed(folder: Path) -> Company:
    """The company, loaded and refreshed as of the last day of 2025."""
    book = made_company(folder)
    return Company(book, refresh(open_workspace(book.folder), AT, request=RefreshRequest(as_of=AS_OF)))


def owner_of(n: int) -> str:
    return "Kim" if n % 2 else "Lee"


def made_company(folder: Path, change: Change = dict, metrics: str = METRICS) -> Book:
    """Its files, loaded; `change` is what becomes of their lines before."""
    rng, book = np.random.default_rng(11), Book(folder)
    rows: dict[str, list[str]] = {
        "accounts": ["id,since,name,tier,csm,parent,country"],
        "renewals": ["id,due,outcome,decided,before,after,from,notice"],
        "usage": ["id,at,what,logins"],
        "terms": ["line,id,from,to,product,arr"],
        "tickets": ["ticket,id,opened,closed,subject,priority"],
        "calls": ["call,id,at,channel,csm,minutes"],
        "answers": ["response,id,at,survey,answer,said"],
        "people": ["person,id,since,name,mail,role"],
    }
    for n in range(ACCOUNTS):
        _account(rng, rows, n)
    _two_without_renewal(rows)
    assert main(["init", str(book.folder)]) == 0
    for name, text in (("book.yml", BOOK), ("metrics.yml", metrics)):
        (book.folder / name).write_text(text, encoding="utf-8")
    loaded = book.load(*(book.export(f"{name}.csv", lines) for name, lines in change(rows).items()))
    assert loaded.code == 0, loaded.err
    return book


def _account(rng: np.random.Generator, rows: dict[str, list[str]], n: int) -> None:
    id, start, health = f"A-{n:03}", FIRST + timedelta(days=int(rng.integers(0, 360))), float(rng.normal())
    name = '"' + HOSTILE_NAME.replace('"', '""') + '"' if id == HOSTILE else f"Société {n}" if n % 10 == 5 else f"Company {n}"
    parent = PARENT if n in (4, 5, 6) else ""
    tier = "" if n == 9 else "Small" if n % 3 else "Large"
    rows["accounts"].append(f"{id},{start},{name},{tier},{owner_of(n)},{parent},{'DE' if n % 4 else 'FR'}")
    if n == 4:
        rows["accounts"].append(f"{id},2025-11-20,{name},{tier},Kim,{parent},DE")
    arr = 1200 + 100 * (n % 7)
    for year in range(4):
        day, due = start + timedelta(days=365 * year), start + timedelta(days=365 * (year + 1))
        for month in range(12):
            at = day + timedelta(days=30 * month)
            if at < AS_OF:
                logins = rng.poisson(40 * np.exp(0.5 * health))
                rows["usage"].append(f"{id},{at} 23:30,{'login' if month % 2 else 'export'},{logins}")
        rows["terms"].append(f"L-{n}-{year},{id},{day},{due},{'Core' if n % 5 else 'Suite'},{arr}")
        if due > AS_OF:
            notice = "2025-12-10" if n in (10, 20) else ""
            rows["renewals"].append(f"{id},{due},,,{arr},,{day},{notice}")
            break
        outcome, decided = _outcome(rng, health), due - timedelta(days=int(rng.integers(0, 20)))
        after = {"churned": 0, "contracted": arr - 200, "expanded": arr + 300}.get(outcome, arr)
        rows["renewals"].append(f"{id},{due},{outcome},{decided},{arr},{after},{day},")
        if outcome == "churned":
            break
    if n % 2:
        rows["tickets"].append(f"T-{n},{id},2025-10-{1 + n % 28:02} 09:00,,Export fails,high")
        rows["calls"].append(f"C-{n},{id},2025-11-{1 + n % 28:02} 23:30,call,{owner_of(n)},{10 + n}")
        rows["answers"].append(f"R-{n},{id},2025-09-{1 + n % 28:02} 12:00,NPS,{n % 11},fine")
        rows["people"].append(f"P-{n},{id},{start},Person {n},p{n}@example.org,user")


def _two_without_renewal(rows: dict[str, list[str]]) -> None:
    """One whose subscription is open, and one whose renewal to come was decided early."""
    for id, ends in ((OPEN_ENDED, ""), (DECIDED_EARLY, "2026-06-30")):
        rows["accounts"].append(f"{id},2025-01-01,Company {id},Large,Lee,,DE")
        rows["terms"].append(f"L-{id},{id},2025-06-30,{ends},Core,5000")
    rows["renewals"].append(f"{DECIDED_EARLY},2026-06-30,expanded,2025-12-01,5000,6000,2025-06-30,")


def _outcome(rng: np.random.Generator, health: float) -> str:
    if rng.random() < 1 / (1 + np.exp(0.7 + 1.6 * health)):
        return "churned"
    return str(rng.choice(("contracted", "renewed", "expanded"), p=(0.1, 0.7, 0.2)))
