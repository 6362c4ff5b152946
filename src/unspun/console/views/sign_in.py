"""Signing in, and a new password: allauth's views, led to the set-up while nobody has joined, and honest where no mail can go."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView, PasswordResetView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from unspun.app.people.joining import set_up_is_open
from unspun.console.mail import can_mail


class SignIn(LoginView):
    """The form of address and password, and the company's own sign-in where there is one."""

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if request.method == "GET" and set_up_is_open():
            return redirect("set_up")
        return super().dispatch(request, *arguments, **named)


class ResetPassword(PasswordResetView):
    """Asks for the address to send a link to; where no mail can be sent, says who can make one."""

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if not can_mail():
            return self.no_mail(request)
        return super().dispatch(request, *arguments, **named)

    def no_mail(self, request: HttpRequest) -> HttpResponse:
        return render(request, "account/password_reset_no_mail.html")


sign_in, reset_password = SignIn.as_view(), ResetPassword.as_view()
