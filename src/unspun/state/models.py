"""The people of a workspace: who they are, in which role, for which accounts, and where they are signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from unspun.state.job_models import Job as Job  # Django finds the models of an app in this module
from unspun.state.portfolio_models import DefaultView as DefaultView
from unspun.state.portfolio_models import LastSeen as LastSeen
from unspun.state.portfolio_models import SavedView as SavedView
from unspun.state.token_models import ApiAnswer as ApiAnswer
from unspun.state.token_models import ApiToken as ApiToken

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

LONGEST_NAME, LONGEST_EMAIL, LONGEST_ROLE, LONGEST_VALUE = 200, 254, 20, 500


class People(BaseUserManager["Person"]):
    """How a person is found: by e-mail, whatever the case of its letters."""

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Someone who can sign in. `role` is one of `unspun.app.access.ROLES`; `limited` people see the accounts of their scope rules only."""

    email = models.EmailField(max_length=LONGEST_EMAIL, unique=True)  # in lower case
    name = models.CharField(max_length=LONGEST_NAME)
    role = models.CharField(max_length=LONGEST_ROLE)
    limited = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    zone = models.CharField(max_length=64, blank=True)  # an IANA name; blank: the zone of the book
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[People] = People()
    scope_rules: RelatedManager[ScopeRule]
    session_records: RelatedManager[SessionRecord]
    api_tokens: RelatedManager[ApiToken]

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]

    class Meta(AbstractBaseUser.Meta):
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="person_email_lower")]

    def __str__(self) -> str:
        return self.name or self.email


class ScopeRule(models.Model):
    """One owner, segment or account that a limited person, or one who is invited, sees."""

    class Kind(models.TextChoices):
        """What the value names."""

        OWNER = "owner"
        SEGMENT = "segment"
        ACCOUNT = "account"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="scope_rules")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=LONGEST_VALUE)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "kind", "value"], name="scope_rule_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Invitation(models.Model):
    """A link by which one person joins. Only a hash of its secret is kept; it ends when it is used, withdrawn or past its time."""

    email = models.EmailField(max_length=LONGEST_EMAIL)
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    role = models.CharField(max_length=LONGEST_ROLE)
    scope = models.JSONField(null=True)  # None: every account; else {"owner": [...], "segment": [...], "account": [...]}
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="invitations")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")  # who came of it

    def __str__(self) -> str:
        return self.email


class SessionRecord(models.Model):
    """Where a person is signed in: the device as it names itself, its address, and when it was last seen."""

    person_id: int
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="session_records")
    session_key = models.CharField(max_length=40, unique=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True)
    device = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id} {self.device}"


class SetUpCode(models.Model):
    """The code that the first owner must give: shown in the terminal of `unspun serve`, kept as a hash, gone once it is used."""

    secret_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"made {self.made_at}"
