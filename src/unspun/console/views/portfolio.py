"""The portfolio."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from unspun.console.access import allow


@allow("portfolio.see")
def portfolio(request: HttpRequest) -> HttpResponse:
    """The list of accounts."""
    return render(request, "portfolio.html")
