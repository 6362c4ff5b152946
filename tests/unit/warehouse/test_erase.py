"""An erasure takes every byte of an account or a person out of every kept version, and leaves the rest as it was."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.warehouse.books import START, Row, add_load, instant, new_book, same_rows
from unspun.errors import BadInput
from unspun.ledger.store import entries
from unspun.warehouse import erase as erasing
from unspun.warehouse.catalog import Catalog, open_catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.erase import ErasureResult, Subject, erase
from unspun.warehouse.read import open_book
from unspun.warehouse.undo import undo
from unspun.warehouse.verify import verify_files

ACCOUNT, PERSON, USER, OTHER = "acme-7f3a91", "ann.lee@acme.example", "user-5c11e0", "globex-22"
LATER = START + timedelta(days=50)
SUBJECTS = [Subject("account", ACCOUNT), Subject("contact", PERSON), Subject("user", USER)]


def at(day: float, **values: object) -> Row:
    return {"happened_at": instant(day), "known_at": instant(day), "happened_zone": "UTC", **values}


def rejected(**cells: str | None) -> Row:
    return {"table": "events", "code": "no_date", "reason": "not a date", "column": "when", "value": "soon", "cells": json.dumps(cells)}


@pytest.fixture
def book(tmp_path: Path) -> Catalog:
    """Three loads, a compaction before the last, rejected rows, a published figure and a load that was never finished."""
    catalog = new_book(tmp_path)
    add_load(catalog, {
        "accounts": [at(1, account_id=ACCOUNT, segment="Large"), at(1, account_id=OTHER, parent_id=ACCOUNT, segment="Small")],
        "contacts": [at(1, contact_id=PERSON, account_id=ACCOUNT), at(1, contact_id="bo", account_id=OTHER)],
        "events": [at(day, account_id=account, user_id=user) for day in range(4) for account in (ACCOUNT, OTHER) for user in (USER, "u2")],
    })  # fmt: skip
    add_load(catalog, {"events": [at(5, account_id=ACCOUNT, user_id=USER)], "accounts": [at(3, account_id=OTHER)]})
    compact(catalog, START + timedelta(days=1))
    add_load(catalog, {
        "accounts": [at(5, account_id=ACCOUNT, segment="Small")],
        "events": [at(9, account_id=OTHER, user_id=USER), at(9, account_id=OTHER, user_id="u2", event=PERSON)],
        "tickets": [at(6, account_id=OTHER, ticket_id="t1", contact_id=PERSON), at(6, account_id=ACCOUNT, ticket_id="t2")],
        "rejected": [rejected(customer=f" {ACCOUNT} ", who=None), rejected(customer=OTHER, who=PERSON), rejected(customer=OTHER, who=USER),
                     rejected(customer=OTHER, who="u2")],
    })  # fmt: skip
    catalog.add_publication({"book_version": 4}, json.dumps({"figures": [{"name": f"grr/2026-01/owner={ACCOUNT}", "value": "1"}]}), LATER)
    catalog.add_publication({"book_version": 4}, json.dumps({"who": {PERSON: USER}}), LATER)
    catalog.add_publication({"book_version": 4}, json.dumps({"figures": [{"name": f"grr/2026-01/owner={OTHER}", "value": "1"}]}), LATER)
    with catalog.writing():
        catalog.begin_load(LATER, "half", {})
        catalog.source_file("f" * 64, f"export {ACCOUNT} {PERSON} {USER}.csv", 1, "csv")
    staged = catalog.folder / ".staging/half/rows.parquet"
    staged.parent.mkdir(parents=True)
    staged.write_text(f"{ACCOUNT} {PERSON} {USER}")
    return catalog


def files_that_hold(folder: Path, text: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def everything(catalog: Catalog, version: int) -> dict[str, list[Row]]:
    with open_book(catalog, catalog.version(version)) as reader:
        names = ("accounts_versions", "contacts_versions", "events_versions", "tickets_versions", "rejected")
        return {name.removesuffix("_versions"): reader.query(f"FROM {name}").to_pylist() for name in names}


def expected(rows: dict[str, list[Row]], subject: Subject) -> dict[str, list[Row]]:
    """The reference: rows of the subject left out, cells that are its id emptied, rejected rows that name it left out."""
    column = {"account": "account_id", "contact": "contact_id", "user": "user_id"}[subject.kind]
    left = {}
    for name, table in rows.items():
        there = [row for row in table if row.get(column) != subject.id and subject.id not in str(row.get("cells"))]
        left[name] = [{key: None if value == subject.id else value for key, value in row.items()} for row in there]
    return left


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.kind)
def test_no_byte_of_the_id_is_left_in_any_file_and_every_version_reads_as_before_without_it(book: Catalog, subject: Subject) -> None:
    versions = [line.version for line in book.versions()]
    before = {version: everything(book, version) for version in versions}
    assert len(files_that_hold(book.folder, subject.id)) > 3
    result = erase(book, subject, LATER, "request 12")
    for version in versions:
        after, wanted = everything(book, version), expected(before[version], subject)
        assert all(same_rows(after[name], wanted[name]) for name in wanted), version
    assert result.version is not None and result.version.kind == "erasure" and result.log_emptied
    newest, wanted = everything(book, result.version.version), expected(before[versions[-1]], subject)
    assert all(same_rows(newest[name], wanted[name]) for name in wanted)
    assert files_that_hold(book.folder, subject.id) == []
    assert verify_files(book, "all") == ()
    book.close()
    assert files_that_hold(book.folder, subject.id) == []


def counts(book: Catalog, subject: Subject) -> dict[str, int]:
    """How many different row versions of the subject the book holds, over all kept versions."""
    found: dict[str, set[tuple[object, ...]]] = {}
    for line in book.versions():
        rows = everything(book, line.version)
        left = expected(rows, subject)
        for name in rows:
            stays = {(row["load"], row["source_row"]) for row in left[name]}
            found.setdefault(name, set()).update({(row["load"], row["source_row"]) for row in rows[name]} - stays)
    return {name: len(ids) for name, ids in found.items() if ids}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.kind)
def test_a_dry_run_counts_what_the_erasure_then_takes_out_and_changes_nothing(book: Catalog, subject: Subject) -> None:
    before, wanted = files_that_hold(book.folder, subject.id), counts(book, subject)
    dry = erase(book, subject, LATER, dry_run=True)
    assert files_that_hold(book.folder, subject.id) == before and dry.dry_run and dry.entry is None
    assert dict(dry.rows) == wanted and dry.versions == (1, 2, 3, 4) and dry.source_names == 1
    done = erase(book, subject, LATER)
    for name in ("rows", "cells", "publications", "files", "files_replaced", "versions"):
        assert getattr(done, name) == getattr(dry, name)
    assert done.loads_abandoned == (4,)
    again = erase(book, subject, LATER)
    assert again.found_nothing and again.entry is None


def test_an_accounts_children_lose_their_parent_and_stay(book: Catalog) -> None:
    result = erase(book, SUBJECTS[0], LATER)
    assert result.cells == (("accounts", "parent_id", 1),)
    assert [row["account_id"] for row in everything(book, 1)["accounts"]] == [OTHER]


def test_the_ledger_entry_holds_counts_and_the_reference_and_the_documents_of_others_stay(book: Catalog) -> None:
    result = erase(book, SUBJECTS[0], LATER, "DSR-2026-17")
    with book.reading() as connection:
        entry = next(line for line in entries(connection, kind="erasure"))
    assert entry == result.entry
    assert entry.body["reference"] == "DSR-2026-17" and entry.body["rows"] == dict(result.rows)
    assert len(str(entry.body["replaced"]).split(",")) == result.files_replaced
    documents = [line.document is None for line in book.publications()]
    assert documents == [True, False, False] and book.publications()[0].erased_by == entry.seq
    assert book.version(1).erasures == (entry.seq,)


def test_a_plain_id_that_stands_elsewhere_by_chance_is_left_and_mentioned(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    add_load(catalog, {"events": [at(1, account_id="7", user_id="u"), at(1, account_id="8", user_id="7"), at(1, account_id="77")]})
    result = erase(catalog, Subject("account", "7"), LATER)
    assert result.rows == (("events", 1),) and result.cells == () and result.mentions == (("events", "user_id", 1),)
    current = catalog.current()
    assert current is not None
    assert {(row["account_id"], row["user_id"]) for row in everything(catalog, current.version)["events"]} == {("8", "7"), ("77", None)}


def test_rejected_rows_that_name_a_plain_id_go_and_others_stay(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    named = [
        rejected(customer="7"),
        rejected(customer=" 7 "),
        {**rejected(customer="x"), "value": "7, 2026-01-01"},
        rejected(**{"": "7;broken"}),
    ]
    others = [rejected(customer="77", day="2026-07-07"), rejected(customer=None)]
    add_load(catalog, {"rejected": [*named, *others]})
    assert erase(catalog, Subject("account", "7"), LATER).rows == (("rejected", len(named)),)
    current = catalog.current()
    assert current is not None
    assert [row["source_row"] for row in everything(catalog, current.version)["rejected"]] == [6, 7]


def test_undo_after_an_erasure_brings_nothing_back(book: Catalog) -> None:
    erase(book, SUBJECTS[0], LATER)
    version = undo(book, LATER).version
    assert {row["account_id"] for row in everything(book, version.version)["accounts"]} == {OTHER}
    assert files_that_hold(book.folder, ACCOUNT) == [] and verify_files(book, "all") == ()


class Killed(BaseException):
    """Stands for the process being ended at that moment."""


@pytest.mark.parametrize("step", ["rewrite_file", "align_tables", "_forget_names", "delete_unused"])
def test_an_erasure_killed_at_any_step_is_finished_by_the_next_writer_or_had_not_begun(
    book: Catalog, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {version: everything(book, version) for version in (1, 2, 3, 4)}
    original, calls = getattr(erasing, step), []

    def ends(*arguments: object, **named: object) -> object:
        calls.append(step)
        if step == "delete_unused" or len(calls) == 3:
            raise Killed
        result = original(*arguments, **named)
        if step in ("align_tables", "_forget_names"):
            raise Killed
        return result

    with monkeypatch.context() as patched:
        patched.setattr(erasing, step, ends)
        with pytest.raises(Killed):
            erase(book, SUBJECTS[0], LATER)
    with open_catalog(book.folder) as fresh:
        begun = bool([line for line in fresh.versions() if line.kind == "erasure"])
        assert begun == (step == "delete_unused")
        assert not verify_files(fresh, "all")
        if not begun:
            assert all(same_rows(everything(fresh, version)[name], before[version][name]) for version in before for name in before[1])
            repeated: ErasureResult = erase(fresh, SUBJECTS[0], LATER)
            assert repeated.entry is not None
        else:
            compact(fresh, LATER)  # any command that writes
        assert verify_files(fresh, "all") == ()
        fresh.checkpoint()
    book.close()
    assert files_that_hold(book.folder, ACCOUNT) == []


def test_a_reference_that_holds_the_id_and_an_empty_id_are_faults(book: Catalog) -> None:
    with pytest.raises(BadInput, match="reference"):
        erase(book, SUBJECTS[1], LATER, f"request of {PERSON}")
    with pytest.raises(BadInput, match="empty"):
        erase(book, Subject("user", " "), LATER)
