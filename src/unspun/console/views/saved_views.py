"""Saving, changing, sharing and deleting views of the portfolio, and choosing the one to begin with."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from unspun.app.portfolio.request import check_request
from unspun.app.portfolio.views import KEPT, change_view, choose_default, delete_view, find_view, save_view
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.forms import fault_words
from unspun.console.portfolio_address import given_in, read_address
from unspun.console.views.portfolio import Refused, portfolio_page, view_address
from unspun.errors import BadInput

FIELDS = frozenset({"name", "query"})


@allow("portfolio.see")
@require_POST
def new_view(request: HttpRequest) -> HttpResponse:
    """Keep the portfolio as it is open under a name."""
    name, shared, given = request.POST.get("name", ""), "shared" in request.POST, _kept(request)
    check_request(read_address(given).request)
    try:
        made = save_view(actor_of_request(request), name, given, shared, datetime.now(UTC))
    except BadInput as refusal:
        return portfolio_page(request, given, None, _refused(refusal, name, shared, "new"))
    messages.success(request, _("The view “%(name)s” is saved; its address stays the same.") % {"name": made.name})
    return redirect(view_address(made))


@allow("portfolio.see")
@require_POST
def change_saved_view(request: HttpRequest, view: int) -> HttpResponse:
    """Rename a view, share it or not; with `update`, keep in it what is open."""
    actor, given, at = actor_of_request(request), _kept(request), datetime.now(UTC)
    found = find_view(actor, view)
    name, shared, updates = request.POST.get("name", found.name), "shared" in request.POST, "update" in request.POST
    check_request(read_address(given).request)
    try:
        changed = change_view(actor, view, at, parameters=given) if updates else change_view(actor, view, at, name, None, shared)
    except BadInput as refusal:
        return portfolio_page(request, given, found, _refused(refusal, name, shared, "change"))
    messages.success(request, _("The view “%(name)s” is changed.") % {"name": changed.name})
    query = "" if updates or read_address(given).kept == read_address(dict(changed.parameters)).kept else f"?{read_address(given).query()}"
    return redirect(view_address(changed) + query)


@allow("portfolio.see")
@require_POST
def delete_saved_view(request: HttpRequest, view: int) -> HttpResponse:
    """Delete it; what it showed stays open."""
    actor = actor_of_request(request)
    found = find_view(actor, view)
    delete_view(actor, view)
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": found.name})
    return redirect(read_address(dict(found.parameters)).address())


@allow("portfolio.see")
@require_POST
def begin_with(request: HttpRequest) -> HttpResponse:
    """Begin the portfolio with a view, or with all accounts."""
    actor, given = actor_of_request(request), request.POST.get("view", "")
    found = find_view(actor, int(given)) if given.isascii() and given.isdigit() else None
    choose_default(actor, None if found is None else found.id)
    told = _("all accounts") if found is None else f"“{found.name}”"
    messages.success(request, _("Your portfolio begins with %(view)s.") % {"view": told})
    return redirect(read_address({}).address() if found is None else view_address(found))


def _kept(request: HttpRequest) -> dict[str, tuple[str, ...]]:
    return {name: values for name, values in given_in(request.POST).items() if name in KEPT}


def _refused(refusal: BadInput, name: str, shared: bool, form: str) -> Refused:
    """Each fault at its field. Raises it where it is of none."""
    if not {one.where for one in refusal.faults} <= FIELDS:
        raise refusal
    return Refused({"name": fault_words(refusal)}, name, shared, form)
