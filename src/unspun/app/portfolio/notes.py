"""The operations "write a note" and "state a forecast": what people say of an account, in the ledger with their name and the time.

Nothing is edited: a note or a forecast can be followed by another. They are read from the ledger, so that a page shows them at once.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from unspun.app.access import Actor
from unspun.app.forecast.stated import StatedForecast, read_stated
from unspun.app.portfolio.run import account_in_scope
from unspun.app.publication import canonical_json
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog_notes import NOTE, STATED, NoteRecord
from unspun.warehouse.read_model import open_read_model

LONGEST_NOTE, LONGEST_REASON = 10_000, 2_000
MOST_AMOUNT = Decimal(10) ** 14
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its ledger entry, who wrote it when, and the text."""

    entry: int
    at: datetime
    author_id: int
    author: str
    account: str
    text: str


def add_note(workspace: Workspace, actor: Actor, account: str, text: str, at: datetime, key: str = "") -> Note:
    """Write a note; `key` is the caller's name for it. Raises Forbidden; BadInput: no such account in scope, no text, or too much."""
    actor.require("account.write")
    account_in_scope(workspace, actor, account)
    _refuse(_text_faults(text, "text", LONGEST_NOTE))
    return _note(_write(workspace, actor, NOTE, account, {"text": text.strip(), **_named(key)}, at))


def add_forecast(
    workspace: Workspace,
    actor: Actor,
    account: str,
    due: date,
    probability: float,
    amount: Decimal | None,
    reason: str,
    at: datetime,
    key: str = "",
) -> StatedForecast:
    """State a forecast of one renewal that is not decided: the probability that it renews (0 to 1), the ARR then, and why.

    Raises Forbidden; BadInput with all faults: no such account in scope, no such renewal, a probability or an amount that cannot be, no
    reason.
    """
    actor.require("account.write")
    account_in_scope(workspace, actor, account)
    model = open_read_model(workspace.warehouse)
    sql = "SELECT currency FROM lines WHERE account_id = ? AND due = ? AND status IN ('open', 'overdue', 'notice given')"
    rows = model.rows(sql, (account, due.isoformat()))
    _refuse(
        [
            *_renewal_faults(bool(rows), due),
            *_number_faults(probability, amount),
            *_text_faults(reason, "reason", LONGEST_REASON),
        ]
    )
    said = {
        "due": due.isoformat(),
        "probability": float(probability),
        "amount": None if amount is None else format(amount, "f"),
        "currency": rows[0][0],
        "reason": reason.strip(),
        "seen": model.meta["entries"].get("risk"),
        **_named(key),
    }
    return read_stated(_write(workspace, actor, STATED, account, said, at))


def list_notes(workspace: Workspace, actor: Actor, account: str) -> tuple[Note, ...]:
    """The notes of an account, the newest first. Raises Forbidden; BadInput: no such account in scope."""
    actor.require("account.see")
    account_in_scope(workspace, actor, account)
    return notes_of(workspace, account)


def list_forecasts(workspace: Workspace, actor: Actor, account: str) -> tuple[StatedForecast, ...]:
    """The forecasts that people stated of an account, the newest first. Raises as `list_notes` does."""
    actor.require("account.see")
    account_in_scope(workspace, actor, account)
    return forecasts_of(workspace, account)


def notes_of(workspace: Workspace, account: str) -> tuple[Note, ...]:
    """The notes of an account that the caller has found within the scope."""
    with workspace.catalog() as catalog:
        return tuple(_note(one) for one in reversed(catalog.notes(NOTE, account)))


def forecasts_of(workspace: Workspace, account: str) -> tuple[StatedForecast, ...]:
    """The stated forecasts of an account that the caller has found within the scope."""
    with workspace.catalog() as catalog:
        return tuple(read_stated(one) for one in reversed(catalog.notes(STATED, account)))


def _note(record: NoteRecord) -> Note:
    held = json.loads(record.document)
    return Note(record.entry.seq, record.entry.at, held["author"]["id"], held["author"]["name"], record.account, held["text"])


def _named(key: str) -> dict[str, object]:
    return {"key": key} if key else {}


def entry_of_key(workspace: Workspace, actor: Actor, kind: str, account: str, key: str) -> int | None:
    """The entry that the actor wrote of an account under a key of theirs; None where there is none, or an erasure took it out."""
    with workspace.catalog() as catalog:
        for one in catalog.notes(kind, account):
            held = json.loads(one.document)
            if held.get("key") == key and held["author"]["id"] == actor.id:
                return one.entry.seq
    return None


def _write(workspace: Workspace, actor: Actor, kind: str, account: str, said: dict[str, object], at: datetime) -> NoteRecord:
    """The ledger holds the hash of it, and the number of its author; the salt keeps the hash from telling what was erased."""
    author = {"id": actor.id, "name": actor.name}
    document = canonical_json({"account": account, "author": author, "salt": secrets.token_hex(SALT_BYTES), **said})
    with workspace.catalog() as catalog:
        entry = catalog.add_note(kind, account, {"author": actor.id}, document, at)
    return NoteRecord(entry, account, document)


# Faults


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise BadInput(faults)


def _text_faults(text: str, where: str, most: int) -> list[Fault]:
    if not text.strip():
        return [Fault("no_text", f"the {where} is empty.", where, "Say it in words.")]
    if len(text) > most:
        return [Fault("long_text", f"the {where} has {len(text):,} characters, and may have {most:,}.", where)]
    if "\0" in text or any(0xD800 <= ord(one) < 0xE000 for one in text):
        return [Fault("bad_text", f"the {where} holds characters that are no text.", where)]
    return []


def _renewal_faults(found: bool, due: date) -> Iterator[Fault]:
    if not found:
        hint = "Give the due date as the page shows it."
        yield Fault("no_renewal", f"no renewal that is not decided is due on {due.isoformat()}.", "due", hint)


def _number_faults(probability: float, amount: Decimal | None) -> Iterator[Fault]:
    if not (math.isfinite(probability) and 0 <= probability <= 1):
        yield Fault("probability", "the probability that it renews is from 0 to 1.", "probability")
    if amount is not None and not (amount.is_finite() and 0 <= amount < MOST_AMOUNT):
        yield Fault("amount", "the ARR is an amount of money, not below 0.", "amount")
