"""Published figures: what was said, of which book, by which definition and query; written once, so that it can be proved later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from unspun.app.figure_columns import FigureColumns, columns_from_json
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import Entry
from unspun.stats.estimate import Estimate, NoEstimate

DOCUMENT_VERSION = 1
Value = Decimal | int | Estimate | NoEstimate


@dataclass(frozen=True, slots=True)
class NamedFigure:
    """A figure of a set: its name is its address within the set, `unit` a currency, "share", "accounts" or another noun."""

    name: str
    label: str
    unit: str
    value: Value


@dataclass(frozen=True, slots=True)
class FigureSet:
    """Figures that answer one question about one version of the book, with everything needed to compute them again.

    `question` and the figures' values are plain JSON; `queries` are the SQL texts that were run, by name.
    `book_check` is what the quality gate had found in the tables that they were computed from; it is no part of the figures.
    `in_place` says of rows that stay in databases what they were and when they were read: no version of the book holds them.
    `columns` are figures of many renewals, kept as columns; `fitted` is what a fit gave besides figures, as plain JSON.
    """

    kind: str
    question: Mapping[str, Any]
    definition_name: str
    definition_text: str
    as_of: date
    book_version: int
    book_digest: str
    engine: str
    engine_version: str
    package_version: str
    queries: Mapping[str, str]
    figures: tuple[Mapping[str, Any], ...]
    book_check: Mapping[str, Any] | None = None
    in_place: tuple[Mapping[str, Any], ...] = ()
    columns: FigureColumns | None = None
    fitted: Mapping[str, Any] | None = None

    @property
    def every_figure(self) -> Iterator[Mapping[str, Any]]:
        """All figures, those kept as columns last."""
        yield from self.figures
        yield from self.columns or ()

    @property
    def count(self) -> int:
        """How many figures there are, those kept as columns among them."""
        return len(self.figures) + (0 if self.columns is None else len(self.columns))

    @property
    def definition_sha256(self) -> str:
        return _sha256(self.definition_text)

    def figure(self, name: str) -> Mapping[str, Any]:
        """The figure of that name; raises BadInput where there is none."""
        found = next((one for one in self.figures if one["name"] == name), None)
        if found is None and self.columns is not None:
            found = self.columns.figure(name)
        if found is None:
            first = next(self.every_figure, None)
            hint = "" if first is None else f"`unspun why` with the number of the entry alone lists them; the first is {first['name']}."
            raise BadInput(Fault("unknown_figure", f"there is no figure '{name}' in this set of {self.count:,}.", name, hint))
        return found


def as_records(figures: Iterable[NamedFigure]) -> tuple[Mapping[str, Any], ...]:
    """Figures as plain JSON: money as exact decimal text, estimates with their interval, method and n."""
    return tuple({"name": one.name, "label": one.label, "unit": one.unit, "value": value_record(one.value)} for one in figures)


def value_record(value: Value) -> Mapping[str, Any]:
    """A value as plain JSON; what kind it is, its keys say."""
    if isinstance(value, NoEstimate):
        return {"reason": value.reason, "what_it_would_take": value.what_it_would_take}
    if isinstance(value, Estimate):
        names = ("point", "low", "high", "level", "n", "method")
        return {**{name: getattr(value, name) for name in names}, "caveats": list(value.caveats)}
    return {"amount": str(value)} if isinstance(value, Decimal) else {"count": value}


def computed_on(figures: FigureSet, as_of: str, time_zone: str) -> dict[str, Any]:
    """What a manifest says of the book and the engine that a file comes from; `as_of` in words."""
    return {
        "as_of": as_of,
        "time_zone": time_zone,
        "book": {"version": figures.book_version, "digest": figures.book_digest},
        "in_place": [dict(one) for one in figures.in_place],
        "engine": f"{figures.engine} {figures.engine_version}",
        "package_version": figures.package_version,
        "queries": dict(figures.queries),
        "book_check": figures.book_check,
    }


def asked_of(figures: FigureSet) -> dict[str, Any]:
    """What a manifest says of a run of the model: what was asked of which book, and by what it was computed."""
    return {
        "question": dict(figures.question),
        "as_of": figures.as_of.isoformat(),
        "definition": {"name": figures.definition_name, "sha256": figures.definition_sha256},
        "book": {"version": figures.book_version, "digest": figures.book_digest},
        "in_place": [dict(one) for one in figures.in_place],
        "engine": f"{figures.engine} {figures.engine_version}",
        "package_version": figures.package_version,
    }


def figure_bytes(figure: Mapping[str, Any]) -> bytes:
    """What "the same to the last byte" means for a figure."""
    return canonical_json(figure).encode()


def canonical_json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def publish(workspace: Workspace, figures: FigureSet, at: datetime) -> Entry:
    """Record the set in the ledger and give its entry: that of the same set where it has been published before."""
    document = to_document(figures)
    with workspace.catalog() as catalog:
        known = catalog.published(document)
        catalog.record_definition(figures.definition_name, figures.definition_text, at)
        return catalog.add_publication(_entry_body(figures), document, at) if known is None else known.entry


def _entry_body(figures: FigureSet) -> dict[str, object]:
    """What the ledger says of the set: hashes and counts, no figure and no name of a part of the book."""
    return {
        "what": figures.kind,
        "as_of": figures.as_of.isoformat(),
        "book_version": figures.book_version,
        "book_digest": figures.book_digest,
        "definition_sha256": figures.definition_sha256,
        "engine": f"{figures.engine} {figures.engine_version}",
        "package_version": figures.package_version,
        "queries_sha256": _sha256(canonical_json(dict(figures.queries))),
        "figures": figures.count,
    }


def to_document(figures: FigureSet) -> str:
    """The set as canonical JSON; from_document reads it back."""
    beside: dict[str, Any] = {} if figures.book_check is None else {"book_check": dict(figures.book_check)}
    beside |= {} if figures.columns is None else {"columns": figures.columns.to_json()}
    beside |= {} if figures.fitted is None else {"fitted": dict(figures.fitted)}
    return canonical_json(
        {
            **beside,
            "document_version": DOCUMENT_VERSION,
            "kind": figures.kind,
            "question": figures.question,
            "definition": {"name": figures.definition_name, "text": figures.definition_text, "sha256": figures.definition_sha256},
            "as_of": figures.as_of.isoformat(),
            "book": {"version": figures.book_version, "digest": figures.book_digest},
            "engine": {"name": figures.engine, "version": figures.engine_version},
            "package_version": figures.package_version,
            "queries": dict(figures.queries),
            "figures": list(figures.figures),
            **({"in_place": list(figures.in_place)} if figures.in_place else {}),
        }
    )


def from_document(document: str) -> FigureSet:
    """Read a published set. Raises BadInput for one that a later Unspun wrote."""
    held = json.loads(document)
    if held["document_version"] != DOCUMENT_VERSION:
        message = f"these figures were published in form {held['document_version']}; this Unspun reads form {DOCUMENT_VERSION}."
        raise BadInput(Fault("newer_document", message, "", "Use the Unspun that published them, or a newer one."))
    return FigureSet(
        kind=held["kind"],
        question=held["question"],
        definition_name=held["definition"]["name"],
        definition_text=held["definition"]["text"],
        as_of=date.fromisoformat(held["as_of"]),
        book_version=held["book"]["version"],
        book_digest=held["book"]["digest"],
        engine=held["engine"]["name"],
        engine_version=held["engine"]["version"],
        package_version=held["package_version"],
        queries=held["queries"],
        figures=tuple(held["figures"]),
        book_check=held.get("book_check"),
        in_place=tuple(held.get("in_place", ())),
        columns=columns_from_json(held["columns"]) if "columns" in held else None,
        fitted=held.get("fitted"),
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
