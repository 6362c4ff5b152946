"""The simulation from first to last: each step draws from a stream of its own and reads the steps before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from unspun.book.demo.calendar import stream
from unspun.book.demo.customers import simulate_accounts, window_before
from unspun.book.demo.engagement import Panel, Tickets, Touchpoints, month_panel, simulate_tickets, simulate_touchpoints
from unspun.book.demo.owners import simulate_owners
from unspun.book.demo.parameters import Parameters
from unspun.book.demo.scores import ScoreRows, simulate_scores
from unspun.book.demo.surveys import Contacts, Survey, simulate_contacts, simulate_survey
from unspun.book.demo.terms import Contracts, simulate_terms
from unspun.book.demo.usage import Outages, Usage, plan_outages, simulate_usage


@dataclass(frozen=True, slots=True)
class Activity:
    """What was observed of the customers meanwhile."""

    panel: Panel
    outages: Outages
    usage: Usage
    tickets: Tickets
    touchpoints: Touchpoints
    contacts: Contacts
    survey: Survey
    scores: ScoreRows


def simulate_contracts(seed: int, size: int, as_of: date, p: Parameters) -> Contracts:
    """Fast enough for hundreds of thousands of accounts: nothing here is drawn by day."""
    window = window_before(as_of, p.history_years)
    accounts = simulate_accounts(stream(seed, "accounts"), size, window, p)
    owners = simulate_owners(stream(seed, "owners"), accounts, window, p)
    return Contracts(window, accounts, owners, simulate_terms(stream(seed, "terms"), accounts, owners, window, p))


def simulate_activity(seed: int, contracts: Contracts, p: Parameters) -> Activity:
    """Usage, tickets, touchpoints, surveys, and the scores that are made of them."""
    panel, outages = month_panel(contracts, p), plan_outages(contracts.window)
    usage = simulate_usage(stream(seed, "usage"), contracts, outages, p)
    tickets = simulate_tickets(stream(seed, "tickets"), contracts, panel, p)
    touchpoints = simulate_touchpoints(stream(seed, "touchpoints"), contracts, panel, p)
    contacts = simulate_contacts(stream(seed, "contacts"), contracts)
    survey = simulate_survey(stream(seed, "survey"), contracts, contacts, p)
    scores = simulate_scores(stream(seed, "scores"), contracts, panel, usage, tickets, touchpoints, p)
    return Activity(panel, outages, usage, tickets, touchpoints, contacts, survey, scores)
