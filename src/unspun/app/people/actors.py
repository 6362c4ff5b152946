"""A person as the operations know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from unspun.app.access import EVERYTHING, Actor, Role, Scope, Via

if TYPE_CHECKING:
    from unspun.state.models import Person


def actor_of(person: Person, via: Via) -> Actor:
    """Role, and the accounts in scope, as they stand now."""
    return Actor(person.pk, person.name, person.email, cast("Role", person.role), scope_of(person), via)


def scope_of(person: Person) -> Scope:
    """The accounts that a person sees."""
    if not person.limited:
        return EVERYTHING
    named: dict[str, set[str]] = {"owner": set(), "segment": set(), "account": set()}
    for rule in person.scope_rules.all():
        named[rule.kind].add(rule.value)
    return Scope(False, frozenset(named["owner"]), frozenset(named["segment"]), frozenset(named["account"]))


def scope_names(scope: Scope) -> dict[str, list[str]] | None:
    """A scope as the state keeps it: None for every account."""
    if scope.everything:
        return None
    return {"owner": sorted(scope.owners), "segment": sorted(scope.segments), "account": sorted(scope.accounts)}
