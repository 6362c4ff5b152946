"""Figures that come from account-months, as they are published: what they were computed on is said in one way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from unspun._version import __version__
from unspun.app.figure_columns import FigureColumns
from unspun.app.publication import FigureSet
from unspun.app.risk.inputs import RiskInputs
from unspun.app.workspace import METRICS_FILE


def figures_on(
    inputs: RiskInputs,
    kind: str,
    question: Mapping[str, Any],
    figures: tuple[Mapping[str, Any], ...],
    book_check: Mapping[str, Any] | None = None,
    columns: FigureColumns | None = None,
    fitted: Mapping[str, Any] | None = None,
    as_of: date | None = None,
) -> FigureSet:
    """A set of figures with all that is needed to compute them again from the same book. `as_of` is given where it is earlier than that of
    the inputs, as a replay's is."""
    return FigureSet(
        kind=kind,
        question=question,
        definition_name=METRICS_FILE,
        definition_text=inputs.definition.text,
        as_of=as_of or inputs.as_of,
        book_version=inputs.book_version,
        book_digest=inputs.book_digest,
        engine=inputs.engine,
        engine_version=inputs.engine_version,
        package_version=__version__,
        queries=inputs.queries,
        figures=figures,
        book_check=book_check,
        in_place=inputs.in_place,
        columns=columns,
        fitted=fitted,
    )
