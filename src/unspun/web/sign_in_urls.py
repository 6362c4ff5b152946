"""The routes of allauth that this site has, each by name with its rule: what is not listed here does not exist."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import path, re_path

from unspun.app.route_rules import public

urlpatterns = [
    path("sign-in", public(account.login), name="account_login"),
    path("sign-out", public(account.logout), name="account_logout"),
    path("sign-in/inactive", public(account.account_inactive), name="account_inactive"),
    path("reset-password", public(account.password_reset), name="account_reset_password"),
    path("reset-password/sent", public(account.password_reset_done), name="account_reset_password_done"),
    path("reset-password/done", public(account.password_reset_from_key_done), name="account_reset_password_from_key_done"),
    re_path(
        r"^reset-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        public(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
]
