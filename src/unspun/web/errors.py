"""The answer to what went wrong outside of any view: a page for people, an object for programs that ask the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from unspun.api.errors import answer, is_api
from unspun.console.views import errors as pages


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 400) if is_api(request) else pages.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 403) if is_api(request) else pages.forbidden(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404) if is_api(request) else pages.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, 500) if is_api(request) else pages.server_error(request)


def too_many(request: HttpRequest) -> HttpResponse:
    return answer(request, 429) if is_api(request) else pages.too_many(request)


def too_large(request: HttpRequest) -> HttpResponse:
    return answer(request, 413) if is_api(request) else pages.too_large(request)
