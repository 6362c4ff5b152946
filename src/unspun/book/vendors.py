"""Exports of customer-success and CRM products, told by their column names: what a name means there that it need not mean elsewhere.

An export is recognised when it has every name of `signature`. Its `columns` go before the usual names, its `otherwise` only
where those find nothing. The sources of the names are listed in tests/unit/book/test_vendors.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from unspun.book.tables import Role
from unspun.book.text import squash

Names = dict[str, str]  # a role, and the names that play it in order of preference, with commas between


@dataclass(frozen=True, slots=True)
class Export:
    """One export of a product. `caution` is what a reader must know of the reading where `otherwise` was needed."""

    product: str
    role: Role
    signature: str
    columns: Names = field(default_factory=dict)
    otherwise: Names = field(default_factory=dict)
    caution: str = ""

    def fits(self, names: Collection[str]) -> bool:
        return {squash(name) for name in self.signature.split(", ")} <= set(names)


CLOSE_DATE = "the close date of each deal is taken as its due date, as the export names no other: a deal closed early was due later"
EXPORTS = (
    Export(
        "Gainsight scorecard fact", "scores", "account, current score value",
        {"account": "account", "score": "current score value", "set_by": "score last modified by"},
        {"date": "score last modified date"},
        "each score is dated by its last change",
    ),
    Export(
        "Gainsight scorecard history", "scores", "company id, overall score",
        {"account": "company id", "score": "overall score", "set_by": "score modified by, modified by"},
        {"date": "log date, modified date"},
        "each score is dated by its last change",
    ),
    Export("Gainsight company", "scores", "current score, name", {"account": "company id, gsid, name", "score": "current score"}),
    Export(
        "Gainsight opportunity", "renewals", "due date, stage, target amount",
        {"due": "due date", "outcome": "stage", "amount_before": "target amount", "amount_after": "final amount"},
    ),
    Export(
        "ChurnZero account", "scores", "primary churn score value",
        {"account": "account external id, external id, name", "score": "primary churn score value", "owner": "owner user account",
         "parent": "parent account external id"},
    ),
    Export(
        "ChurnZero account", "accounts", "account external id, total contract amount",
        {"account": "account external id", "owner": "owner user account", "parent": "parent account external id"},
    ),
    Export(
        "ChurnZero event", "events", "account external id, event name",
        {"account": "account external id", "event": "event name", "date": "event date", "value": "quantity"},
    ),
    Export("Totango account", "scores", "account id, health", {"account": "account id"}, {"owner": "success manager"}),
    Export(
        "Totango account", "renewals", "account id, contract renewal date",
        {"account": "account id", "due": "contract renewal date", "outcome": "contract status, status", "amount_before": "contract value",
         "term_start": "contract start date", "outcome_known_at": "cancellation date"},
        {"owner": "success manager"},
    ),
    Export("Planhat company", "scores", "h, phase", {"account": "external id, id, name", "score": "h"}),
    Export(
        "Planhat licence", "renewals", "from date, renewal status, to date",
        {"account": "company id, company name", "due": "to date", "outcome": "renewal status", "term_start": "from date"},
    ),
    Export(
        "Planhat licence", "subscriptions", "from date, to date",
        {"account": "company id, company name", "start": "from date", "end": "to date", "subscription_id": "external id, id"},
    ),
    Export(
        "Vitally account", "scores", "external id, health score",
        {"account": "external id", "parent": "organization id"}, {"owner": "csm id, account owner id"},
    ),
    Export(
        "Salesforce opportunity", "renewals", "close date, stage name",
        {"account": "account id, account name", "outcome": "stage name"}, {"due": "close date"}, CLOSE_DATE,
    ),
    Export(
        "Salesforce opportunity", "renewals", "close date, is closed, is won",
        {"account": "account id, account name", "outcome": "is won", "closed": "is closed"}, {"due": "close date"}, CLOSE_DATE,
    ),
    Export(
        "Salesforce contract", "subscriptions", "contract number, contract term, start date",
        {"account": "account id", "start": "start date", "end": "end date", "subscription_id": "contract number"},
    ),
    Export("Salesforce account", "accounts", "id, name, owner id", {"account": "id", "owner": "owner id", "parent": "parent id"}),
    Export("HubSpot company", "scores", "company name, record id", {"account": "record id"}, {"owner": "company owner"}),
    Export("HubSpot company", "scores", "hs object id, name", {"account": "hs object id"}, {"owner": "hubspot owner id"}),
    Export(
        "HubSpot deal", "renewals", "close date, deal name, deal stage",
        {"outcome": "deal stage", "account": "associated company"}, {"due": "close date", "owner": "deal owner, hubspot owner id"},
        CLOSE_DATE,
    ),
)  # fmt: skip


def find_export(role: Role, names: Collection[str]) -> Export | None:
    """The export that squashed column names tell, the one with the longest signature where several fit."""
    fitting = [export for export in EXPORTS if export.role == role and export.fits(names)]
    return max(fitting, key=lambda export: export.signature.count(","), default=None)
