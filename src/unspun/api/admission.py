"""Who asks the API: a program by its token, or a person who is signed in and only reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, cast

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse

from unspun.api.errors import answer
from unspun.app.access import Actor, Forbidden
from unspun.app.people.actors import actor_of
from unspun.app.people.tokens import BadToken, actor_of_token
from unspun.app.route_rules import RouteRule
from unspun.errors import Fault
from unspun.state.models import Person

RATES: Final = {"bad_token": "30/m/ip"}
READING: Final = ("GET", "HEAD", "OPTIONS")
SCHEME: Final = "bearer"


def admitted(request: HttpRequest, rule: RouteRule) -> HttpResponse | None:
    """Sets `request.actor`; the answer to a request that the rule does not let in, None where it does.

    A token counts alone: the cookies beside it are not looked at, so that no page of another site can use them. A session may read
    and not write, as its cookie is sent by the browser whoever asks for it.
    """
    try:
        actor = _by_token(request) if "Authorization" in request.headers else _by_session(request)
    except BadToken as refusal:
        return answer(request, 429) if _too_often(request) else answer(request, 401, refusal.faults)
    request.actor = actor  # pyright: ignore[reportAttributeAccessIssue]
    if rule.kind == "public":
        return None
    if actor is None:
        return answer(request, 401)
    if actor.via == "session" and request.method not in READING:
        hint = "Make a token on your own page of the console, and send it as Authorization: Bearer TOKEN."
        return answer(request, 403, [Fault("token_needed", "the API is written to with a token.", "Authorization", hint)])
    try:
        if rule.permission is not None:
            actor.require(rule.permission)
    except Forbidden as refusal:
        return answer(request, 403, refusal.faults)
    return None


def _by_token(request: HttpRequest) -> Actor:
    scheme, _, secret = request.headers["Authorization"].partition(" ")
    if scheme.casefold() != SCHEME:
        hint = "Send the header: Authorization: Bearer TOKEN."
        raise BadToken(Fault("bad_token", "the header Authorization holds no bearer token.", "Authorization", hint))
    return actor_of_token(secret.strip(), datetime.now(UTC))


def _by_session(request: HttpRequest) -> Actor | None:
    person = request.user
    return actor_of(cast("Person", person), "session") if person.is_authenticated else None


def _too_often(request: HttpRequest) -> bool:
    """Whether this address has sent more bad tokens than a mistake explains. Good ones are not counted, and not held up."""
    return ratelimit.consume(request, app="unspun", action="bad_token", config=RATES, limit_get=True) is None
