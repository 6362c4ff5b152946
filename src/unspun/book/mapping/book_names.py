"""The names that columns usually have, by table of the book: the audit's lists under the book's names, and what these lack.

A tier holds names that are equally good; an earlier one goes before a later. The audit's lists are in `roles.py` and
`vendors.py`; here is only the translation of its roles, and lists for the tables and columns that it does not know.
"""

from __future__ import annotations

from unspun.book.entities import TABLES, TableName
from unspun.book.roles import ACCOUNT, OWNER, ROLES, Tiers
from unspun.book.tables import Role
from unspun.book.text import squash

ROLE_OF: dict[TableName, Role] = {
    "accounts": "accounts", "subscriptions": "subscriptions", "renewals": "renewals", "purchases": "purchases", "events": "events",
    "forecasts": "forecasts", "scores": "scores",
}  # fmt: skip
BOOK_NAMES: dict[Role, dict[str, str]] = {
    "accounts": {"account": "account_id", "segment": "segment", "owner": "owner", "parent": "parent_id"},
    "subscriptions": {
        "account": "account_id", "start": "started", "end": "ended", "amount": "amount", "amount_period": "amount_months",
        "currency": "currency", "product": "product", "is_addon": "is_addon", "notice": "notice", "cancelled_on": "cancelled_on",
        "subscription_id": "subscription_id", "quantity": "seats",
    },
    "renewals": {
        "account": "account_id", "due": "due", "outcome": "outcome", "amount_before": "amount_before", "amount_after": "amount_after",
        "currency": "currency", "term_start": "term_start", "notice": "notice", "outcome_known_at": "decided",
    },
    "purchases": {
        "account": "account_id", "date": "purchased", "amount": "amount", "currency": "currency", "quantity": "quantity",
        "purchase_id": "purchase_id",
    },
    "events": {"account": "account_id", "date": "occurred", "event": "event", "value": "value", "recorded_at": "known_at"},
    "forecasts": {
        "account": "account_id", "due": "due", "made_at": "made", "probability": "probability", "call": "call",
        "recorded_at": "known_at", "by": "made_by",
    },
    "scores": {
        "account": "account_id", "date": "dated", "score": "value", "score_name": "score", "recorded_at": "known_at",
        "set_by": "set_by", "band": "band",
    },
}  # fmt: skip
"""What the audit calls a column, and what the book does. Roles that are not here are own columns in that table."""


def _tiers(*tiers: str) -> Tiers:
    return tuple(tuple(dict.fromkeys(squash(name) for name in tier.split(", "))) for tier in tiers)


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split(" "))


