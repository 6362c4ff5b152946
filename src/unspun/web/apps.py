"""The Django app of the web: it has no models; it brings the checks of start-up."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the checks."""

    name = "unspun.web"
    label = "web"

    def ready(self) -> None:
        from unspun.web import checks  # noqa: F401
