"""The portfolio as an answer, and what may be asked of it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Annotated, Literal, cast

from pydantic import Field

from unspun.api.models import Given, Told, Value
from unspun.app.portfolio.conditions import PortfolioFilter, RiskBand
from unspun.app.portfolio.request import LARGEST_PAGE, PAGE, PortfolioRequest, SortName
from unspun.app.portfolio.run import PortfolioRow
from unspun.app.portfolio.sums import PortfolioSum

Name = Annotated[str, Field(max_length=500)]
Column = Literal[
    "line", "account_id", "name", "segment", "owner", "product", "country", "due", "lead_days", "status", "term", "arr", "currency",
    "p_churn", "p_low", "p_high", "p_contraction", "p_flat", "p_expansion", "lost", "lost_low", "lost_high", "cannot_tell", "why",
    "base_rate", "band", "reason", "reasons", "coverage_with", "coverage_of", "last_touch", "figure",
]  # fmt: skip


class PortfolioQuery(Given):
    """Which lines, in which order, which columns of them, and from where on. Of several names any one fits; an empty one is "not known"."""

    segment: list[Name] = Field(default=[], max_length=200)
    owner: list[Name] = Field(default=[], max_length=200)
    product: list[Name] = Field(default=[], max_length=200)
    risk: list[RiskBand] = Field(default=[], max_length=20)
    due: Annotated[int, Field(ge=0, le=99_999)] | None = Field(None, description="Due within so many days of the as-of day; left out: all.")
    q: str = Field("", max_length=500, description="Words that stand in name, id, segment, owner or product.")
    sort: SortName = "matters"
    dir: Literal["up", "down"] | None = Field(None, description="Left out: the usual direction of the sort.")
    columns: list[Column] = Field(default=[], max_length=50, description="Left out: all of them.")
    cursor: str | None = Field(None, max_length=500, description="What the page before gave. The list is then of the same refresh.")
    size: int = Field(PAGE, ge=1, le=LARGEST_PAGE)

    def request(self) -> PortfolioRequest:
        """As the operation takes it."""
        asked = PortfolioFilter(
            segments=tuple(self.segment),
            owners=tuple(self.owner),
            products=tuple(self.product),
            bands=tuple(self.risk),
            due_within=self.due,
            text=self.q,
        )
        descending = None if self.dir is None else self.dir == "down"
        return PortfolioRequest(asked, self.sort, descending, self.cursor, self.size)


class Line(Told):
    """A renewal that is not decided, or an account whose term runs on without one. Probabilities are parts of 1, null where none is told;
    then `cannot_tell` or the status says why, `why` in a sentence. Columns that were not asked for are left out.

    The figures of a line open at /figures/{risk entry}/{figure}/churn.
    """

    line: int = 0
    account_id: str = ""
    name: str = ""
    segment: str | None = None
    owner: str | None = None
    product: str | None = None
    country: str | None = None
    due: date | None = None
    lead_days: int | None = None
    status: str = ""
    term: str | None = None
    arr: float | None = None
    currency: str | None = None
    p_churn: float | None = None
    p_low: float | None = None
    p_high: float | None = None
    p_contraction: float | None = None
    p_flat: float | None = None
    p_expansion: float | None = None
    lost: float | None = None
    lost_low: float | None = None
    lost_high: float | None = None
    cannot_tell: str = ""
    why: str = ""
    base_rate: float | None = None
    band: str = ""
    reason: str = ""
    reasons: int = 0
    coverage_with: int | None = None
    coverage_of: int | None = None
    last_touch: date | None = None
    figure: str = ""

    @classmethod
    def of(cls, row: PortfolioRow, columns: list[Column] | None = None) -> Line:
        """The columns of a row; None: all."""
        names = columns or [cast("Column", one.name) for one in fields(PortfolioRow)]
        return cls(**{name: getattr(row, name) for name in names})


class SumFigure(Told):
    """What a sum is, and where it comes from: it is published nowhere, as it is of this filter."""

    definition: str
    as_of: date
    book_version: int | None
    query: str
    settings: dict[str, str]


class SumModel(Told):
    """The renewals among the lines, in one currency; `expected_lost` with the interval of the expectation."""

    currency: str | None
    n: int
    parents: int
    n_without_arr: int
    arr: float
    expected_lost: Value
    at_base_rate: float | None
    n_cannot_tell: int
    arr_cannot_tell: float
    n_notice: int
    arr_notice: float
    figures: dict[str, SumFigure]

    @classmethod
    def of(cls, one: PortfolioSum) -> SumModel:
        """Of a sum, with where each of its figures comes from."""
        figures = {
            name: SumFigure(
                definition=figure.label,
                as_of=figure.provenance.as_of,
                book_version=figure.provenance.book_version,
                query=figure.provenance.query,
                settings=dict(figure.provenance.settings),
            )
            for name, figure in one.figures.items()
        }
        named = {name: getattr(one, name) for name in cls.model_fields if name != "figures"}
        return cls.model_validate({**named, "figures": figures})


class PortfolioModel(Told):
    """A page of lines: `total` fit, of so many accounts and top parents. `cursor` leads to the next page, null on the last."""

    as_of: date
    book_version: int
    entries: dict[str, int | None] = Field(description="Ledger entries of the refresh by step.")
    filter: str
    total: int
    accounts: int
    parents: int
    sums: list[SumModel]
    lines: list[Line]
    cursor: str | None
