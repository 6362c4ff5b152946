"""Search: accounts within the scope, and the pages of the rail."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from unspun.app.portfolio.conditions import fold
from unspun.app.portfolio.run import search as search_accounts
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.shell import rail


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: its name, where it is, and a word on what it is."""

    name: str
    href: str
    what: str


@allow("portfolio.see")
def search(request: HttpRequest) -> HttpResponse:
    """What was found; with `hits` the list alone, for the dialog."""
    text = request.GET.get("q", "")[:200]
    hits = found(request, text)
    return render(request, "search_hits.html" if "hits" in request.GET else "search.html", {"hits": hits, "text": text})


def found(request: HttpRequest, text: str) -> list[Hit]:
    """Pages by the beginning of their name, then accounts, those that matter most first."""
    actor, word = actor_of_request(request), fold(text)
    if not word:
        return []
    stops = [stop for group in rail(actor, request.path) for stop in group]
    pages = [Hit(str(stop["name"]), stop["href"], "page") for stop in stops if fold(str(stop["name"])).startswith(word)]
    accounts = search_accounts(settings.WORKSPACE, actor, text)
    told = (", ".join(part for part in (one.segment, one.owner) if part) for one in accounts)
    return pages + [Hit(one.name, reverse("account", args=[one.account_id]), what) for one, what in zip(accounts, told, strict=True)]
