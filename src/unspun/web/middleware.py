"""What stands around every request: its id, the bound of its body, its line in the log, and its count."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from unspun.web.errors import too_large
from unspun.web.logs import ACCESS, REQUEST_ID, route_of
from unspun.web.metrics import count

STATIC = "(static file)"


class RequestMiddleware:
    """The outermost: what it tells of an answer is what was answered."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        request_id = secrets.token_hex(8)
        request.request_id = request_id  # pyright: ignore[reportAttributeAccessIssue]
        token = REQUEST_ID.set(request_id)
        try:
            response = too_large(request) if _size(request) > settings.SITE.upload_bytes else self._respond(request)
            response.headers["X-Request-Id"] = request_id
            _tell(request, response, perf_counter() - began)
        finally:
            REQUEST_ID.reset(token)
        return response


def _size(request: HttpRequest) -> int:
    """How much the request says it brings; nothing beyond that is read."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    static = request.path.startswith(settings.STATIC_URL)
    route = STATIC if static else route_of(request)
    count(route, request.method or "", response.status_code, seconds)
    if not static:
        actor = getattr(request, "actor", None)
        fields = {"method": request.method, "route": route, "status": response.status_code, "ms": round(seconds * 1000, 1)}
        ACCESS.info("request", extra={"fields": {**fields, "person": actor.id if actor else None}})