DATED = _tiers(
    "dated, as of, as of date, snapshot date, snapshot day, valid from, valid since, effective from, effective date, effective start date",
    "date, day, month, since, changed on, changed at, updated at, updated on, last modified, last modified date, last updated",
)
CONTACT = _tiers("contact id, contact external id, contact key, person id", "contact, respondent id, requester id, requester, reporter")
SUBJECT = _tiers("subject", "title, topic, summary")
LOGGED = _tiers("known at, recorded at, recorded on, logged at, logged on, entered at, received at, loaded at, ingested at")
CHURNED = _tiers("churned, is churned, has churned, churn flag, churned flag, churn, is churn")
VERBATIM = _tiers("verbatim, open text, free text, answer text", "comment, comments, feedback, feedback text")
ADDED: dict[TableName, dict[str, Tiers]] = {
    "accounts": {
        "plan": _tiers("plan, plan name, plan tier, current plan, subscription plan", "edition, package"),
        "dated": DATED,
        "name": _tiers("account name, customer name, company name, client name, organization name, organisation name", "name"),
        "seats": _tiers("seats, seats bought, seat count, number of seats, licensed seats", "licenses, licences, licensed users"),
        "industry": _tiers("industry", "vertical, sector"),
        "country": _tiers("country, country code", "billing country"),
        "created_on": _tiers(
            "created on, signup date, sign up date, signed up on, signed up at, signed on, customer since, client since, first start date, "
            "became customer on, date joined, joined on, registered on, registration date, signup, start of relationship",
            "created at, created date, create date, date created",
        ),
        "churned": CHURNED,
    },
    "contacts": {
        "account_id": ACCOUNT,
        "contact_id": (*CONTACT[:1], *_tiers("contact number, user id, external id", "id")),
        "dated": DATED,
        "name": _tiers("name, full name, contact name"),
        "email": _tiers("email, e mail, email address, e mail address, contact email, mail"),
        "role": _tiers("role, job title, title, position, contact role, persona"),
    },
    "purchases": {
        "product": _tiers("product, product name, product id, product code, sku, stock code, item, item id, article", "description"),
    },
    "churns": {
        "account_id": ACCOUNT,
        "churn_id": _tiers("churn id, churn event id, churn record id, churn number, departure id, cancellation id", "event id, id"),
        "churned": _tiers(
            "churned on, churned at, churn date, churn day, churned date, date churned, date of churn, departed on, departure date",
            "cancelled on, cancelled at, cancellation date, canceled on, canceled at, date cancelled, left on, lost on, lost date",
            "date, day, event date, timestamp",
        ),
        "reason": _tiers("reason, reason code, churn reason, cancellation reason, reason for churn, reason for leaving, churn reason code"),
        "arr_lost": _tiers("arr lost, lost arr, churned arr, churn arr"),
        "refunded": _tiers("refunded, refund, refund amount, amount refunded, refunded amount"),
        "currency": ROLES["renewals"]["currency"],
        "subscription_id": ROLES["subscriptions"]["subscription_id"][:1],
        "is_reactivation": _tiers("is reactivation, reactivation, reactivation flag, is reactivated, reactivated"),
        "verbatim": VERBATIM,
        "known_at": LOGGED,
    },
    "events": {
        "subscription_id": _tiers("subscription id, subscription external id, subscription number, subscription no, subscription key"),
        "event_id": _tiers("event id, message id, insert id", "usage id"),
        "user_id": _tiers("user id, user external id, member id, contact id", "user, actor id, actor, anonymous id"),
        "occurred": _tiers("period end, month end, week end, window end", "period start, month start, week start"),
    },
    "subscriptions": {"product": _tiers("plan tier, edition, package"), "churned": CHURNED},
    "forecasts": {
        "amount": _tiers("amount, forecast amount, expected amount, forecast arr, expected arr, arr, acv", "mrr, revenue, value"),
        "currency": ROLES["renewals"]["currency"],
    },
    "tickets": {
        "account_id": ACCOUNT,
        "ticket_id": _tiers(
            "ticket id, ticket number, ticket no, ticket key, case id, case number, issue id, issue key, conversation id, request id",
            "ticket, case, id, number, key",
        ),
        "opened": _tiers(
            "opened, opened at, opened on, date opened, opened date, submitted at, submitted on, created at, created on, created, "
            "created date, reported at, requested at",
            "open date, date, timestamp",
        ),
        "first_answered": _tiers(
            "first answered, first answered at, first response at, first responded at, first reply at, first replied at, first response"
        ),
        "closed": _tiers("closed, closed at, closed on, date closed, closed date, solved at, resolved at, resolved on, resolved, solved"),
        "priority": _tiers("priority", "severity, urgency"),
        "status": _tiers("status, ticket status, state"),
        "subject": SUBJECT,
        "contact_id": CONTACT,
        "satisfaction": _tiers("satisfaction, satisfaction score, satisfaction rating, csat, csat score", "rating"),
    },
    "responses": {
        "account_id": ACCOUNT,
        "response_id": _tiers("response id, answer id, submission id, response number"),
        "contact_id": CONTACT,
        "survey": _tiers("survey, survey name, survey id, survey type"),
        "question": _tiers("question, question text", "question id"),
        "answered": _tiers(
            "answered, answered at, answered on, date answered, responded at, responded on, response date, submitted at, submitted on, "
            "completed at, completed on, survey date",
            "date, timestamp, created at, created on",
        ),
        "invited": _tiers("invited, invited at, invited on, invitation date, invitation sent at, sent at, sent on"),
        "answer": _tiers(
            "answer, response value, answer value",
            "nps, nps score, net promoter score, likelihood to recommend, csat, csat score, ces, ces score",
            "rating, score, response",
        ),
        "verbatim": VERBATIM,
        "weight": _tiers("weight, response weight, survey weight"),
        "known_at": LOGGED,
    },
    "touchpoints": {
        "account_id": ACCOUNT,
        "touchpoint_id": _tiers("touchpoint id, interaction id, meeting id, call id, engagement id, timeline activity id", "activity id"),
        "occurred": _tiers(
            "occurred, occurred at, occurred on, happened at, happened on, held on, held at, touchpoint date, meeting date, call date, "
            "interaction date, activity date",
            "date, timestamp, start time, started at",
        ),
        "channel": _tiers("channel, touchpoint type, interaction type, meeting type, activity type, medium", "kind, type"),
        "owner": OWNER,
        "contact_id": CONTACT,
        "direction": _tiers("direction"),
        "minutes": _tiers("minutes, duration minutes, duration in minutes, duration min"),
        "subject": SUBJECT,
        "known_at": LOGGED,
    },
    "rates": {
        "currency": _tiers("currency, from currency, base currency, source currency", "from, base, currency code"),
        "into": _tiers("into, to currency, target currency, quote currency, counter currency", "to, target, quote"),
        "day": _tiers("day, rate date, date", "as of, valid on, effective date"),
        "rate": _tiers("rate, exchange rate, fx rate, conversion rate"),
    },
}  # fmt: skip
FILE_WORDS: dict[TableName, frozenset[str]] = {
    "accounts": _words("account accounts customer customers company companies client clients tenants organizations"),
    "contacts": _words("contact contacts people persons"),
    "subscriptions": _words("subscription subscriptions contract contracts licence licences license licenses terms"),
    "renewals": _words("renewal renewals opportunity opportunities churn churned churns"),
    "churns": _words("churn churned churns cancellation cancellations departures"),
    "purchases": _words("purchase purchases order orders invoice invoices sales transactions retail"),
    "events": _words("event events usage activity activities logins telemetry"),
    "tickets": _words("ticket tickets support helpdesk cases"),
    "responses": _words("response responses survey surveys nps csat"),
    "touchpoints": _words("touchpoint touchpoints meetings calls interactions engagements"),
    "forecasts": _words("forecast forecasts"),
    "scores": _words("score scores health"),
    "rates": _words("rates fx currencies"),
}
"""Words of a file's name that speak for a table."""

