"""Pages in the way of their reader: the zone of the person, the numbers and days of their country. The JSON API has one way for all."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from unspun.console.reader import written_for

API = "/api/"


class ReaderMiddleware:
    """Stands around every page. It asks for the person only where a page is made: files are answered before."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(API):
            return self._respond(request)
        with written_for(request, getattr(request.user, "zone", "")):
            return self._respond(request)
