"""The portfolio: what is due, what is expected to be lost of it, and the list sorted by what matters; as everyone's or as a saved view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from unspun.app.portfolio.head import portfolio_head
from unspun.app.portfolio.run import Portfolio, choices, portfolio_csv
from unspun.app.portfolio.run import portfolio as read_portfolio
from unspun.app.portfolio.views import View, default_view, find_view, kept_query, list_views
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request
from unspun.console.portfolio_address import BAND_NAMES, COLUMNS, DUE, Address, given_in, read_address
from unspun.console.risk_marks import bare_mark, lost_mark, rate_mark, record_mark, risk_mark
from unspun.errors import BadInput
from unspun.reports import words

NEAR_DAYS: Final = 300
SHOWN_VIEWS: Final = 4
NOTHING_YET: Final = frozenset({"no_read_model", "other_form"})
SORT_NAMES: Final[Mapping[str, Any]] = {
    "matters": _("ARR \u00d7 risk"), "name": _("name"), "due": _("due date"), "arr": _("ARR"), "risk": _("risk of churn"),
    "segment": _("segment"), "owner": _("owner"), "product": _("product"), "country": _("country"), "last_touch": _("last touch"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refused:
    """A form of a view that came back: what is wrong by field, and what was typed."""

    wrong: Mapping[str, str] = field(default_factory=dict[str, str])
    name: str = ""
    shared: bool = False
    form: str = ""  # "new" or "change"


@allow("portfolio.see")
def portfolio(request: HttpRequest) -> HttpResponse:
    """A page of the list; without any wish, the view that the person begins with."""
    if not request.GET:
        begun = default_view(actor_of_request(request))
        if begun is not None:
            return redirect(view_address(begun))
    return portfolio_page(request, given_in(request.GET))


@allow("portfolio.see")
def saved_view(request: HttpRequest, view: int, slug: str = "") -> HttpResponse:
    """A saved view, at an address that stays when it is renamed; what the address asks for beside it is not kept."""
    found = find_view(actor_of_request(request), view)
    if slug != found.slug:
        query = request.GET.urlencode()
        return redirect(view_address(found) + (f"?{query}" if query else ""))
    given = given_in(request.GET)
    wished = {name: values for name, values in given.items() if name not in ("open", "after")}
    return portfolio_page(request, given if wished else {**found.parameters, **given}, found)


@allow("portfolio.see")
def portfolio_rows(request: HttpRequest) -> HttpResponse:
    """All lines of a view as CSV with its manifest, in one zip."""
    view = read_address(given_in(request.GET))
    made = portfolio_csv(settings.WORKSPACE, actor_of_request(request), view.request)
    return csv_answer("portfolio", made.text, made.manifest)


def portfolio_page(
    request: HttpRequest, given: Mapping[str, tuple[str, ...]], saved: View | None = None, refused: Refused | None = None
) -> HttpResponse:
    """The portfolio of such parameters; to htmx the part of the page that changes."""
    view, actor = read_address(given, None if saved is None else view_address(saved)), actor_of_request(request)
    try:
        found = read_portfolio(settings.WORKSPACE, actor, view.request)
    except BadInput as refusal:
        if not {one.code for one in refusal.faults} & NOTHING_YET:
            raise
        return render(request, "portfolio_none.html", {"may_refresh": actor.may("refresh.run"), "why": refusal.faults[0]})
    context = {
        "view": view,
        "found": found,
        "head": portfolio_head(settings.WORKSPACE, actor),
        "choices": choices(settings.WORKSPACE, actor),
        **_shown(view, found),
        **_views(view, list_views(actor), saved, refused or Refused()),
    }
    template = "portfolio_list.html" if request.headers.get("HX-Request") else "portfolio.html"
    return render(request, template, context, status=422 if refused else 200)


def view_address(view: View) -> str:
    """The address of a saved view; the number finds it, the words are for people."""
    return reverse("saved_view", args=[view.id, view.slug])


def near_day(day: date, as_of: date) -> str:
    """A day without its year where that is plain: less than ten months off."""
    return words.day(day, year=abs((day - as_of).days) >= NEAR_DAYS)


def figure_address(address: str | None) -> str | None:
    """The page of a published figure, which opens in the drawer."""
    return None if address is None else f"/figures/{quote(address)}"


def _views(view: Address, views: tuple[View, ...], saved: View | None, refused: Refused) -> dict[str, Any]:
    """The tabs of saved views: some of them, always with the one that is open, and all in a menu."""
    shown = [one for one in views if one.own or one.is_default][:SHOWN_VIEWS]
    if saved is not None and saved.id not in [one.id for one in shown]:
        shown = [*shown[: SHOWN_VIEWS - 1], saved]
    return {
        "views": views,
        "tabs": shown,
        "saved": saved,
        "modified": saved is not None and view.kept != kept_query(saved.parameters),
        "refused": refused,
        "view_address": view_address,
        "begins_elsewhere": any(one.is_default for one in views),
    }


def _shown(view: Address, found: Portfolio) -> dict[str, Any]:
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
