"""Figures, definitions, data, the ledger, jobs and people as answers; and the rows that a program sends."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue

from unspun.api.models import Given, JsonObject, Told
from unspun.app.access import Permission, Role, Via
from unspun.app.portfolio.notes import LONGEST_NOTE, LONGEST_REASON
from unspun.app.row_uploads import MOST_ROWS
from unspun.book.checks.finding import Severity

LONGEST_CELL = 100_000
AccountId = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")]


class PageQuery(Given):
    """Where in a list to go on."""

    cursor: str = Field("", max_length=100, description="What the page before gave.")


class FiguresQuery(PageQuery):
    """Which figures of an entry."""

    q: str = Field("", max_length=200, description="Words that stand in the name or the label.")


class RowsQuery(PageQuery):
    """Which rows behind a figure."""

    size: int = Field(200, ge=1, le=1_000)


class LedgerQuery(PageQuery):
    """Which entries of the ledger."""

    kind: str = Field("", max_length=100, description="Left out: of every kind.")


class KeyHeader(BaseModel):
    """The caller's name for a request that may be sent again."""

    key: str = Field(alias="Idempotency-Key", min_length=1, max_length=200, pattern="^[A-Za-z0-9._:-]+$")


class ScopeModel(Told):
    """The accounts that someone sees: all, or those of these owners, segments and ids."""

    everything: bool
    owners: list[str]
    segments: list[str]
    accounts: list[str]


class MeModel(Told):
    """Who asks, and what they may do by this token or session."""

    id: int
    name: str
    email: str
    role: Role
    via: Via
    permissions: list[Permission]
    scope: ScopeModel
    workspace: str
    version: str


class PersonModel(Told):
    """A person of the workspace."""

    id: int
    name: str
    email: str
    role: Role
    scope: ScopeModel
    active: bool
    last_seen: datetime | None


class PeopleModel(Told):
    """Everyone, by name."""

    people: list[PersonModel]


# Figures


class FigureModel(Told):
    """A published figure. What its value holds tells its kind: an estimate (point, low, high, n), `count`, `amount`, or `reason`: none."""

    name: str
    label: str
    unit: str | None = None
    value: JsonObject


class DefinitionUsedModel(Told):
    """The definition behind a figure: its file, hash, and which of the versions in the ledger it is (0: none of them)."""

    name: str
    sha256: str
    version: int
    newest: int
    at: datetime | None


class FigureSetModel(Told):
    """What figures of one entry share: the question, the day, the version of the book, and the SQL that was run."""

    entry: int
    anchor: str
    published_at: datetime
    kind: str
    question: JsonObject
    as_of: date
    book_version: int
    book_digest: str
    engine: str
    package_version: str
    queries: dict[str, str]
    definition: DefinitionUsedModel


class FiguresModel(Told):
    """A page of the figures of an entry: `total` fit what was asked for."""

    set: FigureSetModel
    total: int
    figures: list[FigureModel]
    cursor: str | None


class OpenFigureModel(Told):
    """A figure and what backs it. `n` is what its value says it rests on."""

    address: str
    figure: FigureModel
    n: int | None
    account: str | None
    account_name: str | None
    remarks: list[str]
    gives_rows: bool
    set: FigureSetModel


class ColumnModel(Told):
    """A column of rows, and its type in the engine's words."""

    name: str
    type: str


class FigureRowsModel(Told):
    """A page of the rows behind a figure, in the order of `query`. Days, instants and exact amounts are text."""

    address: str
    query: str
    total: int
    erased_by: list[int]
    columns: list[ColumnModel]
    rows: list[list[JsonValue]]
    cursor: str | None


# Definitions and data


class VersionModel(Told):
    """A version of a definition in the ledger."""

    version: int
    entry: int
    at: datetime
    sha256: str


class DefinitionFileModel(Told):
    """A file of definitions; `is_recorded`: the newest version is what stands in the workspace."""

    name: str
    is_recorded: bool
    versions: list[VersionModel]


class DefinitionsModel(Told):
    """Every file of definitions."""

    definitions: list[DefinitionFileModel]


