"""Pages that a refresh laid out: evidence, the risk model, the forecast, its record, performance. Serving one is a look-up."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup

from unspun.app.access import Forbidden, Permission
from unspun.app.published.pages import Section
from unspun.app.published.reading import NO_PAGE, LaidPage, laid_page
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.errors import BadInput

SHEETS: Final[dict[Section, str]] = {
    "evidence": "report-evidence.css",
    "risk": "report-risk.css",
    "forecast": "report-forecast.css",
    "record": "report-forecast.css",
    "performance": "report-performance.css",
}
NAMES: Final[dict[Section, str | Promise]] = {
    "evidence": _("Evidence"),
    "risk": _("Risk model"),
    "forecast": _("Forecast"),
    "record": _("Record of forecasts"),
    "performance": _("Performance"),
}
TABS: Final[tuple[tuple[Section, str, Permission], ...]] = (
    ("forecast", "forecast", "forecast.see"),
    ("record", "record", "forecast.see"),
    ("risk", "risk_model", "evidence.see"),
)
"""Pages on what is to come, one beside the other."""


@allow("evidence.see")
def evidence(request: HttpRequest, name: str = "index.html") -> HttpResponse:
    """All metrics and scores by verdict, the page of one, or a file of rows."""
    return _page(request, "evidence", name)


@allow("evidence.see")
def risk_model(request: HttpRequest) -> HttpResponse:
    """How the risk model was chosen and judged."""
    return _page(request, "risk", "index.html")


@allow("forecast.see")
def forecast(request: HttpRequest, name: str = "index.html") -> HttpResponse:
    """The forecast, or a file of its rows."""
    return _page(request, "forecast", name)


@allow("forecast.see")
def record(request: HttpRequest, name: str = "index.html") -> HttpResponse:
    """Everybody who forecast beside what came, or a file of its rows."""
    return _page(request, "record", name)


@allow("performance.see")
def performance(request: HttpRequest, name: str = "index.html") -> HttpResponse:
    """Owners and segments beside what was expected, or the same as a file."""
    return _page(request, "performance", name)


def _page(request: HttpRequest, section: Section, name: str) -> HttpResponse:
    try:
        found = laid_page(settings.WORKSPACE, actor_of_request(request), section, name)
    except Forbidden as refusal:
        raise PermissionDenied from refusal
    except BadInput as refusal:
        if refusal.faults[0].code == NO_PAGE:
            raise Http404 from refusal
        return render(request, "report_not_yet.html", {"name": NAMES[section], "fault": refusal.faults[0], "tabs": _tabs(request, section)})
    if not found.is_page:
        return _file(found)
    held = {"title": Markup(found.title), "toc": Markup(found.toc), "around": Markup(found.around), "body": Markup(found.body.decode())}
    sheet, scripts = SHEETS[section], ["evidence.js"] if section == "evidence" else []
    return render(request, "report.html", {**held, "sheet": sheet, "scripts": scripts, "tabs": _tabs(request, section)})


def _file(found: LaidPage) -> HttpResponse:
    answer = HttpResponse(found.body, content_type=found.kind)
    name = f"{found.section}-{PurePosixPath(found.name).name}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _tabs(request: HttpRequest, section: Section) -> list[dict[str, Any]]:
    actor = actor_of_request(request)
    shown: list[tuple[Section, str]] = [(one, route) for one, route, permission in TABS if actor.may(permission)]
    if section not in [one for one, _route in shown]:
        return []
    return [{"name": NAMES[one], "href": reverse(route), "here": one == section} for one, route in shown]
