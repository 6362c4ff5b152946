"""Who may reach a route: every view says so with one of three marks, and a view that says nothing is closed.

The marks are attributes of the view, read by the middleware of `unspun.web` before the view runs, and by a check at start-up that
walks every route. They know nothing of a web framework, so that pages and the JSON API use the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from unspun.app.access import PERMISSIONS, Permission

View = TypeVar("View", bound=Callable[..., Any])
ATTRIBUTE = "unspun_rule"


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Open to everyone, to everyone who is signed in, or to those whose role grants `permission`."""

    kind: Literal["public", "signed_in", "permission"]
    permission: Permission | None = None


PUBLIC, SIGNED_IN = RouteRule("public"), RouteRule("signed_in")


def allow(permission: Permission) -> Callable[[View], View]:
    """The view is for those whose role grants the permission. Raises ValueError for one that does not exist."""
    if permission not in PERMISSIONS:
        raise ValueError(f"there is no permission {permission!r}")
    return lambda view: _marked(view, RouteRule("permission", permission))


def public(view: View) -> View:
    """The view is open to everyone, signed in or not."""
    return _marked(view, PUBLIC)


def signed_in(view: View) -> View:
    """The view is for everyone who is signed in, whatever the role."""
    return _marked(view, SIGNED_IN)


def rule_of(view: Callable[..., Any]) -> RouteRule | None:
    """The rule of a view; None where it has none, and is closed."""
    return getattr(view, ATTRIBUTE, None)


def _marked(view: View, rule: RouteRule) -> View:
    setattr(view, ATTRIBUTE, rule)
    return view
