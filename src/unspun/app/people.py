"""The people of a workspace, from what the state holds of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from unspun.app.access import EVERYTHING, Actor, Role, Scope, Via

if TYPE_CHECKING:
    from unspun.state.models import Person


def actor_of(person: Person, via: Via) -> Actor:
    """The person as the operations know them: role, and the accounts in scope, as they stand now."""
    return Actor(person.pk, person.name, person.email, cast("Role", person.role), _scope(person), via)


def _scope(person: Person) -> Scope:
    if not person.limited:
        return EVERYTHING
    named: dict[str, set[str]] = {"owner": set(), "segment": set(), "account": set()}
    for kind, value in person.scope_rules.values_list("kind", "value"):
        named[kind].add(value)
    return Scope(False, frozenset(named["owner"]), frozenset(named["segment"]), frozenset(named["account"]))
