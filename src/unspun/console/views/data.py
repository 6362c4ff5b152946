"""Data: the tables of the book, how fresh they are, what was loaded, and what the last check found."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from unspun.app.published.finding_rows import finding_rows
from unspun.app.published.holding import book_holding
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request
from unspun.console.refusals import as_not_found
from unspun.reports import words
from unspun.reports.check_rows import example_cells

MOST_LOADS, MOST_SHOWN = 50, 100


@allow("data.see")
def data(request: HttpRequest) -> HttpResponse:
    """What the book holds. Findings tell of tables as wholes; the rows at fault of each are a page of their own."""
    found = book_holding(settings.WORKSPACE, actor_of_request(request))
    loads = found.loads[::-1][:MOST_LOADS]
    in_force = [one for one in found.loads if one.state == "in force"]
    last = max(in_force, key=lambda one: one.version or 0).load if in_force and actor_of_request(request).may("data.load") else None
    return render(request, "data.html", {"found": found, "loads": loads, "words": words, "undoable": last})


@allow("data.see")
@require_GET
def finding(request: HttpRequest, wanted: str) -> HttpResponse:
    """The rows behind a finding; as CSV with a manifest where that is asked for."""
    with as_not_found():
        found = finding_rows(settings.WORKSPACE, actor_of_request(request), wanted)
    if "csv" in request.GET:
        return csv_answer("rows-at-fault", found.csv().decode(), found.manifest())
    shown = found.rows.slice(0, MOST_SHOWN)
    cells = example_cells(shown, found.zone, found.names)
    return render(request, "finding.html", {"found": found, "columns": shown.column_names, "cells": cells, "words": words})
