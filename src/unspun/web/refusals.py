"""What an operation refuses, as a page: a person reads what and what to do, and not a fault of Unspun's own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from unspun.app.access import Forbidden
from unspun.console.forms import fault_words
from unspun.console.views.errors import PAGES, Wrong, page
from unspun.errors import BadInput, UnspunError

CANNOT_BE_SHOWN = 422
UNAVAILABLE = 503
NOT_THERE = frozenset({"no_account", "no_view"})  # or out of the scope of who asks, which is told in the same way


class RefusalMiddleware:
    """Turns errors of Unspun's own family that a view lets through into pages. The JSON API catches its own before."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._respond(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Forbidden):
            return page(request, 403, PAGES[403], request.path)
        if isinstance(exception, BadInput) and {one.code for one in exception.faults} <= NOT_THERE:
            return page(request, 404, PAGES[404], request.path)
        if isinstance(exception, UnspunError):
            status = CANNOT_BE_SHOWN if isinstance(exception, BadInput) else UNAVAILABLE
            return page(request, status, Wrong(_("This cannot be shown"), fault_words(exception), ""), request.path)
        return None
