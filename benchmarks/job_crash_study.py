"""Kill what writes the state of the console at random moments: jobs, migrations and plain writes, on SQLite and on Postgres.

    python -m benchmarks.job_crash_study                  # 100 rounds of each on SQLite; to benchmarks/results/job-crash-study-DATE.json
    python -m benchmarks.job_crash_study --postgres       # the same with the state in Postgres
    python -m benchmarks.job_crash_study --rounds 3 --seed 7 --out result.json

A round of a job asks for an import and runs it in a process that is killed (SIGKILL) after a random time or at its n-th call that touches
a file, with or without the worker that watches it, until the job has ended; then the job must be done with its rows in the book once, or
failed with its reason, and the book whole. A round of a migration kills the process that brings an older state up to date, at a random
statement or time, and runs it again: tables and rows must be those of one that was never killed. A round of a write kills a process that
says of each write that it was committed; everything it said must be there.
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
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.crash_study import BOOK, Expected, Step, inspect, write_batch
from benchmarks.killed_processes import Answer, await_answer, fork, in_process, kill_at_call
from unspun.app.workspace import open_workspace
from unspun.app.workspace_making import create_workspace
from unspun.web.set_up import prepare_state, set_up
from unspun.web.site import STATE_VARIABLE, database_of

RESULTS = Path(__file__).resolve().parent / "results"
ENDINGS = ("time", "call", "worker", "none")  # worker: the one that watches dies with it
PEOPLE, MOST_WRONG = 20, 20
OLD = ("0001_initial", "0003_person_zone")  # the states that are brought up to date
Work = Callable[[], Answer]


def now() -> datetime:
    return datetime.now(UTC)


class Databases:
    """Where states lie: files in a folder, or databases of one Postgres server that this makes and drops."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.folder, self.server = folder, server

    def make(self, name: str, template: str | None = None) -> Any:
        """A new database (a copy of `template`), as Django describes it."""
        if self.server is None:
            if template is not None:
                shutil.copyfile(self.folder / f"{template}.db", self.folder / f"{name}.db")
            return database_of(None, self.folder / f"{name}.db")
        import psycopg

        with psycopg.connect(f"{self.server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name} {f'TEMPLATE {template}' if template else ''}".encode())
        return database_of(f"{self.server}/{name}", Path(name))


@contextmanager
def at(database: Any) -> Iterator[None]:
    """Within it, that database is Django's."""
    from django.db import connections

    former = connections.databases["default"]
    _point(database)
    try:
        yield
    finally:
        _point(former)


def _point(database: Any) -> None:
    from django.db import connections

    connections["default"].close()
    del connections["default"]
    connections.databases["default"] = connections.configure_settings({"default": database})["default"]


def forked(work: Work, before: Callable[[], None] = lambda: None) -> tuple[int, int]:
    """A process of its own, which shares no connection with this one."""
    from django.db import connections

    connections.close_all()
    return fork(work, before)


def kill_at_statement(n: int) -> Callable[[], None]:
    """Before the work: have this process kill itself at its n-th statement to the state, before or after it is done."""

    def arm() -> None:
        from django.db import connection

        left = n

        def count(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*arguments)

        connection.execute_wrappers.append(count)

    return arm


def killed_in(work: Work, seconds: float) -> Answer:
    child, pipe = forked(work)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return await_answer(child, pipe)


