"""API tokens: what a person makes for a program to act as them, for a time, with some of their permissions."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from unspun.app.access import GRANTS, PERMISSIONS, Actor, Forbidden, Permission
from unspun.app.people.actors import scope_of
from unspun.errors import BadInput, Fault

if TYPE_CHECKING:
    from unspun.state.models import ApiToken

BEGINNING: Final = "unspun_"
PREFIX_BYTES, SECRET_BYTES = 4, 32
LONGEST_DAYS: Final = 366
MOST_TOKENS: Final = 50
LONGEST_NAME: Final = 100
LONGEST_TOKEN: Final = 200
NOT_BY_TOKEN: Final[frozenset[Permission]] = frozenset({"audit.run", "settings.manage"})
"""What nothing in the API does."""


class BadToken(BadInput):
    """The token is none, or can no longer be used."""


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token just made, and its secret, which is not kept."""

    id: int
    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token in the list of a person's own. `prefix` is its beginning. `lost` are permissions of it that the role no longer grants."""

    id: int
    name: str
    prefix: str
    permissions: tuple[Permission, ...]
    lost: tuple[Permission, ...]
    made_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    usable: bool


def grantable(actor: Actor) -> tuple[Permission, ...]:
    """What a token of this person can be given: what the role grants and the API has a use for."""
    return tuple(one for one in PERMISSIONS if one in GRANTS[actor.role] and one not in NOT_BY_TOKEN)


def make_token(actor: Actor, name: str, permissions: Collection[str], days: int, at: datetime) -> MadeToken:
    """A token of the actor's own that ends after so many days. Raises Forbidden for who is not signed in themselves; BadInput with all
    faults: no name, no permission or one that the role does not grant, a span that is too long, too many tokens."""
    from unspun.state.tokens import NewToken, TooMany, keep_token

    _own(actor)
    name = " ".join(name.split())
    if faults := _faults(actor, name, permissions, days):
        raise BadInput(faults)
    prefix = f"{BEGINNING}{secrets.token_hex(PREFIX_BYTES)}"
    secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    kept = tuple(one for one in PERMISSIONS if one in permissions)
    try:
        made = keep_token(actor.id, NewToken(name, prefix, _hash(secret), kept, at + timedelta(days=days)), at, MOST_TOKENS)
    except TooMany:
        raise BadInput(Fault("many_tokens", f"you have {MOST_TOKENS} tokens already.", "", "Revoke one that is not used.")) from None
    return MadeToken(made.pk, secret, made.expires_at)


def _faults(actor: Actor, name: str, permissions: Collection[str], days: int) -> list[Fault]:
    faults: list[Fault] = []
    if not name or len(name) > LONGEST_NAME:
        faults.append(Fault("name", f"a token has a name of 1 to {LONGEST_NAME} characters.", "name", "Say what it is for."))
    if not permissions:
        faults.append(Fault("no_permission", "the token could do nothing.", "permissions", "Choose what it may do."))
    refused = sorted(set(permissions).difference(grantable(actor)))
    faults += [Fault("permission", f"the role {actor.role} does not grant '{one[:40]}'.", "permissions") for one in refused]
    if not 1 <= days <= LONGEST_DAYS:
        faults.append(Fault("days", f"a token ends after 1 to {LONGEST_DAYS} days.", "days"))
    return faults


def list_tokens(actor: Actor, at: datetime) -> tuple[ListedToken, ...]:
    """The actor's own, the newest first. Raises Forbidden as `make_token` does."""
    from unspun.state.tokens import tokens_of

    _own(actor)
    return tuple(_listed(one, actor, at) for one in tokens_of(actor.id))


def revoke_token(actor: Actor, token: int, at: datetime) -> bool:
    """End one of the actor's own at once; False where there is none to end. Raises Forbidden as `make_token` does."""
    from unspun.state.tokens import revoke_token as revoke

    _own(actor)
    return revoke(actor.id, token, at)


def _own(actor: Actor) -> None:
    """A token makes no tokens: one that leaked would outlive its end."""
    if actor.via != "session":
        raise Forbidden(
            Fault("forbidden", "tokens are made and ended by people who are signed in.", "", "Open your own page of the console.")
        )


def _listed(one: ApiToken, actor: Actor, at: datetime) -> ListedToken:
    given = _known(one)
    lost: tuple[Permission, ...] = tuple(name for name in given if name not in GRANTS[actor.role])
    usable = one.revoked_at is None and one.expires_at > at
    return ListedToken(
        one.pk, one.name, one.prefix, given, lost, one.made_at, one.expires_at, one.last_used_at, one.revoked_at, usable
    )  # fmt: skip


def actor_of_token(secret: str, at: datetime) -> Actor:
    """Who a token acts as: its person, in the role and for the accounts that these have now, with what the token was given of it.

    Raises BadToken, in the same words for one that is none as for one whose person was let out.
    """
    from unspun.state.tokens import note_use, token_of_hash

    held = token_of_hash(_hash(secret)) if secret.startswith(BEGINNING) and len(secret) <= LONGEST_TOKEN else None
    if held is None or not held.person.is_active:
        raise BadToken(
            Fault("bad_token", "this is no token of this workspace.", "Authorization", "Make one on your own page of the console.")
        )
    if held.revoked_at is not None:
        raise BadToken(
            Fault("revoked_token", "this token was revoked.", "Authorization", "Make another one on your own page of the console.")
        )
    if held.expires_at <= at:
        message = f"this token ended at {held.expires_at.isoformat(timespec='seconds')}."
        raise BadToken(Fault("expired_token", message, "Authorization", "Make another one on your own page of the console."))
    note_use(held, at)
    person: Any = held.person
    return Actor(person.pk, person.name, person.email, person.role, scope_of(person), "token", frozenset(_known(held)))


def _known(held: ApiToken) -> tuple[Permission, ...]:
    """What a token was given, of the permissions that there are."""
    return tuple(one for one in PERMISSIONS if one in held.permissions)


def _hash(secret: str) -> str:
    """A hash that needs no slowness: nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
