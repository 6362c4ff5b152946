"""Contacts, and the NPS survey that is sent to them: who was eligible, who was invited, who answered, and what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.demo.calendar import NEVER, Floats, Ints, day_of_month, last_begun, position_in_group, sigmoid, whole
from unspun.book.demo.customers import Accounts, Window
from unspun.book.demo.names import email_domain, person_names
from unspun.book.demo.parameters import Parameters
from unspun.book.demo.terms import Contracts, Terms
from unspun.book.demo.usage import lost_to_decline
from unspun.book.tables import CHURNED

ROLES = ("Champion", "Administrator", "User", "Executive sponsor", "Finance")
CHAMPION = 0
SURVEY_MONTHS = (2, 8)  # March and September, counting from 0
OTHER_CONTACTS = (0.8, 2.0, 3.6)  # mean number beside the champion and one more, by segment
UNHAPPY_BELOW = -0.6
INVITED_SHARE = 0.97
INVITED_SHARE_UNHAPPY = 0.3  # where the owner keeps the unhappy off


@dataclass(frozen=True, slots=True)
class Contacts:
    """Sorted by account and when added. `left` is NEVER while still there."""

    account: Ints
    names: tuple[str, ...]
    emails: tuple[str, ...]
    role: Ints
    added: Ints
    left: Ints
    mood: Floats  # how the person differs from the account, unseen


@dataclass(frozen=True, slots=True)
class Survey:
    """One row a contact eligible in a wave. `invited` and `responded` are days, NEVER where it did not happen; nps is 0 to 10."""

    contact: Ints
    account: Ints
    wave: Ints  # the first of its month, in days
    owner: Ints
    invited: Ints
    responded: Ints
    nps: Ints


def simulate_contacts(rng: np.random.Generator, c: Contracts) -> Contacts:
    """Each account has a champion, one after another as they leave, and up to six others who stay."""
    parts = zip(_champions(rng, c.accounts, c.terms), _others(rng, c.accounts), strict=True)
    account, role, added, left = (np.concatenate(part) for part in parts)
    order = np.lexsort((role, added, account))
    account, role, added, left = account[order], role[order], added[order], left[order]
    names = person_names(rng, len(account))
    domains = [email_domain(name) for name in c.accounts.names]
    emails = tuple(
        f"{name.lower().replace(' ', '.')}.{i}@{domains[a]}" for i, (name, a) in enumerate(zip(names, account.tolist(), strict=True), 1)
    )
    return Contacts(account, tuple(names), emails, role, added, left, rng.normal(0, 0.7, len(account)))


def _champions(rng: np.random.Generator, accounts: Accounts, terms: Terms) -> tuple[Ints, Ints, Ints, Ints]:
    """One champion from the start and a successor for each that left, unless the account left too."""
    gone = np.flatnonzero(terms.champion_left != NEVER)
    replaced = gone[terms.outcome[gone] != CHURNED]
    successor = np.minimum(terms.champion_left[replaced] + whole(rng, (10, 60), len(replaced)), terms.due[replaced])
    account, added = np.r_[np.arange(len(accounts)), terms.account[replaced]], np.r_[accounts.signed, successor]
    order = np.lexsort((added, account))
    account, added = account[order], added[order]
    departures = dict(zip(_numbered(terms.account[gone]), terms.champion_left[gone].tolist(), strict=True))
    left = np.array([departures.get(champion, NEVER) for champion in _numbered(account)], np.int64)
    return account, np.full(len(account), CHAMPION), added, left


def _numbered(account: Ints) -> list[tuple[int, int]]:
    """(account, 0), (account, 1) ... for a sorted array of accounts."""
    return list(zip(account.tolist(), position_in_group(account).tolist(), strict=True))


def _others(rng: np.random.Generator, accounts: Accounts) -> tuple[Ints, Ints, Ints, Ints]:
    account = np.repeat(np.arange(len(accounts)), 1 + rng.poisson(np.array(OTHER_CONTACTS)[accounts.segment]).clip(max=8))
    n = len(account)
    role = rng.choice(np.arange(1, len(ROLES)), size=n, p=(0.2, 0.5, 0.18, 0.12))
    return account, role, accounts.signed[account] + whole(rng, (0, 400), n), np.full(n, NEVER)


def simulate_survey(rng: np.random.Generator, c: Contracts, contacts: Contacts, p: Parameters) -> Survey:
    """Two waves a year to every contact who is there. Some owners keep the unhappy off the list; the content answer more."""
    contact, term, wave = _eligible(contacts, c.terms, c.window)
    account = contacts.account[contact]
    fit, owner, n = c.accounts.fit[account], c.owners.of(account, wave), len(contact)
    trouble = lost_to_decline(c.terms, term, wave, p) > 0
    health = fit + contacts.mood[contact] - 1.5 * trouble
    kept_off = c.owners.skips_unhappy[owner] & (health < UNHAPPY_BELOW)
    is_invited = rng.random(n) < np.where(kept_off, INVITED_SHARE_UNHAPPY, INVITED_SHARE)
    invited = np.where(is_invited, wave + whole(rng, (6, 9), n), NEVER)
    answers = is_invited & (rng.random(n) < sigmoid(p.response_log_odds + p.response_health_effect * health))
    nps = p.nps_mean + p.nps_fit_effect * (fit + contacts.mood[contact]) + p.nps_decline_effect * trouble
    return Survey(
        contact=contact,
        account=account,
        wave=wave,
        owner=owner,
        invited=invited,
        responded=np.where(answers, invited + np.floor(rng.exponential(3, n)).astype(np.int64), NEVER),
        nps=np.round(nps + rng.normal(0, p.nps_sd, n)).clip(0, 10).astype(np.int64),
    )


def _eligible(contacts: Contacts, terms: Terms, window: Window) -> tuple[Ints, Ints, Ints]:
    """Contact, running term and wave for each contact who is there when a wave begins, and whose account is a customer."""
    waves = day_of_month(window.months[np.isin(window.months % 12, SURVEY_MONTHS)], 1)
    contact, wave = np.tile(np.arange(len(contacts.account)), len(waves)), np.repeat(waves, len(contacts.account))
    term = last_begun(terms.account, terms.start, contacts.account[contact], wave)
    there = (term >= 0) & (wave < terms.due[term]) & (contacts.added[contact] <= wave) & (contacts.left[contact] > wave)
    return contact[there], term[there], wave[there]
