"""Every address of the site: whether it runs, its figures, signing in, pages; and the pages of errors."""

from __future__ import annotations

from django.urls import include, path

from unspun.web.health import healthz, readyz
from unspun.web.metrics import metrics

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("unspun.web.sign_in_urls")),
    path("", include("unspun.console.urls")),
    path("", include("unspun.console.job_urls")),
]
handler400 = "unspun.console.views.errors.bad_request"
handler403 = "unspun.console.views.errors.forbidden"
handler404 = "unspun.console.views.errors.not_found"
handler500 = "unspun.console.views.errors.server_error"
handler429 = "unspun.console.views.errors.too_many"  # asked for by allauth
