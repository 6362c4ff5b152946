"""Figures of the running server for Prometheus: requests and their time, by route. Counted in each worker, added up when asked."""

from __future__ import annotations

import hmac
import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from unspun.app.route_rules import public

FOLDER_VARIABLE, TOKEN_VARIABLE = "PROMETHEUS_MULTIPROC_DIR", "UNSPUN_METRICS_TOKEN"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")
REQUESTS = Counter("unspun_requests_total", "Requests answered.", ("route", "method", "status"))
SECONDS = Histogram("unspun_request_seconds", "Time to answer a request.", ("route",), buckets=BUCKETS)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count(route: str, method: str, status: int, seconds: float) -> None:
    """One answered request. A method that is none is counted as such: a stranger cannot make series."""
    REQUESTS.labels(route, method if method in METHODS else "other", str(status)).inc()
    SECONDS.labels(route).observe(seconds)


@public
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, to this machine itself, or to whoever shows the token; to others the page does not exist."""
    if not may_see(request):
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def may_see(request: HttpRequest) -> bool:
    """By the token where one is set; else only from this machine, and not by way of a proxy on it."""
    token = _token()
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    proxied = any(name in request.headers for name in FORWARDED)
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not proxied


def _token() -> str:
    named = settings.WORKSPACE.settings.serve.metrics_token_env or TOKEN_VARIABLE
    return os.environ.get(named, "")


def _registry() -> CollectorRegistry:
    """Of all workers where there are several, which keep their counts in files of one folder."""
    if FOLDER_VARIABLE not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # pyright: ignore[reportArgumentType]
    return registry
