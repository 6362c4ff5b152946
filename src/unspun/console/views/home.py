"""The address without a path: where the morning begins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from unspun.console.access import signed_in


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """On to the portfolio."""
    return redirect("portfolio")
