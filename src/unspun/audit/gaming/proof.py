"""Measured false-alarm rates: benchmarks/gaming_study.py found them, and a test holds them to its results."""

from __future__ import annotations

STUDY = "gaming-study-2026-11-22"
FALSE_ALARMS: dict[str, tuple[int, int, float]] = {  # flagged, honest histories tried, the highest share among kinds of history
    "bunching": (9, 15000, 0.003),
    "period_end": (74, 7000, 0.014),
    "back_dated": (14, 1800, 0.013333),
    "before_reviews": (29, 7000, 0.011),
    "goodhart_gap": (4, 7000, 0.004),
}
