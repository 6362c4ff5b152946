"""What every answer tells the browser about its limits: no script, style, frame or request that is not this site's own."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from unspun.web.site import Site

DIRECTIVES = (
    "default-src 'self'",
    "img-src 'self' data:",  # the QR code of a second factor
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")
)


class HeadersMiddleware:
    """Sets the content security policy and the permissions policy; the rest is Django's SecurityMiddleware."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._respond = respond
        self._policy = policy(settings.SITE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._respond(request)
        response.setdefault("Content-Security-Policy", self._policy)  # a report that was made as a file brings its own
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        return response


def policy(site: Site) -> str:
    """The content security policy. Browsers hold `form-action` to redirects too, so the company's own sign-in stands in it."""
    provider = urlsplit(site.oidc.server) if site.oidc is not None else None
    targets = ("'self'", f"{provider.scheme}://{provider.netloc}") if provider is not None else ("'self'",)
    return "; ".join((*DIRECTIVES, f"form-action {' '.join(targets)}"))
