"""Who asks, and the people of the workspace."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from ninja import Router

from unspun._version import __version__
from unspun.api.asking import actor_of_request, now, workspace
from unspun.api.book_models import MeModel, PeopleModel, PersonModel, ScopeModel
from unspun.app.access import PERMISSIONS, Scope
from unspun.app.people.managing import list_people
from unspun.app.route_rules import allow, signed_in

router = Router(tags=["people"])


@router.get("/me", response=MeModel)
@signed_in
def me(request: HttpRequest) -> MeModel:
    """Who asks, and what they may do."""
    actor = actor_of_request(request)
    return MeModel(
        id=actor.id,
        name=actor.name,
        email=actor.email,
        role=actor.role,
        via=actor.via,
        permissions=[one for one in PERMISSIONS if actor.may(one)],
        scope=_scope(actor.scope),
        workspace=workspace().settings.name,
        version=__version__,
    )


@router.get("/people", response=PeopleModel)
@allow("people.manage")
def people(request: HttpRequest) -> PeopleModel:
    """Everyone, by name. They are changed in the console only."""
    found = list_people(actor_of_request(request), now()).people
    return PeopleModel(
        people=[PersonModel.model_validate({**{name: getattr(one, name) for name in _NAMES}, "scope": _scope(one.scope)}) for one in found]
    )


_NAMES = ("id", "name", "email", "role", "active", "last_seen")


def _scope(scope: Scope) -> ScopeModel:
    named = {name: sorted(cast("frozenset[str]", getattr(scope, name))) for name in ("owners", "segments", "accounts")}
    return ScopeModel(everything=scope.everything, **named)
