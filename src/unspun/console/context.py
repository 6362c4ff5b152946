"""What every page may show besides its own: who is looking, the company, the rail, the book, and the id of the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from unspun.app.access import Role

ROLE_NAMES: Final[Mapping[Role, Promise]] = {
    "owner": _("Owner"),
    "analyst": _("Analyst"),
    "manager": _("Manager"),
    "csm": _("CSM"),
    "viewer": _("Viewer"),
}


def role_name(role: Role) -> str:
    """What a role is called on pages."""
    return str(ROLE_NAMES[role])


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Names of the frame that every template may use."""
    return {
        "actor": getattr(request, "actor", None),
        "company": settings.WORKSPACE.settings.name,
        "language": translation.get_language() or settings.LANGUAGE_CODE,
        "request_id": getattr(request, "request_id", ""),
        "rail": (),
        "book": None,
    }
