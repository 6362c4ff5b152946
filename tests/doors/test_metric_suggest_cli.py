"""`unspun metrics suggest`: what a book can bear, asked what it cannot know, written into metrics.yml and computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from tests.doors.metric_book import copied
from unspun.metrics.conditions import IsIn
from unspun.metrics.nodes import Count
from unspun.metrics.read_file import read_metrics
from unspun.metrics.standard.catalogue import CATALOGUE

EVENTS_BOOK = """\
time_zone: UTC
sources:
  - files: "events*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: what, user_id: who}
"""


def suggested(book: Book, *options: str) -> dict[str, Any]:
    """The answer as JSON, its suggestions and choices by id."""
    ran = book.run("metrics", "suggest", *options, "--json")
    assert (ran.code, ran.err) == (0, "")
    answer = json.loads(ran.out)
    return answer | {name: {one["id"]: one for one in answer[name]} for name in ("suggestions", "choices")}


def of_events(folder: Path, names: list[str], times: int = 1) -> Book:
    """A book of nothing but events of two accounts."""
    book = Book(folder)
    assert run("init", book.folder).code == 0
    (book.folder / "book.yml").write_text(EVENTS_BOOK, encoding="utf-8")
    rows = [
        f'A-{n % 2},2026-03-{1 + n % 28:02} 10:00,"{name.replace(chr(34), chr(34) * 2)}",U{n % 3}' for n, name in enumerate(names * times)
    ]
    loaded = book.load(book.export("events.csv", ["id,at,what,who", *rows]), "--no-check")
    assert loaded.code == 0, loaded.err
    return book


def test_what_the_book_can_bear_is_told_with_what_it_knows_of_it(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    found = suggested(book)
    told = found["suggestions"]
    assert set(told) == set(CATALOGUE)
    assert told["active_users_28d"]["status"] == "declared"
    assert told["active_users_28d"]["declared_as"] == ["users_28d"]
    assert (told["arr"]["status"], told["logins_28d"]["status"]) == ("declared", "declared")
    assert told["seat_utilisation_28d"]["status"] == "possible"
    assert "users_28d" in told["seat_utilisation_28d"]["metrics"][0]["yaml"], "what is declared is named, and not declared again"
    assert told["urgent_share_90d"]["lacks"] == ["a column tickets.priority (priority)"]
    text = book.run("metrics", "suggest").out
    assert "can be declared" in text
    assert "seat_utilisation_28d" in text
    assert "What the others would need" in text
    assert "a column tickets.priority" in text


def test_what_is_written_is_checked_computed_and_not_suggested_again(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    before = (book.folder / "metrics.yml").read_text(encoding="utf-8")
    dry = book.run("metrics", "suggest", "--yaml")
    assert (dry.code, (book.folder / "metrics.yml").read_text(encoding="utf-8")) == (0, before)
    assert book.run("metrics", "suggest", "--write").code == 0
    after = (book.folder / "metrics.yml").read_text(encoding="utf-8")
    assert after == dry.out
    assert after.startswith(before)
    assert len(read_metrics(after).metrics) > len(read_metrics(before).metrics) + 10
    assert "no fault" in book.run("metrics", "check").out
    assert book.run("panel").code == 0
    assert {one["status"] for one in suggested(book)["suggestions"].values()} == {"declared", "missing"}
    again = book.run("metrics", "suggest", "--write")
    assert (again.code, "No metric was added to" in again.out) == (0, True)
    assert (book.folder / "metrics.yml").read_text(encoding="utf-8") == after


def test_a_choice_is_answered_by_names_that_the_book_has_and_by_no_others(tmp_path: Path) -> None:
    book = of_events(tmp_path, ["Export", "share link", "log in"])
    asked = suggested(book)["choices"]["key_actions"]
    assert [one["name"] for one in asked["candidates"]] == ["Export", "share link"]
    answered = suggested(book, "--choose", "key_actions=Export", "--choose", "key_actions=share link")["suggestions"]
    assert [one["id"] for one in answered["action_28d"]["metrics"]] == ["export_28d", "share_link_28d"]
    assert "where: {event: [Export, share link]}" in answered["key_actions_28d"]["metrics"][0]["yaml"]
    wrong = book.run("metrics", "suggest", "--choose", "key_actions=export", "--choose", "urgent=high", "--choose", "key_actions")
    assert (wrong.code, "CHOICE=NAME" in wrong.err) == (2, True)
    wrong = book.run("metrics", "suggest", "--choose", "key_actions=export", "--choose", "urgent=high")
    assert wrong.code == 2
    assert "--choose key_actions: 'export' is no event of events. Did you mean 'Export'?" in wrong.err
    assert "--choose urgent" in wrong.err
    wrong = book.run("metrics", "suggest", "--choose", "key_action=Export", "--theme", "activty")
    assert (wrong.code, "Did you mean 'activity'?" in wrong.err, "Did you mean 'key_actions'?" in wrong.err) == (2, True, True)


MANY = 5_000
HOSTILE = ['say "hi"', "it's", "line\nbreak", "# no comment", "ключ", "a: {b}", "-- ; DROP TABLE events", "\u202eevil", "=cmd()"]


def test_names_of_events_with_quotes_line_breaks_and_other_scripts_are_counted_as_they_stand(tmp_path: Path) -> None:
    book = of_events(tmp_path, HOSTILE, times=3)
    answers = [word for name in HOSTILE for word in ("--choose", f"key_actions={name}")]
    ran = book.run("metrics", "suggest", *answers, "--write")
    assert (ran.code, ran.err) == (0, "")
    assert "\u202e" not in ran.out
    assert "no fault" in book.run("metrics", "check").out
    metrics = read_metrics((book.folder / "metrics.yml").read_text(encoding="utf-8")).metrics
    (actions,) = (one for one in metrics if one.id == "key_actions_28d")
    assert isinstance(actions.series, Count)
    assert actions.series.rows.where == IsIn("event", tuple(HOSTILE))
    assert len([one for one in metrics if one.name in [ascii(name)[1:-1] for name in HOSTILE] or one.name in HOSTILE]) >= 6
    shown = json.loads(book.run("metrics", "show", "key_actions_28d", "--account", "A-0", "--as-of", "2026-03-28", "--json").out)
    assert shown["value"] == 14, "every event of the account"


def test_a_book_without_anything_is_told_so_and_nothing_is_written(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert run("init", book.folder).code == 0
    before = (book.folder / "metrics.yml").read_bytes()
    ran = book.run("metrics", "suggest", "--write")
    assert (ran.code, "Nothing is loaded yet" in ran.out) == (0, True)
    assert (book.folder / "metrics.yml").read_bytes() == before
    assert {one["status"] for one in suggested(book)["suggestions"].values()} == {"missing"}


def test_thousands_of_names_of_events_give_a_page_and_not_a_book_of_them(tmp_path: Path) -> None:
    book = of_events(tmp_path, [f"event {n:04}" for n in range(MANY)])
    ran = book.run("metrics", "suggest")
    assert (ran.code, f"and {MANY - 8:,} more" in ran.out) == (0, True)
    assert len(ran.out.splitlines()) < 160
    found = suggested(book)
    assert found["choices"]["key_actions"]["of"] == MANY
    assert len(found["choices"]["key_actions"]["candidates"]) == 8
    assert len(book.run("metrics", "suggest", "--yaml").out.splitlines()) < 500
    late = suggested(book, "--choose", "key_actions=event 4999")["suggestions"]["key_actions_28d"]
    assert (late["status"], "event 4999" in late["metrics"][0]["yaml"]) == ("possible", True)


@pytest.mark.parametrize("data", ["ravenstack", "online_retail", "telco"])
def test_whatever_is_suggested_of_real_data_computes(shared_data: Path, tmp_path: Path, data: str) -> None:
    folder = tmp_path / "w"
    assert run("init", folder).code == 0
    assert run("load", shared_data / data, "--yes", "--no-check", "--workspace", folder).code == 0
    assert run("metrics", "suggest", "--write", "--workspace", folder).code == 0
    assert "no fault" in run("metrics", "check", "--workspace", folder).out
    found = read_metrics((folder / "metrics.yml").read_text(encoding="utf-8")).metrics
    assert len(found) == {"ravenstack": 36, "online_retail": 6, "telco": 0}[data]
    if len(found):
        ran = run("panel", "--json", "--workspace", folder)
        assert (ran.code, ran.err) == (0, "")
        assert {one.id for one in found} <= set(json.dumps(json.loads(ran.out)).split('"'))
