"""Signing someone in who has just joined."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from unspun.state.models import Person


def sign_in(request: HttpRequest, person: Person, message: str) -> HttpResponse:
    """Sign in a person who has just shown a code or a link, and chosen a password; on to the first page."""
    login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
    record_authentication(request, person, method="password", email=person.email)
    messages.success(request, message)
    return redirect("home")
