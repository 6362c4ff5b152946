"""Pages of what went wrong: what, where, what was kept, what to do, and the id to quote. They need neither state nor session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Wrong:
    """What a page of an error says."""

    what: str | Promise
    kept: str | Promise
    do: str | Promise


NOTHING_CHANGED: Final = _("Nothing was changed.")
PAGES: Final[dict[int, Wrong]] = {
    400: Wrong(_("The request cannot be understood"), NOTHING_CHANGED, _("Go back, reload the page, and try again.")),
    403: Wrong(_("This is not open to you"), NOTHING_CHANGED, _("Ask an owner of the workspace, if you need it.")),
    404: Wrong(
        _("There is no such page"),
        _("If an account was meant: it does not exist, or is not among those you see."),
        _("Look for it by search."),
    ),
    413: Wrong(
        _("The file is too large"), _("It was not read, and nothing was changed."), _("Send a smaller one, or load it by unspun load.")
    ),
    429: Wrong(_("Too many tries"), NOTHING_CHANGED, _("Wait a minute or two, then try again.")),
    500: Wrong(
        _("A fault of Unspun's own"),
        _("What was saved before is kept; what you just sent may not be."),
        _("Look whether it is there before you send it again. If the fault stays, give whoever runs the server the request id."),
    ),
}
CSRF: Final = Wrong(
    _("The form was open for too long"),
    _("It was not taken, so nothing was changed."),
    _("Go back, reload the page, and send it again. Cookies must be allowed for this site."),
)


def page(request: HttpRequest, status: int, wrong: Wrong, where: str = "") -> HttpResponse:
    """The page of an error, without asking the session or the state for anything."""
    told = {
        "wrong": wrong,
        "where": where,
        "status": status,
        "request_id": getattr(request, "request_id", ""),
        "company": settings.WORKSPACE.settings.name,
        "language": settings.LANGUAGE_CODE,
        "messages": (),
    }
    return HttpResponse(get_template("error.html").render(told), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, PAGES[400])


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 403, PAGES[403], request.path)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404, PAGES[404], request.path)


def server_error(request: HttpRequest) -> HttpResponse:
    return page(request, 500, PAGES[500], request.path)


def too_many(request: HttpRequest) -> HttpResponse:
    response = page(request, 429, PAGES[429])
    response.headers["Retry-After"] = "60"
    return response


def too_large(request: HttpRequest) -> HttpResponse:
    return page(request, 413, PAGES[413], request.path)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return page(request, 403, CSRF, request.path)
