"""The forms of people: joining, inviting, role and scope, one's own name."""

from __future__ import annotations

from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from unspun.app.access import EVERYTHING, ROLES, Role, Scope
from unspun.console.shell import ROLE_NAMES
from unspun.errors import Fault, UnspunError
from unspun.state.models import LONGEST_EMAIL, LONGEST_NAME, LONGEST_VALUE, Person

LONGEST_PASSWORD, MOST_NAMED, LONGEST_LIST = 200, 500, 50_000
ROLE_CHOICES = [(role, ROLE_NAMES[role]) for role in ROLES]


class Form(forms.Form):
    """A form that can be told what an operation refused."""

    def refuse(self, refusal: UnspunError) -> None:
        """Each fault at its field, or above the form."""
        for fault in refusal.faults:
            self.add_error(fault.where if fault.where in self.fields else None, _words(fault))


def fault_words(refusal: UnspunError) -> str:
    """What an operation refused, in sentences."""
    return " ".join(_words(fault) for fault in refusal.faults)


def _words(fault: Fault) -> str:
    return f"{fault.message[:1].upper()}{fault.message[1:]} {fault.hint}".strip()


def name_field(required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "name"})
    return forms.CharField(label=_("Name"), max_length=LONGEST_NAME, required=required, widget=widget)


def email_field(autocomplete: str = "off") -> forms.EmailField:
    return forms.EmailField(label=_("E-mail"), max_length=LONGEST_EMAIL, widget=forms.EmailInput(attrs={"autocomplete": autocomplete}))


class PasswordForm(Form):
    """A new password, given twice and held to the site's rules."""

    password1 = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=_("At least 10 characters, and not a common password."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Password again"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def whose(self) -> str:
        """The address of the person: a password like it is refused."""
        return str(self.cleaned_data.get("email", ""))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        first, second = given.get("password1"), given.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords differ."))
        elif first:
            try:
                validate_password(first, Person(email=self.whose(), name=given.get("name", "")))
            except ValidationError as refusal:
                self.add_error("password1", refusal)
        return given


class SetUpForm(PasswordForm):
    """The first owner."""

    code = forms.CharField(
        label=_("Set-up code"),
        max_length=40,
        help_text=_("It stands in the terminal where unspun serve runs."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    name = name_field()
    email = email_field("username")
    field_order = ("code", "name", "email", "password1", "password2")


class JoinForm(PasswordForm):
    """Someone who was invited."""

    name = name_field()
    field_order = ("name", "password1", "password2")

    def __init__(self, *args: Any, invited: str, **named: Any) -> None:
        super().__init__(*args, **named)
        self._invited = invited

    def whose(self) -> str:
        return self._invited


def _lines(label: Any, help_text: Any = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=LONGEST_LIST, help_text=help_text, widget=widget)


class AccessForm(Form):
    """A role, and for some roles the accounts that it is limited to."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)
    limited = forms.BooleanField(
        label=_("Only some accounts"), required=False, help_text=_("For CSMs and viewers: those named below, by owner, segment or account.")
    )
    owners = _lines(_("Owners"), _("One on each line, spelled as in the book."))
    segments = _lines(_("Segments"), _("One on each line."))
    accounts = _lines(_("Accounts"), _("One id on each line."))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for field in ("owners", "segments", "accounts"):
            values = named_in(given.get(field, ""))
            if len(values) > MOST_NAMED:
                self.add_error(field, _("At most 500 can be named."))
            if any(len(value) > LONGEST_VALUE for value in values):
                self.add_error(field, _("A line is longer than 500 characters."))
        return given

    def access(self) -> tuple[Role, Scope]:
        """What was chosen."""
        given = self.cleaned_data
        scope = Scope(False, *(named_in(given[field]) for field in ("owners", "segments", "accounts"))) if given["limited"] else EVERYTHING
        return cast("Role", given["role"]), scope


def access_initial(role: Role, scope: Scope) -> dict[str, Any]:
    """What an AccessForm begins with for someone who has access."""
    named = {"owners": scope.owners, "segments": scope.segments, "accounts": scope.accounts}
    return {"role": role, "limited": not scope.everything, **{field: "\n".join(sorted(values)) for field, values in named.items()}}


def named_in(text: str) -> frozenset[str]:
    """The lines that are not empty."""
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


class InviteForm(AccessForm):
    """Someone to invite."""

    email = email_field()
    name = name_field(required=False)
    field_order = ("email", "name", "role", "limited", "owners", "segments", "accounts")


class SelfForm(Form):
    """What people say of themselves."""

    name = name_field()
    zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        zone = cast("forms.ChoiceField", self.fields["zone"])
        zone.choices = [("", _("That of the book")), *((one, one) for one in sorted(available_timezones()))]
