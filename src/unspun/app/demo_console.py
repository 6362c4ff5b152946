"""The operation "make the demo's workspace ready": the company in a book, all that pages show of it, and an owner to sign in as.

Each step is done once: a second run finds it done, one that was cut off does what is left.
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from unspun.app.demo import DemoRequest
from unspun.app.refresh import RefreshRequest, refresh
from unspun.app.workspace import Workspace, full_path, open_workspace
from unspun.app.workspace_demo import create_demo_workspace
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent

FOLDER, MAKING, MARK = "workspace", ".workspace-making", "demo.json"
OWNER, EMAIL = "Demo owner", "demo@example.com"
PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who to sign in as. The password is kept nowhere but as its hash."""

    email: str
    password: str


def demo_workspace(request: DemoRequest, at: datetime, progress: Progress = silent) -> Workspace:
    """The workspace of the demo company in `request.folder`; made and loaded where it is not there yet, whole or not at all.

    Raises BadInput where another company's is there: what was done in it is not thrown away unasked.
    """
    folder, made_of = full_path(request.folder) / FOLDER, _made_of(request)
    if folder.exists():
        _check_company(folder, made_of)
        return open_workspace(folder)
    making = folder.with_name(MAKING)
    shutil.rmtree(making, ignore_errors=True)  # of a run that was cut off
    create_demo_workspace(making, at, seed=request.seed, accounts=request.accounts, progress=progress)
    (making / MARK).write_text(made_of, encoding="utf-8")
    making.replace(folder)
    return open_workspace(folder)


def _made_of(request: DemoRequest) -> str:
    return json.dumps({"seed": request.seed, "accounts": request.accounts}) + "\n"


def _check_company(folder: Path, made_of: str) -> None:
    mark = folder / MARK
    if not mark.is_file() or mark.read_text(encoding="utf-8") != made_of:
        message = "there is a workspace already, and not of the company that was asked for."
        raise BadInput(Fault("other_demo", message, str(folder), "Give another --folder, or delete this one."))


def make_ready(workspace: Workspace, at: datetime, progress: Progress = silent) -> bool:
    """Refresh the workspace with evidence, and note it as the refresh that is due. False where that was done before.

    The state is set up and migrated before.
    """
    from unspun.app.jobs.queue import last_done, note_done
    from unspun.app.jobs.schedule import cause_of
    from unspun.app.jobs.work import told_of_refresh

    cause = cause_of(workspace, at) or {}
    before = last_done("refresh")
    if before is not None and _same_book(before.arguments.get("cause", {}), cause):
        return False
    done = refresh(workspace, at, progress, request=RefreshRequest(evidence=True))
    note_done("refresh", {"cause": cause, "evidence": True}, told_of_refresh(done), at, datetime.now(UTC))
    return True


def _same_book(one: dict[str, object], other: dict[str, object]) -> bool:
    """Whether two causes of a refresh differ in nothing but the day: the demo's records end where they end."""
    return all(one.get(name) == other.get(name) for name in ("version", "definitions"))


def let_owner_in() -> SignIn:
    """The demo's owner with a new password; what others set up in this workspace stays as it is."""
    from unspun.state.people import EmailTaken, NewPerson, create_person, set_password

    new = SignIn(EMAIL, secrets.token_urlsafe(PASSWORD_BYTES))
    try:
        create_person(NewPerson(OWNER, new.email, new.password), "owner", None)
    except EmailTaken:
        set_password(new.email, new.password)
    return new
