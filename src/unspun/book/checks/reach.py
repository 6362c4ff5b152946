"""Which figures are made of the rows of a table: what a fault of these rows reaches, in one vocabulary for all checks.

An entry names an area of figures, or an area and those of its figures that are meant (`retention: GRR, NRR`); elsewhere in an entry
stands no comma.
"""

from __future__ import annotations

REACHED: dict[str, tuple[str, ...]] = {
    "accounts": ("account counts", "retention by segment"),
    "contacts": ("survey results",),
    "subscriptions": ("retention: GRR, NRR", "renewals"),
    "renewals": ("renewals", "score audits"),
    "purchases": ("repurchase",),
    "events": ("usage trends", "score audits with events"),
    "tickets": ("score audits with tickets", "times to close"),
    "responses": ("survey results",),
    "touchpoints": ("touchpoints by owner",),
    "forecasts": ("forecasts' track record",),
    "scores": ("score audits",),
    "churns": ("churn reasons", "account counts"),
    "rates": ("retention in one currency",),
}
