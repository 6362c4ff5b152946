"""Where people are signed in: a record beside each session, renewed as it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from allauth.account.adapter import get_adapter
from allauth.account.signals import password_changed, password_reset, password_set
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from unspun.state.models import Person
from unspun.state.people import end_sessions
from unspun.state.sessions import note_session


class SessionRecordMiddleware:
    """Writes down from which device and address a session is used."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._respond(request)
        key = request.session.session_key
        if key and request.user.is_authenticated:
            device = request.headers.get("User-Agent", "")
            note_session(cast("Person", request.user), key, timezone.now(), address_of(request), device)
        return response


def address_of(request: HttpRequest) -> str:
    """The address that the request came from, as the sign-in limits see it too."""
    return str(get_adapter(request).get_client_ip(request) or "")


@receiver([password_changed, password_reset, password_set])
def end_sessions_of_old_password(sender: type, request: HttpRequest, user: Person, **named: object) -> None:
    """A new password signs out everywhere else, as whoever knew the old one may be there."""
    end_sessions(user, request.session.session_key if request.user.is_authenticated else None)
