"""What a daily count is expected to be: a robust level of the days before, the week's shape, and the turn of the month."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEVEL_DAYS = 28  # the level is the median of so many usual days before
LEAST_DAYS = 21  # and of not fewer
NOISE_DAYS = 56  # how far a usual day lies from its level is learned from so many days before
LEAST_NOISE = 0.05  # on the log scale: no company's days are steadier than this for long
UNUSUAL = 3.0  # standard deviations, and
UNUSUAL_LOG = 0.14  # about 13 %: a day further off than both does not move the level
SETTLED_DAYS = 42  # after so many unusual days on end the new level is the level
EDGE_MONTHS = 6  # months that must be there before the turn of the month has a shape of its own
NORMAL_MAD = 1.4826  # median absolute deviation to standard deviation, of a normal variable


@dataclass(frozen=True, slots=True)
class Levels:
    """For each series and day, shape (series, days): what is expected (NaN: cannot be said), the log of counted over expected, its
    standard deviation, and the level, which times the shape of week and month is what is expected."""

    expected: Floats
    change: Floats
    sd: Floats
    level: Floats
    shape: Floats


def levels(counts: Floats, first_day: int) -> Levels:
    """What each day of each series is expected to be, from the days before it alone but for the shape of the week and of the month.

    `counts` has the shape (series, days), and `first_day` is the day number (days since 1970) of the first column.
    """
    days = first_day + np.arange(counts.shape[1])
    shape = week_shape(counts, days)
    found = _levels(counts, shape)
    edges = _month_edges(found.change, days)
    edged = np.any(edges != 1, axis=1)  # the others come out as they are
    return _replaced(found, edged, _levels(counts[edged], (shape * edges)[edged])) if edged.any() else found


def _replaced(found: Levels, which: Bools, others: Levels) -> Levels:
    """The levels with those of some series in the place of their own."""
    arrays = {field.name: getattr(found, field.name).copy() for field in fields(Levels)}
    for name, array in arrays.items():
        array[which] = getattr(others, name)
    return Levels(**arrays)


def log_ratio(counted: Floats, expected: Floats) -> Floats:
    """The log of counted over expected, finite where nothing was counted."""
    return np.log((counted + 0.5) / (expected + 0.5))


def spread(deviation: Floats | float, scaled: Floats | float, expected: Floats) -> Floats:
    """Standard deviation of the log of counted over expected, from median absolute deviations: of the log, and of the log times the root of
    what was expected + 1, by which a day is noisier the less is expected. Never under LEAST_NOISE nor under what chance makes of counts."""
    by_count = np.fmax(NORMAL_MAD * np.asarray(scaled), 1.0) / np.sqrt(expected + 1)  # fmax: where nothing is known, the bound
    return np.maximum(np.fmax(NORMAL_MAD * np.asarray(deviation), LEAST_NOISE), by_count)


def week_shape(counts: Floats, days: Ints) -> Floats:
    """A factor for each series and day: the median share of that weekday in its week of seven days, times seven."""
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    padded = np.pad(counts, ((0, 0), (3, 3)), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 7, axis=1).mean(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(around > 0, counts / around, np.nan)
    factors = np.ones((len(counts), 7))
    for day in range(7):
        known = share[:, weekday == day]
        enough = (~np.isnan(known)).sum(axis=1) >= 4
        factors[enough, day] = np.nanmedian(known[enough], axis=1)
    factors = np.maximum(factors, 0.01)
    return (factors / factors.mean(axis=1, keepdims=True))[:, weekday]


def _levels(counts: Floats, shape: Floats) -> Levels:
    series, length = counts.shape
    level, change, sd = (np.full((length, series), np.nan) for _ in range(3))
    usual = _LastValues.none(LEVEL_DAYS, (1, series))  # the last usual days, without the week's shape
    newest = _LastValues.none(LEVEL_DAYS, (1, series))  # the last days, usual or not
    noise = _LastValues.none(NOISE_DAYS, (2, series))  # how far off days were, and the same times the root of what was expected
    since = np.zeros(series, dtype=np.int64)  # unusual days on end
    began = np.zeros(series, dtype=bool)
    for t, (counted, usually) in enumerate(zip(counts.T.copy(), shape.T.copy(), strict=True)):
        flat = counted / usually
        (base,) = usual.medians(LEAST_DAYS)
        expected = base * usually
        of_change, of_scaled = noise.medians(14)
        level[t], sd[t] = base, spread(of_change, of_scaled, expected)
        change[t] = log_ratio(counted, expected)
        far = np.abs(change[t])
        off = far > np.maximum(UNUSUAL * sd[t], UNUSUAL_LOG)
        since = np.where(off, since + 1, np.where(far < UNUSUAL * sd[t] / 2, 0, since))
        began |= counted > 0
        newest.push(began, flat)
        usual.push(began & ~off, flat)
        noise.push(began & ~np.isnan(far), far, far * np.sqrt(expected + 1))
        settled = since >= SETTLED_DAYS
        if settled.any():
            usual.take(settled, newest)
            since[settled] = 0
    level, change, sd = (np.ascontiguousarray(array.T) for array in (level, change, sd))
    return Levels(level * shape, change, sd, level, shape)


@dataclass(frozen=True, slots=True)
class _LastValues:
    """The last values of each series, of several kinds: `values` of shape (kinds, series, days), the oldest overwritten next (`place`)."""

    values: Floats
    held: Ints
    place: Ints

    @classmethod
    def none(cls, days: int, shape: tuple[int, int]) -> _LastValues:
        return cls(np.full((*shape, days), np.nan), np.zeros(shape[1], dtype=np.int64), np.zeros(shape[1], dtype=np.int64))

    def push(self, which: Bools, *kinds: Floats) -> None:
        """A further value of each kind to the series chosen; none is NaN."""
        rows = np.flatnonzero(which)
        places, days = self.place[rows], self.values.shape[2]
        for values, added in zip(self.values, kinds, strict=True):
            values[rows, places] = added[rows]
        self.place[rows] = (places + 1) % days
        self.held[rows] = np.minimum(self.held[rows] + 1, days)

    def take(self, which: Bools, other: _LastValues) -> None:
        """What another holds of the series chosen."""
        for mine, theirs in ((self.held, other.held), (self.place, other.place)):
            mine[which] = theirs[which]
        self.values[:, which] = other.values[:, which]

    def medians(self, least: int) -> Floats:
        """The median of what each series holds, by kind; NaN where it holds fewer than `least`."""
        ordered = np.sort(self.values, axis=2)  # NaN last
        rows, held = np.arange(len(self.held)), self.held
        middle = (ordered[:, rows, np.maximum(held - 1, 0) // 2] + ordered[:, rows, held // 2]) / 2
        return np.where(held >= least, middle, np.nan)


def _month_edges(change: Floats, days: Ints) -> Floats:
    """A factor for each series and day: what the first and last two days of a month usually are, where they are that consistently."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    from_first = (date - month.astype("datetime64[D]")).astype(np.int64)
    to_last = ((month + 1).astype("datetime64[D]") - date).astype(np.int64)
    factors = np.ones_like(change)
    for place in (from_first == 0, from_first == 1, to_last == 1, to_last == 2):
        for s, row in enumerate(change[:, place]):
            known = row[~np.isnan(row)]
            if len(known) < EDGE_MONTHS:
                continue
            middle = float(np.median(known))
            spread = NORMAL_MAD * float(np.median(np.abs(known - middle)))
            if abs(middle) > max(0.1, 3 * 1.25 * spread / np.sqrt(len(known))):
                factors[s, place] = np.exp(middle)
    return factors
