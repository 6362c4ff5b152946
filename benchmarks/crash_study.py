"""Kill a book's writer at random moments, two hundred times, with readers beside it, and see whether anything committed is lost.

    python -m benchmarks.crash_study                   # 200 kills, result to benchmarks/results/crash-study-DATE.json
    python -m benchmarks.crash_study --kills 20 --seed 7 --out result.json
    python -m benchmarks.crash_study --tmpfs FOLDER    # FOLDER: an empty tmpfs of a few MB; its being full is then tried for real

A round takes one operation (load, compaction, erasure, undo, ledger append) in a process of its own and ends it: by SIGKILL after
a random time, by SIGKILL at its n-th call that touches a file or statement on the catalogue (n random, half of them among the last
ones, where it commits), or by failing writes (a limit on the size of files; a full tmpfs). Two readers read the book all the while.
Afterwards every kept version is read and compared with what was acknowledged, the files and the ledger are verified, and the
operation is run again to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.killed_processes import Answer, await_answer, fork, in_process, kill_at_call, limit_files, watch_calls
from unspun.app.keeping import compact, erase, undo
from unspun.app.loads import LoadRequest, load, plan_load
from unspun.app.workspace import open_workspace
from unspun.app.workspace_making import create_workspace
from unspun.errors import UnspunError
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_check import check_ledger
from unspun.warehouse.erase import Subject
from unspun.warehouse.read import open_book
from unspun.warehouse.verify import verify_files
from unspun.warehouse.versions import BookVersion

RESULTS = Path(__file__).resolve().parent / "results"
ACCOUNTS, EVENTS = 20, 400  # of each batch that is loaded
READERS, READER_PAUSE_SECONDS, MOST_WRONG = 2, 0.02, 20
LAST_CALLS = 60  # of an operation: renames, log entries and the statements of its transaction
OPERATIONS = ("load", "load", "load", "compact", "erase", "undo", "append")
ENDINGS = ("time", "time", "time", "call", "call", "call", "full")
MOVED_ON = frozenset({"version_changed", "version_not_kept"})  # a reader is told to look up the version again
BOOK = """\
sources:
  - files: "accounts-*.csv"
    table: accounts
    columns: {account_id: account_id, dated: dated, owner: owner}
  - files: "events-*.csv"
    table: events
    columns: {account_id: account_id, occurred: occurred, event: event}
"""
TABLES = ("accounts", "events")
NAMES = tuple(f"A-{k:02d}" for k in range(ACCOUNTS))
Signature = dict[str, int]  # rows by table and account, as "events A-03"


# The book that is written: batches of two tables, so that half of a load would show.


def write_batch(folder: Path, number: int) -> tuple[str, str]:
    """Two files of a batch, which no other batch repeats: dated statements of accounts and their events."""
    day = date(2026, 1, 1) + timedelta(days=number)
    accounts, events = folder / f"accounts-{number}.csv", folder / f"events-{number}.csv"
    accounts.write_text("account_id,dated,owner\n" + "".join(f"{name},{day},owner {number}\n" for name in NAMES))
    lines = (f"{NAMES[k % ACCOUNTS]},{day}T{k // 60 % 24:02d}:{k % 60:02d}:00Z,login\n" for k in range(EVENTS))
    events.write_text("account_id,occurred,event\n" + "".join(lines))
    return str(accounts), str(events)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on the workspace, with what it takes: the files to load, the account to erase."""

    kind: str
    files: tuple[str, ...] = ()
    account: str = ""

    def run(self, folder: Path) -> Answer:
        workspace = open_workspace(folder)
        if self.kind == "load":
            request = LoadRequest(self.files)
            result = load(workspace, plan_load(workspace, request), request, now())
            return {"version": None if result.version is None else result.version.version}
        if self.kind == "compact":
            compacted = compact(workspace, now(), 0)
            return {"version": None if compacted.version is None else compacted.version.version}
        if self.kind == "erase":
            erased = erase(workspace, Subject("account", self.account), now())
            return {"version": None if erased.version is None else erased.version.version}
        if self.kind == "undo":
            return {"version": undo(workspace, now()).version.version}
        return self._append(workspace.catalog())

    def _append(self, catalog: Catalog) -> Answer:
        with catalog:
            current = catalog.current()
            body = {"book_version": 0 if current is None else current.version, "kind": "crash study"}
            return {"entry": catalog.add_publication(body, f"published at {now().isoformat()}", now()).seq}


