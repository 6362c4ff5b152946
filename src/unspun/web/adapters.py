"""How allauth is bent to a workspace: nobody signs up uninvited, links go by the site's address, and secrets are kept enciphered."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from unspun.app.people.joining import join_by_company, may_join_by_company
from unspun.console.links import absolute
from unspun.console.mail import deliver
from unspun.state.models import Person


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed: people come by the set-up, by invitations, and by the company's own sign-in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"}).replace("UID-KEY", key)
        return absolute(self.request, path)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A server that refuses the message is no reason to tell a stranger whether the address is known: the log says so."""
        message: EmailMessage = self.render_mail(template_prefix, email, {"company": settings.WORKSPACE.settings.name, **context})
        deliver(message)


class CompanyAdapter(DefaultSocialAccountAdapter):
    """Who may come by the company's own sign-in: people, those who were invited, and others if unspun.toml gives them a role."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        email = _checked_email(sociallogin)
        return email is not None and may_join_by_company(email, _default_role(), timezone.now())

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: object = None) -> Person:
        email = _checked_email(sociallogin)
        if email is None:
            raise ValueError("nobody joins by an address that the provider did not check")
        person = join_by_company(_name(sociallogin) or email, email, _default_role(), timezone.now())
        sociallogin.connect(request, person)
        return person


def _default_role() -> str:
    return settings.SITE.oidc.role if settings.SITE.oidc is not None else ""


def _checked_email(sociallogin: SocialLogin) -> str | None:
    """The address that the provider says it has checked."""
    return next((one.email.lower() for one in sociallogin.email_addresses if one.verified), None)


def _name(sociallogin: SocialLogin) -> str:
    data = sociallogin.account.extra_data
    told = data.get("userinfo") or data.get("id_token") or data
    return " ".join(str(told.get("name") or "").split())[:200]


class SecondFactorAdapter(DefaultMFAAdapter):
    """The secrets of second factors are enciphered by a key made of the site's: a copy of the state alone gives none away."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"second factor:" + settings.SECRET_KEY.encode()).digest()))
