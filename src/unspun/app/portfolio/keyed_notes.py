"""Notes and forecasts written under a key of the caller's: sent again, they are not written again, and the answer is the same.

The key stands in the state, where two who send it at once wait for each other, and in what was written: where a process died between the
two, the next one finds what the first wrote.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from unspun.app.access import Actor
from unspun.app.forecast.stated import StatedForecast
from unspun.app.portfolio.notes import Note, add_forecast, add_note, entry_of_key, list_forecasts, list_notes
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog_notes import NOTE, STATED

KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}")
KEY_USED: Final = "key_used"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A forecast as somebody wants to state it: see `unspun.app.portfolio.notes.add_forecast`."""

    due: date
    probability: float
    amount: Decimal | None
    reason: str


def put_note(workspace: Workspace, actor: Actor, key: str, account: str, text: str, at: datetime) -> tuple[Note, bool]:
    """The note of that key, and whether it was written just now. Raises as `add_note` does; BadInput: a key that is none, that was used
    for another note, or whose note was erased."""
    actor.require("account.write")
    entry, new = _once(
        workspace, actor, NOTE, key, account, {"text": text}, at, lambda: add_note(workspace, actor, account, text, at, key).entry
    )
    found = next((one for one in list_notes(workspace, actor, account) if one.entry == entry), None)
    if found is None:
        raise _erased(key)
    return found, new


def put_forecast(workspace: Workspace, actor: Actor, key: str, account: str, wanted: Wanted, at: datetime) -> tuple[StatedForecast, bool]:
    """The forecast of that key, and whether it was stated just now. Raises as `add_forecast` does, and as `put_note` of the key."""
    actor.require("account.write")
    asked = {"due": wanted.due.isoformat(), "probability": wanted.probability, "amount": str(wanted.amount), "reason": wanted.reason}

    def state() -> int:
        told = (wanted.due, wanted.probability, wanted.amount, wanted.reason)
        return add_forecast(workspace, actor, account, *told, at, key).entry

    entry, new = _once(workspace, actor, STATED, key, account, asked, at, state)
    found = next((one for one in list_forecasts(workspace, actor, account) if one.entry == entry), None)
    if found is None:
        raise _erased(key)
    return found, new


def check_key(key: str, where: str = "key") -> None:
    """Raises BadInput where a key is none."""
    if not KEY.fullmatch(key):
        hint = "Use 1 to 200 letters, digits, and . _ : -"
        raise BadInput(Fault("bad_key", "this is no key.", where, hint))


def asked_hash(asked: Mapping[str, object]) -> str:
    """What tells one request under a key from another."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def key_used(where: str = "key") -> BadInput:
    """What is said of a key that was used for another request."""
    return BadInput(Fault(KEY_USED, "this key was used for another request.", where, "Send the same again, or use a new key."))


def _once(
    workspace: Workspace,
    actor: Actor,
    kind: str,
    key: str,
    account: str,
    said: Mapping[str, object],
    at: datetime,
    write: Callable[[], int],
) -> tuple[int, bool]:
    from unspun.state.tokens import OtherRequest, answer_once

    check_key(key)
    found = False

    def act() -> int:
        nonlocal found
        before = entry_of_key(workspace, actor, kind, account, key)  # written by a process that died before it said so
        found = before is not None
        return write() if before is None else before

    try:
        entry, new = answer_once(actor.id, kind, key, asked_hash({"account": account, **said}), at, act)
    except OtherRequest:
        raise key_used() from None
    return entry, new and not found


def _erased(key: str) -> BadInput:
    return BadInput(Fault("erased", f"what was written under the key {key} was erased.", "key", "Use a new key."))
