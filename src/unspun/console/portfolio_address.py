"""The address of the portfolio: what it says of filter, order and columns, which is all that a saved view keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from unspun.app.portfolio.conditions import PortfolioFilter, RiskBand
from unspun.app.portfolio.request import LARGEST_FIRST, PAGE, PortfolioRequest, SortName
from unspun.app.portfolio.views import KEPT, kept_query
from unspun.errors import BadInput, Fault

DUE: Final = (30, 90, 180)
USUAL_DUE: Final = 90
ALL, ANY = "all", "*"
MOST_DIGITS: Final = 5
PLACES = ("after", "open", "of", "in")
COLUMNS: Final[Mapping[str, Any]] = {
    "due": gettext_lazy("Renews"), "arr": gettext_lazy("ARR"), "risk": gettext_lazy("Risk of churn"), "why": gettext_lazy("Why"),
    "owner": gettext_lazy("Owner"), "last_touch": gettext_lazy("Last touch"), "segment": gettext_lazy("Segment"),
    "product": gettext_lazy("Product"), "country": gettext_lazy("Country"), "expansion": gettext_lazy("P(expansion)"),
    "lost": gettext_lazy("Expected lost"), "coverage": gettext_lazy("Metrics known"),
}  # fmt: skip
USUAL_COLUMNS: Final = ("due", "arr", "risk", "why", "owner", "last_touch")
BAND_NAMES: Final[Mapping[RiskBand, Any]] = {
    "above": gettext_lazy("above the base rate"),
    "holds": gettext_lazy("holds the base rate"),
    "below": gettext_lazy("below the base rate"),
    "cannot tell": gettext_lazy("cannot tell"),
    "notice given": gettext_lazy("notice given"),
    "no renewal": gettext_lazy("no open renewal"),
}
FILTER_NAMES: Final[Mapping[str, Promise]] = {
    "segment": gettext_lazy("segment"),
    "owner": gettext_lazy("owner"),
    "product": gettext_lazy("product"),
    "currency": gettext_lazy("currency"),
}


@dataclass(frozen=True, slots=True)
class Address:
    """What the address of a portfolio says, below `base`, the path of the page: `/portfolio`, or that of a saved view."""

    request: PortfolioRequest
    columns: tuple[str, ...]
    parameters: Mapping[str, tuple[str, ...]]
    base: str

    def address(self, **changed: object) -> str:
        """The same page with some of it changed (None takes one out, a tuple stands for several), from the list's first line."""
        return f"{self.base}?{self.query(**changed)}"

    def query(self, **changed: object) -> str:
        """What stands behind the path. Never empty: an address without it is that of a saved view as it is kept."""
        held = {name: values for name, values in self.parameters.items() if name not in PLACES and name not in changed}
        held |= {name: value if isinstance(value, tuple) else (str(value),) for name, value in changed.items() if value is not None}  # pyright: ignore[reportUnknownVariableType]
        pairs = [(name, one) for name, values in sorted(held.items()) for one in values]
        return urlencode(pairs or [("due", USUAL_DUE)])

    @property
    def kept(self) -> str:
        """What a saved view would keep of it."""
        return kept_query(self.parameters)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The same as fields of a form."""
        return [(name, one) for name in KEPT for one in self.parameters.get(name, ())]

    def sorted_by(self, sort: SortName) -> str:
        """The same list sorted by a column; by the one that it is sorted by already, the other way round."""
        down = not self.request.downwards if sort == self.request.sort else sort in LARGEST_FIRST
        return self.address(sort=sort, dir="down" if down else "up")

    def aria_sort(self, sort: SortName) -> str | None:
        """What a reader is told of a column head."""
        return None if sort != self.request.sort else "descending" if self.request.downwards else "ascending"

    @property
    def tags(self) -> list[tuple[str, str]]:
        """The filters in force, each name with the address without it."""
        return [*self._named(), *self._others()]

    def _named(self) -> Iterator[tuple[str, str]]:
        asked = self.request.filter
        chosen = (("segment", asked.segments), ("owner", asked.owners), ("product", asked.products), ("currency", asked.currencies))
        for name, values in chosen:
            for one in values:
                rest = tuple(other for other in values if other != one)
                yield f"{FILTER_NAMES[name]}: {one or _('not known')}", self.address(**{name: rest or None})
        for band in asked.bands:
            rest = tuple(other for other in asked.bands if other != band)
            yield str(BAND_NAMES.get(band, band)), self.address(risk=rest or None)

    def _others(self) -> Iterator[tuple[str, str]]:
        asked = self.request.filter
        if asked.due_within is not None and asked.due_within not in DUE:
            told = ngettext("due within %(n)s day", "due within %(n)s days", asked.due_within)
            yield told % {"n": asked.due_within}, self.address(due=ALL)
        if asked.text.strip():
            yield f"“{asked.text}”", self.address(q=None)


def given_in(query: QueryDict) -> dict[str, tuple[str, ...]]:
    """The parameters by name; a search for nothing is none."""
    given = {name: tuple(query.getlist(name)) for name in query}
    return {name: values for name, values in given.items() if name != "q" or any(values)}


def read_address(given: Mapping[str, tuple[str, ...]], base: str | None = None) -> Address:
    """What parameters ask for; what they name that there is not is left to the operation, which says so. Raises BadInput."""
    columns = tuple(one for one in COLUMNS if one in given["col"]) if "col" in given else USUAL_COLUMNS
    asked = PortfolioRequest(
        filter=PortfolioFilter(
            segments=_names(given, "segment"),
            owners=_names(given, "owner"),
            products=_names(given, "product"),
            bands=tuple(cast("RiskBand", one) for one in given.get("risk", ()) if one),
            currencies=_names(given, "currency"),
            due_within=_days(_last(given, "due", str(USUAL_DUE))),
            text=_last(given, "q", ""),
        ),
        sort=cast("SortName", _last(given, "sort", "matters")),
        descending={"up": False, "down": True}.get(_last(given, "dir", "")),
        cursor=_last(given, "after", "") or None,
        size=_number("size", _last(given, "size", str(PAGE))),
    )
    return Address(asked, columns, given, base or reverse("portfolio"))


def _last(given: Mapping[str, tuple[str, ...]], name: str, usual: str) -> str:
    return given[name][-1] if given.get(name) else usual


def _names(given: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The names that are wanted: `*` is any, and nothing a name that is not known."""
    return tuple(one for one in given.get(name, ()) if one != ANY)


def _days(text: str) -> int | None:
    """Days before the due date; None for all, which an empty field says too. Raises BadInput for what is no number."""
    return None if text.strip() in (ALL, "") else _number("due", text.strip())


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise BadInput(Fault(name, f"'{text[:40]}' is no whole number.", name, "Give a whole number such as 90."))
    return int(text)
