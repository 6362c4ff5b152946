"""What a view of the API asks with: the workspace, the actor that was let in, and the present instant."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest

from unspun.app.access import Actor
from unspun.app.workspace import Workspace


def actor_of_request(request: HttpRequest) -> Actor:
    """The actor. Only for views whose rule is not `public`."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Actor):
        raise TypeError("this view is open to everyone, so that it has no actor")
    return actor


def workspace() -> Workspace:
    """The workspace that the site serves."""
    return settings.WORKSPACE


def now() -> datetime:
    return datetime.now(UTC)
