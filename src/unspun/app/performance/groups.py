"""By what accounts are grouped, and to which group each renewal is counted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unspun.app.risk.inputs import RiskInputs
from unspun.audit.result import Caution
from unspun.audit.terms import UNKNOWN
from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.risk.performance.attribution import Attributed, Spells, count_whole, share_by_days
from unspun.risk.performance.judge import JudgedRenewals
from unspun.risk.rows import Ints

GroupBy = str
OWNER, SEGMENT, COHORT = "owner", "segment", "cohort"
MOST_GROUPS = 1_000
NOUNS = {OWNER: "owner", SEGMENT: "segment", COHORT: "cohort"}


def groups_known(by: GroupBy) -> str:
    """What one group is called."""
    return NOUNS.get(by, by.replace("_", " "))


def refuse_unknown(by: Iterable[GroupBy], inputs: RiskInputs) -> None:
    """Raises BadInput where accounts have no such column; owner and segment need one too."""
    known = (OWNER, SEGMENT, COHORT, *inputs.known.attributes)
    listed = f"Accounts can be grouped by {', '.join(known)}."
    faults = [
        Fault("unknown_group", f"accounts have no column '{one}'.", "--by", f"{did_you_mean(one, known)}{listed}")
        for one in by
        if one not in known
    ]
    if faults:
        raise BadInput(faults)


def attribute(by: GroupBy, judged: JudgedRenewals, inputs: RiskInputs) -> Attributed:
    """To whom each renewal is counted. Raises BadInput where no account has a group, or there are too many."""
    found = _attributed(by, judged, inputs)
    if not found.members.groups:
        message = f"the book says of no account that had a renewal judged which {groups_known(by)} it belongs to."
        raise BadInput(Fault("no_groups", message, "--by", "Map the column in book.yml and load it, or group by another."))
    if found.members.groups > MOST_GROUPS:
        message = f"'{by}' has {found.members.groups:,} values; at most {MOST_GROUPS:,} groups are compared."
        raise BadInput(Fault("too_many_groups", message, "--by", "Group by a column with fewer values."))
    return found


def cautions_of_grouping(by: GroupBy, inputs: RiskInputs) -> tuple[Caution, ...]:
    """What must be known of how renewals came into their groups: a column of accounts keeps no history, and may follow the outcome."""
    if by in NOUNS:
        return ()
    text = (
        f"Each account's {groups_known(by)} is the one known on {inputs.as_of}, for its earlier terms too: where it changed, past renewals "
        "count for the group of that day, and where it changes with the outcome (an account moved once it was in danger) it says nothing."
    )
    return (Caution("as_known_on_the_as_of_day", text),)


def _attributed(by: GroupBy, judged: JudgedRenewals, inputs: RiskInputs) -> Attributed:
    known = inputs.known
    if by == OWNER:
        held = known.owner_spells
        spells = Spells(held.account, held.first, held.until, held.owner, held.names)
        return share_by_days(judged.account, judged.start, judged.due, spells)
    if by == SEGMENT:
        return count_whole(known.segment_history.on(judged.account, judged.looked_on), known.segment_history.names)
    if by == COHORT:
        return _cohorts(judged, inputs)
    words = known.attributes[by]
    names = tuple(sorted({word for word in words if word is not None}))
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([-1 if word is None else place[word] for word in words], np.int64)
    return count_whole(codes[judged.account], names)


def _cohorts(judged: JudgedRenewals, inputs: RiskInputs) -> Attributed:
    """The quarter in which each account's first term began."""
    quarter = _quarters(inputs)[judged.account]
    first = int(quarter.min())
    names = tuple(f"{1970 + one // 4} Q{one % 4 + 1}" for one in range(first, int(quarter.max()) + 1))
    return count_whole(quarter - first, names)


def _quarters(inputs: RiskInputs) -> Ints:
    """By account code, quarters since 1970."""
    seen, since = inputs.terms.first_seen, inputs.known.since
    begun = np.minimum(seen, np.where(since == UNKNOWN, seen, since))
    return np.clip(begun, 0, 2_000_000).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3
