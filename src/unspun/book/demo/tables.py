"""The demo company as Arrow tables: only what was on record by the as-of day, and the truth apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from unspun.book.demo.calendar import NEVER, Floats, Ints, to_dates
from unspun.book.demo.engagement import DAY_SECONDS, SEVERITIES, TICKET_CATEGORIES, TOUCH_KINDS
from unspun.book.demo.forecasts import Calls
from unspun.book.demo.parameters import CAUSES, FEATURES, REGIONS, SEGMENTS, Parameters
from unspun.book.demo.scores import BAND_EDGES, BANDS, SCORES, SET_BY
from unspun.book.demo.simulation import Activity
from unspun.book.demo.surveys import ROLES
from unspun.book.demo.terms import Contracts
from unspun.book.demo.truth import TRUTH_LEADS_DAYS, churn_probability
from unspun.book.tables import OUTCOMES

OPEN = len(OUTCOMES)  # the outcome of a renewal that is not decided
DECLINE_KINDS = ("serious", "harmless")


def contract_tables(contracts: Contracts, p: Parameters) -> dict[str, pa.Table]:
    """Tables of the customers and their contracts."""
    return {
        "accounts": _accounts(contracts),
        "segments": _segments(contracts),
        "owners": _owners(contracts),
        "owner_history": _owner_history(contracts),
        "subscriptions": _subscriptions(contracts),
        "renewals": _renewals(contracts),
        "truth_accounts": _truth_accounts(contracts),
        "truth_owners": _truth_owners(contracts),
        "truth_renewals": _truth_renewals(contracts, p),
    }


def activity_tables(contracts: Contracts, activity: Activity) -> dict[str, pa.Table]:
    """Tables of what was observed."""
    return {
        "contacts": _contacts(contracts, activity),
        "usage": _usage(contracts, activity),
        "tickets": _tickets(contracts, activity),
        "touchpoints": _touchpoints(contracts, activity),
        "survey_invitations": _survey_invitations(contracts, activity),
        "survey_responses": _survey_responses(contracts, activity),
        "health_scores": _health_scores(contracts, activity),
        "truth_outages": _truth_outages(activity),
    }


def forecast_tables(contracts: Contracts, calls: Calls) -> dict[str, pa.Table]:
    """Tables of what people said of renewals."""
    return {"forecasts": _forecasts(contracts, calls), "truth_forecasters": _truth_forecasters(contracts, calls)}


def _accounts(c: Contracts) -> pa.Table:
    a = c.accounts
    latest = np.full(len(a), 0)
    latest[c.terms.account] = c.terms.segment  # terms are in order of time, so the last one stays
    return pa.table(
        {
            "account_id": list(a.ids),
            "name": list(a.names),
            "parent_id": _pick(a.ids, a.parent),
            "segment": _pick(SEGMENTS, latest),
            "region": _pick(REGIONS, a.region),
            "signed_on": _dates(a.signed),
        }
    )


def _segments(c: Contracts) -> pa.Table:
    """The segment of each account and since when; a new row where it changed."""
    t = c.terms
    new = np.r_[True, (t.account[1:] != t.account[:-1]) | (t.segment[1:] != t.segment[:-1])]
    first = np.r_[True, t.account[1:] != t.account[:-1]]
    begins = np.where(first, c.accounts.signed[t.account], t.start)[new]
    account = t.account[new]
    return pa.table(
        {
            "account_id": _pick(c.accounts.ids, account),
            "segment": _pick(SEGMENTS, t.segment[new]),
            "valid_from": _dates(begins),
            "valid_to": _dates(_until_next(account, begins)),
        }
    )


def _until_next(key: Ints, begins: Ints) -> Ints:
    """The begin of the next row of the same key, NEVER for the last."""
    follows = np.r_[key[1:] == key[:-1], False]
    return np.where(follows, np.r_[begins[1:], NEVER], NEVER)


def _owners(c: Contracts) -> pa.Table:
    o = c.owners
    return pa.table(
        {
            "owner": list(o.names),
            "joined_on": _dates(o.joined),
            "left_on": _dates(o.left),
        }
    )


def _owner_history(c: Contracts) -> pa.Table:
    o = c.owners
    ends = _until_next(o.spell_account, o.spell_begins)
    return pa.table(
        {
            "account_id": _pick(c.accounts.ids, o.spell_account),
            "owner": _pick(o.names, o.spell_owner),
            "valid_from": _dates(o.spell_begins),
            "valid_to": _dates(ends),
        }
    )


def _subscriptions(c: Contracts) -> pa.Table:
    """One row a term begun by the as-of day. `amount` is for the whole term, `arr` for a year of it."""
    t = c.terms
    return pa.table(
        {
            "subscription_id": _numbered("S", len(t)),
            "account_id": _pick(c.accounts.ids, t.account),
            "start_date": _dates(t.start),
            "end_date": _dates(t.due),
            "term_months": t.months,
            "seats": t.seats,
            "amount": t.arr // 12 * t.months,
            "arr": t.arr,
            "currency": _same("USD", len(t)),
        }
    )


def _renewals(c: Contracts) -> pa.Table:
    """One row a term. What is not decided by the as-of day is open; a notice that has come by then is shown."""
    t, last = c.terms, c.window.last
    decided = t.decided(last)
    return pa.table(
        {
            "renewal_id": _numbered("R", len(t)),
            "account_id": _pick(c.accounts.ids, t.account),
            "parent_id": _pick(c.accounts.ids, c.accounts.parent[t.account]),
            "term_start": _dates(t.start),
            "due_date": _dates(t.due),
            "outcome": _pick((*OUTCOMES, "open"), np.where(decided, t.outcome, OPEN)),
            "arr_before": t.arr,
            "arr_after": pa.array(t.arr_after, mask=~decided),
            "currency": _same("USD", len(t)),
            "notice_date": _dates(t.notice, until=last),
            "outcome_known_at": _dates(np.where(decided, t.known, NEVER)),
        }
    )


def _contacts(c: Contracts, activity: Activity) -> pa.Table:
    k = activity.contacts
    table = pa.table(
        {
            "contact_id": _numbered("C", len(k.account)),
            "account_id": _pick(c.accounts.ids, k.account),
            "name": list(k.names),
            "email": list(k.emails),
            "role": _pick(ROLES, k.role),
            "added_on": _dates(k.added),
            "left_on": _dates(k.left, until=c.window.last),
        }
    )
    return table.filter(pa.array(k.added <= c.window.last))


def _usage(c: Contracts, activity: Activity) -> pa.Table:
    u = activity.usage
    counts = {"logins": u.logins, "active_users": u.active_users, **dict(zip(FEATURES, u.features.T, strict=True))}
    return pa.table(
        {"account_id": _pick(c.accounts.ids, u.account), "day": _dates(u.day)}
        | {name: pa.array(np.ascontiguousarray(values).astype(np.int32)) for name, values in counts.items()}
    )


def _tickets(c: Contracts, activity: Activity) -> pa.Table:
    k, last = activity.tickets, c.window.last
    rated = (k.csat > 0) & (k.closed < (last + 1) * DAY_SECONDS)
    return pa.table(
        {
            "ticket_id": _numbered("T", len(k.account)),
            "account_id": _pick(c.accounts.ids, k.account),
            "opened_at": _times(k.opened),
            "closed_at": _times(k.closed, until=last),
            "severity": _pick(SEVERITIES, k.severity),
            "category": _pick(TICKET_CATEGORIES, k.category),
            "csat": pa.array(k.csat, mask=~rated),
        }
    )


def _touchpoints(c: Contracts, activity: Activity) -> pa.Table:
    k = activity.touchpoints
    email = k.kind == 0
    table = pa.table(
        {
            "touchpoint_id": _numbered("P", len(k.account)),
            "account_id": _pick(c.accounts.ids, k.account),
            "owner": _pick(c.owners.names, k.owner),
            "kind": _pick(TOUCH_KINDS, k.kind),
            "happened_at": _times(k.happened),
            "logged_at": _times(k.logged),
            "minutes": pa.array(k.minutes, mask=email),
            "opened": pa.array(k.opened, mask=~email),
        }
    )
    return table.filter(pa.array(k.logged < (c.window.last + 1) * DAY_SECONDS))


def _survey_invitations(c: Contracts, activity: Activity) -> pa.Table:
    """The eligible list of each wave; invited_on is empty for those who were left out."""
    s = activity.survey
    return pa.table(
        {
            "eligibility_id": _numbered("E", len(s.contact)),
            "survey": _wave_names(s.wave),
            "contact_id": _pick(_numbered("C", len(activity.contacts.account)), s.contact),
            "account_id": _pick(c.accounts.ids, s.account),
            "owner": _pick(c.owners.names, s.owner),
            "eligible_on": _dates(s.wave),
            "invited_on": _dates(s.invited, until=c.window.last),
        }
    )


def _wave_names(wave: Ints) -> pa.Array:
    distinct, code = np.unique(wave, return_inverse=True)
    return _pick([f"NPS {day.item():%Y-%m}" for day in distinct.astype("datetime64[D]")], code)


def _survey_responses(c: Contracts, activity: Activity) -> pa.Table:
    s = activity.survey
    table = pa.table(
        {
            "eligibility_id": _numbered("E", len(s.contact)),
            "account_id": _pick(c.accounts.ids, s.account),
            "responded_on": _dates(s.responded),
            "nps": s.nps,
        }
    )
    return table.filter(pa.array(s.responded <= c.window.last))


def _health_scores(c: Contracts, activity: Activity) -> pa.Table:
    """Every value as recorded, rewritten ones as rows of their own. Segment and owner are those of the day scored."""
    s, panel = activity.scores, activity.panel
    account = panel.account[s.panel]
    return pa.table(
        {
            "account_id": _pick(c.accounts.ids, account),
            "scored_on": _dates(panel.day[s.panel]),
            "recorded_at": _times(s.recorded),
            "score_name": _pick(SCORES, s.score),
            "score": s.value,
            "band": _pick(BANDS, np.searchsorted(BAND_EDGES, s.value, side="right")),
            "set_by": _pick(SET_BY, s.set_by),
            "segment": _pick(SEGMENTS, c.terms.segment[panel.term[s.panel]]),
            "owner": _pick(c.owners.names, panel.owner[s.panel]),
            "parent_id": _pick(c.accounts.ids, c.accounts.parent[account]),
        }
    )


def _forecasts(c: Contracts, calls: Calls) -> pa.Table:
    """One row a call: a probability of renewal, and who said it when."""
    t = c.terms
    return pa.table(
        {
            "account_id": _pick(c.accounts.ids, t.account[calls.term]),
            "due_date": _dates(t.due[calls.term]),
            "made_at": _times(calls.recorded),
            "made_by": _pick(calls.people, calls.by),
            "renewal_probability": calls.renewal.round(2),
        }
    )


def _truth_forecasters(c: Contracts, calls: Calls) -> pa.Table:
    role = np.append(np.zeros(len(c.owners.names), np.int64), 1)
    table = {"name": list(calls.people), "role": _pick(("CSM", "manager"), role)}
    return pa.table(table | {"hope": calls.hope, "silent_share": calls.silent})


def _truth_accounts(c: Contracts) -> pa.Table:
    a = c.accounts
    return pa.table({"account_id": list(a.ids), "fit": a.fit, "family_effect": a.family_effect, "top_parent_id": _pick(a.ids, a.top)})


def _truth_owners(c: Contracts) -> pa.Table:
    o = c.owners
    return pa.table(
        {
            "owner": list(o.names),
            "churn_log_odds": o.effect,
            "chases_risk": o.chases_risk,
            "skips_unhappy": o.skips_unhappy,
            "nudges_band": o.nudges_band,
        }
    )


def _truth_renewals(c: Contracts, p: Parameters) -> pa.Table:
    """What the simulation knows of each renewal, open ones included; days after the as-of day are shown here."""
    t = c.terms
    probability = {f"churn_probability_{lead}d": _known(churn_probability(t, lead, p)) for lead in TRUTH_LEADS_DAYS}
    return pa.table(
        {
            "renewal_id": _numbered("R", len(t)),
            "account_id": _pick(c.accounts.ids, t.account),
            "due_date": _dates(t.due),
            "segment": _pick(SEGMENTS, t.segment),
            "decided": t.decided(c.window.last),
            "outcome": _pick(OUTCOMES, t.outcome),
            "cause": _pick(CAUSES, t.cause),
            "churn_probability_at_due": 1 / (1 + np.exp(-t.odds)),
            **probability,
            "decline": _pick(DECLINE_KINDS, t.decline - 1),
            "decline_begins": _dates(t.decline_begins),
            "decline_depth": pa.array(t.decline_depth, mask=t.decline == 0),
            "decline_days": pa.array(t.decline_days, mask=t.decline == 0),
            "champion_left_on": _dates(t.champion_left),
            "price_rise": t.price_rise,
        }
    )


def _truth_outages(activity: Activity) -> pa.Table:
    o = activity.outages
    return pa.table(
        {
            "first_day": _dates(o.begins),
            "last_day": _dates(o.ends),
            "region": _pick(REGIONS, o.region),
            "measure": list(o.measure),
            "lost_share": o.lost_share,
        }
    )


def _pick(names: Sequence[str], codes: Ints) -> pa.Array:
    """Text by code; null where the code is negative."""
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))


def _same(text: str, size: int) -> pa.Array:
    return _pick((text,), np.zeros(size, np.int64))


def _dates(day: Ints, until: int | None = None) -> pa.Array:
    """Dates; null where NEVER or, if `until` is given, after that day."""
    hidden = day if until is None else np.where(day > until, NEVER, day)
    return pa.array(to_dates(hidden), pa.date32())


def _times(seconds: Ints, until: int | None = None) -> pa.Array:
    """Moments in UTC; null where after the day `until`."""
    hidden = np.zeros(len(seconds), bool) if until is None else seconds >= (until + 1) * DAY_SECONDS
    return pa.array(seconds, mask=hidden).cast(pa.timestamp("s", "UTC"))


def _known(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _numbered(prefix: str, size: int) -> list[str]:
    return [f"{prefix}-{i:06d}" for i in range(1, size + 1)]
