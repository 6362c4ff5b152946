"""Who the customers are: accounts, their hierarchy and when their records begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from unspun.book.demo.calendar import NONE, Floats, Ints, day_of_month, month_of, position_in_group
from unspun.book.demo.names import company_names
from unspun.book.demo.parameters import REGIONS, SEGMENTS, Parameters


@dataclass(frozen=True, slots=True)
class Accounts:
    """Arrays over accounts. `parent` and `top` are positions in them; `top` is the account itself where it has no parent.

    Terms begin on `billing_day` of a month; the first one on record begins in `first_month`. `fit` is unseen.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    parent: Ints
    top: Ints
    segment: Ints  # at the start of the first term on record
    region: Ints
    term_choice: Ints  # index into Parameters.term_months
    billing_day: Ints
    first_month: Ints
    signed: Ints
    arr: Ints  # of the first term on record
    discount: Floats  # factor on the price of a seat
    fit: Floats
    family_effect: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Window:
    """The days on record: from `first` to `last`, the as-of day, both included."""

    first: int
    last: int

    @property
    def months(self) -> Ints:
        """Months that begin in the window."""
        first, last = month_of(np.array([self.first - 1, self.last]))
        return np.arange(first + 1, last + 1)


def window_before(as_of: date, years: int) -> Window:
    """The years that end with the as-of day. They begin on the first of a month."""
    last = np.datetime64(as_of, "D").astype(np.int64)
    first_month = month_of(np.array([last + 1])) - 12 * years
    return Window(int(day_of_month(first_month, 1)[0]), int(last))


def simulate_accounts(rng: np.random.Generator, size: int, window: Window, p: Parameters) -> Accounts:
    """Draw the accounts. Families first, then what each account is, then since when."""
    parent, top = _families(rng, size, p)
    segment = rng.choice(len(SEGMENTS), size=size, p=p.segment_share)
    term_choice = _term_choices(rng, segment, p)
    first_month, months_before = _beginnings(rng, term_choice, window, p)
    billing_day = rng.integers(1, 29, size)
    family_effect = np.where(_in_family(parent, top), rng.normal(0, p.family_sd, size)[top], 0.0)
    return Accounts(
        ids=tuple(f"A-{i + 1:05d}" for i in range(size)),
        names=tuple(company_names(rng, top, _position_in_family(top))),
        parent=parent,
        top=top,
        segment=segment,
        region=rng.choice(len(REGIONS), size=size, p=p.region_share),
        term_choice=term_choice,
        billing_day=billing_day,
        first_month=first_month,
        signed=day_of_month(first_month - months_before, billing_day),
        arr=_round_arr(np.array(p.median_arr)[segment] * np.exp(np.array(p.arr_log_sd)[segment] * rng.normal(size=size))),
        discount=np.exp(rng.normal(0, p.seat_price_log_sd, size)),
        fit=rng.normal(size=size),
        family_effect=family_effect,
    )


def _round_arr(arr: Floats) -> Ints:
    """To a whole number of dollars a month, ten at least."""
    return np.maximum(np.round(arr / 120).astype(np.int64), 1) * 120


def _families(rng: np.random.Generator, size: int, p: Parameters) -> tuple[Ints, Ints]:
    """Parent and top of each account. A child of a child hangs below one of the children that hang below a top."""
    tops, children = round(size * p.parents_per_account), round(size * p.children_per_account)
    deep = round(children * p.deep_share_of_children) if tops else 0
    chosen = rng.permutation(size)[: tops + children]
    heads, middle, low = np.split(chosen, [tops, tops + children - deep])
    parent = np.full(size, NONE)
    parent[middle] = heads[rng.integers(0, max(tops, 1), len(middle))]
    branches = middle[: max(deep // 3, 1)]
    parent[low] = branches[rng.integers(0, max(len(branches), 1), len(low))]
    top = np.arange(size)
    top[middle] = parent[middle]
    top[low] = parent[parent[low]]
    return parent, top


def _in_family(parent: Ints, top: Ints) -> np.ndarray:
    return (parent != NONE) | np.isin(np.arange(len(top)), top[parent != NONE])


def _position_in_family(top: Ints) -> Ints:
    """0 for the top of a family, then 1, 2 ... for its members."""
    rank = np.arange(len(top))
    order = np.lexsort((rank, rank != top, top))
    position = np.empty(len(top), np.int64)
    position[order] = position_in_group(top[order])
    return position


def _term_choices(rng: np.random.Generator, segment: Ints, p: Parameters) -> Ints:
    cumulative = np.cumsum(np.array(p.term_share), axis=1)[segment]
    return (rng.random((len(segment), 1)) > cumulative).sum(axis=1).clip(max=len(p.term_months) - 1)


def _beginnings(rng: np.random.Generator, term_choice: Ints, window: Window, p: Parameters) -> tuple[Ints, Ints]:
    """Month in which the first term on record begins, and months as a customer before that.

    An existing account is somewhere inside a term when records begin; a new one signs at any time after.
    """
    size = len(term_choice)
    months = np.array(p.term_months)[term_choice]
    existing = rng.random(size) < p.share_existing
    first_due = rng.integers(0, months)
    signing = rng.integers(0, 12 * p.history_years, size)
    terms_before = rng.poisson(p.mean_terms_before, size)
    before = np.where(months == 1, terms_before * 6, terms_before * months)
    start = month_of(np.array([window.first]))[0]
    return np.where(existing, start + first_due + 1 - months, start + signing), np.where(existing, before, 0)
