"""Figures: any published number opened, in the drawer or as a page of its own, with its rows, its file and its proof."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from unspun.app.jobs.queue import ask
from unspun.app.published.figures import figure_rows as read_rows
from unspun.app.published.figures import listed_figures, opened_figure, told_of
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request, person_of_request
from unspun.console.figure_words import in_short, said_of
from unspun.console.refusals import as_not_found
from unspun.reports import words
from unspun.reports.figure_files import rows_csv
from unspun.reports.row_files import slug

SHOWN_ROWS: Final = 200
LONGEST_SEARCH: Final = 200


@allow("figure.open")
def figures(request: HttpRequest, entry: int) -> HttpResponse:
    """The figures of an entry, a page at a time."""
    text, place = request.GET.get("q", "")[:LONGEST_SEARCH], request.GET.get("page", "1")
    with as_not_found():
        found = listed_figures(settings.WORKSPACE, actor_of_request(request), entry, text, int(place) if place.isdecimal() else 1)
    return render(request, "figure_list.html", {"found": found, "text": text, "in_short": in_short, "words": words})


@allow("figure.open")
def figure(request: HttpRequest, entry: int, name: str) -> HttpResponse:
    """A figure with what backs it; to the drawer without the frame of a page."""
    with as_not_found():
        found = opened_figure(settings.WORKSPACE, actor_of_request(request), f"{entry}/{name}")
    part = request.GET.get("part", "")
    held = {"found": found, "said": said_of(found.figure, part), "words": words, "part": part, "entry": entry, "name": name}
    return render(request, "figure_drawer.html" if request.headers.get("X-Drawer") else "figure.html", held)


@allow("figure.open")
def figure_rows(request: HttpRequest, entry: int, name: str) -> HttpResponse:
    """The first rows behind a figure."""
    with as_not_found():
        opened = read_rows(settings.WORKSPACE, actor_of_request(request), f"{entry}/{name}")
    shown = opened.rows.slice(0, SHOWN_ROWS)
    held = {"opened": opened, "columns": shown.column_names, "rows": [list(row.values()) for row in shown.to_pylist()], "cell": _cell}
    return render(request, "figure_rows.html", {**held, "words": words, "entry": entry, "name": name, "most": SHOWN_ROWS})


@allow("figure.open")
def figure_csv(request: HttpRequest, entry: int, name: str) -> HttpResponse:
    """All rows behind a figure as CSV with its manifest, in one zip."""
    with as_not_found():
        opened = read_rows(settings.WORKSPACE, actor_of_request(request), f"{entry}/{name}")
    return csv_answer(f"figure-{entry}-{slug(name)}", rows_csv(opened.rows), told_of(opened.published, opened))


@require_POST
def _recompute(request: HttpRequest, entry: int, name: str) -> HttpResponse:
    """Ask for the figure to be computed again, beside the pages; on to the page that tells how far it is."""
    with as_not_found():
        found = opened_figure(settings.WORKSPACE, actor_of_request(request), f"{entry}/{name}")
    job = ask("recompute", {"address": found.published.address}, person_of_request(request).pk, datetime.now(UTC))
    return redirect("job", job.pk)


recompute = allow("figure.open")(_recompute)


def _cell(value: Any) -> str:
    """A cell of a row in words."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}"
    return value.isoformat(" ", "minutes") if isinstance(value, datetime) else str(value)
