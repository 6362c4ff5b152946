"""The one place where a request is let in or not, before its view runs: by the mark of the view, the person, and the role.

The API is asked by tokens (`unspun.api.admission`), and answers with an object where pages lead to the sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from unspun.api.admission import admitted
from unspun.api.errors import is_api
from unspun.app.access import Actor
from unspun.app.people.actors import actor_of
from unspun.app.route_rules import rule_of


class RouteRuleMiddleware:
    """Sets `request.actor` (an Actor, or None for someone who is not signed in), and denies what the view's rule does not allow."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._respond(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> HttpResponse | None:
        rule = rule_of(view)
        if rule is None:
            raise ImproperlyConfigured(f"the view of {request.path} says not who may reach it")
        if is_api(request):
            return admitted(request, rule)
        actor = _actor(request)
        request.actor = actor  # pyright: ignore[reportAttributeAccessIssue]
        if rule.kind == "public":
            return None
        if actor is None:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/", reverse("account_login"))
        if rule.permission is not None and not actor.may(rule.permission):
            raise PermissionDenied(rule.permission)
        return None


def _actor(request: HttpRequest) -> Actor | None:
    person = request.user
    return actor_of(person, "session") if person.is_authenticated else None  # pyright: ignore[reportArgumentType]
