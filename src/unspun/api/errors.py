"""The one shape of every error under /api: what, where, what to do, each fault, and the id of the request to quote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from unspun.app.access import Forbidden
from unspun.errors import BadInput, Fault, UnspunError

BASE: Final = "/api/"
MOST_FAULTS: Final = 100
MOST_PLACE: Final = 200
RETRY_SECONDS: Final = 60
NOT_THERE: Final = frozenset(
    {"no_account", "unknown_figure", "unknown_definition", "unknown_version", "no_page", "not_made", "no_read_model", "no_job", "no_table"}
)
"""Codes of what the address names and is not there, or is out of the scope of who asks, which is told in the same way."""
USED: Final = frozenset({"key_used", "erased"})
PLAIN: Final[dict[int, Fault]] = {
    400: Fault("bad_request", "the request cannot be understood.", "", "Look at /api/v1/openapi.json for what it takes."),
    401: Fault("not_signed_in", "the request says not who asks.", "Authorization", "Send the header: Authorization: Bearer TOKEN."),
    403: Fault("forbidden", "this is not open to you.", "", "Ask an owner of the workspace."),
    404: Fault("not_found", "there is nothing at this address.", "", "Look at /api/v1/openapi.json for what there is."),
    405: Fault("method", "this address does not take that method.", "", "The header Allow says which it takes."),
    413: Fault("too_large", "the body is too large; it was not read.", "body", "Send it in several requests."),
    429: Fault("too_many", "there were too many tries.", "", "Wait a minute or two, then try again."),
    500: Fault("fault", "a fault of Unspun's own.", "", "If it stays, give whoever runs the server the request id."),
}
"""What is said where nothing more is known, by status."""


class NotThere(BadInput):
    """What the address names does not exist, or is not this actor's."""


@contextmanager
def as_not_there() -> Iterator[None]:
    """Within it, BadInput is about something that the address names."""
    try:
        yield
    except BadInput as refusal:
        raise NotThere(refusal.faults) from refusal


def is_api(request: HttpRequest) -> bool:
    """Whether the request is for the API."""
    return request.path.startswith(BASE)


def answer(request: HttpRequest, status: int, faults: Sequence[Fault] = ()) -> HttpResponse:
    """An error. Without faults it says what that status says."""
    told = list(faults) or [PLAIN[status]]
    first, more = told[0], f" And {len(told) - 1} more." if len(told) > 1 else ""
    error: dict[str, Any] = {
        "code": first.code,
        "message": f"{first.message}{more}",
        "where": first.where or request.path[:MOST_PLACE],
        "hint": first.hint,
        "faults": [asdict(one) for one in told[:MOST_FAULTS]],
        "request_id": getattr(request, "request_id", ""),
    }
    made = JsonResponse({"error": error}, status=status)
    made.headers["Cache-Control"] = "private, no-store"
    if status == 401:
        made.headers["WWW-Authenticate"] = 'Bearer realm="unspun"'
    if status in (429, 503):
        made.headers["Retry-After"] = str(RETRY_SECONDS)
    return made


def status_of(refusal: UnspunError) -> int:
    """The status that tells a program what kind of refusal it is."""
    codes = {one.code for one in refusal.faults}
    if isinstance(refusal, Forbidden):
        return 403
    if isinstance(refusal, NotThere) or codes <= NOT_THERE:
        return 404
    if codes <= USED:
        return 409
    return 422 if isinstance(refusal, BadInput) else 503


def add_handlers(api: NinjaAPI) -> None:
    """Every error that a view lets through is told in the one shape."""
    api.add_exception_handler(UnspunError, _refused)  # pyright: ignore[reportArgumentType]
    api.add_exception_handler(ValidationError, _not_valid)  # pyright: ignore[reportArgumentType]
    api.add_exception_handler(HttpError, _of_ninja)  # pyright: ignore[reportArgumentType]
    api.add_exception_handler(RequestDataTooBig, lambda request, _: answer(request, 413))
    api.add_exception_handler(Http404, lambda request, _: answer(request, 404))


def _refused(request: HttpRequest, refusal: UnspunError) -> HttpResponse:
    return answer(request, status_of(refusal), refusal.faults)


def _of_ninja(request: HttpRequest, refusal: HttpError) -> HttpResponse:
    """What the framework refuses itself: a body that is no JSON."""
    if refusal.status_code == 400:
        return answer(request, 400, [Fault("bad_body", "the body is no JSON.", "body", "Send a JSON object in UTF-8.")])
    return answer(request, refusal.status_code if refusal.status_code in PLAIN else 400)


def _not_valid(request: HttpRequest, refusal: ValidationError) -> HttpResponse:
    """Each field that does not fit, by its place: query.size, body.rows.3.amount."""
    return answer(request, 422, [_fault(one) for one in refusal.errors])


def _fault(one: dict[str, Any]) -> Fault:
    place = ".".join(str(part) for part in one.get("loc", ()) if part not in ("body", "query") or part == one["loc"][0])
    message = str(one.get("msg", "does not fit"))
    return Fault(str(one.get("type", "bad_value")), f"{message[:1].lower()}{message[1:]}.", place[:MOST_PLACE], "See /api/v1/openapi.json.")
