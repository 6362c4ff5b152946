"""The optional files laid over the accounts of an audit: attributes, usage and calls, what of them is set aside, and cautions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unspun.audit.calls import NEAR_DAYS, CallIndex
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import Caution, Design
from unspun.audit.terms import Terms, align, in_order
from unspun.audit.usage import UsageIndex
from unspun.book.extras import Accounts, Events, Extras, Forecasts
from unspun.book.tables import Codes, Rejection, Source
from unspun.book.text import squash
from unspun.errors import BadInput

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FixedAttribute:
    """An attribute declared fixed, by account code: words as codes (-1 where not given), or numbers (NaN where not given)."""

    name: str
    codes: Ints | None
    numbers: Floats | None


class AccountIndex:
    """Attributes by account code. An account without a row has none, and nothing is put in their place."""

    def __init__(self, accounts: Accounts, account_names: tuple[str, ...], fixed: tuple[str, ...]) -> None:
        self.accounts = accounts
        self._of = align(accounts.account, account_names)
        self._row = np.full(len(account_names), -1)
        self._row[self._of[self._of >= 0]] = np.flatnonzero(self._of >= 0)
        named = {squash(name) for name in fixed}
        self.fixed = tuple(
            FixedAttribute(one.name, None if one.codes is None else self.codes(in_order(one.codes)), self._numbers(one.numbers))
            for one in accounts.attributes
            if squash(one.name) in named
        )

    @property
    def stranger(self) -> Bools:
        """Rows of accounts that the audit does not know."""
        return self._of < 0

    def without_row(self, account: Ints) -> int:
        """How many of some accounts have no row."""
        return int((self._row[account] < 0).sum())

    def codes(self, codes: Codes) -> Ints:
        """A text column by account code, -1 where not given."""
        return np.where(self._row >= 0, codes.codes[np.maximum(self._row, 0)], -1).astype(np.int64)

    def _numbers(self, numbers: Floats | None) -> Floats | None:
        return None if numbers is None else np.where(self._row >= 0, numbers[np.maximum(self._row, 0)], np.nan)


@dataclass(frozen=True, slots=True)
class ExtraIndex:
    """The optional files made ready, each None where it was not given."""

    accounts: AccountIndex | None = None
    usage: UsageIndex | None = None
    calls: CallIndex | None = None


NO_EXTRAS = ExtraIndex()


def index_extras(extras: Extras, terms: Terms, settings: AuditSettings) -> ExtraIndex:
    """Lay the optional files over the accounts. Raises BadInput where something is declared fixed that they do not hold."""
    known = () if extras.accounts is None else tuple(attribute.name for attribute in extras.accounts.attributes)
    faults = settings.fixed_faults(known)
    if faults:
        raise BadInput(faults)
    names = terms.account_names
    return ExtraIndex(
        None if extras.accounts is None else AccountIndex(extras.accounts, names, settings.fixed),
        None if extras.events is None else UsageIndex(extras.events, names),
        None if extras.forecasts is None else CallIndex(extras.forecasts, terms),
    )


def set_aside_extras(extras: Extras, index: ExtraIndex, terms: Terms, design: Design) -> tuple[Source, ...]:
    """The sources of the optional files with the rows that no unit can ever use."""
    event = terms.words.event
    found = []
    if extras.accounts is not None and index.accounts is not None:
        found.append(_with(extras.accounts.source, _strangers(event, extras.accounts, index.accounts.stranger)))
    if extras.events is not None:
        found.append(_set_aside_events(extras.events, terms))
    if index.calls is not None:
        found.append(_set_aside_calls(index.calls, terms, design))
    return tuple(found)


def extra_cautions(index: ExtraIndex, terms: Terms, settings: AuditSettings, given: Callable[[str], bool]) -> tuple[Caution, ...]:
    """What readers must know of attributes without a date. `given` tells whether another file has a role of its own."""
    if index.accounts is None:
        return ()
    decided = np.unique(terms.account[terms.decided])
    without = index.accounts.without_row(decided)
    found = []
    if without:
        found.append(
            Caution(
                "accounts_without_row",
                f"{without:,} of the {len(decided):,} accounts with a {terms.words.event} have no usable row in the accounts file; "
                "their attributes are missing.",
            )
        )
    fixed = [attribute.name for attribute in index.accounts.fixed]
    fixed += ["segment"] if settings.segment_fixed and index.accounts.accounts.segment is not None and not given("segment") else []
    if fixed:
        text = f"{', '.join(fixed)}: no dates, but declared fixed, so the baseline uses them. What changed after the fact would leak."
        found.append(Caution("attributes_declared_fixed", text))
    return (*found, *_undated(index.accounts.accounts, settings, given))


def _undated(accounts: Accounts, settings: AuditSettings, given: Callable[[str], bool]) -> list[Caution]:
    """Segment, owner and parent of the accounts file, as far as no other file has them."""
    roles = [role for role in ("segment", "owner", "parent") if getattr(accounts, role) is not None and not given(role)]
    if not roles:
        return []
    use = {"segment": "groups by segment", "owner": "groups by owner", "parent": "clusters"}
    said = f"{', '.join(use[role] for role in roles)} are as they were on the day that file was made"
    hint = " The baseline leaves the segment out; declare it fixed (--fixed segment) if it never changes."
    left_out = hint if "segment" in roles and not settings.segment_fixed else ""
    return [Caution("account_attributes_undated", f"The accounts file has no dates: {said}.{left_out}")]


def _set_aside_events(events: Events, terms: Terms) -> Source:
    stranger = align(events.account, terms.account_names) < 0
    late = ~stranger & (events.day > terms.as_of)
    return _with(
        events.source,
        _strangers(terms.words.event, events, stranger[events.entry]),
        _rejected(events, late[events.entry], "after_as_of", "dated after the as-of date"),
    )


def _set_aside_calls(calls: CallIndex, terms: Terms, design: Design) -> Source:
    """In the landmark design a call is about the windows that hold the day it names, whether or not anything is due then."""
    forecasts, stranger, event = calls.forecasts, calls.account < 0, terms.words.event
    late = ~stranger & calls.late
    about = calls.terms_row if design == "renewal" else None
    nothing = np.zeros(len(stranger), dtype=bool) if about is None else ~stranger & ~late & (about < 0)
    return _with(
        forecasts.source,
        _strangers(event, forecasts, stranger),
        _rejected(forecasts, late, "after_as_of", "made after the as-of date"),
        _rejected(forecasts, nothing, "about_no_renewal", f"no {event} of the account is due within {NEAR_DAYS} days of the day named"),
    )


def _strangers(event: str, table: Accounts | Events | Forecasts, rows: Bools) -> Rejection:
    return _rejected(table, rows, f"account_without_{event}", f"account has no {event} in use")


def _rejected(table: Accounts | Events | Forecasts, rows: Bools, code: str, reason: str) -> Rejection:
    return Rejection(code, reason, table.row[rows], file=None if table.file is None else table.file[rows])


def _with(source: Source, *found: Rejection) -> Source:
    return replace(source, rejections=(*source.rejections, *(rejection for rejection in found if len(rejection.rows))))
