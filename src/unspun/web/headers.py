"""What every answer tells the browser about its limits: no script, style, frame or request that is not this site's own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from unspun.web.site import Site

DIRECTIVES = (
    "default-src 'self'", "img-src 'self' data:", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
)  # fmt: skip
PERMISSIONS_POLICY = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """Sets the content security policy and the permissions policy; the rest is Django's SecurityMiddleware."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        from django.conf import settings

        self._respond = respond
        self._policy = policy(settings.SITE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._respond(request)
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        return response


def policy(site: Site) -> str:
    """The content security policy."""
    return "; ".join((*DIRECTIVES, "form-action 'self'"))
