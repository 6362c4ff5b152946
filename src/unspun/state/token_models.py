"""API tokens, and the answers that were given to requests which may be sent again."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

LONGEST_TOKEN_NAME, LONGEST_KEY = 100, 200


class ApiToken(models.Model):
    """A secret by which a program acts as a person. Only a hash of it is kept; `prefix` is its beginning, by which people tell it apart.

    `permissions` are some of `unspun.app.access.PERMISSIONS`: the token may do what these and the role of its person both grant.
    """

    person_id: int
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=LONGEST_TOKEN_NAME)
    prefix = models.CharField(max_length=20)
    secret_hash = models.CharField(max_length=64, unique=True)
    permissions = models.JSONField(default=list)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"


class ApiAnswer(models.Model):
    """What was answered to a request with a key of the caller's: the same request with the same key is answered so again.

    `asked` is a hash of what was asked, so that a key is not taken for another request.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=LONGEST_KEY)
    asked = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "kind", "key"], name="api_answer_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