# What is read


def signature(catalog: Catalog, book: BookVersion) -> Signature:
    """Rows of a version, counted in its files, by table and account."""
    found: Signature = {}
    with open_book(catalog, book) as reader:
        for table in TABLES:
            counted = reader.query(f"SELECT account_id, count(*) AS n FROM {table}_versions GROUP BY 1 ORDER BY 1").to_pylist()
            found |= {f"{table} {row['account_id']}": row["n"] for row in counted}
    return found


def stored_rows(catalog: Catalog, book: BookVersion, counted: dict[str, Counter[str]]) -> Signature:
    """The same, counted straight in the Parquet files, each file once (`counted` is by path)."""
    found = Counter[str]()
    for table in book.tables:
        for file in table.files if table.name in TABLES else ():
            if file.path not in counted:
                names = pq.ParquetFile(catalog.folder / file.path).read(["account_id"])["account_id"].to_pylist()
                counted[file.path] = Counter(f"{table.name} {name}" for name in names)
            found += counted[file.path]
    return dict(found)


def rows_of(found: Signature, table: str) -> int:
    return sum(n for name, n in found.items() if name.startswith(table))


def inspect(folder: Path) -> Answer:
    """Every kept version as its files have it, and what verification finds."""
    with open_workspace(folder).catalog() as catalog:
        kept = [line.version for line in catalog.versions() if line.kept]
        checked, counted = check_ledger(catalog), dict[str, Counter[str]]()
        versions = {number: stored_rows(catalog, catalog.version(number), counted) for number in kept}
        current = catalog.current()
        faults = (
            [] if current is None or signature(catalog, current) == versions[current.version] else ["the newest version reads otherwise"]
        )
        return {
            "versions": versions,
            "cited": sorted(catalog.cited_versions()),
            "publications": [one.entry.seq for one in catalog.publications()],
            "entries": checked.entries,
            "faults": [*faults, *map(str, checked.breaks), *map(str, checked.faults), *map(str, verify_files(catalog, "all"))],
        }


def read_until(folder: Path, stop: Path) -> Answer:
    """Read the newest version again and again; a version is whole where every load in it brought all its rows of both tables."""
    reads, moved, wrong = 0, 0, []
    while not stop.exists():
        try:
            with open_workspace(folder).catalog() as catalog:
                book = catalog.current()
                if book is None:
                    continue
                rows = signature(catalog, book)
        except UnspunError as refusal:
            codes = {fault.code for fault in refusal.faults}
            moved += 1
            if not codes <= MOVED_ON:
                wrong.append(str(refusal))
            continue
        reads += 1
        time.sleep(READER_PAUSE_SECONDS)
        statements, events = (rows_of(rows, table) for table in TABLES)
        if statements * EVENTS != events * ACCOUNTS:
            wrong.append(f"version {book.version}: {statements} statements beside {events} events")
    return {"reads": reads, "moved": moved, "wrong": wrong[:5]}


# The study


@dataclass(frozen=True, slots=True)
class Expected:
    """What the newest version must hold: the batches in force, each with the accounts that were not erased since."""

    batches: tuple[frozenset[str], ...] = ()

    def after(self, step: Step) -> Expected:
        if step.kind == "load":
            return Expected((*self.batches, frozenset(NAMES)))
        if step.kind == "undo":
            return Expected(self.batches[:-1])
        if step.kind == "erase":
            return Expected(tuple(batch - {step.account} for batch in self.batches))
        return self

    @property
    def rows(self) -> Signature:
        found = Counter[str]()
        for batch in self.batches:
            for name in batch:
                found[f"accounts {name}"] += 1
                found[f"events {name}"] += EVENTS // ACCOUNTS
        return dict(found)


