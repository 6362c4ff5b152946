"""Every route of the site asked for as every role: closed to those to whom its rule does not open it, by whatever method.

The routes of the API, which answer programs, are walked by tokens in test_api.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.doors.console_site import Visitor, empty_state, signed_in, visitor
from unspun.app.access import GRANTS, ROLES, Role
from unspun.app.route_rules import RouteRule


@pytest.fixture(scope="module")
def browsers() -> Iterator[dict[Role, Visitor]]:
    """Someone signed in, in each role."""
    with empty_state("sqlite"):
        yield {role: signed_in(role, role.title()) for role in ROLES}


def ruled(kind: str) -> list[tuple[str, RouteRule]]:
    """Paths of all routes with a rule of that kind, their parameters filled in with something."""
    from django.urls import get_resolver

    from unspun.app.route_rules import rule_of
    from unspun.web.checks import routes

    found = [(re.sub(r"<int:\w+>", "1", route), rule_of(view)) for route, view in routes(get_resolver()) if not route.startswith("^")]
    return [(f"/{re.sub('<[^>]+>', 'x', path)}", rule) for path, rule in found if rule is not None and rule.kind == kind]


def pages(kind: str) -> list[tuple[str, RouteRule]]:
    """Those that answer people."""
    return [(path, rule) for path, rule in ruled(kind) if not path.startswith("/api/")]


def test_who_is_not_signed_in_is_sent_to_the_sign_in_from_every_route_that_is_not_public(browsers: dict[Role, Visitor]) -> None:
    closed = [path for kind in ("permission", "signed_in") for path, _ in pages(kind)]
    assert len(closed) > 25
    for path in closed:
        for answer in (visitor().get(path), visitor().post(path)):
            assert (answer.status, answer.to.split("?")[0]) == (302, "/sign-in"), path


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_every_route_whose_permission_it_lacks(browsers: dict[Role, Visitor], role: Role) -> None:
    refused = {path for path, rule in pages("permission") if rule.permission not in GRANTS[role]}
    assert refused or role == "owner"
    for path in refused:
        for answer in (browsers[role].get(path), browsers[role].post(path)):
            assert (answer.status, answer.heading) == (403, "This is not open to you"), path


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_not_refused_a_page_that_it_may_see(browsers: dict[Role, Visitor], role: Role) -> None:
    for path, rule in pages("permission"):
        if rule.permission in GRANTS[role]:
            assert browsers[role].get(path).status not in (302, 403, 500), path