TELLING: dict[TableName, dict[str, tuple[int, ...]]] = {
    "accounts": {"dated": (2, 0), "name": (2, 1), "created_on": (2, 1), "industry": (2,), "owner": (1,), "churned": (1,)},
    "contacts": {"contact_id": (3, 0), "email": (3,), "role": (2,), "name": (1,), "dated": (0,)},
    "subscriptions": {
        "subscription_id": (3, 1), "started": (2, 1), "ended": (2, 2, 1), "is_addon": (2,), "amount": (2, 2, 2, 1), "product": (1, 1),
        "cancelled_on": (1,), "amount_months": (1,), "seats": (1, 0), "churned": (0,),
    },
    "renewals": {
        "due": (4, 1, 0), "outcome": (4, 2, 1, 1), "amount_before": (*(2,) * 8, 1), "amount_after": (2,), "notice": (1,), "decided": (1,),
    },
    "churns": {
        "churn_id": (4, 0), "churned": (4, 2, 0), "reason": (2,), "arr_lost": (2,), "refunded": (1,), "is_reactivation": (2,),
        "verbatim": (0,), "subscription_id": (0,), "currency": (0,),
    },
    "purchases": {"purchase_id": (3,), "purchased": (3, 0), "product": (1, 0), "quantity": (1,), "amount": (1,)},
    "events": {"event": (3, 2), "event_id": (3, 1), "user_id": (2, 1), "occurred": (1, 0), "value": (0,), "subscription_id": (0,)},
    "tickets": {
        "ticket_id": (4, 0), "opened": (1, 0), "first_answered": (2,), "closed": (1,), "priority": (2,), "satisfaction": (2, 0),
        "status": (1,), "subject": (1, 0), "contact_id": (1, 0),
    },
    "responses": {
        "response_id": (3,), "survey": (3,), "question": (2, 1), "answered": (3, 0), "invited": (1,), "answer": (1, 2, 0),
        "verbatim": (2, 1), "weight": (1,), "contact_id": (1, 1), "known_at": (0,),
    },
    "touchpoints": {
        "touchpoint_id": (4, 1), "channel": (2, 1), "direction": (2,), "minutes": (2,), "subject": (1, 0), "occurred": (1, 0),
        "owner": (1, 0), "contact_id": (1, 0), "known_at": (0,),
    },
    "forecasts": {
        "made": (3, 0), "probability": (3, 1), "call": (2, 2), "made_by": (1, 0), "due": (1, 0), "amount": (0,), "currency": (0,),
    },
    "scores": {"value": (3, 2), "score": (3, 1), "band": (2, 1), "dated": (2, 0), "set_by": (1, 0), "known_at": (0,)},
    "rates": {"currency": (2, 1), "into": (2, 1), "rate": (3,), "day": (1, 0)},
}  # fmt: skip
"""How many points a column found by each tier of its names gives its table; the last stands for later tiers. A column that is not
listed gives one by its first tier."""
GENERIC = _words("date timestamp time datetime day week month period id name type value status total count from to user")
"""Names that say nothing of the table, whichever tier they stand in."""


def names_of(table: TableName) -> dict[str, Tiers]:
    """The names of each column of a table, the book's own among them; in the order in which columns are to be looked for."""
    role = ROLE_OF.get(table)
    added = ADDED.get(table, {})
    roles = {} if role is None else {BOOK_NAMES[role][name]: tiers for name, tiers in ROLES[role].items() if name in BOOK_NAMES[role]}
    first = [name for name in ("plan",) if name in added]  # before the segment, whose names take in plans
    found: dict[str, Tiers] = {}
    for name in dict.fromkeys((*first, *roles, *added, *(column.name for column in TABLES[table].columns))):
        found[name] = _merged(name, roles.get(name, ()), added.get(name, ()))
    return found


def _merged(name: str, by_role: Tiers, added: Tiers) -> Tiers:
    """The audit's tiers, then the added ones; the book's own name goes first, unless one of them has it."""
    tiers = (*by_role, *added) or ((),)
    if any(squash(name) in tier for tier in tiers):
        return tiers
    return ((squash(name), *tiers[0]), *tiers[1:])


def weight(table: TableName, name: str, tier: int, header: str) -> int:
    """How much a column of that header, found by that tier of a book column's names, speaks for the table."""
    if name in ("account_id", "known_at") or squash(header) in GENERIC:
        return 0
    listed = TELLING[table].get(name, (1, 0))
    return listed[min(tier, len(listed) - 1)]