@dataclass(slots=True)
class Study:
    """A workspace, what it must hold, and what was found so far. `space` is the tmpfs that is filled where writes are to fail."""

    folder: Path
    rng: random.Random
    space: Path | None = None
    expected: Expected = field(default_factory=Expected)
    seen: Answer = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    batch: int = 0

    @property
    def workspace(self) -> Path:
        return self.folder / "book"

    @property
    def killed(self) -> int:
        """Rounds in which the kill came before the operation had ended."""
        return sum(n for name, n in self.counts.items() if name.endswith("killed"))

    def begin(self) -> None:
        """A workspace with three loads; every operation run once to its end, for how long it takes."""
        self.folder.joinpath("files").mkdir(parents=True)
        made = in_process(lambda: {"folder": str(create_workspace(self.workspace, now()).folder)})
        if "done" not in made:
            raise RuntimeError(str(made))
        (self.workspace / "book.yml").write_text(BOOK)
        self.seen = self.inspected()
        for kind in ("load", "load", "load", "append", "undo", "load", "compact", "erase", "load"):
            self.complete(self.step(kind), "begin")

    def step(self, kind: str) -> Step:
        if kind != "load" and len(self.expected.batches) < 2:
            kind = "load"
        if kind == "load":
            self.batch += 1
            return Step(kind, write_batch(self.folder / "files", self.batch))
        return Step(kind, account=self.rng.choice(NAMES) if kind == "erase" else "")

    def inspected(self) -> Answer:
        answer = in_process(lambda: inspect(self.workspace))
        if "done" not in answer:
            self.wrong.append(f"the book cannot be inspected: {answer}")
            return {"versions": {}, "cited": [], "publications": [], "entries": 0, "faults": [str(answer)]}
        return answer["done"]

    def round(self, number: int) -> None:
        step, ending = self.step(self.rng.choice(OPERATIONS)), self.rng.choice(ENDINGS)
        where = f"round {number}, {step.kind} ended by {ending}"
        with self.readers(where):
            answer = self.interrupted(step, ending)
        self.counts[f"{step.kind}, {ending}: {outcome(answer)}"] += 1
        if "failed" in answer:
            self.wrong.append(f"{where}: {answer['failed']}")
        committed = self.judge(step, answer, where)
        if step.kind == "load" or not committed:
            self.complete(step, where, committed)

    def interrupted(self, step: Step, ending: str) -> Answer:
        def work() -> Answer:
            return step.run(self.workspace)

        if ending == "time":
            child, pipe = fork(work)
            time.sleep(self.rng.uniform(0, 1.05) * self.seconds[step.kind])
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            return await_answer(child, pipe)
        if ending == "call":
            calls = self.calls[step.kind]
            first = self.rng.choice((1, max(1, calls - LAST_CALLS)))  # half of them near the end, where it commits
            return await_answer(*fork(work, kill_at_call(self.rng.randint(first, calls))))
        if self.space is None:
            return await_answer(*fork(work, limit_files(int(10 ** self.rng.uniform(2.5, 5.5)))))
        with filled(self.space, self.rng.randint(0, 300_000)):
            return in_process(work)

    def complete(self, step: Step, where: str, committed: bool = False) -> None:
        """Run an operation to its end: what was interrupted must now work. `committed`: a load that is in the book already."""
        begun = time.monotonic()
        answer = await_answer(*fork(lambda: counting_calls(lambda: step.run(self.workspace))))
        if not committed:
            self.seconds[step.kind] = time.monotonic() - begun
        if "done" not in answer:
            self.wrong.append(f"{where}: run again, it fails: {answer}")
            return
        if not committed:
            self.calls[step.kind] = answer["done"]["calls"]
        self.judge(step, answer, f"{where}, run again", committed)

    def judge(self, step: Step, answer: Answer, where: str, committed: bool = False) -> bool:
        """Compare the book with what it must be; whether the operation is in it."""
        before, after, account = self.seen, self.inspected(), step.account
        wrong = [f"{where}: {fault}" for fault in after["faults"]]
        was, will = self.expected.rows, self.expected.rows if committed else self.expected.after(step).rows
        newest = after["versions"][max(after["versions"], key=int)] if after["versions"] else {}
        entered = after["entries"] > before["entries"]
        done = newest == will and (was != will or committed or entered or "done" in answer)
        if newest not in (was, will):
            wrong.append(f"{where}: the newest version holds {newest}, not {was} or {will}")
        if "done" in answer and newest != will:
            wrong.append(f"{where}: it was acknowledged and is not in the book")
        wrong += [f"{where}: {what}" for what in lost(before, after, step.kind, account if done else "")]
        entry = answer.get("done", {}).get("entry")
        if entry is not None and entry not in after["publications"]:
            wrong.append(f"{where}: the acknowledged entry {entry} is not in the ledger")
        self.wrong += wrong
        self.seen = after
        if done and not committed:
            self.expected = self.expected.after(step)
        return done

    @contextmanager
    def readers(self, where: str) -> Iterator[None]:
        stop = self.folder / "stop"
        running = [fork(lambda: read_until(self.workspace, stop)) for _ in range(READERS)]
        try:
            yield
        finally:
            stop.touch()
            answers = [await_answer(*one) for one in running]
            stop.unlink()
        for answer in answers:
            found = answer.get("done", {"wrong": [str(answer)]})
            self.wrong += [f"{where}: a reader: {what}" for what in found["wrong"]]
            self.reads.update({name: found[name] for name in ("reads", "moved") if name in found})


