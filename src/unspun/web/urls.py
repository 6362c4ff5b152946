"""Every address of the site: whether it runs, its figures, signing in, pages; and the pages of errors."""

from __future__ import annotations

from django.urls import include, path

from unspun.web.health import healthz, readyz
from unspun.web.metrics import metrics

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("unspun.api.urls")),
    path("", include("unspun.web.sign_in_urls")),
    path("", include("unspun.console.urls")),
    path("", include("unspun.console.job_urls")),
]
handler400 = "unspun.web.errors.bad_request"
handler403 = "unspun.web.errors.forbidden"
handler404 = "unspun.web.errors.not_found"
handler500 = "unspun.web.errors.server_error"
handler429 = "unspun.web.errors.too_many"  # asked for by allauth