class ChangedLine(Told):
    """A line of the difference to the version before."""

    side: Literal["same", "out", "in", "gap"]
    text: str


class DefinitionModel(Told):
    """One version of a file, and what changed from the one before."""

    name: str
    shown: VersionModel
    newest: int
    text: str
    changed: list[ChangedLine]


class TableModel(Told):
    """A table of the book as of the last refresh: things, their versions, and the first and last instants."""

    name: str
    rows: int
    versions: int
    first_happened: datetime | None
    last_happened: datetime | None
    first_known: datetime | None
    last_known: datetime | None


class TablesModel(Told):
    """The tables; `counted_at_version` is the book's version then, `version` that of now. Null: nothing was refreshed, or loaded, yet."""

    tables: list[TableModel]
    rejected: int | None
    counted_at_version: int | None
    version: int | None


class LoadModel(Told):
    """A load, its files, and its rows by outcome."""

    load: int
    state: Literal["begun", "in force", "undone", "abandoned"]
    at: datetime
    version: int | None
    files: list[str]
    counts: dict[str, int]


class LoadsModel(Told):
    """A page of loads, the newest first."""

    loads: list[LoadModel]
    cursor: str | None


class FindingModel(Told):
    """One fault of a table as a whole: `count` of `of` things."""

    id: str
    check: str
    table: str
    subject: str
    severity: Severity
    accepted: bool
    count: int
    of: int
    unit: str
    message: str
    affects: list[str]
    mend: str
    rows_sql: str


class CheckModel(Told):
    """What the newest whole check found. Null: the book was never checked."""

    entry: int | None
    version: int | None
    at: datetime | None
    findings: list[FindingModel]


Cell = Annotated[str, Field(max_length=LONGEST_CELL)] | int | float | bool | None


class RowsBody(Given):
    """Rows by the names of the table's columns, or of the company's own as book.yml maps them. A column that is left out is empty."""

    rows: list[dict[Annotated[str, Field(min_length=1, max_length=200)], Cell]] = Field(min_length=1, max_length=MOST_ROWS)


class RejectedModel(Told):
    """Rows that were not taken, and why."""

    code: str
    reason: str
    rows: int


class PutRowsModel(Told):
    """What became of the rows: rows = new + changed + unchanged + rejected."""

    table: str
    load: int | None
    version: int | None
    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    reasons: list[RejectedModel]
    ignored: list[str] = Field(description="Fields that the mapping in book.yml does not name; they were not read.")
    notes: list[str]


# Writing


class NoteBody(Given):
    """A note to write."""

    account: AccountId
    text: str = Field(min_length=1, max_length=LONGEST_NOTE)


class ForecastBody(Given):
    """A forecast of one renewal to state: the probability that it renews, and the ARR then."""

    account: AccountId
    due: date
    probability: float = Field(ge=0, le=1)
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,14}(\.[0-9]{1,6})?$")] | None = Field(
        None, description="Decimal text, such as 165600.00."
    )
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


# The ledger and jobs


class EntryModel(Told):
    """An entry of the ledger. `hash` is its own, `previous` that of the entry before."""

    seq: int
    at: datetime
    kind: str
    body: JsonObject
    previous: str
    hash: str


class LedgerModel(Told):
    """A page of entries, the newest first; how many there are by kind."""

    entries: list[EntryModel]
    kinds: dict[str, int]
    cursor: str | None


class JobModel(Told):
    """A job, and how far it is. `error` says why it failed, `result` what it did."""

    id: int
    kind: str
    name: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    asked_by: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    stage: str
    done: int
    total: int
    attempts: int
    cancelling: bool
    error: JsonObject | None
    result: JsonObject


class JobsModel(Told):
    """The newest jobs, the newest first."""

    jobs: list[JobModel]


class StartedModel(Told):
    """The job that does it: a new one, or the one that is open already."""

    job: int


class RefreshBody(Given):
    """What to refresh besides what every refresh does."""

    evidence: bool = False
    fit: bool = False


class CancelledModel(Told):
    """Whether the job was asked to stop; false: it had ended already."""

    cancelled: bool
