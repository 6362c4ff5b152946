"""One history of everything on trial: a panel's rows, recorded scores, calls, and what was said of accounts, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.app.trial.book import Statements, files_of
from unspun.app.trial.panel import TrialPanel
from unspun.app.trial.scores import Called, RecordedScore
from unspun.book.tables import Codes, Floats, Ints, ScoreHistory, ScoreSeries, Source, SourceFile, Times
from unspun.warehouse.read import BookReader

NOT_A_TIME = np.datetime64("NaT", "us")
PANEL_NAME = "computed for the trial"
OF_NO_FILE = -1


@dataclass(slots=True)
class HistoryMaker:
    """A history as its parts are added, each with rows of its own. `reader` knows the files that rows came from."""

    reader: BookReader
    series: dict[str, ScoreSeries] = field(default_factory=dict[str, ScoreSeries])
    _parts: list[_Part] = field(default_factory=list["_Part"])
    _rows: int = 0

    def add_panel(self, panel: TrialPanel, columns: dict[str, Floats]) -> None:
        """Values of the panel's rows by key: on its day each is what it is, a gap too."""
        rows = self._add(_Part(Codes(panel.account.astype(np.int32), panel.accounts), _midnights(panel.day)))
        for key, values in columns.items():
            self.series[key] = ScoreSeries(key, values, rows, exact=True)

    def add_calls(self, key: str, called: Called, accounts: tuple[str, ...]) -> None:
        """The last call known on each unit."""
        rows = self._add(_Part(Codes(called.account.astype(np.int32), accounts), _midnights(called.day)))
        self.series[key] = ScoreSeries(key, called.values, rows, called.bands, exact=True)

    def add_score(self, key: str, score: RecordedScore) -> None:
        """A score as it was recorded: the last value stands until the next."""
        rows = self._add(_Part(score.account, score.dated, score.recorded, score.place, {"set_by": score.set_by}))
        self.series[key] = ScoreSeries(key, score.values, rows, score.bands)

    def add_statements(self, statements: Statements) -> None:
        """What was said of accounts: rows without a score."""
        self._add(_Part(statements.account, statements.dated, statements.recorded, statements.place, dict(statements.columns)))

    def history(self, keys: Sequence[str]) -> ScoreHistory:
        """The parts as one history, its series in the order of `keys`."""
        names = sorted({name for part in self._parts for name in part.account.names})
        place = {name: i for i, name in enumerate(names)}
        account = [np.array([*(place[name] for name in part.account.names), -1], np.int32)[part.account.codes] for part in self._parts]
        recorded = np.concatenate([part.recorded_or_none for part in self._parts]) if self._parts else np.zeros(0, "datetime64[us]")
        file, row, files = self._places()
        return ScoreHistory(
            source=Source(
                "scores", "metrics and scores of the book", self.reader.version.digest, "book", self._rows, {}, (), (), files=files
            ),
            row=row,
            account=Codes(np.concatenate(account) if account else np.zeros(0, np.int32), tuple(names)),
            dated=np.concatenate([part.dated for part in self._parts]) if self._parts else np.zeros(0, "datetime64[us]"),
            series=tuple(self.series[key] for key in keys if key in self.series),
            recorded=None if np.isnat(recorded).all() else recorded,
            set_by=self._codes("set_by"),
            segment=self._codes("segment"),
            owner=self._codes("owner"),
            parent=self._codes("parent_id"),
            file=file,
        )

    def _add(self, part: _Part) -> Ints:
        rows = np.arange(self._rows, self._rows + len(part.dated))
        self._parts.append(part)
        self._rows += len(part.dated)
        return rows

    def _codes(self, name: str) -> Codes | None:
        """A text column over all rows; None where no row has any."""
        held = [part.columns.get(name) for part in self._parts]
        names = sorted({word for codes in held if codes is not None for word in codes.names})
        if not names:
            return None
        place = {word: i for i, word in enumerate(names)}
        parts = [
            np.full(len(part.dated), -1, np.int32)
            if codes is None
            else np.array([*(place[word] for word in codes.names), -1], np.int32)[codes.codes]
            for part, codes in zip(self._parts, held, strict=True)
        ]
        return Codes(np.concatenate(parts), tuple(names))

    def _places(self) -> tuple[NDArray[np.int32], Ints, tuple[SourceFile, ...]]:
        """The file and the row of each row: of a panel's, itself and its place."""
        numbers = np.concatenate([part.file for part in self._parts]) if self._parts else np.zeros(0, np.int64)
        rows = np.concatenate([part.row for part in self._parts]) if self._parts else np.zeros(0, np.int64)
        loaded = numbers != OF_NO_FILE
        codes, files = files_of(self.reader, numbers[loaded])
        found = np.zeros(len(numbers), np.int32)
        found[loaded] = codes + 1
        return found, rows, (SourceFile(PANEL_NAME, "", "panel", int((~loaded).sum())), *files)


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that are added together. Without a `place` they are of no file."""

    account: Codes
    dated: Times
    recorded: Times | None = None
    place: tuple[Ints, Ints] | None = None
    columns: dict[str, Codes] = field(default_factory=dict[str, Codes])

    @property
    def recorded_or_none(self) -> Times:
        return np.full(len(self.dated), NOT_A_TIME) if self.recorded is None else self.recorded

    @property
    def file(self) -> Ints:
        return np.full(len(self.dated), OF_NO_FILE) if self.place is None else self.place[0]

    @property
    def row(self) -> Ints:
        return np.arange(1, len(self.dated) + 1) if self.place is None else self.place[1]


def _midnights(day: Ints) -> Any:
    return day.astype("datetime64[D]").astype("datetime64[us]")
