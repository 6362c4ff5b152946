"""The catalogue of standard metrics: closed, in the order of its themes."""

from __future__ import annotations

from unspun.metrics.standard.choices import CHOICES
from unspun.metrics.standard.entry import StandardMetric, Theme, texts
from unspun.metrics.standard.support import SUPPORT
from unspun.metrics.standard.trade import TRADE
from unspun.metrics.standard.usage import USAGE

CATALOGUE: dict[str, StandardMetric] = {one.id: one for one in (*USAGE, *SUPPORT, *TRADE)}
"""By id. An entry names only entries that stand above it."""


def choices_of(entry: StandardMetric) -> tuple[str, ...]:
    """The ids of the choices that an entry itself leaves open, each once; those of metrics that it names are theirs."""
    tokens = {choice.token: id for id, choice in CHOICES.items()}
    return tuple(dict.fromkeys(tokens[text] for text in texts(entry.series) if text in tokens))


def of_theme(theme: Theme) -> tuple[StandardMetric, ...]:
    """The entries of a theme."""
    return tuple(entry for entry in CATALOGUE.values() if entry.theme == theme)
