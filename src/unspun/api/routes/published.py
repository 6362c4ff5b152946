"""What was published: documents, figures with their rows, definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field, JsonValue

from unspun.api.asking import actor_of_request, now, workspace
from unspun.api.book_models import (
    ColumnModel,
    DefinitionModel,
    DefinitionsModel,
    FigureRowsModel,
    FigureSetModel,
    FiguresModel,
    FiguresQuery,
    OpenFigureModel,
    RowsQuery,
    StartedModel,
)
from unspun.api.cursors import place_of, text_of
from unspun.api.errors import as_not_there
from unspun.app.jobs.asking import start
from unspun.app.proofs import Published
from unspun.app.published.definitions import DefinitionFile, definition_files, definition_version
from unspun.app.published.figures import DefinitionUsed, figure_rows, listed_figures, opened_figure
from unspun.app.published.pages import Section
from unspun.app.published.reading import document
from unspun.app.route_rules import allow

router = Router(tags=["published"])
Version = Annotated[int, Field(ge=1, le=10**9)]


# Documents


def _document(section: Section) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(document(workspace(), actor_of_request(request), section), content_type="application/json")

    view.__doc__ = (
        f"The {section} of the last refresh that made it, as `unspun {'forecast --record' if section == 'record' else section} --json`."
    )
    view.__name__ = f"{section}_document"
    return view


evidence = router.get("/documents/evidence")(allow("evidence.see")(_document("evidence")))
forecast = router.get("/documents/forecast")(allow("forecast.see")(_document("forecast")))
record = router.get("/documents/record")(allow("forecast.see")(_document("record")))
performance = router.get("/documents/performance")(allow("performance.see")(_document("performance")))


# Figures


@router.get("/figures/{int:entry}", response=FiguresModel)
@allow("figure.open")
def figures(request: HttpRequest, entry: int, asked: Query[FiguresQuery]) -> FiguresModel:
    """The figures of a ledger entry whose name or label hold each word of `q`, 100 at a time."""
    place = place_of(asked.cursor, 1)
    with as_not_there():
        found = listed_figures(workspace(), actor_of_request(request), entry, asked.q, place)
    following = text_of(place + 1) if place < found.pages else None
    told = {"set": _set(found.published, found.definition), "total": found.total, "figures": _plain(found.figures), "cursor": following}
    return FiguresModel.model_validate(told)


@router.get("/figures/{int:entry}/{path:name}", response=OpenFigureModel)
@allow("figure.open")
def figure(request: HttpRequest, entry: int, name: str) -> OpenFigureModel:
    """A figure by its address in the ledger, with its definition, question, SQL and remarks."""
    with as_not_there():
        found = opened_figure(workspace(), actor_of_request(request), f"{entry}/{name}")
    n = found.figure["value"].get("n")
    told = {name: getattr(found, name) for name in ("account", "account_name", "remarks", "gives_rows")}
    return OpenFigureModel.model_validate(
        {
            **told,
            "address": found.published.address,
            "figure": _plain([found.figure])[0],
            "n": n if isinstance(n, int) else None,
            "set": _set(found.published, found.definition),
        }
    )


@router.get("/figure-rows/{int:entry}/{path:name}", response=FigureRowsModel)
@allow("figure.open")
def rows(request: HttpRequest, entry: int, name: str, asked: Query[RowsQuery]) -> FigureRowsModel:
    """The rows behind a figure, read from its version of the book; for those who see every account."""
    first = place_of(asked.cursor, 0)
    with as_not_there():
        found = figure_rows(workspace(), actor_of_request(request), f"{entry}/{name}")
    shown, end = found.rows.slice(first, asked.size), first + asked.size
    return FigureRowsModel(
        address=found.published.address,
        query=found.query,
        total=found.rows.num_rows,
        erased_by=list(found.erased),
        columns=[ColumnModel(name=one.name, type=str(one.type)) for one in shown.schema],
        rows=[[_cell(value) for value in row.values()] for row in shown.to_pylist()],
        cursor=text_of(end) if end < found.rows.num_rows else None,
    )


@router.post("/figure-recompute/{int:entry}/{path:name}", response={202: StartedModel})
@allow("figure.open")
def recompute(request: HttpRequest, entry: int, name: str) -> Status[StartedModel]:
    """Have a figure computed again from its version of the book, by a job that says whether it came out the same."""
    actor = actor_of_request(request)
    with as_not_there():
        found = opened_figure(workspace(), actor, f"{entry}/{name}")
    return Status(202, StartedModel(job=start(actor, "recompute", {"address": found.published.address}, now())))


def _cell(value: Any) -> JsonValue:
    """A cell as JSON: what JSON has no word for, as text; a number that is none, as null."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _plain(found: Any) -> list[dict[str, Any]]:
    return [dict(one) for one in found]


def _set(published: Published, used: DefinitionUsed) -> FigureSetModel:
    figures = published.figures
    names = ("kind", "question", "as_of", "book_version", "book_digest", "package_version", "queries")
    told: Mapping[str, Any] = {name: getattr(figures, name) for name in names}
    return FigureSetModel.model_validate(
        {
            **told,
            "entry": published.entry.seq,
            "anchor": published.anchor,
            "published_at": published.entry.at,
            "engine": f"{figures.engine} {figures.engine_version}",
            "definition": used,
        }
    )


# Definitions


@router.get("/definitions", response=DefinitionsModel)
@allow("definitions.see")
def definitions(request: HttpRequest) -> DefinitionsModel:
    """The files of definitions and their versions in the ledger, the oldest first."""
    found = definition_files(workspace(), actor_of_request(request))
    told = [{"name": one.name, "is_recorded": one.is_recorded, "versions": _versions(one)} for one in found]
    return DefinitionsModel.model_validate({"definitions": told})


@router.get("/definitions/{name}", response=DefinitionModel)
@allow("definitions.see")
def definition(request: HttpRequest, name: str, version: Query[Version | None] = None) -> DefinitionModel:
    """A version of a file, the newest by default, with what changed from the one before."""
    found = definition_version(workspace(), actor_of_request(request), name, version)
    shown = _versions(found.file)[found.number - 1]
    told = {"name": name, "shown": shown, "newest": len(found.file.versions), "text": found.shown.text, "changed": found.changed}
    return DefinitionModel.model_validate(told)


def _versions(file: DefinitionFile) -> list[dict[str, Any]]:
    return [{"version": at, "entry": one.entry, "at": one.at, "sha256": one.sha256} for at, one in enumerate(file.versions, 1)]
