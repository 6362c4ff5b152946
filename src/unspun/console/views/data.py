"""Data: the tables of the book, how fresh they are, what was loaded, and what the last check found."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from unspun.app.published.holding import book_holding
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.reports import words

MOST_LOADS = 50


@allow("data.see")
def data(request: HttpRequest) -> HttpResponse:
    """What the book holds. Findings tell of tables as wholes; rows at fault are shown by `unspun check`."""
    found = book_holding(settings.WORKSPACE, actor_of_request(request))
    loads = found.loads[::-1][:MOST_LOADS]
    in_force = [one for one in found.loads if one.state == "in force"]
    last = max(in_force, key=lambda one: one.version or 0).load if in_force and actor_of_request(request).may("data.load") else None
    return render(request, "data.html", {"found": found, "loads": loads, "words": words, "undoable": last})
