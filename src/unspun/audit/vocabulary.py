"""What the outcome on trial is called: the words in which an audit speaks of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words for one outcome. Each fits where the default's does: "942 churned", "churn rate", "does it foretell renewals?"."""

    foretold: str  # what a useful score foretells
    lost: str  # what the accounts did that the score is to warn of, as a past participle
    loss: str  # the same as a noun
    kept: str  # what the others did
    money: str  # what an account is worth
    lost_money: str  # what those lost were worth


CHURN = Vocabulary(foretold="renewals", lost="churned", loss="churn", kept="renewed", money="ARR", lost_money="churned ARR")
REPURCHASE = Vocabulary(
    foretold="repurchase", lost="lapsed", loss="lapse", kept="repurchased", money="yearly spend", lost_money="lapsed yearly spend"
)
