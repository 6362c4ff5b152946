"""The Django app of the state."""

from __future__ import annotations

from django.apps import AppConfig


class StateConfig(AppConfig):
    """Label `state`: its tables are named state_person, state_invitation ..."""

    name = "unspun.state"
    label = "state"
    default_auto_field = "django.db.models.BigAutoField"
