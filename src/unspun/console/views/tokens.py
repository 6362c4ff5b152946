"""One's own API tokens: the list, making one, which is shown once, and revoking one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from unspun.app.people.tokens import MadeToken, list_tokens, make_token, revoke_token
from unspun.console.access import signed_in
from unspun.console.asking import actor_of_request
from unspun.console.links import absolute
from unspun.console.token_form import TokenForm
from unspun.errors import BadInput


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of a person, the newest first, and a form for another; once it is made, its secret this once."""
    actor = actor_of_request(request)
    form = TokenForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            return _page(
                request, TokenForm(actor=actor), make_token(actor, given["name"], given["permissions"], given["days"], timezone.now())
            )
        except BadInput as refusal:
            form.refuse(refusal)
    return _page(request, form, status=200 if request.method == "GET" else 422)


def _page(request: HttpRequest, form: TokenForm, made: MadeToken | None = None, status: int = 200) -> HttpResponse:
    found = list_tokens(actor_of_request(request), timezone.now())
    about = {"tokens": found, "form": form, "made": made, "address": absolute(request, reverse("api me")), "at": timezone.now()}
    return render(request, "own/tokens.html", about, status=status)


@signed_in
@require_POST
def end_token(request: HttpRequest, token: int) -> HttpResponse:
    """Revoke a token: the next request with it is refused."""
    if not revoke_token(actor_of_request(request), token, timezone.now()):
        raise Http404(_("There is no such token."))
    messages.success(request, _("The token is revoked."))
    return redirect("tokens")
