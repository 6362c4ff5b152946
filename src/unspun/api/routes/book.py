"""The data: tables, loads, what the last check found, rows to load; the ledger; and jobs."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Header, Query, Router, Status

from unspun.api.asking import actor_of_request, now, workspace
from unspun.api.book_models import (
    CancelledModel,
    CheckModel,
    FindingModel,
    JobModel,
    JobsModel,
    KeyHeader,
    LedgerModel,
    LedgerQuery,
    LoadsModel,
    PageQuery,
    PutRowsModel,
    RefreshBody,
    RowsBody,
    StartedModel,
    TablesModel,
)
from unspun.api.cursors import place_of, text_of
from unspun.api.errors import as_not_there
from unspun.app.jobs.asking import end, list_jobs, show_job, start
from unspun.app.published.holding import book_holding
from unspun.app.published.ledger import ledger_page
from unspun.app.route_rules import allow
from unspun.app.row_uploads import put_rows
from unspun.ledger.store import LAST

router = Router(tags=["data"])
LOADS = 100


@router.get("/tables", response=TablesModel)
@allow("data.see")
def tables(request: HttpRequest) -> TablesModel:
    """The tables of the book and how fresh they are, as of the last refresh."""
    found = book_holding(workspace(), actor_of_request(request))
    held = found.held
    told = {"tables": () if held is None else held.tables, "rejected": held and held.rejected, "counted_at_version": held and held.version}
    return TablesModel.model_validate({**told, "version": found.version})


@router.get("/loads", response=LoadsModel)
@allow("data.see")
def loads(request: HttpRequest, asked: Query[PageQuery]) -> LoadsModel:
    """What was loaded, 100 at a time, the newest first."""
    before = place_of(asked.cursor, 0) or LAST
    found = [one for one in book_holding(workspace(), actor_of_request(request)).loads[::-1] if one.load < before]
    following = text_of(found[LOADS - 1].load) if len(found) > LOADS else None
    return LoadsModel.model_validate({"loads": found[:LOADS], "cursor": following})


@router.get("/documents/check", response=CheckModel)
@allow("data.see")
def check(request: HttpRequest) -> CheckModel:
    """What the newest whole check of the book found. Rows at fault are shown by `unspun check`."""
    found = book_holding(workspace(), actor_of_request(request)).checked
    if found is None:
        return CheckModel(entry=None, version=None, at=None, findings=[])
    names = [name for name in FindingModel.model_fields if name != "accepted"]
    told = [{**{name: getattr(one, name) for name in names}, "accepted": one.id in found.accepted} for one in found.findings]
    return CheckModel.model_validate({"entry": found.entry, "version": found.version, "at": found.at, "findings": told})


@router.put("/tables/{table}/rows", response={200: PutRowsModel, 201: PutRowsModel})
@allow("data.load")
def load_rows(
    request: HttpRequest,
    table: str,
    body: RowsBody,
    headers: Header[KeyHeader],
) -> Status[PutRowsModel]:
    """Load rows into a table, all or nothing: 201 when they are loaded, 200 with the same answer when they are sent again under the key.

    Rows that the book holds already, whatever the key, are counted as unchanged.
    """
    done, new = put_rows(workspace(), actor_of_request(request), table, body.rows, headers.key, now())
    return Status(201 if new else 200, PutRowsModel.model_validate(done))


# The ledger


@router.get("/ledger", response=LedgerModel)
@allow("ledger.see")
def ledger(request: HttpRequest, asked: Query[LedgerQuery]) -> LedgerModel:
    """Entries of the ledger, of one kind or all, 50 at a time, the newest first."""
    page = ledger_page(workspace(), actor_of_request(request), asked.kind or None, place_of(asked.cursor, 0) or None)
    following = None if page.before is None else text_of(page.before)
    return LedgerModel.model_validate({"entries": page.entries, "kinds": dict(page.kinds), "cursor": following})


# Jobs


@router.get("/jobs", response=JobsModel)
@allow("refresh.run")
def jobs(request: HttpRequest) -> JobsModel:
    """The 50 newest jobs."""
    return JobsModel.model_validate({"jobs": list_jobs(actor_of_request(request), now())})


@router.post("/jobs/refresh", response={202: StartedModel})
@allow("refresh.run")
def refresh(request: HttpRequest, body: RefreshBody) -> Status[StartedModel]:
    """Start a refresh; where one waits or runs already, that is it."""
    return Status(202, StartedModel(job=start(actor_of_request(request), "refresh", body.model_dump(), now())))


@router.get("/jobs/{int:job}", response=JobModel)
@allow("refresh.run")
def job(request: HttpRequest, job: int) -> JobModel:
    """A job, and how far it is."""
    with as_not_there():
        return JobModel.model_validate(show_job(actor_of_request(request), job, now()))


@router.post("/jobs/{int:job}/cancel", response=CancelledModel)
@allow("refresh.run")
def cancel(request: HttpRequest, job: int) -> CancelledModel:
    """Ask a job to stop."""
    with as_not_there():
        return CancelledModel(cancelled=end(actor_of_request(request), job, now()))
