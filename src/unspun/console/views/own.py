"""One's own page: name, zone, password, second factor, and where one is signed in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from unspun.console.access import signed_in
from unspun.console.asking import person_of_request
from unspun.console.devices import device_words
from unspun.console.forms import SelfForm
from unspun.state.people import end_sessions
from unspun.state.sessions import end_session, open_sessions


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def own_page(request: HttpRequest) -> HttpResponse:
    """What people may change of themselves."""
    person = person_of_request(request)
    form = SelfForm(request.POST or None, initial={"name": person.name, "zone": person.zone})
    if request.method == "POST" and form.is_valid():
        person.name, person.zone = form.cleaned_data["name"], form.cleaned_data["zone"]
        person.save(update_fields=["name", "zone"])
        messages.success(request, _("Saved."))
        return redirect("self")
    about = {"form": form, "person": person, "sessions": _sessions(request), "has_password": person.has_usable_password()}
    return render(request, "own/page.html", about, status=200 if request.method == "GET" else 422)


def _sessions(request: HttpRequest) -> list[dict[str, object]]:
    here = request.session.session_key
    return [
        {"record": one, "here": one.session_key == here, "device": device_words(one.device)}
        for one in open_sessions(person_of_request(request), timezone.now())
    ]


@signed_in
@require_POST
def end_one(request: HttpRequest, session: int) -> HttpResponse:
    """Sign out on one device."""
    if not end_session(person_of_request(request), session):
        raise Http404(_("There is no such session."))
    messages.success(request, _("That session is ended."))
    return redirect("self")


@signed_in
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else."""
    ended = end_sessions(person_of_request(request), request.session.session_key)
    messages.success(request, ngettext("%(n)s session is ended.", "%(n)s sessions are ended.", ended) % {"n": ended})
    return redirect("self")
