"""How far a long task is: what it tells those who wait for it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told the stage in words, how much of it is done, and of how much."""


def silent(stage: str, done: int, total: int) -> None:
    """A progress listener that says nothing."""
