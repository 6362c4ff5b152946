"""Who the accounts of a risk run are: names, segment and owner as known on the as-of day, and who owned which when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from unspun.app.trial.book import ACCOUNTS, Statements, TrialDay, days, holds, read_statements
from unspun.audit.known import NOWHERE, KnownHistory, to_days
from unspun.audit.terms import UNKNOWN, align
from unspun.book.tables import Codes, Ints
from unspun.engines.embedded import sql_name
from unspun.warehouse.read import BookReader

Word = str | None
STILL = 3_000_000
"""The day until which what still holds is taken to hold: further off than any date."""


@dataclass(frozen=True, slots=True)
class OwnerSpells:
    """Who owned an account when, as known on the as-of day: from `first` until before `until` (STILL: no end is known), by account and
    day. `owner` are codes into `names`."""

    account: Ints
    first: Ints
    until: Ints
    owner: Ints
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.account)


@dataclass(frozen=True, slots=True)
class SegmentHistory:
    """The segment of an account by day, by what was known on that day; of a book that calls it fixed, the same on all days."""

    names: tuple[str, ...]
    fixed: Ints | None = None
    history: KnownHistory | None = None
    codes: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def on(self, account: Ints, day: Ints) -> Ints:
        """Codes into `names` by the end of each day, -1 where none is known."""
        if self.fixed is not None:
            return self.fixed[account]
        if self.history is None or not len(self.codes):
            return np.full(len(account), -1)
        found = self.history.last_known(account, day)
        return np.where(found == NOWHERE, -1, self.codes[np.maximum(found, 0)])


@dataclass(frozen=True, slots=True)
class RiskAccounts:
    """By account code: name, segment and owner on the as-of day (None: not stated), since when it is known to be a customer (UNKNOWN:
    not stated), and all other text columns that the book has of accounts."""

    names: tuple[Word, ...]
    segments: tuple[Word, ...]
    owners: tuple[Word, ...]
    since: Ints
    attributes: Mapping[str, tuple[Word, ...]]
    segment_history: SegmentHistory
    owner_spells: OwnerSpells


NO_SPELLS = OwnerSpells(*(np.zeros(0, np.int64) for _ in range(4)), names=())


def read_accounts(reader: BookReader, known: BookReader, day: TrialDay, accounts: tuple[str, ...], as_of: int) -> RiskAccounts:
    """What the book says of these accounts, as known on the as-of day. `known` is the book as it was known then."""
    nobody: tuple[Word, ...] = (None,) * len(accounts)
    if not holds(reader, ACCOUNTS):
        nothing = SegmentHistory(())
        return RiskAccounts(nobody, nobody, nobody, np.full(len(accounts), UNKNOWN), {}, nothing, NO_SPELLS)
    state = _state(known, accounts)
    statements = read_statements(reader, day)
    fixed = _codes(state.texts["segment"]) if "segment" in state.fixed and "segment" in state.texts else None
    segments = _segments(statements, accounts) if fixed is None else SegmentHistory(fixed.names, fixed.codes.astype(np.int64))
    spells = _owner_spells(statements, accounts, as_of)
    own = ("name", "segment", "owner")
    return RiskAccounts(
        names=state.texts.get("name", nobody),
        segments=state.texts.get("segment", nobody),
        owners=state.texts.get("owner", nobody),
        since=state.since,
        attributes={name: words for name, words in state.texts.items() if name not in own},
        segment_history=segments,
        owner_spells=spells,
    )


@dataclass(frozen=True, slots=True)
class _State:
    """Text columns of accounts by name, by account code; since when each is a customer; and which columns never change."""

    texts: dict[str, tuple[Word, ...]]
    since: Ints
    fixed: tuple[str, ...]


def _state(known: BookReader, accounts: tuple[str, ...]) -> _State:
    table = known.version.table(ACCOUNTS)
    columns = [] if table is None else [name for name, kind in table.columns if kind == "text"]
    aside = {"account_id", "parent_id", "happened_zone", "stated", "source_row", "source_file"}
    named = [name for name in columns if name not in aside]
    since = "created_on" if table is not None and any(name == "created_on" for name, _ in table.columns) else "NULL::DATE"
    listed = "".join(f", {sql_name(name)}" for name in named)
    rows = known.query(
        f"SELECT account_id, CAST({since} AS DATE) AS since{listed} FROM accounts WHERE account_id IS NOT NULL ORDER BY account_id"
    )
    place = {name: i for i, name in enumerate(rows["account_id"].to_pylist())}
    row = np.array([place.get(name, len(place)) for name in accounts], np.int64)
    found = to_days(np.append(days(rows, "since"), np.datetime64("NaT", "D")))[row]
    texts = {name: _words(rows[name], row) for name in named}
    return _State(texts, found, () if table is None else tuple(table.fixed))


def _words(column: pa.ChunkedArray, row: Ints) -> tuple[Word, ...]:
    words = [*column.to_pylist(), None]
    return tuple(words[at] for at in row.tolist())


def _codes(words: tuple[Word, ...]) -> Codes:
    names = sorted({word for word in words if word is not None})
    place = {word: i for i, word in enumerate(names)}
    return Codes(np.array([-1 if word is None else place[word] for word in words], np.int32), tuple(names))


def _segments(statements: Statements, accounts: tuple[str, ...]) -> SegmentHistory:
    said = statements.columns["segment"]
    account = align(statements.account, accounts)
    rows = (said.codes >= 0) & (account >= 0)
    if not rows.any():
        return SegmentHistory(())
    history = KnownHistory(account[rows], statements.dated[rows], statements.recorded[rows])
    return SegmentHistory(said.names, None, history, said.codes[rows].astype(np.int64))


def _owner_spells(statements: Statements, accounts: tuple[str, ...], as_of: int) -> OwnerSpells:
    """Of several statements of one day the last recorded counts; those of days to come are no spell yet."""
    said, account, day = statements.columns["owner"], align(statements.account, accounts), to_days(statements.dated)
    rows = np.flatnonzero((said.codes >= 0) & (account >= 0) & (day <= as_of))
    recorded = statements.recorded[rows].astype("datetime64[us]").view(np.int64)
    rows = rows[np.lexsort((statements.place[1][rows], recorded, statements.dated[rows].view(np.int64), account[rows]))]
    account, day, owner = account[rows], day[rows], said.codes[rows].astype(np.int64)
    last = np.append((account[1:] != account[:-1]) | (day[1:] != day[:-1]), True)[: len(rows)]
    account, day, owner = account[last], day[last], owner[last]
    begins = np.append(True, (account[1:] != account[:-1]) | (owner[1:] != owner[:-1]))[: len(account)]
    account, day, owner = account[begins], day[begins], owner[begins]
    follows = np.append(account[1:] == account[:-1], False)[: len(account)]
    until = np.where(follows, np.append(day[1:], STILL)[: len(day)], STILL)
    return OwnerSpells(account, day, until, owner, said.names)
