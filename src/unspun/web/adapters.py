"""How allauth is bent to a workspace: nobody signs up uninvited."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed: people come by the first set-up and by invitations."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
