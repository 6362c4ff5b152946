"""What is asked of the portfolio: a filter, an order, and a place in the list that stays the same whatever is refreshed meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Final, Literal

from unspun.app.portfolio.conditions import BANDS, Condition, PortfolioFilter
from unspun.errors import BadInput, Fault

SortName = Literal["matters", "name", "due", "arr", "risk", "segment", "owner", "product", "country", "last_touch"]
SORT_COLUMNS: Final[dict[SortName, str]] = {
    "matters": "weight",
    "name": "name_key",
    "due": "due",
    "arr": "arr",
    "risk": "p_churn",
    "segment": "segment",
    "owner": "owner",
    "product": "product",
    "country": "country",
    "last_touch": "last_touch",
}
"""What a list may be sorted by: "matters" is ARR times the probability of churn, where that is not told times the base rate."""
LARGEST_FIRST: Final = frozenset({"matters", "arr", "risk"})
PAGE, LARGEST_PAGE = 100, 1_000


@dataclass(frozen=True, slots=True)
class PortfolioRequest:
    """A page of lines. `descending` None is the usual direction of the sort. `cursor` is what the page before gave; with it the list is
    that of the same refresh, in the same order."""

    filter: PortfolioFilter = field(default_factory=PortfolioFilter)
    sort: SortName = "matters"
    descending: bool | None = None
    cursor: str | None = None
    size: int = PAGE

    @property
    def downwards(self) -> bool:
        return self.sort in LARGEST_FIRST if self.descending is None else self.descending

    @property
    def direction(self) -> str:
        """The direction in SQL."""
        return "DESC" if self.downwards else "ASC"

    @property
    def order_sql(self) -> str:
        """The order of lines: those without a value last, of equal ones the one that matters more first."""
        column = SORT_COLUMNS[self.sort]
        return f"({column} IS NULL), {column} {self.direction}, line"


def check_request(request: PortfolioRequest) -> None:
    """Raises BadInput with all faults of a request."""
    faults: list[Fault] = []
    if request.sort not in SORT_COLUMNS:
        faults.append(Fault("sort", f"nothing is sorted by '{request.sort}'.", "sort", f"There are {', '.join(SORT_COLUMNS)}."))
    if not 1 <= request.size <= LARGEST_PAGE:
        faults.append(Fault("size", f"a page cannot have {request.size} lines.", "size", f"Give 1 to {LARGEST_PAGE:,}."))
    for band in set(request.filter.bands).difference(BANDS):
        faults.append(Fault("band", f"there is no risk band '{band}'.", "band", f"There are {', '.join(BANDS)}."))
    if faults:
        raise BadInput(faults)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last line of a page: the read model it is of, the order, and the line's number."""

    key: str
    sort: str
    descending: bool
    line: int

    def text(self) -> str:
        """As it stands in an address."""
        plain = json.dumps([self.key, self.sort, self.descending, self.line], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(plain).decode().rstrip("=")

    def after(self, column: str, value: object) -> Condition:
        """The lines that follow; `value` is what the last line has in the column."""
        if value is None:
            return Condition(f"({column} IS NULL AND line > ?)", (self.line,))
        later = "<" if self.descending else ">"
        sql = f"({column} IS NULL OR {column} {later} ? OR ({column} = ? AND line > ?))"
        return Condition(sql, (value, value, self.line))


def no_place() -> BadInput:
    """What is said of a cursor that is none, or one of another order."""
    hint = "Leave it out: the list then begins at its first line."
    return BadInput(Fault("cursor", "this is no place in the list as it is sorted now.", "cursor", hint))


def read_cursor(text: str, request: PortfolioRequest) -> Cursor:
    """The cursor that `text` states. Raises BadInput where it is none, or one of another order."""
    try:
        held = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        cursor = Cursor(*held)
        sound = isinstance(cursor.key, str) and type(cursor.line) is int and 0 <= cursor.line < 2**62
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise no_place() from None
    if not sound or (cursor.sort, cursor.descending) != (request.sort, request.downwards):
        raise no_place()
    return cursor
