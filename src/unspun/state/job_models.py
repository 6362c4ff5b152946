"""The queue of work done beside the pages: one row for each job, the waiting ones, the running one and those that ended."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

LONGEST_STAGE = 300


class Job(models.Model):
    """One piece of work. `unspun.app.jobs` says how it goes from state to state; `attempts` tells one attempt's writes from a later one's.

    Of two open jobs none have the same `key`. `heartbeat_at` is renewed by the process that runs it (`host`, `pid`, `mark`); `before` is
    what the book was when the attempt began, `result` what it did, `error` why it failed.
    """

    class State(models.TextChoices):
        """Where a job is."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="jobs")  # None: the schedule
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=LONGEST_STAGE, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    host = models.CharField(max_length=255, blank=True)
    pid = models.BigIntegerField(null=True)
    mark = models.CharField(max_length=100, blank=True)
    cancel_asked_at = models.DateTimeField(null=True)
    before = models.JSONField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(state__in=["waiting", "running"]), name="job_open_once")
        ]
        indexes: ClassVar = [models.Index(fields=["state", "asked_at"], name="job_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"
