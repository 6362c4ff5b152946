"""Kill the server of the console at random moments while people and programs write to it over HTTP; nothing it acknowledged may be lost.

    python -m benchmarks.console_crashes                        # 200 kills; to benchmarks/results/console-crashes-DATE.json
    python -m benchmarks.console_crashes --kills 5 --seed 7 --out result.json

The real `unspun serve` with its worker processes answers clients that write without pause: notes, forecasts and rows of a table by the
API, each under a key of its own, and saved views and notes by the forms of the pages. At a random moment the server with all its processes,
or its worker processes alone, are killed (SIGKILL). Once it answers again, each write of the round that has a key is sent again, whether it
was acknowledged or not: an answer that there was must be the same. Then all that was ever acknowledged must be there once, what was not at
most once and whole, and the ledger must verify.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import psutil
import requests

from tests.doors.console_server import free_port
from tests.doors.portfolio_company import refreshed
from unspun.app.ledger import list_entries
from unspun.app.ledger import verify as verify_ledger
from unspun.app.workspace import Workspace
from unspun.progress import silent
from unspun.web.set_up import prepare_state, set_up
from unspun.web.site import STATE_VARIABLE

RESULTS = Path(__file__).resolve().parent / "results"
EMAIL, PASSWORD = "ann@example.com", "a rather long one"
ENDINGS = ("server", "server", "workers")
KINDS = ("note", "note", "forecast", "page note", "view", "rows")  # a client of each writes without pause
MOST_WRONG, PATIENCE, LONGEST_ROUND, FAILED = 20, 90.0, 5.0, 500
SENT_BY_API: Final = frozenset({"note", "forecast", "rows"})
Ending = Literal["server", "workers"]


@dataclass(slots=True)
class Write:
    """Something that was written, or may have been: `answer` is None where none came."""

    kind: str
    name: str
    body: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Site:
    """The workspace, its server, and who may write: a token, and a session with its cookies."""

    workspace: Workspace
    token: str
    port: int
    log: Path
    renewals: list[tuple[str, str]] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Raises TimeoutError where it does not answer."""
        command = [sys.executable, "-m", "unspun.cli", "serve", "--workspace", str(self.workspace.folder), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.wait()

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if requests.get(f"{self.url}/readyz", timeout=10).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise TimeoutError(self.log.read_text()[-2000:])

    def kill(self, ending: Ending) -> None:
        """SIGKILL to all that answers requests, or to the processes below it alone: the server starts those again."""
        if self.process is None:
            raise RuntimeError("the server was not started")
        server = psutil.Process(self.process.pid)
        below = [one for one in server.children() if "worker" not in one.cmdline()[3:4]]
        for one in [*([server] if ending == "server" else []), *below]:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        if ending == "server":
            self.process.wait()

    def ended(self) -> bool:
        """Whether it answers no more but has ended, rather than started its workers again."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/readyz", timeout=10).ok:
                    return False
            except requests.RequestException:
                time.sleep(0.1)
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def sign_in(self) -> None:
        with requests.Session() as session:
            session.get(f"{self.url}/sign-in", timeout=60)
            fields = {"login": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["unspun_csrf"]}
            answer = session.post(f"{self.url}/sign-in", fields, headers={"Referer": self.url}, allow_redirects=False, timeout=60)
            if answer.status_code != requests.codes.found:
                raise RuntimeError(answer.text[:500])
            self.cookies = {name: value for name, value in session.cookies.items() if value is not None}

    def ask(self, method: str, path: str, **named: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **named.pop("headers", {})}
        return requests.request(method, f"{self.url}/api/v1/{path}", headers=headers, timeout=60, **named)

    def post(self, path: str, fields: Mapping[str, Any]) -> requests.Response:
        given = {**fields, "csrfmiddlewaretoken": self.cookies["unspun_csrf"]}
        headers = {"Referer": self.url}
        return requests.post(f"{self.url}{path}", given, headers=headers, cookies=self.cookies, allow_redirects=False, timeout=60)

    def send(self, write: Write) -> Mapping[str, Any] | None:
        """The answer; None where none came, or the server had no time to say more than that it failed. Raises ValueError for a refusal."""
        try:
            answer = self._sent(write)
        except requests.RequestException:
            return None
        if answer.status_code >= FAILED:
            return None
        if write.kind in SENT_BY_API and answer.ok:
            return answer.json()
        if answer.status_code == requests.codes.found and "sign-in" not in answer.headers["Location"]:
            return {}
        raise ValueError(f"{write.kind} {write.name}: {answer.status_code} {answer.text[:300]}")

    def _sent(self, write: Write) -> requests.Response:
        if write.kind == "view":
            return self.post("/views/new", write.body)
        if write.kind == "page note":
            return self.post(f"/accounts/{write.body['account']}/note", {"text": write.body["text"]})
        if write.kind == "rows":
            return self.ask("PUT", "tables/tickets/rows", json=write.body, headers={"Idempotency-Key": write.name})
        return self.ask("PUT", f"{write.kind}s/{write.name}", json=write.body)


def make_write(site: Site, kind: str, name: str, n: int) -> Write:
    """One write of its kind; its name is nowhere else."""
    account, due = site.renewals[n % len(site.renewals)]
    if kind == "rows":
        rows = [{"ticket_id": f"{name}.{i}", "account_id": account, "opened": "2025-10-03T09:00:00", "subject": name} for i in range(3)]
        return Write(kind, name, {"rows": rows})
    if kind == "forecast":
        return Write(kind, name, {"account": account, "due": due, "probability": 0.5, "amount": "100", "reason": name})
    if kind == "view":
        return Write(kind, name, {"name": name, "due": "all"})
    return Write(kind, name, {"account": account, "text": name})


@dataclass(slots=True)
class Study:
    """A site under kills: everything written so far, and what was wrong (nothing should be)."""

    site: Site
    rng: random.Random
    writes: list[Write] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    killed: int = 0

    def round(self) -> None:
        """Clients write, a kill falls, the server comes back, what was sent is sent again, and all is looked for."""
        ending: Ending = self.rng.choice(ENDINGS)
        made, stop = [list[Write]() for _ in KINDS], threading.Event()
        clients = [threading.Thread(target=self._client, args=(place, kind, made[place], stop)) for place, kind in enumerate(KINDS)]
        for one in clients:
            one.start()
        time.sleep(self.rng.uniform(0.05, LONGEST_ROUND))
        self.site.kill(ending)
        self.killed += 1
        self.counts[f"kills: {ending}"] += 1
        stop.set()
        for one in clients:
            one.join()
        if ending == "server":
            self.site.start()
        elif self.site.ended():  # workers that die twice within seconds end it, as a crash loop: whoever runs it starts it again
            self.counts["crash loops, started again"] += 1
            self.site.start()
        else:
            self.site.wait()
        new = [write for writes in made for write in writes]
        for write in new:
            self._again(write)
        self.writes += new
        self.judge()

    def _client(self, place: int, kind: str, made: list[Write], stop: threading.Event) -> None:
        n = 0
        while not stop.is_set():
            write = make_write(self.site, kind, f"k{self.killed}.{place}.{n}", self.killed + 7 * place + n)
            n += 1
            made.append(write)
            try:
                write.answer = self.site.send(write)
            except ValueError as refusal:
                self.wrong.append(f"refused: {refusal}")
                return
            if write.answer is None:
                return

    def _again(self, write: Write) -> None:
        """What has a key is sent again: once more the same answer, or the first."""
        self.counts[f"{write.kind}: {'no answer' if write.answer is None else 'acknowledged'}"] += 1
        if write.kind not in SENT_BY_API:
            return
        try:
            answer = self.site.send(write)
        except ValueError as refusal:
            self.wrong.append(f"sent again, refused: {refusal}")
            return
        if answer is None:
            self.wrong.append(f"{write.kind} {write.name} sent again has no answer")
        elif write.answer is not None and write.answer != answer:
            self.wrong.append(f"{write.kind} {write.name} was answered {write.answer}, and then {answer}")
        write.answer = answer

    def judge(self) -> None:
        """All that was acknowledged is there once, what was not at most once; the ledger verifies."""
        found = self._there()
        for write in self.writes:
            least, there = int(write.answer is not None), found[write.kind][write.name]
            if not least <= there <= 1:
                self.wrong.append(f"{write.kind} {write.name} ({'acknowledged' if least else 'no answer'}) is there {there} times")
        checked = verify_ledger(self.site.workspace, (), False, silent)
        if not checked.is_clean:
            self.wrong.append(f"after {self.killed} kills the ledger does not verify: {checked}")

    def _there(self) -> dict[str, Counter[str]]:
        from unspun.state.models import SavedView

        texts = Counter((str(one["kind"]), str(one["text"])) for account, _ in self.site.renewals for one in self._said(account))
        loads = [one for one in list_entries(self.site.workspace) if one.kind == "load"]
        self.counts["loads"] = len(loads)
        found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        for (kind, text), n in texts.items():
            for one in ("note", "page note") if kind == "note" else ("forecast",):
                found[one][text] += n
        found["view"] = Counter(SavedView.objects.values_list("name", flat=True))
        tickets = Counter(self._tickets())
        found["rows"] = Counter({write.name: n for write in self.writes if write.kind == "rows" and (n := _times(tickets, write))})
        return found

    def _said(self, account: str) -> list[dict[str, Any]]:
        notes = self.site.ask("GET", "notes", params={"account": account}).json()["notes"]
        stated = self.site.ask("GET", "forecasts", params={"account": account}).json()["forecasts"]
        return [*({"kind": "note", "text": one["text"]} for one in notes), *({"kind": "forecast", "text": one["reason"]} for one in stated)]

    def _tickets(self) -> list[str]:
        from tests.doors.cli_files import run

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tickets.csv"
            done = run("show", "tickets", "--csv", path, "--workspace", self.site.workspace.folder)
            if done.code:
                raise RuntimeError(done.err)
            with path.open(encoding="utf-8", newline="") as file:
                return [one["ticket_id"] for one in csv.DictReader(file)]


def _times(tickets: Counter[str], write: Write) -> int:
    """How often the rows are there; 2, which is never right, where some are and others are not."""
    times = {tickets[row["ticket_id"]] for row in write.body["rows"]}
    return times.pop() if len(times) == 1 else 2


def made_site(folder: Path) -> Site:
    """A company with a read model, an owner of its console and a token of theirs; served."""
    workspace = refreshed(folder).workspace
    set_up(workspace.folder)
    prepare_state()
    from unspun.app.people.actors import actor_of
    from unspun.app.people.tokens import grantable, make_token
    from unspun.state.people import NewPerson, create_person

    owner = actor_of(create_person(NewPerson("Ann", EMAIL, PASSWORD), "owner", None), "session")
    token = make_token(owner, "crashes", list(grantable(owner)), 30, datetime.now(UTC)).secret
    site = Site(workspace, token, free_port(), folder / "server.log")
    site.start()
    site.sign_in()
    lines = site.ask("GET", "portfolio", params={"size": 1000}).json()["lines"]
    site.renewals = [(one["account_id"], one["due"]) for one in lines if one["status"] == "open" and one["account_id"].isalnum() is False][
        :8
    ]
    return site


def run_study(folder: Path, kills: int, seed: int, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    site = made_site(folder)
    study, begun = Study(site, random.Random(seed)), time.monotonic()
    try:
        for _ in range(kills):
            study.round()
            told(f"{study.killed} of {kills} kills, {len(study.writes)} writes, {len(study.wrong)} wrong, {time.monotonic() - begun:.0f} s")
            if len(study.wrong) >= MOST_WRONG:
                break
    finally:
        site.stop()
    acknowledged = sum(one.answer is not None for one in study.writes)
    return {
        "seed": seed,
        "killed": study.killed,
        "writes": len(study.writes),
        "acknowledged": acknowledged,
        "outcomes": dict(sorted(study.counts.items())),
        "wrong": study.wrong,
        "seconds": round(time.monotonic() - begun, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    os.environ.pop(STATE_VARIABLE, None)
    os.environ["UNSPUN_LOG"] = "ERROR"
    with tempfile.TemporaryDirectory() as folder:
        result = run_study(Path(folder), words.kills, words.seed, lambda line: print(line, flush=True))
    packages = {name: version(name) for name in ("django", "granian", "deltalake", "unspun")}
    machine = {"system": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()}
    document = {"date": date.today().isoformat(), "machine": machine, "packages": packages, **result}
    out = words.out or RESULTS / f"console-crashes-{date.today()}.json"
    out.write_text(json.dumps(document, indent=2) + "\n")
    print("\n".join(result["wrong"][:20]) or f"nothing lost in {result['killed']} kills, {result['acknowledged']} writes acknowledged")
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
