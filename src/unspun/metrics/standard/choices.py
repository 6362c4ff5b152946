"""What standard metrics leave to the company: which of its events, ratings, words and columns are meant."""

from __future__ import annotations

from unspun.metrics.standard.entry import Choice

OPENING = ("log in", "login", "logged", "sign in", "signed in", "session", "view", "open", "visit", "load", "start", "heartbeat", "ping")
"""Words of events that say that the product was opened, and not that it did anything for anybody."""
NO_USE = ("survey", "invit", "mail", "eligible", "notification", "error", "fail", "payment", "invoice", "system", "job", "sync", "import")

ACTIVE = Choice(
    "active",
    "use of the product",
    "Which events are use of the product by the customer's people? All of them, where nothing is chosen and they come from one source.",
    "events", "event", unlikely=NO_USE, optional=True,
)  # fmt: skip
USED = Choice(
    "used",
    "a number that tells of use",
    "Which number of a day's summary says that the product was used on that day, where it is above 0?",
    "events", kinds=("number", "whole"), optional=True, one=True,
)  # fmt: skip
KEY_ACTIONS = Choice(
    "key_actions",
    "key actions",
    "Which events are the actions for which customers buy the product?",
    "events", "event", unlikely=(*OPENING, *NO_USE),
)  # fmt: skip
ONBOARDING = Choice(
    "onboarding",
    "steps of onboarding",
    "Which events are the steps of onboarding, in their order?",
    "events", "event", hints=("setup", "set up", "invite", "connect", "configure", "onboard", "first", "import"),
)  # fmt: skip
LOGINS = Choice(
    "logins",
    "logins",
    "Which events are logins?",
    "events", "event", hints=("log in", "login", "logged", "sign in", "signed"),
    known=frozenset(
        (
            "login", "logins", "log in", "logged in", "user login", "user log in", "user logged in", "sign in", "signin", "signed in",
            "user signed in",
        )
    ),
)  # fmt: skip
SESSIONS = Choice(
    "sessions",
    "starts of sessions",
    "Which event is the start of a session?",
    "events", "event", hints=("session", "visit"),
    known=frozenset(("session", "session start", "session started", "start session", "app session")),
)  # fmt: skip
USAGE_NUMBERS = Choice(
    "usage_numbers",
    "a number that can be added up",
    "Which numbers that events carry are amounts of use, to be added up?",
    "events", kinds=("number", "whole"),
)  # fmt: skip
FAILED_PAYMENTS = Choice(
    "failed_payments",
    "payments that failed",
    "Which events are payments that failed?",
    "events", "event", hints=("fail", "declin", "dunning"),
    known=frozenset(("invoice payment failed", "payment failed", "charge failed")),
)  # fmt: skip
PAYMENTS = Choice(
    "payments",
    "payments received",
    "Which events are payments received?",
    "events", "event", hints=("paid", "payment", "charge", "settled"), unlikely=("fail", "declin"),
    known=frozenset(("invoice paid", "payment received", "payment succeeded", "invoice payment succeeded", "charge succeeded")),
)  # fmt: skip
OVERDUE_INVOICES = Choice(
    "overdue_invoices",
    "invoices that were due and not paid",
    "Which events are invoices that were not paid when they were due?",
    "events", "event", hints=("overdue", "past due", "late"),
    known=frozenset(("invoice overdue", "invoice past due")),
)  # fmt: skip
OVERDUE_AMOUNT = Choice(
    "overdue_amount",
    "the amount that is overdue",
    "Which column of accounts states the amount that is overdue?",
    "accounts", kinds=("number", "whole", "money"), hints=("overdue", "past due", "owed", "outstanding", "arrears"), one=True,
)  # fmt: skip
URGENT = Choice(
    "urgent",
    "urgent requests",
    "Which priorities are urgent?",
    "tickets", "priority", hints=("urgent", "critical", "blocker", "highest", "p1", "p0", "sev", "high"),
    known=frozenset(("urgent",)),
)  # fmt: skip
REOPENED = Choice(
    "reopened",
    "being opened again",
    "Which status says that a ticket was opened again?",
    "tickets", "status", hints=("reopen", "re open"),
    known=frozenset(("reopened", "re opened")),
)  # fmt: skip
ESCALATED = Choice(
    "escalated",
    "whether it was escalated",
    "Which column of tickets says that a ticket was escalated?",
    "tickets", kinds=("flag",), hints=("escalat",), known=frozenset(("escalated", "is escalated", "escalation flag")), one=True,
)  # fmt: skip
ANSWER_TIME = Choice(
    "answer_time",
    "how long the first answer took",
    "Which column of tickets holds how long it took until the first answer?",
    "tickets", kinds=("number", "whole"), hints=("first response", "first reply", "first answer", "response", "reply", "answer"), one=True,
)  # fmt: skip
CLOSING_TIME = Choice(
    "closing_time",
    "how long it took to close",
    "Which column of tickets holds how long it took until the ticket was closed?",
    "tickets", kinds=("number", "whole"), hints=("resol", "clos", "handl", "duration"), one=True,
)  # fmt: skip
SATISFIED = Choice(
    "satisfied",
    "satisfied customers",
    "Which ratings of tickets count as satisfied? Of a scale of five, usually the upper two.",
    "tickets", "satisfaction",
)  # fmt: skip
NPS = Choice(
    "nps",
    "the Net Promoter question (NPS)",
    "Which survey asks how likely it is that they would recommend you, from 0 to 10?",
    "responses", "survey", hints=("nps", "promoter", "recommend"),
    known=frozenset(("nps", "net promoter score", "net promoter")),
)  # fmt: skip
EFFORT = Choice(
    "effort",
    "effort (CES)",
    "Which survey asks how much effort it took (the Customer Effort Score)?",
    "responses", "survey", hints=("ces", "effort", "ease"),
    known=frozenset(("ces", "customer effort score")),
)  # fmt: skip
CSAT = Choice(
    "csat",
    "satisfaction (CSAT)",
    "Which survey asks how satisfied they are?",
    "responses", "survey", hints=("csat", "satisf"),
    known=frozenset(("csat", "customer satisfaction")),
)  # fmt: skip
MEETINGS = Choice(
    "meetings",
    "conversations",
    "Which channels are conversations in which somebody of the customer took part?",
    "touchpoints", "channel", hints=("meeting", "call", "visit", "video", "qbr"),
)  # fmt: skip
CHAMPIONS = Choice(
    "champions",
    "champions",
    "Which roles are champions: people at the customer who speak for the product?",
    "contacts", "role", hints=("champion", "sponsor", "advocate", "owner"),
    known=frozenset(("champion", "champions")),
)  # fmt: skip

CHOICES: dict[str, Choice] = {
    one.id: one
    for one in (
        ACTIVE, USED, KEY_ACTIONS, ONBOARDING, LOGINS, SESSIONS, USAGE_NUMBERS, FAILED_PAYMENTS, PAYMENTS, OVERDUE_INVOICES, OVERDUE_AMOUNT,
        URGENT, REOPENED, ESCALATED, ANSWER_TIME, CLOSING_TIME, SATISFIED, NPS, EFFORT, CSAT, MEETINGS, CHAMPIONS,
    )
}  # fmt: skip
"""By id."""
