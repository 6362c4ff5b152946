"""Linear algebra in one thread: sums are then taken in one order, however many threads the machine would lend."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import numpy as np
from scipy import linalg
from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries that NumPy and SciPy have loaded, after both have been asked for something."""
    linalg.inv(np.eye(1) @ np.eye(1))
    return ThreadpoolController()


def in_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function with BLAS held to one thread, so that the same input gives the same bytes on the same machine."""

    @wraps(function)
    def held(*args: P.args, **named: P.kwargs) -> R:
        with _libraries().limit(limits=1, user_api="blas"):
            return function(*args, **named)

    return held