def lost(before: Answer, after: Answer, kind: str, erased: str) -> Iterator[str]:
    """What was committed before and is no longer there: versions that had to be kept, their rows, publications."""
    newest = max(before["versions"], key=int, default=None)
    for number, rows in before["versions"].items():
        kept = after["versions"].get(number)
        left = {name: n for name, n in rows.items() if not (erased and name.endswith(erased))}
        if kept is None and not (kind == "compact" and int(number) not in before["cited"]):
            yield f"version {number} is gone{' (it was the newest)' if number == newest else ''}"
        if kept is not None and kept != left:
            yield f"version {number} held {left} and now {kept}"
    if not set(before["publications"]) <= set(after["publications"]):
        yield "a publication is gone"
    if after["entries"] < before["entries"]:
        yield "the ledger is shorter"


def counting_calls(work: Callable[[], Answer]) -> Answer:
    """The work's answer, and at how many calls kill_at_call could have ended it."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    watch_calls(count)
    return work() | {"calls": calls}


def outcome(answer: Answer) -> str:
    return next((word for word in ("done", "refused", "failed") if word in answer), "killed")


@contextmanager
def filled(space: Path, left_bytes: int) -> Iterator[None]:
    """A file system filled up but for so many bytes."""
    ballast, free = space / "ballast", shutil.disk_usage(space).free
    try:
        with suppress(OSError):
            ballast.write_bytes(b"\0" * max(0, free - left_bytes))
        yield
    finally:
        ballast.unlink(missing_ok=True)


def run_study(folder: Path, kills: int, seed: int, space: Path | None = None, told: Callable[[str], None] = lambda _: None) -> Answer:
    """Rounds in a new folder until `kills` were ended by SIGKILL: what was done, what readers read, what was wrong (nothing should be)."""
    study = Study(folder, random.Random(seed), space)
    study.begin()
    begun = time.monotonic()
    number = 0
    while study.killed < kills and len(study.wrong) < MOST_WRONG:
        number += 1
        known = len(study.wrong)
        study.round(number)
        for what in study.wrong[known:]:
            told(what)
        told(f"{study.killed} of {kills} kills in {number} rounds, {len(study.wrong)} wrong, {time.monotonic() - begun:.0f} s")
    return {
        "seed": seed,
        "rounds": number,
        "killed": study.killed,
        "full_disk": "a full tmpfs" if space else "a limit on the size of files",
        "outcomes": dict(sorted(study.counts.items())),
        "reads": dict(study.reads),
        "entries_in_ledger": study.seen["entries"],
        "wrong": study.wrong,
        "seconds": round(time.monotonic() - begun, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--tmpfs", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS / f"crash-study-{date.today()}.json")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=words.tmpfs) as folder:
        result = run_study(Path(folder) / "study", words.kills, words.seed, words.tmpfs, lambda line: print(line, flush=True))
    packages = {name: version(name) for name in ("duckdb", "deltalake", "pyarrow", "unspun")}
    machine = {"system": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()}
    document = {"date": date.today().isoformat(), "machine": machine, "packages": packages, **result}
    words.out.write_text(json.dumps(document, indent=2) + "\n")
    print("\n".join(result["wrong"][:20]) or f"nothing lost in {result['rounds']} rounds, {result['killed']} of them ended by SIGKILL")
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
