"""What people keep of the portfolio: their views of it, and when they looked at an account last."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

LONGEST_VIEW_NAME, SHA256_DIGITS = 80, 64


class SavedView(models.Model):
    """A portfolio under a name: which lines, in which order and columns, as the parameters of its address. Shared: everyone may open it."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=LONGEST_VIEW_NAME)
    query = models.TextField()
    shared = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The view with which the portfolio begins for a person."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="default_view")
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.person} {self.view}"


class LastSeen(models.Model):
    """When a person looked at an account last, and at which refresh (`key` of its read model, `entry` of its risk); `before_*` say the same
    of the visit before that one, None where there was none. `account` is the SHA-256 of its id, so that the
    state names no account that was erased."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    account = models.CharField(max_length=SHA256_DIGITS)
    at = models.DateTimeField()
    key = models.CharField(max_length=16)
    entry = models.BigIntegerField(null=True)
    before_at = models.DateTimeField(null=True)
    before_key = models.CharField(max_length=16, blank=True)
    before_entry = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "account"], name="last_seen_once")]

    def __str__(self) -> str:
        return f"{self.person} {self.account} {self.at}"
