"""Taking back a load from a page: named by its number, so that nobody takes back another one than the one that was looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from unspun.app.access import Actor
from unspun.app.keeping import LastLoad, last_load, undo
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault


def undoable(workspace: Workspace, actor: Actor, number: int) -> LastLoad:
    """The load of that number. Raises Forbidden; BadInput where it is not the last in force."""
    actor.require("data.load")
    return _last(workspace, number)


def take_back(workspace: Workspace, number: object, at: datetime) -> dict[str, Any]:
    """Take the load back; one that was taken back already stays so. Raises BadInput where another load is the last in force."""
    with workspace.catalog() as catalog:
        states = {line.load: line.state for line in catalog.load_lines()}
    if not isinstance(number, int) or number not in states:
        raise BadInput(Fault("no_load", f"there is no load {number}.", "load"))
    if states[number] != "undone":
        _last(workspace, number)
        undo(workspace, at)
    return {"undone": number}


def _last(workspace: Workspace, number: int) -> LastLoad:
    last = last_load(workspace)
    if last is None or last.load != number:
        now = "no load is in force" if last is None else f"the last load in force is load {last.load}"
        raise BadInput(Fault("not_the_last", f"load {number} cannot be taken back: {now}.", "", "Loads are taken back from the newest on."))
    return last
