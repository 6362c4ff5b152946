"""How people join: the first owner by a code from the terminal, everyone else by an invitation, or by the company's own sign-in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from unspun.app.access import EVERYTHING, LIMITED_ROLES, ROLES, Actor, Role, Scope
from unspun.app.people.actors import scope_names
from unspun.errors import BadInput, Fault

if TYPE_CHECKING:
    from unspun.state.models import Invitation, Person
    from unspun.state.people import NewPerson

INVITED_FOR = timedelta(days=7)
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no letter is taken for a digit
GROUPS, GROUP = 4, 4  # 78 bits


def new_set_up_code(at: datetime) -> str | None:
    """A code that makes the first owner, in the place of any before it; None where the workspace has people already."""
    from unspun.state.people import anyone, keep_set_up_code

    if anyone():
        return None
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    keep_set_up_code(_hash(_plain(code)), at)
    return code


def set_up_is_open() -> bool:
    """Whether the workspace waits for its first owner."""
    from unspun.state.people import anyone

    return not anyone()


def set_up(code: str, new: NewPerson) -> Person:
    """The first owner. Raises BadInput where the code is not the one that was printed last, or someone was quicker."""
    from unspun.state.people import NotOpen, create_first_owner

    try:
        return create_first_owner(new, _hash(_plain(code)))
    except NotOpen:
        hint = "It stands in the terminal where `unspun serve` runs; starting that again prints a new one."
        raise BadInput(Fault("bad_set_up_code", "this is not the set-up code.", "code", hint)) from None


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation just made, and its secret, which is not kept."""

    invitation: Invitation
    secret: str


def invite(actor: Actor, email: str, role: Role, scope: Scope, at: datetime, name: str = "") -> Invited:
    """Invite someone for seven days; an earlier invitation of that address ends. Raises Forbidden, and BadInput where there is a
    person of that address, or the role cannot be limited."""
    from unspun.state.models import Invitation, Person
    from unspun.state.people import end_invitations

    actor.require("people.manage")
    check_access(role, scope)
    email = email.lower()
    if Person.objects.filter(email=email).exists():
        raise BadInput(
            Fault("email_taken", "there is a person of this address already.", "email", "Change their role in the list of people.")
        )
    secret = secrets.token_urlsafe(32)
    end_invitations(email, at)
    invitation = Invitation.objects.create(
        email=email,
        name=name,
        role=role,
        scope=scope_names(scope),
        secret_hash=_hash(secret),
        invited_by_id=actor.id,
        made_at=at,
        expires_at=at + INVITED_FOR,
    )
    return Invited(invitation, secret)


def invitation_of(secret: str, at: datetime) -> Invitation | None:
    """The invitation of a link, if it can still be used."""
    from unspun.state.people import open_invitation

    return open_invitation(_hash(secret), at)


def join(secret: str, name: str, password: str, at: datetime) -> Person:
    """Join by a link. Raises BadInput where it was used, withdrawn, or is past its time."""
    from unspun.state.people import EmailTaken, NewPerson, NotOpen, accept

    invitation = invitation_of(secret, at)
    hint = "Ask an owner of the workspace for a new one."
    if invitation is None:
        raise BadInput(Fault("ended_invitation", "this invitation can no longer be used.", "", hint))
    try:
        return accept(invitation, NewPerson(name, invitation.email, password), at)
    except NotOpen:
        raise BadInput(Fault("ended_invitation", "this invitation was used in the meantime.", "", hint)) from None
    except EmailTaken:
        raise BadInput(Fault("email_taken", "there is a person of this address already.", "", "Sign in.")) from None


def may_join_by_company(email: str, default_role: str, at: datetime) -> bool:
    """Whether someone whom the company's sign-in vouches for may join: invited, or by the role of those who come uninvited."""
    from unspun.state.people import open_invitation_of

    return bool(default_role) or open_invitation_of(email, at) is not None


def join_by_company(name: str, email: str, default_role: str, at: datetime) -> Person:
    """Join by the company's sign-in, which has checked the address. Raises BadInput where nobody invited them."""
    from unspun.state.people import NewPerson, accept, create_person, open_invitation_of

    invitation = open_invitation_of(email, at)
    new = NewPerson(name, email, None)
    if invitation is not None:
        return accept(invitation, new, at)
    if not default_role:
        raise BadInput(Fault("not_invited", "nobody invited this address.", "", "Ask an owner of the workspace for an invitation."))
    return create_person(new, default_role, None)


def withdraw(actor: Actor, invitation_id: int, at: datetime) -> bool:
    """End an invitation that is open. False where there is none. Raises Forbidden."""
    from unspun.state.models import Invitation

    actor.require("people.manage")
    return Invitation.objects.filter(pk=invitation_id, ended_at=None).update(ended_at=at) > 0


def check_access(role: str, scope: Scope) -> None:
    """Raises BadInput for a role that does not exist, one that cannot be limited, or a limit that names nothing."""
    if role not in ROLES:
        raise BadInput(Fault("bad_role", f"there is no role {role!r}.", "role", f"The roles are {', '.join(ROLES)}."))
    if scope == EVERYTHING:
        return
    if role not in LIMITED_ROLES:
        who = " and ".join(sorted(LIMITED_ROLES))
        raise BadInput(Fault("unlimited_role", f"the role {role} sees every account; only {who} can be limited.", "role"))
    if not (scope.owners or scope.segments or scope.accounts):
        raise BadInput(
            Fault("empty_scope", "a limit that names nothing leaves no account to see.", "scope", "Name owners, segments or accounts.")
        )


def _plain(code: str) -> str:
    """A code as it is compared: whatever its case, and however its groups are parted."""
    return "".join(letter for letter in code.upper() if letter in ALPHABET)


def _hash(secret: str) -> str:
    """Secrets here are random and long, so a plain hash keeps them."""
    return hashlib.sha256(secret.encode()).hexdigest()
