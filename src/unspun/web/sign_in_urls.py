"""The routes of allauth that this site has, each by name with its rule: what is not listed here does not exist."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as company
from allauth.socialaccount.providers.openid_connect import views as openid
from django.urls import path, re_path

from unspun.app.route_rules import public, signed_in
from unspun.console.views.sign_in import reset_password, sign_in

urlpatterns = [
    path("sign-in", public(sign_in), name="account_login"),
    path("sign-out", public(account.logout), name="account_logout"),
    path("sign-in/inactive", public(account.account_inactive), name="account_inactive"),
    path("sign-in/confirm", signed_in(account.reauthenticate), name="account_reauthenticate"),
    path("reset-password", public(reset_password), name="account_reset_password"),
    path("reset-password/sent", public(account.password_reset_done), name="account_reset_password_done"),
    path("reset-password/done", public(account.password_reset_from_key_done), name="account_reset_password_from_key_done"),
    re_path(
        r"^reset-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        public(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("self/password", signed_in(account.password_change), name="account_change_password"),
    path("self/password/first", signed_in(account.password_set), name="account_set_password"),
    # the second factor
    path("sign-in/second-factor", public(mfa.authenticate), name="mfa_authenticate"),
    path("sign-in/confirm/second-factor", signed_in(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("sign-in/confirm/security-key", signed_in(webauthn.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("self/second-factor", signed_in(mfa.index), name="mfa_index"),
    path("self/second-factor/app", signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path("self/second-factor/app/remove", signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("self/second-factor/codes", signed_in(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("self/second-factor/codes/new", signed_in(recovery_codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("self/second-factor/codes/file", signed_in(recovery_codes.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("self/second-factor/keys", signed_in(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("self/second-factor/keys/add", signed_in(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("self/second-factor/keys/<int:pk>/remove", signed_in(webauthn.remove_webauthn), name="mfa_remove_webauthn"),
    path("self/second-factor/keys/<int:pk>/edit", signed_in(webauthn.edit_webauthn), name="mfa_edit_webauthn"),
    # the company's own sign-in
    path("sign-in/company/cancelled", public(company.login_cancelled), name="socialaccount_login_cancelled"),
    path("sign-in/company/failed", public(company.login_error), name="socialaccount_login_error"),
    path("sign-in/company/<str:provider_id>", public(openid.login), name="openid_connect_login"),
    path("sign-in/company/<str:provider_id>/callback", public(openid.callback), name="openid_connect_callback"),
]
