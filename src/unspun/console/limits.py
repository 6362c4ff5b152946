"""How often the forms of strangers may be sent, counted for all workers together."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse

RATES = {"set_up": "10/m/ip,60/h/ip", "join": "20/m/ip"}


def too_often(request: HttpRequest, action: str) -> HttpResponse | None:
    """The answer to a form that was sent too often from one address; None where it was not."""
    return ratelimit.consume_or_429(request, app="unspun", action=action, config=RATES)
