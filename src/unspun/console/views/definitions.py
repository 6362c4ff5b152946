"""Definitions: what every figure means, in the words of its source, with its versions and what changed between them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from unspun.app.published.definitions import definition_files, definition_version
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.refusals import as_not_found
from unspun.reports import words

WHAT = {
    "metrics.yml": "What is measured of an account",
    "scores.yml": "Health scores, made of metrics",
    "retention.yml": "What counts as churn, contraction and expansion",
    "book.yml": "How files become the tables of the book",
}


@allow("definitions.see")
def definitions(request: HttpRequest) -> HttpResponse:
    """The files of definitions."""
    files = definition_files(settings.WORKSPACE, actor_of_request(request))
    return render(request, "definitions.html", {"files": files, "what": WHAT, "words": words})


@allow("definitions.see")
def definition(request: HttpRequest, name: str) -> HttpResponse:
    """A version of a file, the newest by default, with what changed from the one before."""
    given = request.GET.get("version", "")
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None
    with as_not_found():
        found = definition_version(settings.WORKSPACE, actor_of_request(request), name, number)
    return render(request, "definition.html", {"found": found, "what": WHAT[name], "words": words})
