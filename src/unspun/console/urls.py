"""The routes of the pages. Each view is marked with who may reach it (`unspun.console.access`)."""

from __future__ import annotations

from django.urls import path

from unspun.console.views.home import home
from unspun.console.views.portfolio import portfolio

urlpatterns = [
    path("", home, name="home"),
    path("portfolio", portfolio, name="portfolio"),
]
