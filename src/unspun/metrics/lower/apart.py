"""Measures that are made of rows themselves and not of panes: percentiles, streaks, the time between, funnels, times between cells,
days of each value."""

from __future__ import annotations

from collections.abc import Sequence

from unspun.metrics.lower.durations import add_durations
from unspun.metrics.lower.frames import distinct_frames, frame_of
from unspun.metrics.lower.funnels import add_funnels
from unspun.metrics.lower.looks import Apart, Looks, Placed
from unspun.metrics.lower.quantiles import add_quantiles
from unspun.metrics.lower.sequences import add_sequences
from unspun.metrics.lower.user_days import add_user_days
from unspun.metrics.nodes import Elapsed, Funnel, Quantile, Streak, TimeBetween, UserDays
from unspun.metrics.question import PanelQuestion

APART = (Quantile, Streak, TimeBetween, Funnel, Elapsed, UserDays)


def measured_apart(question: PanelQuestion, table: str, leaves: Sequence[Placed]) -> Apart:
    """The steps and inputs that measure such leaves of a table, and the columns of each."""
    apart = Apart()
    frames = distinct_frames(frame_of(leaf) for _, leaf in leaves)
    for place, frame in enumerate(frames):
        Looks(question, table, frame, place, superseded=False).add_to(apart)
    add_quantiles(apart, question, table, leaves, frames)
    add_sequences(apart, question, table, leaves, frames)
    add_funnels(apart, question, table, leaves, frames)
    add_durations(apart, question, table, leaves, frames)
    add_user_days(apart, question, table, leaves, frames)
    return apart
