"""The portfolio, accounts, search, and what people write of accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from unspun.api.account_models import AccountModel
from unspun.api.asking import actor_of_request, now, workspace
from unspun.api.book_models import ForecastBody, NoteBody
from unspun.api.models import FoundAccountModel, NoteModel, StatedForecastModel, Told
from unspun.api.portfolio_models import Line, PortfolioModel, PortfolioQuery, SumModel
from unspun.app.portfolio.account import AccountDetail, account_detail
from unspun.app.portfolio.keyed_notes import Wanted, put_forecast, put_note
from unspun.app.portfolio.notes import list_forecasts, list_notes
from unspun.app.portfolio.run import portfolio as read_portfolio
from unspun.app.portfolio.run import search as search_accounts
from unspun.app.route_rules import allow

router = Router(tags=["accounts"])
Id = Annotated[str, Field(min_length=1, max_length=1_000)]
PLAIN = (
    "account", "as_of", "book_version", "time_zone", "entries", "since", "attributes", "parent", "children", "renewals", "trends",
    "standing", "timeline", "terms", "subscriptions", "people", "calls", "notes", "forecasters",
)  # fmt: skip


class AccountsModel(Told):
    """Accounts that a search found, those that matter most first."""

    accounts: list[FoundAccountModel]


class NotesModel(Told):
    """The notes of an account, the newest first."""

    notes: list[NoteModel]


class StatedForecastsModel(Told):
    """The forecasts that people stated of an account, the newest first."""

    forecasts: list[StatedForecastModel]


@router.get("/portfolio", response=PortfolioModel, exclude_unset=True)
@allow("portfolio.see")
def portfolio(request: HttpRequest, asked: Query[PortfolioQuery]) -> PortfolioModel:
    """A page of the lines that fit, with sums over all of them. A cursor stays in the list of the refresh that it began with."""
    found = read_portfolio(workspace(), actor_of_request(request), asked.request())
    return PortfolioModel(
        as_of=found.as_of,
        book_version=found.book_version,
        entries=dict(found.entries),
        filter=found.words,
        total=found.total,
        accounts=found.accounts,
        parents=found.parents,
        sums=[SumModel.of(one) for one in found.sums],
        lines=[Line.of(one, asked.columns or None) for one in found.rows],
        cursor=found.cursor,
    )


@router.get("/search", response=AccountsModel)
@allow("portfolio.see")
def search(request: HttpRequest, q: Query[Annotated[str, Field(max_length=200)]]) -> AccountsModel:
    """Accounts whose name, id, segment, owner or product hold each word."""
    return AccountsModel.model_validate({"accounts": search_accounts(workspace(), actor_of_request(request), q)})


@router.get("/notes", response=NotesModel)
@allow("account.see")
def notes(request: HttpRequest, account: Query[Id]) -> NotesModel:
    """The notes of an account."""
    return NotesModel.model_validate({"notes": list_notes(workspace(), actor_of_request(request), account)})


@router.put("/notes/{key}", response={200: NoteModel, 201: NoteModel})
@allow("account.write")
def write_note(request: HttpRequest, key: str, body: NoteBody) -> Status[NoteModel]:
    """Write a note under a key of yours. Sent again it is not written again: 201 the first time, 200 after that."""
    note, new = put_note(workspace(), actor_of_request(request), key, body.account, body.text, now())
    return Status(201 if new else 200, NoteModel.model_validate(note))


@router.get("/forecasts", response=StatedForecastsModel)
@allow("account.see")
def forecasts(request: HttpRequest, account: Query[Id]) -> StatedForecastsModel:
    """The forecasts that people stated of an account."""
    found = list_forecasts(workspace(), actor_of_request(request), account)
    return StatedForecastsModel(forecasts=[StatedForecastModel.of(one) for one in found])


@router.put("/forecasts/{key}", response={200: StatedForecastModel, 201: StatedForecastModel})
@allow("account.write")
def state_forecast(request: HttpRequest, key: str, body: ForecastBody) -> Status[StatedForecastModel]:
    """State a forecast under a key of yours: 201 the first time, 200 when it is sent again."""
    wanted = Wanted(body.due, body.probability, None if body.amount is None else Decimal(body.amount), body.reason)
    stated, new = put_forecast(workspace(), actor_of_request(request), key, body.account, wanted, now())
    return Status(201 if new else 200, StatedForecastModel.of(stated))


@router.get("/accounts/{path:account}", response=AccountModel)
@allow("account.see")
def account(request: HttpRequest, account: str) -> AccountModel:
    """Everything that is known of an account: renewals with risk and reasons, metrics by month, the timeline, notes."""
    return _told(account_detail(workspace(), actor_of_request(request), account))


def _told(found: AccountDetail) -> AccountModel:
    named: dict[str, Any] = {name: getattr(found, name) for name in PLAIN}
    lines, stated = [Line.of(one) for one in found.lines], [StatedForecastModel.of(one) for one in found.forecasts]
    return AccountModel.model_validate({**named, "lines": lines, "forecasts": stated})
