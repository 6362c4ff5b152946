"""What an owner sees of people and does to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from unspun.app.access import Actor, Role, Scope
from unspun.app.people.actors import scope_names, scope_of
from unspun.app.people.joining import check_access
from unspun.errors import BadInput, Fault

if TYPE_CHECKING:
    from unspun.state.models import Invitation, Person


@dataclass(frozen=True, slots=True)
class Listed:
    """A person in the list of people."""

    id: int
    name: str
    email: str
    role: Role
    scope: Scope
    active: bool
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class PeopleList:
    """Everyone, by name, and the invitations that are open."""

    people: tuple[Listed, ...]
    invitations: tuple[Invitation, ...]


def list_people(actor: Actor, at: datetime) -> PeopleList:
    """Raises Forbidden."""
    from unspun.state.people import everyone, open_invitations

    actor.require("people.manage")
    return PeopleList(tuple(_listed(one) for one in everyone()), tuple(open_invitations(at)))


def _listed(person: Person) -> Listed:
    seen = getattr(person, "seen", None)
    return Listed(person.pk, person.name, person.email, cast("Role", person.role), scope_of(person), person.is_active, seen)


def find_person(actor: Actor, person_id: int) -> Listed | None:
    """One person of the list; None where there is none. Raises Forbidden."""
    from unspun.state.people import everyone

    actor.require("people.manage")
    found = everyone().filter(pk=person_id).first()
    return None if found is None else _listed(found)


def change_access(actor: Actor, person_id: int, role: Role, scope: Scope) -> None:
    """Another role, and the accounts that it sees. It holds from the person's next request on. Raises Forbidden, and BadInput where
    the role cannot be limited, nobody has that id, or no owner would be left."""
    from unspun.state.people import change_access as change

    actor.require("people.manage")
    check_access(role, scope)
    _changed(lambda: change(person_id, role, scope_names(scope)))


def set_active(actor: Actor, person_id: int, active: bool) -> None:
    """Let a person out, which ends their sessions at once, or in again. Raises Forbidden, and BadInput as `change_access`."""
    from unspun.state.people import set_active as change

    actor.require("people.manage")
    _changed(lambda: change(person_id, active))


def _changed(change: Callable[[], None]) -> None:
    from unspun.state.models import Person
    from unspun.state.people import LastOwner

    try:
        change()
    except Person.DoesNotExist:
        raise BadInput(Fault("no_person", "there is no such person.")) from None
    except LastOwner:
        hint = "Make someone else an owner first."
        raise BadInput(Fault("last_owner", "this is the only owner, and nobody else could manage people.", "", hint)) from None
