"""What people forecast of renewals in the console: entries of the ledger, read back, and as calls beside those of the book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from unspun.app.trial.book import TrialDay
from unspun.book.extras import Forecasts
from unspun.book.tables import Codes, Source
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_notes import STATED, NoteRecord


@dataclass(frozen=True, slots=True)
class StatedForecast:
    """Somebody's forecast of one renewal: the probability that it renews, the ARR then, and why. It can be followed by another, and is
    never edited. `seen` is the risk entry that its author could see when it was made; None: there was none."""

    entry: int
    at: datetime
    author_id: int
    author: str
    account: str
    due: date
    probability: float
    amount: Decimal | None
    currency: str | None
    reason: str
    seen: int | None


def read_stated(record: NoteRecord) -> StatedForecast:
    """A forecast as it was written."""
    held = json.loads(record.document)
    return StatedForecast(
        entry=record.entry.seq,
        at=record.entry.at,
        author_id=held["author"]["id"],
        author=held["author"]["name"],
        account=record.account,
        due=date.fromisoformat(held["due"]),
        probability=held["probability"],
        amount=None if held["amount"] is None else Decimal(held["amount"]),
        currency=held["currency"],
        reason=held["reason"],
        seen=held["seen"],
    )


def stated_forecasts(catalog: Catalog, day: TrialDay, entries: Sequence[int] | None = None) -> tuple[StatedForecast, ...]:
    """The forecasts entered by the end of a day; of `entries` alone where these are given, as a published record names them.

    Raises BadInput where one of `entries` was erased.
    """
    if entries is None:
        return tuple(read_stated(one) for one in catalog.notes(STATED) if one.entry.at < day.before)
    records = [catalog.note(seq) for seq in entries]
    if gone := [one.entry.seq for one in records if not one.document]:
        hint = "What it said cannot be computed again."
        raise BadInput(Fault("erased", f"a forecast that it rests on was erased: entry {gone[0]}.", str(gone[0]), hint))
    return tuple(read_stated(one) for one in records)


def sources_of_calls(table: Forecasts | None, stated: Sequence[StatedForecast], zone: str) -> tuple[Forecasts, ...]:
    """The calls of the book and those of the console: together where both are probabilities, else one after the other."""
    entered = _as_calls(stated, zone) if stated else None
    if table is None or entered is None or not len(table.made):
        return tuple(one for one in (table, entered) if one is not None and len(one.made))
    if not table.probability or table.due is None:
        return table, entered
    return (_together(table, table.due, entered),)


def _as_calls(stated: Sequence[StatedForecast], zone: str) -> Forecasts:
    made = np.array([one.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for one in stated], "datetime64[us]")
    return Forecasts(
        source=Source("forecasts", "forecasts entered in the console", "", "ledger", len(stated), {}, (), ()),
        row=np.array([one.entry for one in stated], np.int64),
        account=_codes([one.account for one in stated]),
        made=made,
        value=np.array([one.probability for one in stated], np.float64),
        probability=True,
        due=np.array([one.due for one in stated], "datetime64[D]"),
        recorded=made,
        by=_codes([one.author for one in stated]),
    )


def _codes(words: Sequence[str]) -> Codes:
    names = tuple(sorted(set(words)))
    return Codes(np.searchsorted(np.array(names), np.array(words)).astype(np.int32), names)


def _together(table: Forecasts, due: np.ndarray, entered: Forecasts) -> Forecasts:
    assert entered.due is not None and entered.recorded is not None and entered.by is not None
    recorded = table.made if table.recorded is None else table.recorded
    by = table.by or Codes(np.full(len(table.made), -1, np.int32), ())
    return replace(
        table,
        row=np.concatenate([table.row, entered.row]),
        account=_joined(table.account, entered.account),
        made=np.concatenate([table.made, entered.made]),
        value=np.concatenate([table.value, entered.value]),
        due=np.concatenate([due, entered.due]),
        recorded=np.concatenate([recorded, entered.recorded]),
        by=_joined(by, entered.by),
    )


def _joined(first: Codes, second: Codes) -> Codes:
    """Two columns one after the other, under one list of names."""
    names = tuple(dict.fromkeys((*first.names, *second.names)))
    place = {name: at for at, name in enumerate(names)}
    moved = np.array([*(place[name] for name in second.names), -1], np.int32)
    return Codes(np.concatenate([first.codes, moved[second.codes]]), names)
