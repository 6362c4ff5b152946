"""Backup, destroy, restore: the same book, ledger, figures and people; and a backup that was damaged is refused before it does harm."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.doors.book_files import Book, company_book
from tests.doors.cli_files import run, run_process
from tests.unit.state.databases import KINDS, state_in, using
from unspun.app.backup import make
from unspun.app.backup.make import SECRET, BackupRequest, backup
from unspun.app.backup.restore import RestoreRequest, restore
from unspun.app.workspace import open_workspace
from unspun.errors import BadInput, UnspunError
from unspun.state.models import Person
from unspun.web.site import KEY_FILE, STATE_FILE

TABLES = ("accounts", "subscriptions", "events")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A book of several versions with a published figure. Tests read it only."""
    book = company_book(tmp_path_factory.mktemp("kept"))
    assert book.load(book.exports).code == 0
    assert book.run("retention", "--as-of", "2026-02-15").code == 0
    assert book.load(book.export("usage-2.csv", ("id,at,what", "A-1,2026-02-07 10:00,login"))).code == 0
    return book


@pytest.fixture(scope="module")
def archive(kept: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "acme.tar"
    assert kept.run("backup", file).code == 0
    return file


def not_set_up(_: Path) -> None:
    raise AssertionError("this backup has no state")


def everything(book: Book) -> dict[str, list[dict[str, str]]]:
    return {f"{table} {known}": book.rows(table, *known.split()) for table in TABLES for known in ("", "--version 1")}


def test_after_everything_is_destroyed_the_restored_book_has_the_same_rows_ledger_and_figures(kept: Book, tmp_path: Path) -> None:
    book = Book(tmp_path)
    shutil.copytree(kept.folder, book.folder)
    rows, ledger = everything(book), book.run("ledger", "show", "--json").out
    definitions = {path.name: path.read_bytes() for path in book.folder.glob("*.yml")}
    assert run("backup", tmp_path / "acme.tar", "--workspace", book.folder).code == 0
    shutil.rmtree(book.folder)
    done = run_process("restore", str(tmp_path / "acme.tar"), "--into", str(book.folder), "--json")
    assert done.code == 0, done.err
    stated = json.loads(done.out)
    assert [proof["verdict"] for proof in stated["proofs"]] == ["same"] and stated["proofs"][0]["compared"] > 10
    assert everything(book) == rows and book.run("ledger", "show", "--json").out == ledger
    assert {path.name: path.read_bytes() for path in book.folder.glob("*.yml")} == definitions
    assert book.run("ledger", "verify", "--all").code == 0
    # The book goes on: the next load is the next version, on top of the same ledger.
    loaded = book.load(book.export("usage-3.csv", ("id,at,what", "A-2,2026-02-08 10:00,login")))
    assert "book version 3" in loaded.out and book.run("ledger", "verify", "--all").code == 0


class Moved(NamedTuple):
    """From a state in one kind of database to one in another."""

    given: str
    into: str


@pytest.mark.parametrize("moved", [Moved(given, into) for given in KINDS for into in KINDS], ids="-".join)
def test_people_come_back_and_sign_in_again(moved: Moved, tmp_path: Path) -> None:
    with state_in(tmp_path / "acme", moved.given) as workspace:
        Person.objects.create(email="ann@acme.test", name="Ann", role="owner", password="argon2$hash")
        (workspace.folder / SECRET).write_text("k" * 64)
        made = backup(workspace, BackupRequest(tmp_path / "acme.tar"), datetime.now(UTC))
    assert made.manifest.has_state and SECRET not in made.manifest.members
    shutil.rmtree(tmp_path / "acme")
    with state_in(tmp_path / "elsewhere", moved.into, empty=True), ExitStack() as stack:
        url = os.environ.get("UNSPUN_STATE_URL")
        done = restore(RestoreRequest(made.path, tmp_path / "acme"), lambda folder: stack.enter_context(using(folder, url)))
        stack.close()
        with using(tmp_path / "acme", url):
            assert list(Person.objects.values_list("email", "name", "role", "password")) == [
                ("ann@acme.test", "Ann", "owner", "argon2$hash")
            ]
    assert done.rows is not None and not (tmp_path / "acme" / make.STATE).exists()
    assert (tmp_path / "acme" / STATE_FILE).exists() == (moved.into == "sqlite")
    assert not (tmp_path / "acme" / SECRET).exists()


def test_the_key_is_taken_along_where_it_is_asked_for_and_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    assert SECRET == KEY_FILE
    with state_in(tmp_path / "acme", "sqlite") as workspace:
        (workspace.folder / SECRET).write_text("k" * 64)
        made = backup(workspace, BackupRequest(tmp_path, secrets=True), datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert made.path.name == "acme-20260302T090000Z.tar" and made.path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(made.path) as tar:
        found = tar.extractfile(SECRET)
        assert found is not None and found.read() == b"k" * 64


def test_a_backup_taken_while_the_ledger_is_written_holds_one_moment_of_it(kept: Book, tmp_path: Path) -> None:
    book = Book(tmp_path)
    shutil.copytree(kept.folder, book.folder)
    stop, written = threading.Event(), list[int]()

    def write() -> None:
        with open_workspace(book.folder).catalog() as catalog:
            while not stop.is_set():
                written.append(catalog.append_entry("aside", {"n": len(written)}, datetime.now(UTC)).seq)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(4):
            backup(open_workspace(book.folder), BackupRequest(tmp_path / f"{number}.tar", state=False), datetime.now(UTC))
    finally:
        stop.set()
        thread.join()
    for number in range(4):
        done = restore(RestoreRequest(tmp_path / f"{number}.tar", tmp_path / str(number), proofs=0), not_set_up)
        assert done.verification.is_clean
        assert done.manifest.anchor == done.verification.ledger.head
    assert written


def test_what_was_erased_is_in_no_later_backup(kept: Book, tmp_path: Path) -> None:
    book = Book(tmp_path)
    shutil.copytree(kept.folder, book.folder)
    assert book.run("erase", "--account", "A-2", "--yes").code == 0
    assert book.run("backup", tmp_path / "acme.tar").code == 0
    assert run("restore", tmp_path / "acme.tar", "--into", tmp_path / "again", "--proofs", "0").code == 0
    again = Book(tmp_path / "other")
    again.folder = tmp_path / "again"
    assert {row["account_id"] for row in again.rows("accounts")} == {"A-1"}
    with open_workspace(again.folder).catalog() as catalog:
        here = {path.relative_to(catalog.folder).as_posix() for path in catalog.folder.glob("tables/*/*.parquet")}
        assert here == catalog.files_in_use()


# Refused


def rewritten(archive: Path, to: Path, change: Callable[[str, bytes], Iterator[tuple[tarfile.TarInfo, bytes]]]) -> Path:
    """The archive with some of its members changed."""
    with tarfile.open(archive) as source, tarfile.open(to, "w") as target:
        for header in source:
            file = source.extractfile(header)
            assert file is not None
            for info, body in change(header.name, file.read()):
                info.size = len(body)
                target.addfile(info, io.BytesIO(body))
    return to


def refused(archive: Path, into: Path) -> str:
    with pytest.raises(UnspunError) as refusal:
        restore(RestoreRequest(archive, into), not_set_up)
    assert not into.exists(), "a refused restore leaves nothing"
    return str(refusal.value)


@pytest.mark.parametrize("part", ["book.yml", "warehouse/catalog.db", ".parquet", "_delta_log"])
def test_one_changed_byte_is_found_in_whatever_file_it_is(archive: Path, tmp_path: Path, part: str) -> None:
    def change(name: str, body: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        yield tarfile.TarInfo(name), body[:-1] + bytes([body[-1] ^ 1]) if part in name else body

    told = refused(rewritten(archive, tmp_path / "changed.tar", change), tmp_path / "into")
    assert part in told and "not as it was written" in told


def test_a_file_that_is_missing_and_one_that_was_slipped_in_are_found(archive: Path, tmp_path: Path) -> None:
    def change(name: str, body: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        if name == "retention.yml":
            yield tarfile.TarInfo("more.yml"), body
        else:
            yield tarfile.TarInfo(name), body

    told = refused(rewritten(archive, tmp_path / "changed.tar", change), tmp_path / "into")
    assert "retention.yml: the file is missing." in told and "more.yml: the manifest does not name this file." in told


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "warehouse/../../escaped", "C:\\escaped", ".."])
def test_a_name_that_leads_out_of_the_folder_is_refused(archive: Path, tmp_path: Path, name: str) -> None:
    def change(member: str, body: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        yield tarfile.TarInfo(name if member == "book.yml" else member), body

    assert "leads out of the folder" in refused(rewritten(archive, tmp_path / "changed.tar", change), tmp_path / "into")
    assert not (tmp_path / "escaped").exists()


def test_a_link_is_refused(archive: Path, tmp_path: Path) -> None:
    def change(name: str, body: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        header = tarfile.TarInfo(name)
        if name == "book.yml":
            header.type, header.linkname, body = tarfile.SYMTYPE, "/etc/passwd", b""
        yield header, body

    assert "has no place in a backup" in refused(rewritten(archive, tmp_path / "changed.tar", change), tmp_path / "into")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_a_backup_that_was_cut_off_is_none(archive: Path, tmp_path: Path, share: float) -> None:
    whole = archive.read_bytes()
    last = whole.rindex(b"}")  # of the manifest; only zeros follow
    (tmp_path / "cut.tar").write_bytes(whole[: int(last * share)])
    assert "no backup" in (told := refused(tmp_path / "cut.tar", tmp_path / "into")) or "cut off" in told


def test_a_folder_that_holds_something_is_left_alone(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ran = run("restore", archive, "--into", tmp_path)
    assert ran.code == 2 and "empty folder" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert run("restore", tmp_path / "none.tar", "--into", tmp_path / "new").code == 2
    assert not (tmp_path / "new").exists()


def test_a_backup_never_replaces_a_file(kept: Book, tmp_path: Path) -> None:
    (tmp_path / "acme.tar").write_text("mine")
    assert kept.run("backup", tmp_path / "acme.tar").code == 2
    assert kept.run("backup", tmp_path / "none" / "acme.tar").code == 2
    assert (tmp_path / "acme.tar").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_a_disk_too_small_is_said_before_anything_is_written(kept: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6))  # pyright: ignore
    with pytest.raises(UnspunError, match="and the disk has 1"):
        backup(open_workspace(kept.folder), BackupRequest(tmp_path / "acme.tar", state=False), datetime.now(UTC))
    assert list(tmp_path.iterdir()) == []


def test_a_book_that_does_not_verify_is_not_restored_as_if_it_did(kept: Book, tmp_path: Path) -> None:
    book = Book(tmp_path)
    shutil.copytree(kept.folder, book.folder)
    file = next((book.folder / "warehouse" / "tables" / "events").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert book.run("backup", tmp_path / "acme.tar").code == 0
    told = refused(tmp_path / "acme.tar", tmp_path / "into")
    assert "does not verify" in told and file.name in told


def test_options_that_cannot_be_are_faults(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        restore(RestoreRequest(tmp_path, tmp_path / "into"), not_set_up)
