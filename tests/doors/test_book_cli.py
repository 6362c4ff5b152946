"""The book from the command line, as an analyst works: init, load, look, load again, late rows, undo; and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.doors.book_files import Book, company_book, empty_book
from tests.doors.cli_files import COMMAND, QUIET_TERMINAL, run


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return company_book(tmp_path)


@pytest.fixture
def empty(tmp_path: Path) -> Book:
    return empty_book(tmp_path)


def counts(ran_json: str) -> dict[str, tuple[int, ...]]:
    """By file: rows read, new, changed, unchanged, rejected."""
    names = ("rows_read", "new", "changed", "unchanged", "rows_rejected")
    return {one["name"].rpartition("/")[2]: tuple(one[name] for name in names) for one in json.loads(ran_json)["sources"]}


# Loading


def test_a_folder_is_loaded_as_one_version_and_every_row_is_accounted_for(book: Book) -> None:
    ran = book.load(book.exports)
    assert ran.code == 0, ran.err
    assert "book version 1" in ran.out
    assert "no account" in ran.out
    assert "unspun rejected" in ran.out
    assert [(row["account_id"], row["owner"]) for row in book.rows("accounts")] == [("A-2", "Lee"), ("A-1", "Lee")]
    assert [(row["account_id"], row["event"]) for row in book.rows("events")] == [("A-1", "login"), ("A-2", "export")]
    assert [row["amount"] for row in book.rows("subscriptions")] == ["100.5000", "80.0000"]


def test_the_same_files_again_change_nothing(book: Book) -> None:
    assert book.load(book.exports).code == 0
    before = book.contents()
    ran = book.load(book.exports, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["version"] is None
    assert counts(ran.out) == {"accounts.csv": (3, 0, 0, 3, 0), "terms.csv": (2, 0, 0, 2, 0), "usage.csv": (4, 0, 0, 4, 0)}
    assert book.contents() == before


def test_a_dry_run_says_what_the_load_then_does_and_writes_nothing(book: Book) -> None:
    before = book.contents()
    dry = book.load(book.exports, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert json.loads(dry.out)["dry_run"] is True
    assert book.contents() == before
    wet = book.load(book.exports, "--json")
    assert (
        counts(dry.out) == counts(wet.out) == {"accounts.csv": (3, 3, 0, 0, 0), "terms.csv": (2, 2, 0, 0, 0), "usage.csv": (4, 2, 0, 0, 2)}
    )


def test_one_unreadable_file_and_nothing_is_loaded(book: Book) -> None:
    book.export("usage-bad.csv", ("id,when", "A-1,2026-01-01"))
    before = book.contents()
    ran = book.load(book.exports)
    assert ran.code == 2
    assert all("usage-bad.csv" in fault for fault in ran.faults), ran.err
    assert book.contents() == before
    assert book.run("show", "accounts").code == 2


def test_all_that_is_wrong_with_the_files_is_told_at_once(book: Book, tmp_path: Path) -> None:
    usage = book.exports / "usage.csv"
    ran = book.load(tmp_path / "none.csv", usage, usage, tmp_path / "no*.csv", "-")
    assert ran.code == 2
    told = "\n".join(ran.faults)
    for words in ("none.csv: there is no such file", "given twice", "no file fits the pattern", "standard input"):
        assert words in told
    wrong = book.load(usage, "--as", "people", "--known-at", "soon", "--wait", "x")
    assert wrong.code == 2
    assert wrong.err.count("\n") >= 2


def test_as_restricts_a_folder_and_contradicts_a_file(book: Book) -> None:
    ran = book.load(book.exports, "--as", "events", "--json")
    assert list(counts(ran.out)) == ["usage.csv"]
    ran = book.load(book.exports / "terms.csv", "--as", "events")
    assert ran.code == 2
    assert "book.yml:7 maps this file to subscriptions, and --as says events." in ran.faults[0]


def test_outside_a_workspace_the_message_says_what_to_do(tmp_path: Path) -> None:
    for command in (("load", "x.csv"), ("status",), ("show", "accounts"), ("undo",), ("rejected",), ("compact",)):
        ran = run(*command, cwd=tmp_path)
        assert ran.code == 2
        assert "unspun init" in ran.err


# Files that book.yml does not know


def test_without_a_terminal_an_unknown_file_needs_a_yes_and_nothing_is_changed(empty: Book) -> None:
    path = empty.export("logins.csv", ("account_id,timestamp,event", "A-1,2026-01-07T10:00:00Z,login"))
    before = empty.contents()
    ran = empty.load(path)
    assert ran.code == 2
    assert "--yes" in ran.faults[-1]
    assert "proposed as events" in ran.out
    assert "timestamp" in ran.out
    assert empty.contents() == before


def test_a_yes_adds_the_mapping_to_book_yml_and_loads(empty: Book) -> None:
    (empty.folder / "book.yml").write_text("# ours\ntime_zone: Europe/Berlin  # head office\n", encoding="utf-8")
    path = empty.export("logins.csv", ("account_id,timestamp,event", "A-1,2026-01-07T10:00:00Z,login"))
    ran = empty.load(path, "--yes")
    assert ran.code == 0, ran.err
    text = (empty.folder / "book.yml").read_text()
    assert text.startswith("# ours\ntime_zone: Europe/Berlin  # head office\n")
    assert "timestamp" in text
    assert len(empty.rows("events")) == 1
    again = empty.load(path)
    assert again.code == 0, "the mapping is known now and nothing is asked"
    assert "proposed" not in again.out


def test_a_dry_run_of_an_unknown_file_leaves_book_yml_alone(empty: Book) -> None:
    path = empty.export("logins.csv", ("account_id,timestamp,event", "A-1,2026-01-07T10:00:00Z,login"))
    before = empty.contents()
    ran = empty.load(path, "--dry-run")
    assert ran.code == 0, ran.err
    assert "proposed as events" in ran.out
    assert empty.contents() == before


@pytest.mark.parametrize(("answer", "code", "loaded"), [("y", 0, True), ("n", 2, False), ("", 2, False)])
def test_at_a_terminal_the_question_is_asked(empty: Book, answer: str, code: int, loaded: bool) -> None:
    path = empty.export("logins.csv", ("account_id,timestamp,event", "A-1,2026-01-07T10:00:00Z,login"))
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in QUIET_TERMINAL}
    command = [*COMMAND, "load", str(path), "--workspace", str(empty.folder)]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True)
    os.write(ours, f"{answer}\n".encode())
    _, err = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    assert "Add this mapping to book.yml and load? [y/N]" in err
    assert process.returncode == code, err
    assert ("timestamp" in (empty.folder / "book.yml").read_text()) == loaded


def test_a_file_of_no_table_is_refused_with_a_way_out(empty: Book) -> None:
    path = empty.export("colours.csv", ("red,green", "1,2", "3,4"))
    ran = empty.load(path, "--yes")
    assert ran.code == 2
    assert ran.faults[0].startswith("colours.csv:1: No table of the book fits")
    assert "--as" in ran.faults[0]


# Late rows, as of a date, versions


def test_a_row_that_arrives_late_is_not_seen_by_an_earlier_date(book: Book) -> None:
    (book.folder / "book.yml").write_text((book.folder / "book.yml").read_text().replace("csm}", "csm, known_at: told}"))
    book.export("accounts.csv", ("id,as_of,name,csm,told", "A-1,2026-01-05,Acme,Kim,2026-01-06", "A-1,2026-02-01,Acme,Lee,2026-04-01"))
    assert book.load(book.exports / "accounts.csv").code == 0
    assert [row["owner"] for row in book.rows("accounts")] == ["Lee"]
    assert [row["owner"] for row in book.rows("accounts", "--as-of", "2026-03-31")] == ["Kim"]
    assert [row["owner"] for row in book.rows("accounts", "--as-of", "2026-04-01")] == ["Lee"]
    assert book.rows("accounts", "--as-of", "2026-01-04") == []


def test_a_day_ends_when_it_ends_in_the_zone_of_the_book(book: Book) -> None:
    book.export("usage.csv", ("id,at,what", "A-1,2026-01-07 23:30,late", "A-1,2026-01-08 00:30,early"))
    assert book.load(book.exports / "usage.csv").code == 0
    assert [row["event"] for row in book.rows("events", "--as-of", "2026-01-07")] == ["late"]
    assert [row["occurred"] for row in book.rows("events", "--where", "occurred=2026-01-07")] == ["2026-01-07T22:30:00.000000Z"]


def test_a_changed_row_is_a_new_version_and_the_old_version_of_the_book_still_reads(book: Book) -> None:
    assert book.load(book.exports).code == 0
    book.export("terms-2.csv", ("line,id,from,to,mrr", "L-1,A-1,2026-01-01,2026-12-31,120"))
    ran = book.load(book.exports / "terms-2.csv", "--json")
    assert counts(ran.out) == {"terms-2.csv": (1, 0, 1, 0, 0)}
    amounts = {row["subscription_id"]: row["amount"] for row in book.rows("subscriptions")}
    assert amounts == {"L-1": "120.0000", "L-2": "80.0000"}
    assert len(book.rows("subscriptions", "--all-versions")) == 3
    earlier = book.rows("subscriptions", "--version", "1", "--where", "account_id=A-1")
    assert [row["amount"] for row in earlier] == ["100.5000"]


def test_undated_accounts_hold_from_the_day_they_were_known_by_word(empty: Book) -> None:
    path = empty.export("customers.csv", ("account_id,name,owner", "A-1,Acme,Kim"))
    assert empty.load(path, "--as", "accounts", "--yes", "--known-at", "2026-06-30").code == 0
    empty.export("customers.csv", ("account_id,name,owner", "A-1,Acme,Lee"))
    assert empty.load(path, "--known-at", "2026-07-31").code == 0
    assert [row["owner"] for row in empty.rows("accounts", "--as-of", "2026-07-15")] == ["Kim"]
    assert [row["owner"] for row in empty.rows("accounts")] == ["Lee"]
    assert empty.rows("accounts", "--as-of", "2026-06-29") == []
    assert empty.load(path, "--known-at", "2999-01-01").code == 2


# Undo


def test_undo_takes_back_the_last_load_and_then_the_one_before(book: Book) -> None:
    assert book.load(book.exports / "usage.csv").code == 0
    assert book.load(book.exports / "accounts.csv").code == 0
    dry = book.run("undo", "--dry-run")
    assert "load 2" in dry.out
    assert len(book.rows("accounts")) == 2, "a dry run takes nothing back"
    assert book.run("undo").code == 0
    assert book.run("show", "accounts").code == 2
    assert len(book.rows("events")) == 2
    assert len(book.rows("accounts", "--version", "2")) == 2, "what was published stays readable"
    assert book.run("undo").code == 0
    third = book.run("undo")
    assert third.code == 2
    assert "nothing to take back" in third.err
    again = book.load(book.exports / "usage.csv", "--json")
    assert counts(again.out) == {"usage.csv": (4, 2, 0, 0, 2)}


# What is shown


def test_status_counts_what_is_there(book: Book) -> None:
    assert "nothing is loaded yet" in book.run("status").out
    assert book.load(book.exports).code == 0
    shown = json.loads(book.run("status", "--json").out)
    assert {one["name"]: (one["rows"], one["versions"]) for one in shown["tables"]} == {
        "accounts": (2, 3),
        "subscriptions": (2, 2),
        "events": (2, 2),
    }
    assert shown["rejected"] == 2
    assert shown["version"] == 1
    assert [(one["load"], one["state"], one["counts"]["rejected"]) for one in shown["loads"]] == [(1, "in force", 2)]
    sequence, _, digest = shown["ledger_head"].partition(":")
    assert int(sequence) > 1
    assert len(digest) == 64
    text = book.run("status").out
    assert "2 rows are rejected" in text
    assert shown["ledger_head"] in text


def test_a_csv_of_rows_has_a_manifest_with_its_hash_and_no_formula(book: Book, tmp_path: Path) -> None:
    assert book.load(book.exports).code == 0
    path = tmp_path / "out.csv"
    assert book.run("show", "accounts", "--where", "account_id=A-2", "--csv", path).code == 0
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_text())
    assert manifest["csv"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (manifest["rows"], manifest["book_version"], manifest["table"]) == (1, 1, "accounts")
    assert "account_id = A-2" in manifest["filters"]["in_words"]
    assert "'=2+2" in path.read_text()
    assert book.run("show", "accounts", "--where", "account_id=A-2", "--csv", "-").out == path.read_text()


def test_filters_are_read_by_the_kind_of_their_column(book: Book) -> None:
    assert book.load(book.exports).code == 0
    assert [row["subscription_id"] for row in book.rows("subscriptions", "--where", "amount=80")] == ["L-2"]
    assert [row["subscription_id"] for row in book.rows("subscriptions", "--where", "ended=2026-12-31")] == ["L-1"]
    assert book.rows("subscriptions", "--where", "ended=") == []
    assert len(book.rows("subscriptions", "--where", "known_at=2026-01-01")) == 1
    assert book.run("show", "subscriptions", "--where", "x").code == 2
    ran = book.run("show", "subscriptions", "--where", "amount=much", "--where", "colour=red")
    assert ["no value of amount" in ran.err, "no column 'colour'" in ran.err] == [True, True]


def test_a_version_that_never_was_and_a_table_not_loaded_are_told(book: Book) -> None:
    assert book.load(book.exports).code == 0
    assert "there is no book version 9" in book.run("show", "accounts", "--version", "9").err
    assert "book version 1 has no tickets" in book.run("show", "tickets").err
    assert book.run("show", "people").code == 2


def test_no_line_for_people_is_wider_than_80_columns_in_a_pipe(book: Book) -> None:
    for command in (("load", book.exports), ("status",), ("show", "accounts"), ("rejected",), ("undo", "--dry-run"), ("undo",)):
        ran = book.run(*command)
        assert max(map(len, ran.out.splitlines())) <= 80, ran.out


# Keeping


def test_compaction_and_erasure_leave_the_rest_as_it_was(book: Book) -> None:
    assert book.load(book.exports).code == 0
    for number in (2, 3):
        path = book.export(
            f"usage-{number}.csv", ("id,at,what", f"A-1,2026-02-0{number} 10:00,login", f"A-2,2026-02-0{number} 10:00,login")
        )
        assert book.load(path).code == 0
    before = book.rows("events", "--where", "account_id=A-1")
    assert book.run("compact", "--keep-days", "0").code == 0
    assert book.run("show", "events", "--version", "1").code == 2
    assert sorted(row["occurred"] for row in book.rows("events", "--where", "account_id=A-1")) == sorted(row["occurred"] for row in before)
    dry = book.run("erase", "--account", "A-2", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert dict(json.loads(dry.out)["rows"])["events"] == 3
    asked = book.run("erase", "--account", "A-2")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert len(book.rows("events", "--where", "account_id=A-2")) == 3
    assert book.run("erase", "--account", "A-2", "--reference", "request 7", "--yes").code == 0
    assert book.rows("events", "--where", "account_id=A-2") == []
    assert len(book.rows("events")) == len(before)
    assert b"A-2" not in b"".join(path.read_bytes() for path in (book.folder / "warehouse").rglob("*") if path.is_file())
    assert book.run("erase").code == 2
    assert book.run("erase", "--account", "A-1", "--user", "u").code == 2
