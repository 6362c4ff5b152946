"""Links that are sent or copied: by the address that unspun.toml names, and only else by the one that was asked for."""

from __future__ import annotations

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from unspun.state.models import Person


def absolute(request: HttpRequest | None, path: str) -> str:
    """The whole link of a path. Raises ValueError where neither names a host."""
    if settings.SITE.address:
        return f"{settings.SITE.address}{path}"
    if request is None:
        raise ValueError("a link needs the address of the site, or a request")
    return request.build_absolute_uri(path)


def reset_link(request: HttpRequest, person: Person) -> str:
    """A link by which a person sets a new password; it ends when it is used, when the person signs in, or after a day."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    return absolute(request, reverse("account_reset_password_from_key", args=[user_pk_to_url_str(person), token]))
