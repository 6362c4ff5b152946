"""What the frame of every page shows: who is looking, the company, the rail, the book, and the id of the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from unspun.app.access import Actor, Permission, Role

ROLE_NAMES: Final[Mapping[Role, Promise]] = {
    "owner": _("Owner"),
    "analyst": _("Analyst"),
    "manager": _("Manager"),
    "csm": _("CSM"),
    "viewer": _("Viewer"),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """A page of the rail: its name, route and icon, and who sees it there."""

    name: Promise
    route: str
    icon: str
    permission: Permission


RAIL: Final[tuple[tuple[Stop, ...], ...]] = (
    (
        Stop(_("Portfolio"), "portfolio", "portfolio", "portfolio.see"),
        Stop(_("Forecast"), "forecast", "forecast", "forecast.see"),
        Stop(_("Performance"), "performance", "performance", "performance.see"),
    ),
    (
        Stop(_("Evidence"), "evidence", "evidence", "evidence.see"),
        Stop(_("Audit"), "audits", "audit", "audit.run"),
        Stop(_("Definitions"), "definitions", "definitions", "definitions.see"),
        Stop(_("Data"), "data", "data", "data.see"),
        Stop(_("Ledger"), "ledger", "ledger", "ledger.see"),
    ),
    (Stop(_("Jobs"), "jobs", "renewal", "refresh.run"), Stop(_("People"), "people", "people", "people.manage")),
)
BELOW: Final[Mapping[str, tuple[str, ...]]] = {"portfolio": ("/views/", "/accounts/")}
"""Pages that belong to one of the rail, and do not stand below its address."""


def role_name(role: Role) -> str:
    """What a role is called on pages."""
    return str(ROLE_NAMES[role])


def shell(request: HttpRequest) -> dict[str, Any]:
    """The names that every template may use."""
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "actor": actor,
        "company": settings.WORKSPACE.settings.name,
        "language": translation.get_language() or settings.LANGUAGE_CODE,
        "request_id": getattr(request, "request_id", ""),
        "rail": rail(actor, request.path) if actor is not None else (),
        "book": None,
    }


def rail(actor: Actor, path: str) -> list[list[dict[str, Any]]]:
    """The groups of the rail as this actor sees them; groups without a page are left out."""
    groups = [[_drawn(stop, path) for stop in group if actor.may(stop.permission)] for group in RAIL]
    return [group for group in groups if group]


def _drawn(stop: Stop, path: str) -> dict[str, Any]:
    href = reverse(stop.route)
    below = (f"{href.rstrip('/')}/", *BELOW.get(stop.route, ()))
    here = path == href or path.startswith(below)
    return {"name": stop.name, "href": href, "icon": stop.icon, "here": here, "count": 0}
