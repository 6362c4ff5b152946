"""Where an account without a line in the portfolio stands, in words: in short, and in a sentence."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from unspun.app.portfolio.standing import Standing
from unspun.reports import words

SHORT: Final = {
    "left": gettext_lazy("left"),
    "leaving": gettext_lazy("is leaving"),
    "ended": gettext_lazy("ended"),
    "coming": gettext_lazy("yet to begin"),
    "renewed": gettext_lazy("no renewal open"),
    "undecided": gettext_lazy("not decided"),
    "nothing": gettext_lazy("no renewal known"),
}
SENTENCES: Final = {
    "left": gettext_lazy("Left on %(day)s."),
    "leaving": gettext_lazy("Its term ends on %(day)s, and it is decided that it leaves."),
    "ended": gettext_lazy("Its last subscription ended on %(day)s, and no renewal of it is known."),
    "coming": gettext_lazy("Its first subscription begins on %(day)s."),
    "renewed": gettext_lazy("Its newest term was due on %(day)s: %(outcome)s. No renewal is open."),
    "undecided": gettext_lazy("Its newest term was due on %(day)s. What came of it is not recorded, and no renewal is open."),
}


def standing_words(standing: Standing) -> tuple[str, str]:
    """In short, and in a sentence."""
    known = standing.kind in SENTENCES and standing.day is not None
    told = str(SENTENCES[standing.kind]) if known else _("The book holds no renewal of this account that is open.")
    if known and standing.day is not None:
        told %= {"day": words.day(standing.day), "outcome": standing.outcome}
    why = _("The reason given: %(reason)s") % {"reason": standing.reason} if standing.reason else ""
    return str(SHORT[standing.kind]), " ".join(part for part in (told, why) if part)
