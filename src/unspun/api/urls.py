"""The routes of the API under /api/v1/. A route's mark is that of its views: those that share an address share it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.operation import PathView
from ninja.renderers import JSONRenderer

from unspun._version import __version__
from unspun.api.errors import add_handlers, answer
from unspun.api.openapi import described
from unspun.api.routes import accounts, book, people, published
from unspun.app.route_rules import ATTRIBUTE, RouteRule, public, rule_of

TITLE = "Unspun"
ABOUT = """Customer success that refuses to state a number it cannot back, for programs.

Ask with a token: `Authorization: Bearer unspun_…`. A token acts as the person who made it, for the accounts that they see, with those of
their permissions that it was given. Every error has the shape `ErrorAnswer`. Lists come in pages: the `cursor` of one leads to the next.
Shares, rates and probabilities are parts of 1; exact amounts are decimal text, in the currency beside them; days and instants are ISO 8601.
"""


class _Json(JSONRenderer):
    """JSON that has no NaN: a number that is none is a fault, and not sent."""

    def __init__(self) -> None:
        self.json_dumps_params = {"allow_nan": False, "ensure_ascii": False}


api = NinjaAPI(title=TITLE, version=__version__, description=ABOUT, openapi_url=None, docs_url=None, renderer=_Json(), urls_namespace="api")
for one in (people.router, accounts.router, published.router, book.router):
    api.add_router("", one)
add_handlers(api)


@cache
def _openapi() -> bytes:
    return json.dumps(described(api), ensure_ascii=False, indent=1).encode()


@public
@require_GET
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of the API; it tells nothing of the workspace."""
    return HttpResponse(_openapi(), content_type="application/json")


def _patterns() -> Iterator[URLPattern]:
    for bound in api._get_bound_routers():
        for route, view in bound.path_operations.items():
            place = route.lstrip("/").replace("{", "<").replace("}", ">")
            yield path(f"api/v1/{place}", _closed(view), name=f"api {view.operations[0].view_func.__name__}")


def _closed(view: PathView) -> Callable[..., HttpResponseBase]:
    """The view of an address, with the mark of its operations. Raises ValueError where these differ, or one has none."""
    rules: set[RouteRule | None] = {rule_of(one.view_func) for one in view.operations}
    if len(rules) != 1 or None in rules:
        raise ValueError(f"the operations of {view.operations[0].path} do not say as one who may reach them")
    answering = _answering(view.get_view())
    setattr(answering, ATTRIBUTE, rules.pop())
    return answering


def _answering(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """What holds of every answer: nobody keeps it but who asked, and an error has the one shape."""

    @wraps(view)
    def answering(request: HttpRequest, *given: object, **named: object) -> HttpResponseBase:
        answered = view(request, *given, **named)
        if isinstance(answered, HttpResponseNotAllowed):
            allowed, answered = answered.headers["Allow"], answer(request, 405)
            answered.headers["Allow"] = allowed
        answered.headers["Cache-Control"] = "private, no-store"
        return answered

    return answering


urlpatterns = [path("api/v1/openapi.json", openapi, name="api openapi"), *_patterns()]
