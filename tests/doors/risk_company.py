"""A company for `unspun risk` and what stands on it: yearly terms, whose churn follows the usage."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tests.doors.book_files import Book
from tests.doors.cli_files import run

FIRST, AS_OF = date(2022, 1, 1), date(2025, 12, 31)
ACCOUNTS = 200
BOOK = """\
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: since, name: name, segment: tier, owner: csm}
  - files: "renewals*.csv"
    table: renewals
    columns: {account_id: id, due: due, outcome: outcome, decided: decided, amount_before: before, amount_after: after, term_start: from}
  - files: "usage*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: {value: month}, value: logins}
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


def made_book(folder: Path) -> Book:
    """Yearly terms whose churn follows the usage; all four outcomes happen."""
    rng, book = np.random.default_rng(11), Book(folder)
    accounts, renewals, usage = ["id,since,name,tier,csm"], ["id,due,outcome,decided,before,after,from"], ["id,at,logins"]
    for n in range(ACCOUNTS):
        id, start, health = f"A-{n:03}", FIRST + timedelta(days=int(rng.integers(0, 360))), float(rng.normal())
        accounts.append(f"{id},{start},{'=2+2' if n == 0 else f'Company {n}'},{'Small' if n % 3 else 'Large'},{'Kim' if n % 2 else 'Lee'}")
        for year in range(4):
            day, due = start + timedelta(days=365 * year), start + timedelta(days=365 * (year + 1))
            usage += [
                f"{id},{at} 12:00,{rng.poisson(40 * np.exp(0.5 * health))}"
                for at in (day + timedelta(days=30 * month) for month in range(12))
                if at < AS_OF
            ]
            outcome = _outcome(rng, health)
            decided, after = due - timedelta(days=int(rng.integers(0, 20))), {"churned": 0, "contracted": 900, "expanded": 1500}
            if due > AS_OF:
                renewals.append(f"{id},{due},,,1200,,{day}")
                break
            renewals.append(f"{id},{due},{outcome},{decided},1200,{after.get(outcome, 1200)},{day}")
            if outcome == "churned":
                break
    assert run("init", book.folder).code == 0
    for name, text in (("book.yml", BOOK), ("metrics.yml", METRICS)):
        (book.folder / name).write_text(text, encoding="utf-8")
    loaded = book.load(
        *(book.export(f"{name}.csv", rows) for name, rows in (("accounts", accounts), ("renewals", renewals), ("usage", usage)))
    )
    assert loaded.code == 0, loaded.err
    return book


def _outcome(rng: np.random.Generator, health: float) -> str:
    if rng.random() < 1 / (1 + np.exp(0.7 + 1.6 * health)):
        return "churned"
    return str(rng.choice(("contracted", "renewed", "expanded"), p=(0.1, 0.7, 0.2)))
