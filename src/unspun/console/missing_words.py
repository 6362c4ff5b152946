"""Why a metric has no value, in plain words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from unspun.metrics.missing import REASONS


def missing_words(code: str | None) -> str:
    """What a reason's code means; of one that is not told, that it is not known."""
    return _(REASONS[code]) if code in REASONS else _("not known")
