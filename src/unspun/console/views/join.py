"""The page behind the link of an invitation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from unspun.app.people.joining import invitation_of
from unspun.app.people.joining import join as join_by
from unspun.console.access import public
from unspun.console.forms import JoinForm
from unspun.console.limits import too_often
from unspun.console.signing_in import sign_in
from unspun.errors import UnspunError


@public
@sensitive_post_parameters("password1", "password2")
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Choose a name and a password; signed in then."""
    if request.method == "POST" and (refused := too_often(request, "join")) is not None:
        return refused
    invitation = invitation_of(secret, timezone.now())
    if invitation is None:
        return render(request, "invitation_ended.html", status=410)
    form = JoinForm(request.POST or None, initial={"name": invitation.name}, invited=invitation.email)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            person = join_by(secret, given["name"], given["password1"], timezone.now())
        except UnspunError as refusal:
            form.refuse(refusal)
        else:
            return sign_in(request, person, _("Welcome."))
    return render(request, "join.html", {"form": form, "invitation": invitation}, status=200 if request.method == "GET" else 422)
