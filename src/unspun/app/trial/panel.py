"""The panel of a trial: all its metrics on the days on which it looks at accounts, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow.compute import SetLookupOptions

from unspun.app.opening import Elsewhere
from unspun.app.panel.basis import PanelBasis, panel_question
from unspun.app.panel.files import MISSING
from unspun.app.panel.request import MetricsDefinition, metrics_needed
from unspun.app.panel.run import PreparedPanel, lowered, panel_parts, with_state
from unspun.app.trial.book import floats
from unspun.audit.asking import TrialDays
from unspun.audit.terms import Terms
from unspun.audit.units import ActiveMonths
from unspun.book.tables import Codes, Floats, Ints
from unspun.book.text import call
from unspun.engines.panel import PanelDatabase, plan_sql
from unspun.errors import BadInput
from unspun.metrics.asof import AsOf, BeforeRenewals, Dates
from unspun.metrics.kinds import check_against, kind_of
from unspun.metrics.missing import REASON_CODES
from unspun.progress import Progress
from unspun.warehouse.panel_state import StateUse
from unspun.warehouse.read import BookReader

NO_REASON = -1


@dataclass(frozen=True, slots=True)
class TrialPanel:
    """A row for each account and day looked at, each once, in the order of accounts and days. Days are since 1970-01-01.

    `columns` are numbers by metric (NaN where there is none; a flag is 0 or 1, a day how many days it lies ahead, below 0 where it is
    past), `texts` the words of those that are texts, `missing` why there is no value. Metrics that lack values alike share one array.
    """

    accounts: tuple[str, ...]
    account: Ints
    day: Ints
    columns: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    texts: Mapping[str, Codes] = field(default_factory=dict[str, Codes])
    missing: Mapping[str, Codes] = field(default_factory=dict[str, Codes])
    queries: Mapping[str, str] = field(default_factory=dict[str, str])
    source_rows: int = 0
    state: StateUse = field(default_factory=StateUse)

    def __len__(self) -> int:
        return len(self.day)


NO_PANEL = TrialPanel((), np.zeros(0, np.int64), np.zeros(0, np.int64))


def days_asked(days: TrialDays) -> AsOf:
    """The days of a trial as a panel is asked for them."""
    if days.design == "landmark":
        return Dates(days.months, f"the first days of {len(days.months):,} months")
    told = f"{', '.join(map(str, days.horizons))} days before each of {len(days.dues):,} decided renewals"
    return BeforeRenewals(tuple(sorted(set(days.dues))), tuple(sorted(days.horizons, reverse=True)), told)


def prepare_trial_panel(
    definition: MetricsDefinition, basis: PanelBasis, as_of: AsOf, reader: BookReader, database: PanelDatabase, elsewhere: Elsewhere
) -> PreparedPanel:
    """The metrics of a basis on these days, lowered. Raises BadInput where they do not fit the book."""
    question = replace(panel_question(basis, definition.metrics, reader, elsewhere), as_of=as_of)
    if faults := check_against(metrics_needed(definition.metrics, basis.asked), question.tables, definition.places):
        raise BadInput(faults)
    plan = lowered(question, database)
    return PreparedPanel(definition, basis, question, plan, plan_sql(database, plan), reader, database)


def compute_trial_panel(panel: PreparedPanel, active: ActivePairs | None, progress: Progress, from_state: bool = True) -> TrialPanel:
    """The panel; of the landmark design only those rows whose account is a customer on the day."""
    queries = panel.queries
    computed, state = with_state(panel, progress) if from_state else (panel, StateUse())
    gathered = _Gathered(panel, active)
    total = len(active) if active is not None else len(panel.question.as_of.dues) if isinstance(panel.question.as_of, BeforeRenewals) else 0
    for part in panel_parts(computed, panel.schema(), progress):
        gathered.take(part)
        progress("computing metrics", min(gathered.rows, total), total)
    source_rows = sum(held.rows for name, held in panel.question.tables.items())
    return replace(gathered.panel(), queries=queries, source_rows=source_rows, state=state)


class ActivePairs:
    """The accounts that are customers on the first day of a month."""

    def __init__(self, terms: Terms, months: ActiveMonths) -> None:
        self._place = {name: code for code, name in enumerate(terms.account_names)}
        self._first = int(months.day.min(initial=0))
        self._span = int(months.day.max(initial=0)) - self._first + 1
        self._keys = np.unique(months.account * self._span + (months.day - self._first))

    def __len__(self) -> int:
        return len(self._keys)

    def __call__(self, accounts: Sequence[str], code: Ints, day: Ints) -> np.ndarray:
        """Which of these pairs of an account (a code into `accounts`) and a day are among them."""
        own = np.array([self._place.get(name, -1) for name in accounts] or [-1], np.int64)[code]
        inside = (own >= 0) & (day >= self._first) & (day < self._first + self._span)
        keys = own * self._span + (day - self._first)
        at = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        return inside & (self._keys[at] == keys) if len(self._keys) else np.zeros(len(day), bool)


class _Gathered:
    """The parts of a panel as they come, as arrays."""

    def __init__(self, panel: PreparedPanel, active: ActivePairs | None) -> None:
        self._active, metrics, tables = active, panel.question.metrics, panel.question.tables
        self._kinds = {id: kind_of(metrics.metric(id).series, metrics, tables) for id in panel.question.asked}
        self._parts: dict[str, list[Any]] = {}
        self.rows = 0

    def take(self, part: pa.Table) -> None:
        """Keep the rows of a part that are looked at."""
        account = part["account_id"].combine_chunks().dictionary_encode()
        code, day = account.indices.to_numpy().astype(np.int64), _day_numbers(part["as_of"])
        if self._active is not None:
            kept = self._active(account.dictionary.to_pylist(), code, day)
            part, day = part.filter(pa.array(kept)), day[kept]
        self._keep("account_id", part["account_id"])
        self._keep("as_of", day)
        seen: dict[tuple[int, ...], Any] = {}
        for id, kind in self._kinds.items():
            column = part[id]
            self._keep(id, column if kind == "text" else _days_ahead(column, day) if kind == "day" else floats(column))
            self._keep(f"{id}{MISSING}", _reasons(part[f"{id}{MISSING}"], seen))
        self.rows += len(day)

    def _keep(self, name: str, found: object) -> None:
        self._parts.setdefault(name, []).append(found)

    def panel(self) -> TrialPanel:
        """All of them, each account and day once: what a metric is on a day does not hang on the renewal that asked."""
        if not self.rows:
            return NO_PANEL
        account, day = self._words("account_id"), np.concatenate(self._parts["as_of"])
        order = np.lexsort((day, account.codes))
        codes, day = account.codes[order].astype(np.int64), day[order]
        first = np.append(True, (codes[1:] != codes[:-1]) | (day[1:] != day[:-1]))
        order = order[first]
        columns, texts, missing = dict[str, Floats](), dict[str, Codes](), dict[str, Codes]()
        shared: dict[bytes, Codes] = {}
        for id, kind in self._kinds.items():
            if kind == "text":
                words = self._words(id)
                texts[id] = Codes(words.codes[order], words.names)
            else:
                columns[id] = np.concatenate(self._parts.pop(id))[order]
            why = np.concatenate(self._parts.pop(f"{id}{MISSING}"))[order]
            missing[id] = shared.setdefault(hashlib.sha256(why.tobytes()).digest(), Codes(why.astype(np.int32), REASON_CODES))
        return TrialPanel(account.names, codes[first], day[first], columns, texts, missing)

    def _words(self, name: str) -> Codes:
        return _coded(pa.chunked_array([chunk for part in self._parts.pop(name) for chunk in part.chunks], pa.string()))


def _reasons(column: pa.ChunkedArray, seen: dict[tuple[int, ...], Any]) -> Any:
    """Reasons as places in REASON_CODES, -1 where there is a value; columns of one part that lie in one place are looked at once."""
    chunk = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    where = (chunk.offset, *(0 if one is None else one.address for one in chunk.buffers()))
    if where not in seen:
        found = call("index_in", chunk, options=SetLookupOptions(pa.array(REASON_CODES)))
        seen[where] = (
            found.fill_null(NO_REASON).to_numpy(zero_copy_only=False).astype(np.int8),
            chunk,
        )  # kept, so that its place is not reused
    return seen[where][0]


def _coded(column: pa.ChunkedArray) -> Codes:
    """A text column by its distinct words, in order; -1 where empty."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.full(len(words) + 1, -1, np.int32)
    place[order] = np.arange(len(words))
    return Codes(place[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)], tuple(words[i] for i in order))


def _day_numbers(column: pa.ChunkedArray) -> Ints:
    return column.cast(pa.int32()).to_numpy().astype(np.int64)


def _days_ahead(column: pa.ChunkedArray, day: Ints) -> Floats:
    """A day told from the day looked at: so many days ahead, below 0 where it is past. The day itself would only say when it was asked."""
    return floats(column.cast(pa.int32())) - day


def rows_at(panel: TrialPanel, accounts: Sequence[str], account: Ints, day: Ints) -> Ints:
    """The row of each pair of an account (a code into `accounts`) and a day; -1 where the panel has none."""
    place = {name: code for code, name in enumerate(panel.accounts)}
    own = np.array([place.get(name, -1) for name in accounts] or [-1], np.int64)[account]
    if not len(panel):
        return np.full(len(day), -1)
    first, span = int(min(panel.day.min(), day.min(initial=0))), int(max(panel.day.max(), day.max(initial=0))) + 1
    width = span - first
    keys, asked = panel.account * width + (panel.day - first), own * width + (day - first)
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where((own >= 0) & (keys[at] == asked), at, -1)
