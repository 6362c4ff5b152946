"""The portfolio: what is due, what is expected to be lost of it, and the list sorted by what matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from unspun.app.portfolio.conditions import PortfolioFilter, RiskBand
from unspun.app.portfolio.head import portfolio_head
from unspun.app.portfolio.request import LARGEST_FIRST, PAGE, PortfolioRequest, SortName
from unspun.app.portfolio.run import Portfolio, choices, portfolio_csv
from unspun.app.portfolio.run import portfolio as read_portfolio
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request
from unspun.console.risk_marks import bare_mark, lost_mark, rate_mark, record_mark, risk_mark
from unspun.errors import BadInput, Fault
from unspun.reports import words

DUE: Final = (30, 90, 180)
USUAL_DUE: Final = 90
ALL, ANY = "all", "*"
NEAR_DAYS: Final = 300
MOST_DIGITS: Final = 5
PLACES = ("after", "open")
SORT_NAMES: Final[Mapping[str, str]] = {
    "matters": f"ARR {words.TIMES} risk", "name": "name", "due": "due date", "arr": "ARR", "risk": "risk of churn", "segment": "segment",
    "owner": "owner", "product": "product", "country": "country", "last_touch": "last touch",
}  # fmt: skip
COLUMNS: Final[Mapping[str, Any]] = {
    "due": _("Renews"), "arr": _("ARR"), "risk": _("Risk of churn"), "why": _("Why"), "owner": _("Owner"), "last_touch": _("Last touch"),
    "segment": _("Segment"), "product": _("Product"), "country": _("Country"), "expansion": _("P(expansion)"), "lost": _("Expected lost"),
    "coverage": _("Metrics known"),
}  # fmt: skip
USUAL_COLUMNS: Final = ("due", "arr", "risk", "why", "owner", "last_touch")
BAND_NAMES: Final[Mapping[RiskBand, Any]] = {
    "above": _("above the base rate"),
    "holds": _("holds the base rate"),
    "below": _("below the base rate"),
    "cannot tell": _("cannot tell"),
    "notice given": _("notice given"),
    "no renewal": _("no open renewal"),
}


@dataclass(frozen=True, slots=True)
class View:
    """What the address of the page says: everything that a saved view keeps."""

    request: PortfolioRequest
    columns: tuple[str, ...]
    parameters: Mapping[str, tuple[str, ...]]

    def address(self, **changed: object) -> str:
        """The same page with some of it changed (None takes one out), from the list's first line."""
        held = {name: list(values) for name, values in self.parameters.items() if name not in PLACES and name not in changed}
        held |= {name: [str(value)] for name, value in changed.items() if value is not None}
        return "?" + urlencode([(name, one) for name, values in sorted(held.items()) for one in values])

    def sorted_by(self, sort: SortName) -> str:
        """The same list sorted by a column; by the one that it is sorted by already, the other way round."""
        down = not self.request.downwards if sort == self.request.sort else sort in LARGEST_FIRST
        return self.address(sort=sort, dir="down" if down else "up")

    def aria_sort(self, sort: SortName) -> str | None:
        """What a reader is told of a column head."""
        return None if sort != self.request.sort else "descending" if self.request.downwards else "ascending"

    @property
    def tags(self) -> list[tuple[str, str]]:
        """The filters in force, each with the address without it."""
        asked = self.request.filter
        named = (("segment", asked.segments), ("owner", asked.owners), ("product", asked.products))
        found = [
            (f"{name}: {' or '.join(one or str(_('not known')) for one in values)}", self.address(**{name: None}))
            for name, values in named
            if values
        ]
        found += [(" or ".join(str(BAND_NAMES[one]) for one in asked.bands), self.address(risk=None))] if asked.bands else []
        return found + ([(f"“{asked.text}”", self.address(q=None))] if asked.text.strip() else [])


@allow("portfolio.see")
def portfolio(request: HttpRequest) -> HttpResponse:
    """A page of the list; to htmx the part of the page that changes."""
    view = read_view(request)
    found = read_portfolio(settings.WORKSPACE, actor_of_request(request), view.request)
    head = portfolio_head(settings.WORKSPACE, actor_of_request(request))
    context = {"view": view, "found": found, "head": head, **_shown(view, found)}
    if request.headers.get("HX-Request"):
        return render(request, "portfolio_list.html", context)
    context["choices"] = choices(settings.WORKSPACE, actor_of_request(request))
    return render(request, "portfolio.html", context)


@allow("portfolio.see")
def portfolio_rows(request: HttpRequest) -> HttpResponse:
    """All lines of a view as CSV with its manifest, in one zip."""
    view = read_view(request)
    made = portfolio_csv(settings.WORKSPACE, actor_of_request(request), view.request)
    return csv_answer("portfolio", made.text, made.manifest)


def read_view(request: HttpRequest) -> View:
    """The view that an address names; what it does not know of it is left to the operation, which says so."""
    given = {name: tuple(request.GET.getlist(name)) for name in request.GET}
    columns = tuple(one for one in COLUMNS if one in given["col"]) if "col" in given else USUAL_COLUMNS
    asked = PortfolioRequest(
        filter=PortfolioFilter(
            segments=_names(given, "segment"),
            owners=_names(given, "owner"),
            products=_names(given, "product"),
            bands=tuple(cast("RiskBand", one) for one in given.get("risk", ()) if one),
            due_within=_days(_last(given, "due", str(USUAL_DUE))),
            text=_last(given, "q", ""),
        ),
        sort=cast("SortName", _last(given, "sort", "matters")),
        descending={"up": False, "down": True}.get(_last(given, "dir", "")),
        cursor=_last(given, "after", "") or None,
        size=_number("size", _last(given, "size", str(PAGE))),
    )
    return View(asked, columns, given)


def _last(given: Mapping[str, tuple[str, ...]], name: str, usual: str) -> str:
    return given[name][-1] if given.get(name) else usual


def _names(given: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The names that are wanted: `*` is any, and nothing a name that is not known."""
    return tuple(one for one in given.get(name, ()) if one != ANY)


def _days(text: str) -> int | None:
    """Days before the due date; None for all. Raises BadInput for what is no number."""
    return None if text == ALL else _number("due", text)


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise BadInput(Fault(name, f"'{text[:40]}' is no whole number.", name, "Give a whole number such as 90."))
    return int(text)


def near_day(day: date, as_of: date) -> str:
    """A day without its year where that is plain: less than ten months off."""
    said = words.day(day)
    return said.rpartition(words.NBSP)[0] if abs((day - as_of).days) < NEAR_DAYS else said


def figure_address(address: str | None) -> str | None:
    """The page of a published figure, which opens in the drawer."""
    return None if address is None else f"/figures/{quote(address)}"


def _shown(view: View, found: Portfolio) -> dict[str, Any]:
    """What the templates need beside the page itself."""
    due = view.request.filter.due_within
    return {
        "due": due,
        "until": None if due is None else found.as_of + timedelta(days=due),
        "dues": DUE,
        "band_names": BAND_NAMES,
        "column_names": COLUMNS,
        "sort_name": SORT_NAMES[view.request.sort],
        "words": words,
        "risk_mark": risk_mark,
        "shown_currencies": {one.currency for one in found.sums},
        "figure_address": figure_address,
        "near_day": near_day,
        "lost_mark": lost_mark,
        "rate_mark": rate_mark,
        "record_mark": record_mark,
        "bare_mark": bare_mark,
    }
