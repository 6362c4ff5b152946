"""The typed tables that reading yields: score histories and renewals, with every row of the file accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Role = Literal["scores", "renewals", "subscriptions", "purchases", "accounts", "events", "forecasts"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]  # datetime64[us], NaT where not given

OUTCOMES = ("renewed", "churned", "contracted", "expanded")
RENEWED, CHURNED, CONTRACTED, EXPANDED = range(4)
UNDECIDED = -1


@dataclass(frozen=True, slots=True)
class Codes:
    """A text column in dictionary form: `codes[i]` is an index into `names`, or -1 where the cell is empty."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Rows set aside for one reason. `rows` are row numbers of the file; `values` the offending cells, when one cell is at fault.

    `file` runs parallel to `rows` and indexes Source.files; None where the input is one file. `cells` are the whole rows as text,
    header to cell, where they are no longer in the table that they were taken out of.
    """

    code: str
    reason: str
    rows: Ints
    column: str = ""
    values: tuple[str, ...] | None = None
    file: NDArray[np.int32] | None = None
    cells: tuple[dict[str, str | None], ...] | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file (or one sheet of a workbook) of an input that was given as several."""

    name: str
    sha256: str
    format: str
    rows_read: int


@dataclass(frozen=True, slots=True)
class Source:
    """One input as it was read. rows_read = rows in the tables below + rows in `rejections`, always.

    `columns` maps role to the file's own column name, `unused` lists the columns nothing was read from, and `notes`
    states what was detected (encoding, separator, date format, time zone).
    """

    role: Role
    name: str
    sha256: str
    format: str
    rows_read: int
    columns: dict[str, str]
    unused: tuple[str, ...]
    notes: tuple[str, ...]
    rejections: tuple[Rejection, ...] = ()
    files: tuple[SourceFile, ...] = ()  # where there are several; `sha256` is then of theirs


@dataclass(frozen=True, slots=True)
class ScoreSeries:
    """One score. `rows` index into the history's arrays (None: all of them, in order); `values` run parallel to it.

    A number is itself; a band is its rank, 0 the worst, and `bands` names the ranks from worst to best. NaN is no value.
    An `exact` series states what held on each row's day, NaN included (there was none): nothing is carried forward. Exact series that
    lie on the same rows share one `rows` array, so that what is looked up for one serves all.
    """

    name: str
    values: Floats
    rows: Ints | None = None
    bands: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class ScoreHistory:
    """Scores over time. All arrays have one entry per accepted row; `row` is the row number in the file.

    `band` is the score's own band (rank, NaN where empty) where the file has one beside a single numeric score.
    """

    source: Source
    row: Ints
    account: Codes
    dated: Times
    series: tuple[ScoreSeries, ...]
    recorded: Times | None = None
    set_by: Codes | None = None
    segment: Codes | None = None
    owner: Codes | None = None
    parent: Codes | None = None
    band: Floats | None = None
    band_names: tuple[str, ...] = ()
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class Renewals:
    """Renewals due, one row each. `outcome` holds indexes into OUTCOMES, or UNDECIDED. Dates are datetime64[D].

    Amounts are in the row's own currency (NaN where not given); `currency` is None when the file states none.
    """

    source: Source
    row: Ints
    account: Codes
    due: NDArray[np.datetime64]
    outcome: NDArray[np.int8]
    amount_before: Floats | None = None
    amount_after: Floats | None = None
    currency: Codes | None = None
    term_start: NDArray[np.datetime64] | None = None
    notice: NDArray[np.datetime64] | None = None
    outcome_known: NDArray[np.datetime64] | None = None
    segment: Codes | None = None
    owner: Codes | None = None
    parent: Codes | None = None
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchases of customers without a contract, one row a line of the file; returns are set aside. Dates are datetime64[D].

    Amounts are not negative and in the row's own currency (NaN where not given); `currency` is None when the file states none.
    """

    source: Source
    row: Ints
    account: Codes
    date: NDArray[np.datetime64]
    amount: Floats | None = None
    currency: Codes | None = None
    segment: Codes | None = None
    owner: Codes | None = None
    parent: Codes | None = None
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Subscription terms as they were sold, one row a line of the file. Dates are datetime64[D]; `end` is NaT where the term is open.

    `amount_months` says how many months each amount covers: 1 for MRR, 12 for ARR, 0 for the whole term, NaN where the file
    does not say. Amounts are not negative and in the row's own currency (NaN where not given). `product` -1 is no product named.
    """

    source: Source
    row: Ints
    account: Codes
    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    is_addon: NDArray[np.bool_]
    product: Codes | None = None
    amount: Floats | None = None
    amount_months: Floats | None = None
    currency: Codes | None = None
    notice: NDArray[np.datetime64] | None = None
    cancelled_on: NDArray[np.datetime64] | None = None
    segment: Codes | None = None
    owner: Codes | None = None
    parent: Codes | None = None
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the files are to be read where their own words do not say.

    `columns` maps a role ("account", or "scores.account" for one file only) to a column name. `outcomes` maps the
    file's words to OUTCOMES or "undecided". `bands` runs from worst to best. `time_zone` is the zone in which dates
    are days (timestamps that carry an offset are converted to it). `calls` orders the words of forecasts from worst to best.
    """

    columns: dict[str, str] = field(default_factory=dict)
    scores: tuple[str, ...] = ()
    outcomes: dict[str, str] = field(default_factory=dict)
    bands: tuple[str, ...] = ()
    date_format: str | None = None
    time_zone: str = "UTC"
    calls: tuple[str, ...] = ()
