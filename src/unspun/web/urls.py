"""Every address of the site: signing in, pages."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("unspun.web.sign_in_urls")),
    path("", include("unspun.console.urls")),
    path("", include("unspun.console.job_urls")),
]
