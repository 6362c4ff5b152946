"""What a renewal's words mean: renewed, churned, contracted, expanded, or not decided yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unspun.book.columns import did_you_mean
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, OUTCOMES, RENEWED, UNDECIDED
from unspun.book.text import Complaint, Words, fold, shortened, squash
from unspun.errors import Fault

MEANINGS = {
    RENEWED: "renewed, renewal, renew, renewed flat, flat, flat renewal, auto renewed, auto renewal, retained, kept, stayed, won, "
    "closed won, closedwon, active, paying, yes, y, extended, renewed same",
    CHURNED: "churned, churn, lost, closed lost, closedlost, "
    "cancelled, canceled, cancel, cancellation, non renewed, non renewal, nonrenewal, "
    "nonrenewed, not renewed, did not renew, unrenewed, attrited, attrition, terminated, expired, lapsed, left, inactive, no, n, "
    "full churn, logo churn, churned customer",
    CONTRACTED: "contracted, contraction, downgraded, downgrade, downsell, down sell, downsold, reduced, reduction, decreased, "
    "partial churn, shrunk, renewed with contraction, renewed down",
    EXPANDED: "expanded, expansion, upgraded, upgrade, upsell, up sell, upsold, grown, grew, growth, increased, "
    "renewed with expansion, renewed up, cross sell",
    UNDECIDED: "open, pending, in progress, upcoming, tbd, undecided, not due, not yet due, future, negotiation, in negotiation, "
    "ongoing, prospecting, qualification, needs analysis, value proposition, id decision makers, perception analysis, "
    "proposal price quote, negotiation review, appointment scheduled, appointmentscheduled, qualified to buy, qualifiedtobuy, "
    "presentation scheduled, presentationscheduled, decision maker bought in, decisionmakerboughtin, contract sent, contractsent",
}
WORDS = {word: outcome for outcome, words in MEANINGS.items() for word in words.split(", ")}
YES = frozenset({"yes", "y", "true", "t", "1"})
NO = frozenset({"no", "n", "false", "f", "0"})
CHURN_FLAGS = frozenset({"churn", "churned", "ischurned", "ischurn", "churnflag", "haschurned", "churnstatus"})
RENEWED_FLAGS = frozenset({"renewed", "isrenewed", "didrenew", "hasrenewed"})
WON_FLAGS = frozenset({"iswon", "won"})
BY_NAME = {name: code for code, name in enumerate(OUTCOMES)} | {"undecided": UNDECIDED}


def check_outcomes(outcomes: dict[str, str]) -> list[Fault]:
    """Words mapped to something that is no outcome."""
    return [
        Fault(
            "unknown_outcome",
            f"'{meaning}' is not an outcome.",
            f'--outcome "{word}={meaning}"',
            f"{did_you_mean(meaning, BY_NAME)}The outcomes are {', '.join(BY_NAME)}.",
        )
        for word, meaning in outcomes.items()
        if fold(meaning) not in BY_NAME
    ]


def read_outcomes(
    words: Words, column: str, declared: dict[str, str], *, all_closed: bool = False
) -> tuple[NDArray[np.int8], Complaint | None]:
    """One outcome a row (UNDECIDED where empty), or a complaint that names every word whose meaning is not known.

    Of a flag that says whether a deal is won, no is lost only where every row is of a closed deal: `all_closed`.
    """
    is_won = squash(column) in WON_FLAGS
    usual = _won_words(all_closed) if is_won else WORDS | _flags(column)
    meaning = usual | {fold(word): BY_NAME[fold(to)] for word, to in declared.items() if fold(to) in BY_NAME}
    counts = words.counts()
    codes = np.full(len(words.words), UNDECIDED, np.int8)
    unknown: list[int] = []
    for i in np.flatnonzero(counts > 0).tolist():
        code = meaning.get(fold(words.words[i].as_py()))
        if code is None:
            unknown.append(i)
        else:
            codes[i] = code
    if not unknown:
        return words.spread(codes, UNDECIDED), None
    complaint = _complaint(words, counts, unknown)
    why = " A deal that is not won may be lost or still open, and no column says which are closed." if is_won and not all_closed else ""
    return words.spread(codes, UNDECIDED), replace(complaint, message=complaint.message + why)


def read_closed(words: Words) -> tuple[NDArray[np.bool_], Complaint | None]:
    """Which rows are closed; an empty cell is not. Anything but yes and no is a complaint."""
    meaning = dict.fromkeys(YES, 1) | dict.fromkeys(NO, 0)
    keys = [meaning.get(fold(word or ""), -1) for word in words.words.to_pylist()]
    strange = [i for i in np.flatnonzero(words.counts() > 0).tolist() if keys[i] < 0]
    closed = words.spread(np.array(keys, np.int8), 0) > 0
    if not strange:
        return closed, None
    message = f"'{words.words[strange[0]].as_py()}' does not say whether a deal is closed."
    return closed, Complaint("unreadable_flag", message, "Write true or false.", words.first_row(strange[0]))


def _won_words(all_closed: bool) -> dict[str, int]:
    return dict.fromkeys(YES, RENEWED) | (dict.fromkeys(NO, CHURNED) if all_closed else {})


def _flags(column: str) -> dict[str, int]:
    """What yes and no mean in a column that is a flag for leaving, or for staying."""
    name = squash(column)
    if name in CHURN_FLAGS:
        return dict.fromkeys(YES, CHURNED) | dict.fromkeys(NO, RENEWED)
    if name in RENEWED_FLAGS:
        return dict.fromkeys(YES, RENEWED) | dict.fromkeys(NO, CHURNED)
    return {}


def _complaint(words: Words, counts: NDArray[np.int64], unknown: list[int]) -> Complaint:
    unknown = sorted(unknown, key=lambda i: -counts[i])
    shown = [shortened(words.words[i].as_py()) for i in unknown[:20]]
    listed = ", ".join(f"'{word}' ({counts[i]:,} row{'s' if counts[i] != 1 else ''})" for word, i in zip(shown, unknown, strict=False))
    more = f" and {len(unknown) - 20:,} more words" if len(unknown) > 20 else ""
    examples = " ".join(f'--outcome "{word}=churned"' for word in shown[:3])
    hint = f"Say what each means (renewed, churned, contracted, expanded or undecided), such as {examples}."
    return Complaint("unknown_outcomes", f"no known outcome: {listed}{more}.", hint, min(words.first_row(i) for i in unknown))
