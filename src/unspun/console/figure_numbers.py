"""Values of metrics as people write numbers."""

from __future__ import annotations

import math
from typing import Final

from unspun.reports import words

FOUR_DIGITS: Final = 1_000


def shown(value: float) -> str:
    """A metric's value to four digits."""
    if float(value).is_integer() or abs(value) >= FOUR_DIGITS:
        return words.number(value)
    return words.number(float(f"{value:.4g}"), max(0, 3 - math.floor(math.log10(abs(value)))))
