"""The first owner of a workspace. Open while nobody has joined, to whoever reads the terminal that serves it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from unspun.app.people.joining import set_up as make_owner
from unspun.app.people.joining import set_up_is_open
from unspun.console.access import public
from unspun.console.forms import SetUpForm
from unspun.console.limits import too_often
from unspun.console.signing_in import sign_in
from unspun.errors import UnspunError
from unspun.state.people import NewPerson


@public
@sensitive_post_parameters("password1", "password2", "code")
@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Make the first owner, who is signed in then."""
    if not set_up_is_open():
        return redirect("account_login")
    form = SetUpForm(request.POST or None)
    if request.method == "POST":
        if (refused := too_often(request, "set_up")) is not None:
            return refused
        if form.is_valid() and (done := _set_up(request, form)) is not None:
            return done
    return render(request, "set_up.html", {"form": form}, status=200 if request.method == "GET" else 422)


def _set_up(request: HttpRequest, form: SetUpForm) -> HttpResponse | None:
    given = form.cleaned_data
    try:
        owner = make_owner(given["code"], NewPerson(given["name"], given["email"], given["password1"]))
    except UnspunError as refusal:
        form.refuse(refusal)
        return None
    return sign_in(request, owner, _("The workspace is yours. Invite the others in People."))
