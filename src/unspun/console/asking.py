"""Who asks: the actor that the middleware found for a request."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from unspun.app.access import Actor
from unspun.state.models import Person


def actor_of_request(request: HttpRequest) -> Actor:
    """The actor. Only for views whose rule is not `public`: there it may be None."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Actor):
        raise TypeError("this view is open to those who are not signed in, so that it has no actor")
    return actor


def person_of_request(request: HttpRequest) -> Person:
    """The person who is signed in."""
    return cast("Person", request.user)
