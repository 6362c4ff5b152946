"""The form by which a person makes an API token."""

from __future__ import annotations

from typing import Any, Final, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from unspun.app.access import PERMISSIONS, Actor
from unspun.app.people.tokens import LONGEST_DAYS, LONGEST_NAME, grantable
from unspun.console.forms import Form

SPANS: Final = (7, 30, 90, LONGEST_DAYS)


class TokenForm(Form):
    """What it is for, what it may do, and until when."""

    name = forms.CharField(
        label=_("What it is for"), max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off", "data-1p-ignore": ""})
    )
    days = forms.TypedChoiceField(
        label=_("It ends after"),
        coerce=int,
        initial=90,
        choices=[(days, ngettext_lazy("%(n)s day", "%(n)s days", days) % {"n": days}) for days in SPANS],
    )
    permissions = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple(), required=False)

    def __init__(self, *args: Any, actor: Actor, **named: Any) -> None:
        super().__init__(*args, **named)
        cast("forms.MultipleChoiceField", self.fields["permissions"]).choices = [(one, PERMISSIONS[one]) for one in grantable(actor)]
