"""What the outcome on trial is called: the words in which an audit speaks of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words for one outcome. Each fits where the default's does: "942 churned", "churn rate", "does it foretell renewals?".

    `sees` and `see` are said of a score; a {days} in them is the horizon.
    """

    foretold: str  # what a useful score foretells
    lost: str  # what the accounts did that the score is to warn of, as a past participle
    loss: str  # the same as a noun, and as a verb
    kept: str  # what the others did
    money: str  # what an account is worth
    lost_money: str  # what those lost were worth
    sees: str  # what a useful score does: "the score sees churn coming"
    see: str  # the same after "does"
    unit: str  # what a score is tried on
    losses: str  # the cases a verdict rests on, counted: "about 80 more churned renewals would be needed"
    events: str  # what the outcomes file lists
    event: str  # one of them
    size: str  # the baseline's inputs as a CFO says them: the amount,
    age: str  # and the tenure


CHURN = Vocabulary(
    foretold="renewals",
    lost="churned",
    loss="churn",
    kept="renewed",
    money="ARR",
    lost_money="churned ARR",
    sees="sees churn coming",
    see="see churn coming",
    unit="renewal or account",
    losses="churned renewals",
    events="renewals",
    event="renewal",
    size="contract size",
    age="contract age",
)
REPURCHASE = Vocabulary(
    foretold="repurchase",
    lost="lapsed",
    loss="lapse",
    kept="repurchased",
    money="yearly spend",
    lost_money="lapsed yearly spend",
    sees="foresees who will not buy again within {days} days",
    see="foresee who will not buy again within {days} days",
    unit="customer",
    losses="lapses",
    events="purchases",
    event="purchase",
    size="yearly spend",
    age="time since the first purchase",
)
