"""Windows and counts as arrays, beside loops over the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from unspun.engines.window_arrays import PaneDates, PaneRows, bit_counts

CASES = range(120)


@dataclass(frozen=True)
class Made:
    """Rows kept of panes, and a window over them: account, pane, late, until and a number."""

    rows: np.ndarray
    window: PaneDates
    kept: PaneRows
    accounts: int

    def values(self) -> np.ndarray:
        return self.rows[:, 4].copy()

    def seen(self, account: int, point: int) -> list[int]:
        """The numbers of the rows that a date sees in its window."""
        starts, stops = self.window.starts, self.window.stops
        own = [row for row in self.rows.tolist() if row[0] == account]
        return [number for _, pane, late, until, number in own if max(starts[pane], late) <= point < min(stops[pane], until)]


def made_rows(seed: int) -> Made:
    """Up to four accounts of up to eleven panes, some rows of which were seen late or were superseded."""
    rng = default_rng(seed)
    accounts, panes, dates = (int(rng.integers(1, most)) for most in (5, 12, 9))
    starts = np.sort(rng.integers(0, dates + 1, panes))
    stops = np.full(panes, dates) if rng.random() < 0.3 else np.maximum(np.sort(rng.integers(0, dates + 1, panes)), starts)
    found = [row for account in range(accounts) for pane in range(panes) for row in _rows_of(rng, account, pane, dates)]
    rows = np.array(found, np.int64).reshape(-1, 5)
    window = PaneDates(starts, stops, dates)
    return Made(rows, window, PaneRows(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], accounts, panes, dates), accounts)


def _rows_of(rng: Generator, account: int, pane: int, dates: int) -> list[tuple[int, ...]]:
    timely = [(account, pane, 0, dates, _number(rng))] if rng.random() < 0.7 else []
    late = 3 if rng.random() < 0.4 else 0
    until = [int(rng.integers(0, dates + 1)) if rng.random() < 0.5 else dates for _ in range(late)]
    return [*timely, *((account, pane, int(rng.integers(1, dates + 1)), one, _number(rng)) for one in until)]


def _number(rng: Generator) -> int:
    return int(rng.integers(-99, 99))


@pytest.mark.parametrize("seed", CASES)
def test_sums_are_those_of_the_rows_that_each_date_sees(seed: int) -> None:
    made = made_rows(seed)
    wanted = [sum(made.seen(account, point)) for account in range(made.accounts) for point in range(made.window.dates)]
    assert made.kept.sums("n", made.values(), made.window).tolist() == wanted


@pytest.mark.parametrize("seed", CASES)
def test_the_greatest_is_that_of_the_rows_that_each_date_sees(seed: int) -> None:
    made = made_rows(seed)
    wanted = [max(made.seen(account, point), default=-1000) for account in range(made.accounts) for point in range(made.window.dates)]
    assert made.kept.greatest(made.values(), -1000, made.window).tolist() == wanted


@pytest.mark.parametrize("digits", [0, 9, 17, 26])
@pytest.mark.parametrize("seed", range(30))
def test_amounts_are_the_doubles_nearest_to_their_exact_sums(seed: int, digits: int) -> None:
    made = made_rows(seed)
    scaled = [int(number) * 10**digits + int(number) for number in made.values()]
    words = np.array([[one & (2**64 - 1), (one >> 64) & (2**64 - 1)] for one in scaled], np.uint64).reshape(-1, 2)
    sums = [sum(made.seen(account, point)) for account in range(made.accounts) for point in range(made.window.dates)]
    wanted = [(total * 10**digits + total) / 10**9 for total in sums]
    assert made.kept.amounts("n", words, made.window).tolist() == wanted


@pytest.mark.parametrize("masks", [0, 1, 254, 255, 256, 3000])
def test_bits_are_counted_by_account_however_many_masks_there_are(masks: int) -> None:
    rng = default_rng(masks)
    account, word = rng.integers(0, 3, masks), rng.integers(0, 2**62, masks)
    found = bit_counts(account, 4, {"w": word})["w"]
    wanted = [[int(((word[account == one] >> bit) & 1).sum()) for bit in range(64)] for one in range(4)]
    assert found.tolist() == wanted
