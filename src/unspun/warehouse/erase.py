"""Erasure: an account, a contact or a user taken out of every file of every kept version of the book, for good."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import duckdb

from unspun.engines.embedded import connect
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import Entry
from unspun.progress import Progress
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_profiles import forget_words, kept_words
from unspun.warehouse.delta import delete_unused, recover
from unspun.warehouse.erase_find import Subject, SubjectKind, TableFinding, find_in_table, headers_of, id_headers, kept_files
from unspun.warehouse.event_accounts import EVENTS, SUBSCRIPTION, SUBSCRIPTIONS, subscriptions_of
from unspun.warehouse.read import spill_folder
from unspun.warehouse.read_model import forget_read_models, models_naming
from unspun.warehouse.rewrite import align_tables, reading, rewrite_file, silent
from unspun.warehouse.staging import STAGING_FOLDER
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

__all__ = ["ErasureResult", "Subject", "SubjectKind", "erase"]

ERASED_NAME = "(erased)"
ACCEPTANCE = "acceptance"  # the kind of the ledger's entries
Key = TypeVar("Key", bound=Hashable)


def _unseen(_name: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """What an erasure took out, or would (`dry_run`), and what it looked at.

    `rows` are row versions by table (`rejected` among them), each counted once however many files held it. `cells` are cells of
    other rows that were emptied, by table and column: an account's id as a parent, and any text that is just the id (where the id is
    distinctive: six signs or more, not all digits). `mentions` are texts that hold the id and were left, for you to look at.
    `publications` and `checks` are ledger entries whose documents name the subject; `acceptances` are those whose own words do, which
    stay: the ledger is never rewritten. `notes` are entries of what people wrote of the account, or of others naming it; `read_models`
    are files for pages that name it, of which all are deleted. `versions` and `files` were looked at, `files_replaced` held
    some of it. `log_emptied` is False where a reader still held SQLite's log: it is emptied when the last one closes. `words` are those
    of enumerations, kept with loads, that are or hold the id.
    """

    dry_run: bool
    rows: tuple[tuple[str, int], ...]
    cells: tuple[tuple[str, str, int], ...]
    mentions: tuple[tuple[str, str, int], ...]
    publications: tuple[int, ...]
    source_names: int
    loads_abandoned: tuple[int, ...]
    versions: tuple[int, ...]
    files: int
    files_replaced: int
    entry: Entry | None
    version: BookVersion | None
    log_emptied: bool
    words: int = 0
    checks: tuple[int, ...] = ()
    acceptances: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()
    read_models: int = 0

    @property
    def found_nothing(self) -> bool:
        in_book = self.rows or self.cells or self.source_names or self.words
        return not (in_book or self.publications or self.checks or self.notes or self.read_models)


def erase(
    catalog: Catalog,
    subject: Subject,
    at: datetime,
    reference: str = "",
    dry_run: bool = False,
    memory: str = "1500MB",
    progress: Progress = _unseen,
    wait_seconds: float = 60.0,
    waiting: Callable[[str], None] = silent,
) -> ErasureResult:
    """Take a subject out of every data file of every kept version, out of rejected rows, staging and published documents.

    Earlier versions stay readable, without it. One ledger entry of kind `erasure` records counts by table, the files replaced and
    `reference` (your own number of the request; not personal data), never the id. Killed before that entry, it has changed nothing
    and is run again; killed after it, the next command that writes deletes what is left of the old files. It does not reach the
    files that you loaded from, nor copies of the warehouse. Raises BadInput for an empty id or a reference that holds it.
    """
    _check(subject, reference)
    with catalog.writing(wait_seconds, waiting, [recover]):
        looked, findings = _find(catalog, subject, memory, progress)
        result = _described(catalog, subject, findings, looked)
        if dry_run:
            return result
        abandoned = _clear_staging(catalog)
        if result.found_nothing:
            return replace(result, dry_run=False, loads_abandoned=abandoned)
        forget_read_models(catalog.folder)
        replaced = _rewrite(catalog, findings, memory, progress)
        entry, version = _record(catalog, subject, at, reference, result, replaced)
        delete_unused(catalog)
        emptied = catalog.checkpoint()
        return replace(result, dry_run=False, loads_abandoned=abandoned, entry=entry, version=version, log_emptied=emptied)


def _check(subject: Subject, reference: str) -> None:
    if not subject.id.strip():
        raise BadInput(Fault("subject", f"The id of the {subject.kind} is empty.", subject.kind, "Give it as it stands in the book."))
    if subject.is_named_in(reference):
        hint = "Give the number of the request: the reference stays in the ledger for good."
        raise BadInput(Fault("reference", "The reference holds the id that is to be erased.", "reference", hint))


def _find(catalog: Catalog, subject: Subject, memory: str, progress: Progress) -> tuple[int, list[TableFinding]]:
    """How many files there are, and what each table holds of the subject."""
    kept, headers, findings = kept_files(catalog), id_headers(catalog, subject), list[TableFinding]()
    by_subscription = _subscription_headers(catalog)
    with connect(memory, spill_folder(catalog), [catalog.folder]) as connection:
        if subject.kind == "account":
            subject = replace(subject, subscriptions=_subscriptions(connection, catalog, subject.id, kept))
        for done, (table, files) in enumerate(kept):
            progress(f"looking through {table.name}", done, len(kept))
            finding = find_in_table(connection, catalog.folder, table, files, subject, headers, by_subscription)
            findings += [finding] if finding else []
    return sum(len(files) for _, files in kept), findings


def _subscriptions(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, account: str, kept: Sequence[tuple[TableVersion, tuple[DataFile, ...]]]
) -> tuple[str, ...]:
    current = catalog.current()
    subscriptions = None if current is None else current.table(SUBSCRIPTIONS)
    with reading(catalog.folder, [file for table, files in kept if table.name == SUBSCRIPTIONS for file in files]):
        return subscriptions_of(connection, catalog.folder, account, subscriptions, kept)


def _subscription_headers(catalog: Catalog) -> frozenset[str] | None:
    """The columns of files of events that any recorded book.yml maps to the subscription; None where that is not known."""
    headers = headers_of(catalog, {SUBSCRIPTION})
    return None if headers is None else headers.get(EVENTS, frozenset())


def _described(catalog: Catalog, subject: Subject, findings: Sequence[TableFinding], looked: int) -> ErasureResult:
    documents = (line for line in catalog.publications() if line.document is not None)
    return ErasureResult(
        dry_run=True,
        rows=tuple(_added_up((found.table.name, found.rows) for found in findings if found.rows).items()),
        cells=_by_column((found.table.name, found.cells) for found in findings),
        mentions=_by_column((found.table.name, found.mentions) for found in findings),
        publications=tuple(line.entry.seq for line in documents if subject.is_named_in_document(line.document or "")),
        source_names=sum(subject.is_named_in(file.name) for file in catalog.source_files()),
        loads_abandoned=(),
        versions=tuple(line.version for line in catalog.versions() if line.kept),
        files=looked,
        files_replaced=sum(len(found.files) for found in findings),
        entry=None,
        version=None,
        log_emptied=True,
        words=sum(map(subject.is_named_in, kept_words(catalog))),
        checks=tuple(seq for seq, document in catalog.check_documents().items() if subject.is_named_in_check(document)),
        notes=tuple(seq for seq, (account, said) in catalog.note_documents().items() if _is_named(subject, account, said)),
        read_models=models_naming(catalog.folder, subject.id),
        acceptances=tuple(entry.seq for entry in catalog.entries(kind=ACCEPTANCE) if subject.is_named_in_any(entry.body)),
    )


def _is_named(subject: Subject, account: str, document: str) -> bool:
    return (subject.kind == "account" and account == subject.id) or subject.is_named_in_document(document)


def _added_up(counts: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    """The sum of the counts of each key: a table that stands several times among the findings is told once."""
    total: dict[Key, int] = {}
    for key, count in counts:
        total[key] = total.get(key, 0) + count
    return total


def _by_column(counts: Iterable[tuple[str, Iterable[tuple[str, int]]]]) -> tuple[tuple[str, str, int], ...]:
    total = _added_up(((table, column), count) for table, columns in counts for column, count in columns)
    return tuple((table, column, count) for (table, column), count in total.items())


def _clear_staging(catalog: Catalog) -> tuple[int, ...]:
    """Delete what unfinished loads staged: it may hold the subject. Such a load starts over."""
    begun = tuple(line.load for line in catalog.load_lines() if line.state == "begun")
    for load in begun:
        catalog.abandon_load(load)
    shutil.rmtree(catalog.folder / STAGING_FOLDER, ignore_errors=True)
    return begun


def _rewrite(catalog: Catalog, findings: Sequence[TableFinding], memory: str, progress: Progress) -> dict[str, DataFile | None]:
    """Write the files that hold the subject again without it: by old path, the new file (None: nothing was left)."""
    work = [(found, file) for found in findings for file in found.files]
    replaced: dict[str, DataFile | None] = {}
    with connect(memory, spill_folder(catalog), [catalog.folder]) as connection:
        for done, (found, file) in enumerate(work):
            progress(f"rewriting {found.table.name}", done, len(work))
            kept = f"NOT {found.removed}"
            replaced[file.path] = rewrite_file(connection, catalog.folder, found.table, file, kept, found.emptied)
    return replaced


def _record(
    catalog: Catalog, subject: Subject, at: datetime, reference: str, result: ErasureResult, replaced: dict[str, DataFile | None]
) -> tuple[Entry, BookVersion | None]:
    """The ledger entry, the files in the place of others in every version, and the version after it, in one transaction."""
    body = {
        "subject": subject.kind,
        "reference": reference,
        "rows": dict(result.rows),
        "cells": sum(count for _, _, count in result.cells),
        "files_replaced": len(replaced),
    }
    current = catalog.current()
    aligned = ()
    if current is not None:
        left = [
            replace(table, files=tuple(new for file in table.files if (new := replaced.get(file.path, file)) is not None))
            for table in current.tables
        ]
        aligned = align_tables(catalog, left, {"unspun": "erasure"})
    with catalog.transaction():
        entry = catalog.replace_files(replaced, ("erasure", body), at, (*result.publications, *result.checks, *result.notes))
        _forget_names(catalog, subject)
        changed = current is not None and any(file.path in replaced for table in current.tables for file in table.files)
        version = catalog.publish("erasure", aligned, at, [("erasure", {"recorded_in": entry.seq})]) if changed else current
    return entry, version


def _forget_names(catalog: Catalog, subject: Subject) -> None:
    """Names of source files that hold the id are forgotten; their rows keep the file's number."""
    named = [(ERASED_NAME, file.number) for file in catalog.source_files() if subject.is_named_in(file.name)]
    catalog.connection.executemany("UPDATE source_files SET name = ? WHERE number = ?", named)
    forget_words(catalog.connection, filter(subject.is_named_in, kept_words(catalog)))
