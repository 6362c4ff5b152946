"""A company whose churn follows a fall of its usage, with yearly terms; and the same one with monthly terms, whose renewals are derived.

Everything that it wrote down is kept beside the workspace, so that tests can work figures out from it by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tests.doors.book_files import Book
from tests.doors.cli_files import run

FIRST, AS_OF = date(2022, 1, 1), date(2025, 12, 31)
ACCOUNTS, TERM_DAYS = 260, 365
BOOK = """\
time_zone: America/New_York
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: as_of, segment: tier, parent_id: parent, created_on: since}
  - files: "terms*.csv"
    table: subscriptions
    key: subscription_id
    columns: {subscription_id: line, account_id: id, started: from, ended: to, amount: {column: mrr, covers: month}}
  - files: "renewals*.csv"
    table: renewals
    columns: {account_id: id, due: due, outcome: outcome, decided: decided, amount_before: before, amount_after: after, term_start: from}
  - files: "usage*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: {value: week}, value: logins}
  - files: "scores*.csv"
    table: scores
    columns: {account_id: id, dated: day, known_at: recorded, score: name, value: value}
  - files: "answers*.csv"
    table: responses
    columns: {account_id: id, survey: {value: NPS}, answered: at, answer: answer}
  - files: "calls*.csv"
    table: forecasts
    columns: {account_id: id, due: due, made: made, made_by: who, probability: p}
"""
METRICS = """\
sources:
  events: {covers: seen accounts, silent_days: 40}
metrics:
  logins_8w:
    name: Logins
    description: Logins of eight weeks.
    direction: higher
    sum: events.value
    window: 56d
  logins_fall:
    name: Change of logins
    description: Logins of eight weeks, by those of the eight weeks half a year ago.
    direction: higher
    change: {of: logins_8w, days: 182, as: ratio}
  answers_year:
    description: Answers of a year.
    count: responses
    window: 365d
  tier:
    description: The segment.
    attribute: segment
"""
SCORES = """\
scores:
  health:
    name: Health
    metrics:
      logins_8w: {weight: 2, points: {0: 0, 80: 100}}
      answers_year: {weight: 1, steps: {0: 40, 1: 60}}
"""


Files = dict[str, list[tuple[object, ...]]]
"""Rows by the name of their file, its header first."""


@dataclass(frozen=True, slots=True)
class Company:
    """The loaded workspace, and the rows of its files by their names: what is there to compare with."""

    book: Book
    files: Files


def made_company(folder: Path, monthly: bool = False, files: Files | None = None) -> Company:
    """The company's workspace, loaded from `files` (its own). Of a `monthly` one there are no renewals but those that follow from terms."""
    files = files or _files(np.random.default_rng(7), 30 if monthly else TERM_DAYS)
    if monthly:
        files["renewals"] = files["renewals"][:1]
    book = Book(folder)
    assert run("init", book.folder).code == 0
    for name, text in (("book.yml", BOOK), ("metrics.yml", METRICS), ("scores.yml", SCORES)):
        (book.folder / name).write_text(text, encoding="utf-8")
    paths = [book.export(f"{name}.csv", [",".join(map(str, row)) for row in rows]) for name, rows in files.items() if len(rows) > 1]
    loaded = book.load(*paths)
    assert loaded.code == 0, loaded.err
    return Company(book, files)


def _files(rng: np.random.Generator, term_days: int) -> Files:
    files: Files = {
        "accounts": [("id", "as_of", "tier", "parent", "since")],
        "terms": [("line", "id", "from", "to", "mrr")],
        "renewals": [("id", "due", "outcome", "decided", "before", "after", "from")],
        "usage": [("id", "at", "logins")],
        "scores": [("id", "day", "recorded", "name", "value")],
        "answers": [("id", "at", "answer")],
        "calls": [("id", "due", "made", "who", "p")],
    }
    for n in range(ACCOUNTS):
        _live(rng, files, f"A-{n:03}", f"A-{n - n % 20:03}" if n % 20 in (1, 2) else "", term_days)
    return files


def _live(rng: np.random.Generator, files: Files, id: str, parent: str, term_days: int) -> None:
    """One account's rows: terms until it churns, usage that falls before most churns, and what people said of it."""
    start = FIRST + timedelta(days=int(rng.integers(0, 400)))
    tier, mrr = ("Small", 50) if rng.random() < 0.6 else ("Large", 500)
    files["accounts"].append((id, start, tier, parent, start))
    if rng.random() < 0.2:
        files["accounts"].append((id, start + timedelta(days=500), "Large", "", ""))
    level, day, line = 8 * float(np.exp(rng.normal(0, 0.2))), start, 0
    while day < AS_OF:
        line, due = line + 1, day + timedelta(days=term_days)
        troubled = rng.random() < 0.2 * term_days / TERM_DAYS
        churns = rng.random() < (0.75 if troubled else 0.05 * term_days / TERM_DAYS)
        files["terms"].append((f"{id}-{line}", id, day, due - timedelta(days=1), mrr))
        _use(rng, files, id, day, due, level, troubled)
        _say(rng, files, id, day, due, level, troubled, churns)
        decided = due - timedelta(days=int(rng.integers(0, 20)))
        if decided <= AS_OF and due <= AS_OF:
            outcome = "churned" if churns else "renewed"
            files["renewals"].append((id, due, outcome, decided, 12 * mrr, 0 if churns else 12 * mrr, day))
        if churns:
            return
        day = due


def _use(rng: np.random.Generator, files: Files, id: str, day: date, due: date, level: float, troubled: bool) -> None:
    """A row a week; in trouble a third of it, from well before the due date on."""
    falls_on = due - timedelta(days=270)
    for week in range((due - day).days // 7 + 1):
        at = day + timedelta(days=7 * week)
        if at < min(due, AS_OF):
            expected = level * (0.35 if troubled and at >= falls_on else 1.0)
            files["usage"].append((id, f"{at} 12:00", int(rng.poisson(expected))))


def _say(
    rng: np.random.Generator,
    files: Files,
    id: str,
    day: date,
    due: date,
    level: float,
    troubled: bool,
    churns: bool,
) -> None:
    """A score a quarter that knows nothing, and one that was rewritten once the outcome was known; answers and a forecast."""
    for quarter in range(0, (due - day).days, 91):
        at = day + timedelta(days=quarter)
        if at < AS_OF:
            felt = float(rng.normal(60, 10))
            files["scores"].append((id, at, f"{at} 18:00", "Feeling", round(felt, 1)))
            files["scores"].append((id, at, f"{at} 18:00", "Pulse", round(felt, 1)))
            later = due + timedelta(days=5)
            if churns and later <= AS_OF:
                files["scores"].append((id, at, f"{later} 18:00", "Pulse", round(felt / 3, 1)))
    asked = day + timedelta(days=20)
    if rng.random() < 0.5 and asked < AS_OF:
        files["answers"].append((id, f"{asked} 09:00", int(np.clip(rng.normal(7, 2), 0, 10))))
    called = due - timedelta(days=int(rng.integers(100, 220)))
    if day < called < AS_OF:
        files["calls"].append(
            (id, due, f"{called} 10:00", "Kim", round(float(np.clip(0.85 - 0.3 * troubled + rng.normal(0, 0.1), 0, 1)), 2))
        )
        following, later = due + timedelta(days=TERM_DAYS), called + timedelta(days=5)
        files["calls"].append((id, following, f"{later} 10:00", "Kim", 0.5))  # about the renewal after that one
