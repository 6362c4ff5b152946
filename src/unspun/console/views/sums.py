"""A sum of the portfolio opened: definition, as-of, n, method, query, the lines that it adds up, and these as CSV."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from unspun.app.portfolio.opened_sums import OpenedSum, opened_sum, sum_csv
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request
from unspun.console.portfolio_address import Address, given_in, read_address
from unspun.console.refusals import as_not_found
from unspun.console.risk_marks import lost_mark
from unspun.reports import words

SHOWN_ROWS: Final = 200
SUM_NAMES: Final[dict[str, Any]] = {
    "arr": _("ARR of the renewals"),
    "expected_lost": _("ARR expected to churn"),
    "at_base_rate": _("ARR lost at the base rate"),
}


@allow("figure.open")
def portfolio_sum(request: HttpRequest, name: str) -> HttpResponse:
    """A sum with what backs it; to the drawer without the frame of a page."""
    view, opened = _opened(request, name)
    held = {
        "view": view,
        "opened": opened,
        "source": opened.figure.provenance,
        "title": SUM_NAMES[name],
        "names": opened.names,
        "most": SHOWN_ROWS,
        "words": words,
        "lost_mark": lost_mark,
        "link": view.query(**{"in": opened.currency or "", "of": opened.key}),
    }
    return render(request, "sum_drawer.html" if request.headers.get("X-Drawer") else "sum.html", held)


@allow("figure.open")
def portfolio_sum_csv(request: HttpRequest, name: str) -> HttpResponse:
    """All lines of a sum as CSV with its manifest, in one zip."""
    _view, opened = _opened(request, name)
    text, manifest = sum_csv(opened, f"{name}.csv")
    return csv_answer(name, text, manifest)


def _opened(request: HttpRequest, name: str) -> tuple[Address, OpenedSum]:
    view, actor = read_address(given_in(request.GET)), actor_of_request(request)
    currency, key = request.GET.get("in", "") or None, request.GET.get("of", "") or None
    with as_not_found():
        return view, opened_sum(settings.WORKSPACE, actor, view.request.filter, name, currency, key)
