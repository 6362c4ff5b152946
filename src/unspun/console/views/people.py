"""The people of the workspace: the list, invitations, role and accounts, letting out and in, and a link for a new password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from unspun.app.access import Actor
from unspun.app.people.joining import Invited, invite, withdraw
from unspun.app.people.managing import Listed, change_access, find_person, list_people, set_active
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.forms import AccessForm, InviteForm, access_initial, fault_words
from unspun.console.links import absolute, reset_link
from unspun.console.mail import can_mail, send
from unspun.errors import UnspunError
from unspun.state.models import Person


@allow("people.manage")
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everyone, and the invitations that are open."""
    return render(request, "people/list.html", {"found": list_people(actor_of_request(request), timezone.now())})


@allow("people.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def invite_person(request: HttpRequest) -> HttpResponse:
    """Invite someone: by mail where that can be sent, and by a link that is shown this once."""
    form = InviteForm(request.POST or None, initial={"role": "viewer"})
    if request.method == "POST" and form.is_valid():
        role, scope = form.access()
        try:
            invited = invite(actor_of_request(request), form.cleaned_data["email"], role, scope, timezone.now(), form.cleaned_data["name"])
        except UnspunError as refusal:
            form.refuse(refusal)
        else:
            return _invited(request, invited)
    return render(request, "people/invite.html", {"form": form, "can_mail": can_mail()}, status=_status(request))


def _invited(request: HttpRequest, invited: Invited) -> HttpResponse:
    invitation = invited.invitation
    link = absolute(request, reverse("join", args=[invited.secret]))
    about = {"link": link, "invitation": invitation, "actor": actor_of_request(request)}
    subject = _("Your invitation to Unspun")
    sent = send("mail/invitation.txt", invitation.email, subject, {**about, "company": _company()})
    return render(request, "people/invited.html", {**about, "sent": sent, "can_mail": can_mail()})


@allow("people.manage")
@require_POST
def withdraw_invitation(request: HttpRequest, invitation: int) -> HttpResponse:
    """The link no longer works."""
    if withdraw(actor_of_request(request), invitation, timezone.now()):
        messages.success(request, _("The invitation is withdrawn; its link no longer works."))
    return redirect("people")


@allow("people.manage")
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, person: int) -> HttpResponse:
    """One person: role and accounts."""
    actor, found = _found(request, person)
    form = AccessForm(request.POST or None, initial=access_initial(found.role, found.scope))
    if request.method == "POST" and form.is_valid():
        try:
            change_access(actor, found.id, *form.access())
        except UnspunError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("%(name)s: the change holds from the next page they open.") % {"name": found.name})
            return redirect("people")
    return render(request, "people/person.html", {"form": form, "person": found}, status=_status(request))


@allow("people.manage")
@require_POST
def let_in_or_out(request: HttpRequest, person: int) -> HttpResponse:
    """Deactivate someone, which ends their sessions at once; or let them in again."""
    actor, found = _found(request, person)
    active = request.POST.get("active") == "yes"
    try:
        set_active(actor, found.id, active)
    except UnspunError as refusal:
        messages.error(request, fault_words(refusal))
        return redirect("person", found.id)
    done = _("%(name)s can sign in again.") if active else _("%(name)s is signed out everywhere, and cannot sign in.")
    messages.success(request, done % {"name": found.name})
    return redirect("people")


@allow("people.manage")
@never_cache
@require_POST
def make_reset_link(request: HttpRequest, person: int) -> HttpResponse:
    """A link for a new password, to be handed over where no mail goes."""
    _actor, found = _found(request, person)
    link = reset_link(request, Person.objects.get(pk=found.id))
    return render(request, "people/reset_link.html", {"person": found, "link": link})


def _found(request: HttpRequest, person: int) -> tuple[Actor, Listed]:
    actor = actor_of_request(request)
    found = find_person(actor, person)
    if found is None:
        raise Http404(_("There is no such person."))
    return actor, found


def _company() -> str:
    from django.conf import settings

    return settings.WORKSPACE.settings.name


def _status(request: HttpRequest) -> Any:
    """A form that comes back was not done: 422, so that scripts see it too."""
    return 200 if request.method == "GET" else 422
