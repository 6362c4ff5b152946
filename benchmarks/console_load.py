"""How long the console takes to answer when a team works in it, beside what the same server needs for a page that is only text.

    python -m benchmarks.console_load                                # 20,000 accounts, 50 people, 120 s idle and 120 s beside a refresh
    python -m benchmarks.console_load --workspace FOLDER             # a workspace that is refreshed already, made once by the line above
    python -m benchmarks.console_load --accounts 300 --people 8 --seconds 15 --out result.json
    python -m benchmarks.console_load --table                        # the table of docs/speed.md

Each person has a session of their own, a role and, as a CSM, the accounts of one owner; one connection that is kept; and thinks between two
pages for a time drawn from an exponential distribution with a mean of THINKING seconds. Times are the server's own: the `ms` of its log,
from when a request was read until its answer was made. The floor is /healthz, a line of text without a session, by the same clock in the
same minutes. What people wait for is stated beside it: the time until the last byte came, measured where they sit (the same machine, whose
processors they share with the server), and for a static file as well, which the log leaves out. Then the same again while the job of a
refresh runs, with evidence and a new fit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests

HERE = Path(__file__).resolve().parent
SPEED = HERE.parent / "docs" / "speed.md"
BEGIN, END = "<!-- console: begin, written by console_load.py --table -->", "<!-- console: end -->"
SEED, THINKING, STARTING_SECONDS, WARMING = 20261123, 2.0, 120.0, 3
ROLES: Final = ("owner", "analyst", "manager", "viewer", *("csm",) * 6)
"""Of ten people, so many of each role."""
FLOOR: Final = "healthz"
MIX: Final[Mapping[str, float]] = {"portfolio": 0.40, "account": 0.35, "evidence": 0.05, "evidence_page": 0.10, FLOOR: 0.05, "static": 0.05}
"""How often a page is the next."""
PORTFOLIO_VIEWS: Final = ("", "?due=all", "?due=30", "?due=all&sort=name&dir=up", "?due=180&q=a")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """What there is to open: accounts by owner, and pages of evidence."""

    accounts: Mapping[str, Sequence[str]]
    evidence: Sequence[str]


@dataclass(slots=True)
class Person:
    """Someone at work: a session, the accounts they see, and how long they waited by kind of page."""

    role: str
    owner: str | None
    cookie: str
    waited: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    def work(self, url: str, places: Places, until: float, rng: random.Random) -> None:
        """Open one page after the other, until that time of the clock."""
        owner = self.owner or rng.choice(sorted(places.accounts))
        with requests.Session() as session:
            session.headers["Cookie"] = self.cookie
            while time.monotonic() < until:
                kind, path = _next(places, owner, rng, self.role)
                began = time.monotonic()
                answer = session.get(url + path, timeout=60)
                self.waited[kind].append(1000 * (time.monotonic() - began))
                if answer.status_code != 200:
                    self.wrong.append(f"{answer.status_code} {path}")
                time.sleep(max(0.0, min(rng.expovariate(1 / THINKING), until - time.monotonic())))


def _next(places: Places, owner: str, rng: random.Random, role: str) -> tuple[str, str]:
    """The kind of the next page and its address. Evidence is open to those who see everything."""
    kind = rng.choices(list(MIX), list(MIX.values()))[0]
    if kind.startswith("evidence") and role in ("csm", "viewer"):
        kind = "account"
    paths: Record = {
        "portfolio": lambda: f"/portfolio{rng.choice(PORTFOLIO_VIEWS)}",
        "account": lambda: f"/accounts/{quote(rng.choice(places.accounts[owner]))}",
        "evidence": lambda: "/evidence/",
        "evidence_page": lambda: rng.choice(places.evidence),
        FLOOR: lambda: "/healthz",
        "static": lambda: "/static/console.css",
    }
    return kind, paths[kind]()


# The workspace and those who work in it


def made_workspace(folder: Path, accounts: int) -> Path:
    """The demo company of so many accounts, loaded and refreshed with evidence; what is there already is taken."""
    from unspun.app.refresh import RefreshRequest, refresh
    from unspun.app.workspace import open_workspace
    from unspun.app.workspace_demo import create_demo_workspace
    from unspun.warehouse.read_model import kept_keys

    if not (folder / "unspun.toml").exists():
        create_demo_workspace(folder, now(), accounts=accounts, progress=told)
    workspace = open_workspace(folder)
    if not kept_keys(workspace.warehouse):
        refresh(workspace, now(), told, request=RefreshRequest(evidence=True))
    return folder


def told(stage: str, done: int, total: int) -> None:
    """How far it is, for who waits."""
    if not done:
        print(stage, file=sys.stderr, flush=True)


def now() -> datetime:
    return datetime.now(UTC)


def people_at_work(count: int, owners: Sequence[str]) -> list[Person]:
    """So many people with a session each, as if they had signed in."""
    from django.contrib.auth import SESSION_KEY
    from django.test import Client

    from unspun.state.models import Person as Joined
    from unspun.state.people import NewPerson, create_person

    made = []
    for number in range(count):
        role, email = ROLES[number % len(ROLES)], f"load-{number}@example.com"
        owner = owners[number % len(owners)] if role == "csm" else None
        scope = None if owner is None else {"owner": [owner]}
        joined = Joined.objects.filter(email=email).first() or create_person(NewPerson(f"Person {number}", email, None), role, scope)
        client = Client()
        client.force_login(joined)
        assert SESSION_KEY in client.session
        made.append(Person(role, owner, "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())))
    return made


def places_of(folder: Path) -> Places:
    """Accounts by owner and pages of evidence, as the read model has them."""
    from unspun.app.workspace import open_workspace
    from unspun.warehouse.read_model import open_read_model

    model = open_read_model(open_workspace(folder).warehouse)
    accounts: dict[str, list[str]] = defaultdict(list)
    for account, owner in model.rows(
        "SELECT account_id, owner FROM accounts JOIN detail USING (account_id) WHERE owner IS NOT NULL ORDER BY 1"
    ):
        accounts[str(owner)].append(str(account))
    pages = model.rows("SELECT DISTINCT name FROM pages WHERE section = 'evidence' AND name LIKE '%.html' AND name != 'index.html'")
    return Places(accounts, [f"/evidence/{quote(str(name))}" for (name,) in pages] or ["/evidence/"])


# The server


@contextmanager
def serving(folder: Path, log: Path) -> Iterator[str]:
    """`unspun serve` on that workspace; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "unspun.cli", "serve", "--workspace", str(folder), "--port", str(port)]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env={**os.environ, "UNSPUN_LOG": "INFO"})
    url = f"http://localhost:{port}"
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            if requests.get(f"{url}/healthz", timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise TimeoutError("the server does not answer")


def server_times(log: Path, since: int) -> dict[str, list[float]]:
    """Milliseconds by route that the server wrote after the `since`-th byte of its log, of requests that were answered well."""
    times: dict[str, list[float]] = defaultdict(list)
    with log.open("rb") as file:
        file.seek(since)
        for line in file:
            said = json.loads(line) if line.startswith(b"{") else {}
            if said.get("status") == 200 and "ms" in said:
                times[route_of(said["route"])].append(float(said["ms"]))
    return times


def route_of(told: str) -> str:
    """The kind of page of a route as the log names it."""
    plain = re.sub(r"<[^>]*>", "*", told).strip("/")
    return {"portfolio": "portfolio", "accounts/*": "account", "evidence": "evidence", "evidence/*": "evidence_page"}.get(plain, plain)


# A run


def run_phase(url: str, log: Path, people: Sequence[Person], places: Places, seconds: float, seed: int) -> Record:
    """Everyone at work for that long; percentiles by kind of page. Raises RuntimeError where an answer was not 200."""
    for person in people:
        person.waited.clear()
    since, until = log.stat().st_size, time.monotonic() + seconds
    load = os.getloadavg()[0]
    threads = [
        threading.Thread(target=person.work, args=(url, places, until, random.Random(seed + number)))
        for number, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong := [one for person in people for one in person.wrong]:
        raise RuntimeError(f"{len(wrong)} answers were not 200: {wrong[:5]}")
    waited: dict[str, list[float]] = defaultdict(list)
    for person in people:
        for kind, times in person.waited.items():
            waited[kind] += times
    served = server_times(log, since)
    return {
        "seconds": seconds,
        "requests": sum(map(len, waited.values())),
        "load_before": round(load, 2),
        "server": {kind: quantiles(served[kind]) for kind in MIX if served.get(kind)},
        "client": {kind: quantiles(waited[kind]) for kind in MIX if waited.get(kind)},
    }


def quantiles(times: Sequence[float]) -> Record:
    """How many, the median and the 95th percentile in milliseconds."""
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"n": len(ordered), "p50_ms": round(statistics.median(ordered), 2), "p95_ms": round(p95, 2)}


def measure(folder: Path, people: int, seconds: float, log: Path) -> Record:
    """Both phases on one server."""
    from unspun.web.set_up import prepare_state, set_up

    set_up(folder)
    prepare_state()
    from unspun.app.jobs.queue import ask, cancel, find  # models, which want the settings

    places = places_of(folder)
    team = people_at_work(people, sorted(places.accounts))
    _note_refreshed(folder)
    with serving(folder, log) as url:
        run_phase(url, log, team, places, WARMING, SEED)
        idle = run_phase(url, log, team, places, seconds, SEED + 1000)
        job = ask("refresh", {"evidence": True, "fit": True}, None, now()).pk
        _until(lambda: find(job).state == "running")
        busy = run_phase(url, log, team, places, seconds, SEED + 2000)
        ended = find(job)
        busy["job"] = {"state": ended.state, "stage": ended.stage}
        if ended.state == "running":
            cancel(job, now())
            _until(lambda: find(job).state != "running")
    return {"accounts": sum(map(len, places.accounts.values())), "people": people, "phases": {"idle": idle, "beside a refresh": busy}}


def _note_refreshed(folder: Path) -> None:
    """The schedule has nothing to refresh by itself while the server is said to be idle."""
    from unspun.app.jobs.queue import note_done
    from unspun.app.jobs.schedule import cause_of
    from unspun.app.workspace import open_workspace

    note_done("refresh", {"cause": cause_of(open_workspace(folder), now())}, {}, now(), now())


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + STARTING_SECONDS
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the job does not begin, or does not end")
        time.sleep(0.2)


# The table


def table(document: Record) -> str:
    lines = [
        f"Run on {document['date']} with {document['machine']['processors']} processors; {document['accounts']:,} accounts, "
        f"{document['people']} people who think for {document['thinking_seconds']:g} s on average. Milliseconds; in brackets how "
        "many times the floor of the same column and phase.",
        "",
        "| phase | page | answers | server p50 | server p95 | waited p50 | waited p95 |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, phase in document["phases"].items():
        for kind in (one for one in MIX if one in phase["client"]):
            lines.append(_row(name, kind, phase))
    told = "; ".join(f"{name}: {phase['requests']} requests in {phase['seconds']:g} s" for name, phase in document["phases"].items())
    job = document["phases"]["beside a refresh"]["job"]
    return "\n".join([*lines, "", f"{told}. The refresh was {job['state']} at the end ({job['stage'] or 'all steps'})."])


def _row(name: str, kind: str, phase: Record) -> str:
    def cell(side: str, quantile: str) -> str:
        value = phase[side].get(kind)
        if value is None:
            return "not in the log"
        floor = phase[side].get(FLOOR, {}).get(quantile)
        ratio = "" if kind == FLOOR or not floor else f" ({value[quantile] / floor:.1f})"
        return f"{value[quantile]:.1f}{ratio}"

    shown = {"evidence_page": "evidence of one metric", FLOOR: "floor: /healthz", "static": "a static file"}.get(kind, kind)
    cells = (cell(side, quantile) for side in ("server", "client") for quantile in ("p50_ms", "p95_ms"))
    return f"| {name} | {shown} | {phase['client'][kind]['n']:,} | {' | '.join(cells)} |"


def write_table(result: Path) -> None:
    page = SPEED.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    SPEED.write_text(f"{before}{BEGIN}\n\n{table(json.loads(result.read_text()))}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--workspace", type=Path, default=Path("console-load"), help="where it is, or is to be made")
    parser.add_argument("--out", type=Path, default=HERE / "results" / f"console-load-{date.today()}.json")
    parser.add_argument("--table", action="store_true")
    words = parser.parse_args()
    if words.table:
        write_table(words.out)
        return 0
    os.environ.pop("UNSPUN_STATE_URL", None)
    folder = made_workspace(words.workspace.resolve(), words.accounts)
    found = measure(folder, words.people, words.seconds, folder.parent / f"{folder.name}.log")
    machine = {"system": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()}
    packages = {name: version(name) for name in ("django", "granian", "jinja2", "unspun")}
    document = {
        "date": date.today().isoformat(),
        "machine": machine,
        "packages": packages,
        "thinking_seconds": THINKING,
        "mix": dict(MIX),
        **found,
    }
    words.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(table(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