@dataclass(slots=True)
class Study:
    """A workspace, its databases, and what was found so far."""

    folder: Path
    databases: Databases
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    killed: int = 0
    expected: Expected = field(default_factory=Expected)
    ended: dict[int, str] = field(default_factory=dict)
    batch: int = 0
    job_seconds: float = 0.0
    references: dict[str, Answer] = field(default_factory=dict)  # what becomes of an older state where nobody disturbs it
    migration_seconds: dict[str, float] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.folder / "book"

    def note(self, what: str, killed: bool) -> None:
        self.counts[what] += 1
        self.killed += killed

    def begin(self) -> None:
        """The workspace, its state, and how long a job and a migration take where nobody disturbs them."""
        self.folder.joinpath("files").mkdir(parents=True)
        made = in_process(lambda: {"folder": str(create_workspace(self.workspace, now()).folder)})
        if "done" not in made:
            raise RuntimeError(str(made))
        (self.workspace / "book.yml").write_text(BOOK)
        set_up(self.workspace)
        _point(self.databases.make("jobs"))
        prepare_state()
        begun = time.monotonic()
        self.job(endings=("none",))
        self.job_seconds = time.monotonic() - begun
        self._begin_migrations()

    # A job

    def job(self, endings: tuple[str, ...] = ENDINGS) -> None:
        from unspun.app.jobs.processes import this_process
        from unspun.app.jobs.queue import OPEN, ask, attempt_of, cancel, claim, find

        self.batch += 1
        files = write_batch(self.folder / "files", self.batch)
        number = ask("load", {"paths": list(files)}, None, now()).pk
        cancelled = endings == ENDINGS and self.rng.random() < 0.1
        while find(number).state in OPEN and len(self.wrong) < MOST_WRONG:
            ending = self.rng.choice(endings)
            if ending == "worker":
                answer = self._killed_worker()
            else:
                claimed = claim(this_process(), now())
                if claimed is None:
                    self.wrong.append(f"job {number} waits and is not given to anyone")
                    return
                if cancelled:
                    cancel(number, now())
                answer = self._attempt(number, claimed.attempts, ending)
                self._lose(number, attempt_of(claimed))
            if "failed" in answer or "refused" in answer:
                self.wrong.append(f"job {number}: {answer}")
            self.note(f"job, {ending}: {'ended' if answer else 'killed'}", not answer)
        self._judge_job(number)

    def _attempt(self, job: int, attempt: int, ending: str) -> Answer:
        from unspun.web.job_process import run

        def work() -> Answer:
            return {"code": run(job, attempt)}

        if ending == "time":
            return killed_in(work, self.rng.uniform(0, 1.1) * self.job_seconds)
        if ending == "call":
            return await_answer(*forked(work, kill_at_call(int(10 ** self.rng.uniform(0, 3)))))
        return await_answer(*forked(work))

    def _killed_worker(self) -> Answer:
        """A process that claims the job and runs it, killed; nobody is left who saw it die."""
        from unspun.app.jobs.processes import this_process
        from unspun.app.jobs.queue import LOST_AFTER, attempt_of, claim, lost_jobs
        from unspun.web.job_process import run

        def work() -> Answer:
            claimed = claim(this_process(), now())
            return {"code": None if claimed is None else run(claimed.pk, claimed.attempts)}

        answer = killed_in(work, self.rng.uniform(0, 1.1) * self.job_seconds)
        for job in lost_jobs(now() + 2 * LOST_AFTER):
            self._lose(job.pk, attempt_of(job))
        return answer

    def _lose(self, number: int, attempt: Any) -> None:
        from unspun.app.jobs.queue import find, lose
        from unspun.app.jobs.work import standing, what_was_kept

        before = find(number).before
        lose(attempt, "Its process was killed.", what_was_kept(before, standing(open_workspace(self.workspace))), now())

    def _judge_job(self, number: int) -> None:
        from unspun.app.jobs.queue import MOST_ATTEMPTS, find
        from unspun.state.job_models import Job

        job, error = find(number), find(number).error or {}
        found = in_process(lambda: inspect(self.workspace)).get("done", {"faults": ["the book cannot be inspected"], "versions": {}})
        newest = found["versions"][max(found["versions"], key=int)] if found["versions"] else {}
        after = self.expected.after(Step("load"))
        taken = newest == after.rows
        self.wrong += [f"job {number}: {fault}" for fault in found["faults"]]
        if newest not in (self.expected.rows, after.rows):
            self.wrong.append(f"job {number}: the book holds a part of it, or rows twice")
        if job.state == "done" and not taken:
            self.wrong.append(f"job {number} is done, and its rows are not in the book")
        if job.state == "failed" and (job.attempts != MOST_ATTEMPTS or not error.get("what") or not error.get("kept")):
            self.wrong.append(f"job {number} failed after {job.attempts} attempts, and says {error}")
        self.counts[f"jobs {job.state}"] += 1
        self.ended[number] = job.state
        now_ended = dict(Job.objects.filter(pk__in=self.ended).values_list("pk", "state"))
        if now_ended != self.ended:
            self.wrong.append(f"after job {number}, jobs that had ended are {now_ended}, not {self.ended}")
        self.expected = after if taken else self.expected

    # A migration

    def _begin_migrations(self) -> None:
        """States as earlier versions had them, with rows; and what becomes of each where nobody disturbs the migration."""
        for old in OLD:
            with at(self.databases.make(_kept(old))):
                _old_state(old)
            with at(self.databases.make("reference", _kept(old))):
                begun = time.monotonic()
                self.statements[old] = in_process_apart(_counting_statements)["done"]["statements"]
                self.migration_seconds[old] = time.monotonic() - begun
                self.references[old] = _contents()

    def migration(self) -> None:
        old, ending = self.rng.choice(OLD), self.rng.choice(("statement", "statement", "time"))
        reference = self.references[old]
        with at(self.databases.make("migrated", _kept(old))):
            if ending == "time":
                answer = killed_in(_migrate, self.rng.uniform(0, 1.1) * self.migration_seconds[old])
            else:
                answer = await_answer(*forked(_migrate, kill_at_statement(self.rng.randint(1, self.statements[old]))))
            self.note(f"migration from {old[:4]}, {ending}: {'ended' if answer else 'killed'}", not answer)
            again = in_process_apart(_migrate)
            if "done" not in again:
                self.wrong.append(f"a migration that was killed cannot be run again: {again}")
            elif (found := _contents()) != reference:
                differing = [name for name in reference if found[name] != reference[name]]
                self.wrong.append(f"a migration that was killed and run again left other {', '.join(differing)}")

    # A write

    def write(self) -> None:
        read, said = os.pipe()
        before = _written()
        ending = self.rng.choice(("statement", "time"))
        mark = self.rng.randrange(10**9)
        if ending == "time":
            answer = killed_in(lambda: _write(mark, said), self.rng.uniform(0, 0.3))
        else:
            answer = await_answer(*forked(lambda: _write(mark, said), kill_at_statement(int(10 ** self.rng.uniform(0.3, 2.3)))))
        os.close(said)
        with os.fdopen(read, "rb") as pipe:
            told = {line.decode() for line in pipe.read().split(b"\n")[:-1]}
        after = _written()
        self.note(f"write, {ending}: {'ended' if answer else 'killed'}", not answer)
        self.counts["writes acknowledged"] += len(told)
        if not told <= after:
            self.wrong.append(f"{len(told - after)} of {len(told)} acknowledged writes are gone: {sorted(told - after)[:3]}")
        if not before <= after:
            self.wrong.append("writes of an earlier round are gone")
        if len(after - before - told) > 1:
            self.wrong.append(f"{len(after - before - told)} writes are there that nobody acknowledged; one could be")


