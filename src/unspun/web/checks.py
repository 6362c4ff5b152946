"""Checks at start-up: a route without a rule stops the server before it answers anyone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from unspun.app.route_rules import rule_of


@register("unspun")
def every_route_has_a_rule(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """An error for each route whose view is not marked with who may reach it."""
    hint = "Mark its view with allow(...), signed_in or public (unspun.app.route_rules)."
    return [
        Error(f"the route /{path} says not who may reach it", hint=hint, id="unspun.E001")
        for path, view in routes(get_resolver())
        if rule_of(view) is None
    ]


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Any]]:
    """The path and the view of every route, those of included files too."""
    for one in resolver.url_patterns:
        path = f"{before}{one.pattern}"
        if isinstance(one, URLPattern):
            yield path, one.callback
        else:
            yield from routes(one, path)
