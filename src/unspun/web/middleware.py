"""What stands around every request: its id."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


class RequestMiddleware:
    """Gives each request an id, which stands in the answer's header, on error pages, and in the log."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.request_id = secrets.token_hex(8)  # pyright: ignore[reportAttributeAccessIssue]
        response = self._respond(request)
        response.headers["X-Request-Id"] = request.request_id  # pyright: ignore[reportAttributeAccessIssue]
        return response
