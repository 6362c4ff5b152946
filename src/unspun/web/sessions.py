"""Where people are signed in: a record beside each session, renewed as it is used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from unspun.state.models import SessionRecord

RENEW_AFTER = timedelta(minutes=1)
SEEN = "seen_at"


class SessionRecordMiddleware:
    """Writes down, at most once a minute, from which device and address a session was used."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._respond(request)
        if request.session.session_key and request.user.is_authenticated:
            _record(request)
        return response


def _record(request: HttpRequest) -> None:
    now = timezone.now()
    key = request.session.session_key
    about = {"person": request.user, "seen_at": now, "address": address_of(request), "device": request.headers.get("User-Agent", "")[:300]}
    kept = SessionRecord.objects.filter(session_key=key).first()
    if kept is None or kept.person_id != request.user.pk or now - kept.seen_at > RENEW_AFTER:
        SessionRecord.objects.update_or_create(session_key=key, defaults=about, create_defaults={**about, "began_at": now})


def address_of(request: HttpRequest) -> str:
    """The address that the request came from, as the sign-in limits see it too."""
    from allauth.account.adapter import get_adapter

    return str(get_adapter(request).get_client_ip(request) or "")
