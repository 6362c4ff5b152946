"""The Jinja2 environment of the pages."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment, StrictUndefined

from unspun.console.context import role_name
from unspun.console.drawn import icon, logo


def environment(**options: Any) -> Environment:
    """Autoescaping, strict about names that do not exist, with translation and the functions `url` and `static`."""
    made = Environment(**{**options, "autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})
    made.add_extension("jinja2.ext.i18n")
    made.install_gettext_callables(  # pyright: ignore[reportAttributeAccessIssue]
        gettext=translation.gettext,
        ngettext=translation.ngettext,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
        newstyle=True,
    )
    made.globals.update(static=static, url=url, logo=logo, icon=icon, role_name=role_name)
    return made


def url(name: str, *arguments: object, **named: object) -> str:
    """The address of a route."""
    return reverse(name, args=arguments, kwargs=named)
