"""Who looks after which account, and since when. Owners leave, and accounts are moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.demo.calendar import NEVER, Bools, Floats, Ints, count_by, last_begun, within_groups
from unspun.book.demo.customers import Accounts, Window
from unspun.book.demo.names import person_names
from unspun.book.demo.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Owners:
    """People and the spells in which they own an account. Spells are sorted by account, then begin.

    A position is held by one person after another. The last four of the people's arrays are planted and unseen.
    """

    names: tuple[str, ...]
    position: Ints
    joined: Ints
    left: Ints  # NEVER while still there
    effect: Floats
    chases_risk: Bools
    skips_unhappy: Bools
    nudges_band: Bools
    spell_account: Ints
    spell_begins: Ints
    spell_owner: Ints

    def of(self, account: Ints, day: Ints) -> Ints:
        """The owner of each account on each day; before the first spell, its first owner."""
        first = np.searchsorted(self.spell_account, account)
        row = last_begun(self.spell_account, self.spell_begins, account, day)
        return self.spell_owner[np.maximum(row, first)]


def simulate_owners(rng: np.random.Generator, accounts: Accounts, window: Window, p: Parameters) -> Owners:
    """Staff the positions, give each account a position, and move some accounts."""
    positions = max(4, len(accounts) // p.accounts_per_position)
    position, joined, left = _staff(rng, positions, int(accounts.signed.min()), window, p)
    people = len(position)
    account, begins, owner = _spells(rng, accounts, positions, position, joined, window, p)
    return Owners(
        names=tuple(person_names(rng, people, unique=True)),
        position=position,
        joined=joined,
        left=left,
        effect=rng.normal(0, p.owner_sd, people),
        chases_risk=rng.random(people) < p.chases_risk_share,
        skips_unhappy=rng.random(people) < p.skips_unhappy_share,
        nudges_band=rng.random(people) < p.nudges_band_share,
        spell_account=account,
        spell_begins=begins,
        spell_owner=owner,
    )


def _staff(rng: np.random.Generator, positions: int, first: int, window: Window, p: Parameters) -> tuple[Ints, Ints, Ints]:
    """People in order of position and joining. Nobody stays under four months."""
    most = 2 + int(4 * (window.last - first) / 365 / p.owner_tenure_years)
    stay = 120 + rng.exponential(365 * p.owner_tenure_years - 120, (positions, most)).astype(np.int64)
    stay[:, 0] = rng.integers(window.first - first, window.last - first, positions)  # the first ones are there when records begin
    ends = first + np.cumsum(stay, axis=1)
    joined = np.column_stack([np.full(positions, first), ends[:, :-1]])
    there = joined <= window.last
    position = np.broadcast_to(np.arange(positions)[:, None], there.shape)[there]
    return position, joined[there], np.where(ends[there] > window.last, NEVER, ends[there])


def _spells(
    rng: np.random.Generator, accounts: Accounts, positions: int, position: Ints, joined: Ints, window: Window, p: Parameters
) -> tuple[Ints, Ints, Ints]:
    """Spells of one owner: they begin with the account, with a move, or with a change in the position."""
    n = len(accounts)
    every = np.arange(n)
    old, new = rng.integers(0, positions, (2, n))
    years = (window.last - window.first) / 365
    moved = np.where(rng.random(n) < p.moves_per_year * years, rng.integers(window.first, window.last, n), NEVER)
    successions, first = count_by(position, positions), np.searchsorted(position, np.arange(positions))
    holds = np.r_[old, new]  # either position's changes may end a spell
    staff = np.repeat(first[holds], successions[holds]) + within_groups(successions[holds])
    account = np.r_[every, every, np.repeat(np.r_[every, every], successions[holds])]
    begins = np.r_[accounts.signed, moved, joined[staff]]
    inside = (begins >= accounts.signed[account]) & (begins <= window.last)
    account, begins = account[inside], begins[inside]
    order = np.lexsort((begins, account))
    account, begins = account[order], begins[order]
    held = np.where(begins >= moved[account], new[account], old[account])
    owner = last_begun(position, joined, held, begins)
    changes = np.r_[True, (account[1:] != account[:-1]) | (owner[1:] != owner[:-1])]
    return account[changes], begins[changes], owner[changes]