def in_process_apart(work: Work) -> Answer:
    return await_answer(*forked(work))


def _migrate() -> Answer:
    prepare_state()
    return {}


def _counting_statements() -> Answer:
    from django.db import connection

    with connection.execute_wrapper(lambda execute, *arguments: (seen.update(n=1), execute(*arguments))[1]):
        seen = Counter[str]()
        prepare_state()
    return {"statements": seen["n"]}


def _kept(old: str) -> str:
    """The database of an older state, from which others are copied."""
    return f"old_{old[:4]}"


def _old_state(old: str) -> None:
    """The tables as they were after that migration, with people, what they may see, where they are signed in, and jobs."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", "state", old, verbosity=0, skip_checks=True)
    for n in range(PEOPLE):
        person = {"email": f"p{n}@acme.test", "name": f"Person {n}", "role": "csm", "limited": n % 2 == 0, "is_active": True}
        _insert("state_person", {**person, "joined_at": now(), "password": "x", **({"zone": "Asia/Tokyo"} if old >= "0003" else {})})
        _insert("state_scoperule", {"person_id": n + 1, "kind": "owner", "value": f"Owner {n}"})
        where = {"began_at": now(), "seen_at": now(), "address": "127.0.0.1", "device": "Firefox"}
        _insert("state_sessionrecord", {"person_id": n + 1, "session_key": f"{n:040}", **where})
        if old >= "0002":
            spoken = {"arguments": "{}", "state": "done", "attempts": 1, "stage": "", "done": 1, "total": 1, "host": "", "mark": ""}
            _insert("state_job", {"kind": "refresh", "key": f"refresh {n}", "asked_at": now(), "asked_by_id": n + 1, **spoken})
    connection.close()


def _insert(table: str, row: dict[str, Any]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))


def _contents() -> Answer:
    """Every table with its columns and constraints, the migrations that were applied, and every row of the state."""
    from django.db import connection

    inspection = connection.introspection
    with connection.cursor() as cursor:
        names = sorted(inspection.table_names(cursor))
        columns = {
            name: sorted([one.name, str(one.type_code), bool(one.null_ok)] for one in inspection.get_table_description(cursor, name))
            for name in names
        }
        constraints = {
            name: sorted(
                json.dumps({k: one[k] for k in ("columns", "primary_key", "unique", "foreign_key")})
                for one in inspection.get_constraints(cursor, name).values()
            )
            for name in names
        }
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        applied = [list(row) for row in cursor.fetchall()]
        rows = {name: _rows(cursor, name) for name in names if name.startswith("state_")}
    connection.close()
    return {"columns": columns, "constraints": constraints, "migrations": applied, "rows": rows}


def _rows(cursor: Any, table: str) -> list[str]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY id")
    names = [one[0] for one in cursor.description]
    return [str(sorted(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _write(mark: int, said: int) -> Answer:
    """People and jobs without end, each told of once it is committed."""
    from unspun.app.jobs.queue import ask
    from unspun.state.models import Person

    for n in range(10_000):
        if n % 2:
            Person.objects.create(email=f"w{mark}-{n}@acme.test", name="W", role="csm")
            os.write(said, f"w{mark}-{n}@acme.test\n".encode())
        else:
            job = ask("audit", {"mark": mark, "n": n}, None, now())
            os.write(said, f"{job.key}\n".encode())
    return {}


def _written() -> set[str]:
    from unspun.state.models import Job, Person

    people = Person.objects.filter(email__startswith="w").values_list("email", flat=True)
    return {*people, *(key for key in Job.objects.filter(kind="audit", state="waiting").values_list("key", flat=True))}


def run_study(folder: Path, server: str | None, rounds: int, seed: int, told: Callable[[str], None] = lambda _: None) -> Answer:
    """So many rounds of each, in a new folder: what was done, and what was wrong (nothing should be)."""
    folder.mkdir(parents=True)
    study = Study(folder / "study", Databases(folder, server), random.Random(seed))
    study.begin()
    begun = time.monotonic()
    for number in range(1, rounds + 1):
        for one in (study.migration, study.job, study.write):
            one()
            _discard_written()
        told(f"{number} of {rounds} rounds, {study.killed} kills, {len(study.wrong)} wrong, {time.monotonic() - begun:.0f} s")
        if len(study.wrong) >= MOST_WRONG:
            break
    return {
        "seed": seed,
        "state": "SQLite" if server is None else "Postgres",
        "rounds": rounds,
        "killed": study.killed,
        "outcomes": dict(sorted(study.counts.items())),
        "statements_of_a_migration": study.statements,
        "wrong": study.wrong,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _discard_written() -> None:
    """Jobs that only were written, so that none of them is claimed."""
    from unspun.state.models import Job

    Job.objects.filter(kind="audit").delete()


@contextmanager
def server_of(wanted: bool) -> Iterator[str | None]:
    """The address of a Postgres server of one's own, without a database; None where none is wanted."""
    if not wanted:
        yield None
        return
    from tests.unit.connectors.servers import running_server

    with running_server() as server:
        yield server.url("").rstrip("/")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    os.environ.pop(STATE_VARIABLE, None)
    with tempfile.TemporaryDirectory() as folder, server_of(words.postgres) as server:
        result = run_study(Path(folder) / "all", server, words.rounds, words.seed, lambda line: print(line, flush=True))
    packages = {name: version(name) for name in ("django", "duckdb", "deltalake", "psycopg", "unspun")}
    machine = {"system": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()}
    document = {"date": date.today().isoformat(), "machine": machine, "packages": packages, **result}
    kind = "-postgres" if words.postgres else ""
    out = words.out or RESULTS / f"job-crash-study{kind}-{date.today()}.json"
    out.write_text(json.dumps(document, indent=2) + "\n")
    print("\n".join(result["wrong"][:20]) or f"nothing lost in {result['rounds']} rounds, {result['killed']} kills")
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
