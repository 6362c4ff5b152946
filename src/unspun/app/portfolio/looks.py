"""The operation "what changed since I looked last": a person's visits to an account's page, and what is new since the one before this.

A visit is looking at a page, again and again, with less than half an hour between: what changed stays on the page when it is opened anew.
A refresh in between begins another visit, so that what it brought is not taken for seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from unspun.app.access import Actor
from unspun.app.portfolio.account import AccountDetail
from unspun.app.portfolio.changes import AccountChanges, changed_since
from unspun.app.portfolio.notes import Note, StatedForecast
from unspun.app.workspace import Workspace

if TYPE_CHECKING:
    from unspun.state.models import LastSeen

VISIT: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class LastLook:
    """What is new to a person. `before` is the visit before this one, None: this is the first. `same` says that it showed the same refresh;
    else `changes`, None where what it showed is no longer kept. `notes` and `forecasts` are those of others since."""

    before: datetime | None
    same: bool
    changes: AccountChanges | None
    notes: tuple[Note, ...]
    forecasts: tuple[StatedForecast, ...]


def last_look(workspace: Workspace, actor: Actor, detail: AccountDetail, at: datetime) -> LastLook:
    """Note that the actor looks at an account now, and tell what is new since the visit before. Raises as `account_detail` does."""
    from unspun.state.looks import note_look

    actor.require("account.see")
    seen = note_look(actor.id, _named(detail), at, detail.key, detail.entries.get("risk"), lambda kept: _is_new(kept, detail, at))
    if seen.before_at is None:
        return LastLook(None, True, None, (), ())
    same = seen.before_key == detail.key
    changes = None if same else changed_since(workspace, actor, detail.account.account_id, seen.before_key, seen.before_entry)
    notes = tuple(one for one in detail.notes if one.at > seen.before_at and one.author_id != actor.id)
    said = tuple(one for one in detail.forecasts if one.at > seen.before_at and one.author_id != actor.id)
    return LastLook(seen.before_at, same, changes, notes, said)


def _is_new(kept: LastSeen, detail: AccountDetail, at: datetime) -> bool:
    return at - kept.at >= VISIT or kept.key != detail.key


def _named(detail: AccountDetail) -> str:
    return hashlib.sha256(detail.account.account_id.encode()).hexdigest()
