"""The Jinja2 environment of the pages."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.html import json_script
from django.utils.http import urlencode
from django.utils.translation import ngettext
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from unspun.app.access import Scope
from unspun.console.drawn import icon, logo
from unspun.console.reader import moment, moment_utc, zone_name
from unspun.console.shell import role_name
from unspun.reports.audit_html import equip
from unspun.reports.isolation import isolate_arguments
from unspun.risk.forecast.result import Predicted

NEXT = "next"
TAG = re.compile(r"<[^>]+>")


def environment(**options: Any) -> Environment:
    """Strict about names that do not exist; escapes what is put into pages (mail is text, and is not); text is marked for translation."""
    escaping = select_autoescape(disabled_extensions=("txt",), default_for_string=True, default=True)
    made = Environment(**{**options, "autoescape": escaping, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})
    made.add_extension("jinja2.ext.i18n")
    made.install_gettext_callables(  # pyright: ignore[reportAttributeAccessIssue]
        gettext=translation.gettext,
        ngettext=translation.ngettext,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
        newstyle=True,
    )
    isolate_arguments(made)
    equip(made)
    made.tests["predicted"] = lambda value: isinstance(value, Predicted)
    made.loader = ChoiceLoader(
        [one for one in (made.loader, PackageLoader("unspun.reports")) if one is not None]
    )  # pages use macros of reports
    made.globals.update(static=static, url=url, logo=logo, icon=icon, role_name=role_name, json_script=json_script)
    made.globals.update(moment=moment, moment_utc=moment_utc, zone_name=zone_name, sentences=sentences)
    made.globals.update(scope_words=scope_words, company_sign_in_of=company_sign_in_of)
    return made


def url(name: str, *arguments: object, **named: object) -> str:
    """The address of a route."""
    return reverse(name, args=arguments, kwargs=named)


def sentences(help_text: Any) -> Any:
    """The help of a field. Django's rules of passwords are a list in HTML that is not marked as such: here their sentences, as text."""
    if hasattr(help_text, "__html__"):
        return help_text
    return " ".join(unescape(TAG.sub(" ", str(help_text))).split())


def scope_words(scope: Scope) -> str:
    """How much a limit names: `2 owners, 1 account`."""
    counted = (
        (len(scope.owners), ngettext("%(n)s owner", "%(n)s owners", len(scope.owners))),
        (len(scope.segments), ngettext("%(n)s segment", "%(n)s segments", len(scope.segments))),
        (len(scope.accounts), ngettext("%(n)s account", "%(n)s accounts", len(scope.accounts))),
    )
    return ", ".join(text % {"n": n} for n, text in counted if n)


def company_sign_in_of(request: HttpRequest) -> dict[str, str] | None:
    """The company's own sign-in, and where it begins; None where unspun.toml names none."""
    oidc = settings.SITE.oidc
    if oidc is None:
        return None
    onward = request.GET.get(NEXT, "")
    query = f"?{urlencode({NEXT: onward})}" if onward else ""
    return {"name": oidc.name, "href": f"{reverse('openid_connect_login', kwargs={'provider_id': 'oidc'})}{query}"}
