"""The names that columns usually have, by the file's role and the column's own: what is read without being asked for.

A tier holds names that are equally good; an earlier tier goes before a later one. Names are squashed: case, spaces,
punctuation and Salesforce's `__c` do not count. The names that products export are in `vendors.py`.
"""

from __future__ import annotations

from unspun.book.tables import Role
from unspun.book.text import squash

Tiers = tuple[tuple[str, ...], ...]  # names in order of preference; names of one tier are equally good


def _tiers(*tiers: str) -> Tiers:
    return tuple(tuple(dict.fromkeys(squash(name) for name in tier.split(", "))) for tier in tiers)


def _with_units(forms: tuple[tuple[str, ...], ...], units: tuple[str, ...]) -> Tiers:
    """Each form with each unit in the place of its '?', one tier a unit: ARR goes before MRR."""
    return tuple(tuple(squash(form.replace("?", unit)) for form in tier) for tier in forms for unit in units)


UNITS = ("arr", "acv", "mrr", "amount", "revenue", "contract value", "value", "price")
ACCOUNT = _tiers(
    "account id, account external id, account number, account no, account key",
    "account, customer id, company id, client id, org id, organization id, organisation id, tenant id, subscriber id, customer number",
    "customer, company, client, organization, organisation, tenant, account name, customer name, company name, client name",
)
SEGMENT = _tiers("segment, customer segment, account segment, segment name", "tier, customer tier, plan tier, size band", "plan, plan name")
OWNER = _tiers(
    "owner, csm, account owner, owner name, csm name, csm owner, customer success manager",
    "account manager, owner id, csm id, owner email, csm email",
    "success manager, company owner, owner user account, account owner id",
)
PARENT = _tiers(
    "parent, parent account, parent account id, parent id, parent account name",
    "parent account external id, parent company external id",
    "ultimate parent, top parent, ultimate parent id, parent company, parent company id, holding, group, corporate group",
)
CURRENCY = _tiers("currency, currency code, currency iso code, iso currency", "curr")
NOTICE = _tiers("notice, notice date, notice on, notice given, notice given on, notice received", "cancellation notice, cancel notice date")
SCORES: dict[str, Tiers] = {
    "account": ACCOUNT,
    "date": _tiers(
        "date, dated, scored on, scored at, score date, as of, as of date, snapshot date, date scored",
        "day, month, week, timestamp, time, datetime, period, calculated at, calculated on, measured at, measured on, report date, "
        "observation date, measurement date, effective date, snapshot, score month, score timestamp",
    ),
    "score_name": _tiers("score name, metric name, measure name", "metric, measure, score type, kpi, indicator"),
    "recorded_at": _tiers(
        "recorded at, recorded on, recorded, date recorded",
        "created at, updated at, logged at, entered at, inserted at, modified at, edited at, created on, updated on, created date, "
        "updated date, last modified, last modified date, last updated, known at, written at",
        "loaded at",
    ),
    "set_by": _tiers("set by, score source, set by type", "changed by, modified by, updated by, entered by, source, origin, method"),
    "segment": SEGMENT,
    "owner": OWNER,
    "parent": PARENT,
    "band": _tiers("band, health band, score band", "rag, rag status, health colour, health color, colour, color, health grade, grade"),
}
RENEWALS: dict[str, Tiers] = {
    "account": ACCOUNT,
    "due": _tiers(
        "due, due on, due date, renewal date, renewal due, renewal due date, renewal due on, renews on, renewal on, date due, "
        "contract renewal date, next renewal date",
        "contract end, contract end date, end date, term end, term end date, subscription end, subscription end date, ends on, expires on, "
        "expiry, expiry date, expiration date, current period end, contract expiry",
        "renewal month, date",
    ),
    "outcome": _tiers(
        "outcome, renewal outcome, renewal status, renewal result, result, outcome status",
        "status, stage, stage name, deal stage, opportunity stage",
        "churned, churn, is churned, is churn, churn flag, has churned, churn status, renewed, is renewed, did renew, has renewed",
        "is won, won",
    ),
    "amount_before": _with_units(
        (
            ("? before", "previous ?", "prior ?", "old ?", "opening ?", "starting ?", "start ?", "current ?", "? at start", "before ?"),
            ("?", "? amount"),
        ),
        UNITS,
    ),
    "amount_after": _with_units(
        (("? after", "new ?", "renewed ?", "renewal ?", "closing ?", "ending ?", "end ?", "? at end", "after ?"),), UNITS
    ),
    "currency": CURRENCY,
    "term_start": _tiers(
        "term start, term start date, term started, term started on",
        "start date, contract start, contract start date, subscription start, subscription start date, started on, start, "
        "current period start",
    ),
    "notice": NOTICE,
    "outcome_known_at": _tiers(
        "outcome known at, outcome known on, outcome known, known at, known on, outcome date, date outcome known",
        "closed at, closed on, closed date, date closed, decided at, decided on, decision date, close date",
        "churned at, churned on, churn date, cancelled at, canceled at, cancelled on, canceled on, cancellation date",
    ),
    "closed": _tiers("is closed"),
    "segment": SEGMENT,
    "owner": OWNER,
    "parent": PARENT,
}
SUBSCRIPTIONS: dict[str, Tiers] = {
    "account": ACCOUNT,
    "start": _tiers(
        "term start, term start date, start, start date, starts on, started on, started at, contract start, contract start date, "
        "subscription start, subscription start date",
        "current period start, service start date, effective date, effective start date, begin date, valid from, from",
    ),
    "end": _tiers(
        "term end, term end date, end, end date, ends on, ended at, contract end, contract end date, subscription end, "
        "subscription end date",
        "current period end, service end date, effective end date, expiry date, expiration date, expires on, expires at, valid to, "
        "valid until, until, to",
        "renewal date, renews on, next renewal date",
    ),
    "amount": _with_units((("?", "? amount", "total ?"),), ("arr", "acv", "mrr", "amount", "revenue", "contract value", "value", "price"))
    + _tiers("tcv, total contract value", "recurring revenue, annual recurring revenue, monthly recurring revenue, subscription value"),
    "amount_period": _tiers(
        "amount period, billing period, billing frequency, billing interval, billing cycle, amount per, price period, bill period",
        "interval, frequency, period",
    ),
    "currency": CURRENCY,
    "product": _tiers("product, product name, product id, sku, product code, product family", "plan, plan name, item, service, price id"),
    "is_addon": _tiers("is addon, is add on, addon, add on, add on flag, addon flag, is additional"),
    "notice": NOTICE,
    "cancelled_on": _tiers(
        "cancelled on, canceled on, cancelled at, canceled at, cancelled date, canceled date, cancellation date, date cancelled, "
        "date canceled, cancelled, canceled, terminated on, termination date"
    ),
    "subscription_id": _tiers("subscription id, subscription, subscription number, contract id, contract number, order id, line id"),
    "quantity": _tiers("quantity, qty, seats, licenses, licences, users", "units"),
    "segment": _tiers("segment, customer segment, account segment, segment name", "tier, customer tier, plan tier, size band"),
    "owner": OWNER,
    "parent": PARENT,
}
PURCHASES: dict[str, Tiers] = {
    "account": ACCOUNT,
    "date": _tiers(
        "purchase date, purchased on, purchased at, order date, ordered on, ordered at, invoice date, invoiced on, transaction date, "
        "sale date, sold on, date",
        "timestamp, time, datetime, day, created at, paid at, paid on, payment date",
    ),
    "amount": _tiers(
        "amount, purchase amount, order amount, invoice amount, transaction amount, total, order total, invoice total, total amount, "
        "total price, line total, amount paid",
        "value, order value, revenue, sales, net amount, spend",
    ),
    "currency": CURRENCY,
    "quantity": _tiers("quantity, qty, units"),
    "unit_price": _tiers("unit price, price per unit, price each", "price"),
    "purchase_id": _tiers("purchase id, order id, order number, order no, invoice id, invoice, invoice no, invoice number, transaction id"),
    "segment": SEGMENT,
    "owner": OWNER,
    "parent": PARENT,
}
ACCOUNTS: dict[str, Tiers] = {
    "account": (*ACCOUNT, *_tiers("id, name")),
    "segment": SEGMENT,
    "owner": OWNER,
    "parent": PARENT,
}
EVENTS: dict[str, Tiers] = {
    "account": ACCOUNT,
    "date": _tiers(
        "event date, event time, event timestamp, event at, occurred at, occurred on, happened at, date, timestamp",
        "time, datetime, day, week, month, created at, sent at, usage date, activity date",
    ),
    "event": _tiers("event, event name, event type", "action, activity, activity type, feature, feature name, metric, metric name, type"),
    "value": _tiers(
        "value, event value, count, event count, number of events, total, metric value", "quantity, amount, usage, usage count"
    ),
    "recorded_at": _tiers("recorded at, recorded on, received at, loaded at, inserted at, ingested at, logged at, known at"),
}
FORECASTS: dict[str, Tiers] = {
    "account": ACCOUNT,
    "due": RENEWALS["due"][0:2] + _tiers("renewal month"),
    "made_at": _tiers(
        "made at, made on, forecast date, forecast made at, forecast made on, forecast on, forecast at, called on, called at, call date",
        "date, dated, as of, as of date, snapshot date, submitted at, submitted on, timestamp",
    ),
    "probability": _tiers(
        "probability, renewal probability, probability of renewal, churn probability, probability of churn, forecast probability",
        "likelihood, renewal likelihood, churn likelihood, likelihood to renew, confidence",
    ),
    "call": _tiers(
        "call, forecast call, csm call, forecast, csm forecast, renewal forecast, forecast category, forecast category name",
        "prediction, predicted outcome, expected outcome, forecast outcome",
    ),
    "recorded_at": _tiers(
        "recorded at, recorded on, logged at, entered at, inserted at, known at", "created at, updated at, last modified"
    ),
    "by": _tiers("by, made by, forecast by, forecaster, forecast owner, called by, submitted by", "csm, csm name, owner, owner name, user"),
}
ROLES: dict[Role, dict[str, Tiers]] = {
    "scores": SCORES,
    "renewals": RENEWALS,
    "subscriptions": SUBSCRIPTIONS,
    "purchases": PURCHASES,
    "accounts": ACCOUNTS,
    "events": EVENTS,
    "forecasts": FORECASTS,
}
REQUIRED: dict[Role, tuple[str, ...]] = {
    "scores": ("account", "date"),
    "renewals": ("account", "due", "outcome"),
    "subscriptions": ("account", "start", "end"),
    "purchases": ("account", "date"),
    "accounts": ("account",),
    "events": ("account", "date"),
    "forecasts": ("account", "made_at"),
}
# A date that is only a month, a week or a quarter is its last day in these roles, as nobody knows what it dates earlier; and a
# term ends with the month that it ends in. In every other role it is its first day: a renewal is due, and an outcome known,
# from then on, so that what came later in that month foretells nothing.
LAST_DAY_ROLES = frozenset(
    {
        ("scores", "date"),
        ("scores", "recorded_at"),
        ("purchases", "date"),
        ("events", "date"),
        ("events", "recorded_at"),
        ("forecasts", "made_at"),
        ("forecasts", "recorded_at"),
        ("subscriptions", "end"),
    }
)
WHY_REQUIRED = {
    ("scores", "date"): "no column dates the scores. Undated scores cannot be audited: nobody can tell what was known when.",
    ("renewals", "due"): (
        "no column says when each renewal was due. Undated renewals cannot be audited: nobody can tell what was known before them."
    ),
    ("subscriptions", "start"): "no column says when each term started: renewals are derived from the terms' starts and ends.",
    ("subscriptions", "end"): "no column says when each term ended (empty where it is open): renewals are derived from starts and ends.",
    ("purchases", "date"): "no column dates the purchases: nobody can tell which came after a score.",
    ("events", "date"): "no column dates the events: nobody can tell what was known when.",
    ("forecasts", "made_at"): "no column says when each forecast was made: one made after the outcome was known is no forecast.",
}
SCORE_ROLE = "score"  # mapped to, but found by other rules (see scores.py)
SHEET_ROLE = "sheet"  # mapped to a sheet of a workbook (see workbook.py)
