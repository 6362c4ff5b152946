"""The page of an account as an answer."""

from __future__ import annotations

from datetime import date

from pydantic import Field, JsonValue

from unspun.api.models import FoundAccountModel, JsonObject, Missing, NoteModel, StatedForecastModel, Told, Value
from unspun.api.portfolio_models import Line
from unspun.app.portfolio.standing import StandingKind
from unspun.app.portfolio.timeline import TimelineKind


class Probabilities(Told):
    """Of the four outcomes; they add up to 1 where they are told."""

    churn: Value
    contraction: Value
    flat: Value
    expansion: Value


class ReasonModel(Told):
    """One thing that sets the probability of churn apart from a typical account's: `points` it adds, with the interval."""

    feature: str
    label: str
    value: float | str | None
    typical: float | str | None
    unit: str
    points: float
    low: float
    high: float
    log_odds: float
    sentence: str
    metric: bool
    stale_days: int


class SimilarModel(Told):
    """What became of the past renewals most like this one. `renewals` are (account, due, as of, outcome), those that you may see."""

    n: int
    n_accounts: int
    told: str
    outcomes: Probabilities
    renewals: list[tuple[str, date, date, str]]


class CoverageModel(Told):
    """How many of the model's metrics have a value; (metric, why not), and (metric, age in days) of values carried over an outage."""

    with_value: int
    of: int
    missing: list[tuple[str, str]]
    stale: list[tuple[str, int]]


class RenewalModel(Told):
    """A renewal that is not decided: typical + the points of all reasons + others = the probability of churn."""

    figure: str
    due: date
    lead_days: int
    arr: float | None
    currency: str | None
    term: str
    status: str
    probabilities: Probabilities
    expected_lost: Value
    typical: float | None
    others: float
    reasons: list[ReasonModel]
    similar: SimilarModel | Missing
    coverage: CoverageModel
    cannot_tell: str
    why: str


class TrendModel(Told):
    """A metric on the first days of months and on the as-of day. By place: why a value is missing, and (value, age in days) of values that
    were carried over an outage."""

    id: str
    label: str
    unit: str
    direction: int
    days: list[date]
    values: list[float | None]
    missing: dict[int, str]
    carried: dict[int, tuple[float, int]]


class TimelineModel(Told):
    """One thing that happened; `fields` as the book has them."""

    day: date
    kind: TimelineKind
    words: str
    last: date | None
    fields: JsonObject


class TermModel(Told):
    """A term that has begun, and what came of it."""

    start: date | None
    due: date | None
    outcome: str
    decided: date | None
    notice: date | None
    before: float | None
    after: float | None


class SubscriptionModel(Told):
    """A line of a subscription; the amount is decimal text, of `amount_months` months."""

    subscription_id: str | None
    product: str | None
    amount: str | None
    amount_months: float | None
    currency: str | None
    seats: float | None
    is_addon: bool | None
    started: date | None
    ended: date | None
    notice: str | None
    cancelled_on: date | None
    running: bool | None


class ContactModel(Told):
    """A person at the account."""

    contact_id: str | None
    name: str | None
    email: str | None
    role: str | None


class CallModel(Told):
    """What the book says that somebody forecast of a renewal."""

    day: date
    made_by: str | None
    probability: float | None
    call: str | None
    due: date | None
    amount: str | None
    of: int = Field(description="How many there are in all.")


class StandingModel(Told):
    """Where an account without a line in the portfolio stands: `day` it left, its term was due, or its subscriptions end or begin."""

    kind: StandingKind
    day: date | None
    outcome: str
    reason: str | None


class ForecasterModel(Told):
    """How a forecaster did at the lead that is told."""

    name: str
    kind: str
    lead_days: int | None
    n: int
    churned: int
    brier: Value
    bias: Value


class AccountModel(Told):
    """Everything that is known of an account as of a refresh, with what people wrote since. Times are of the book's zone."""

    account: FoundAccountModel
    as_of: date
    book_version: int
    time_zone: str
    entries: dict[str, int | None] = Field(description="Ledger entries of the refresh by step.")
    since: date | None
    attributes: dict[str, JsonValue]
    parent: FoundAccountModel | None
    children: list[FoundAccountModel]
    lines: list[Line]
    standing: StandingModel | None = Field(description="Why it has no line; null where it has one.")
    renewals: list[RenewalModel]
    trends: list[TrendModel]
    timeline: list[TimelineModel]
    terms: list[TermModel]
    subscriptions: list[SubscriptionModel]
    people: list[ContactModel]
    calls: list[CallModel]
    notes: list[NoteModel]
    forecasts: list[StatedForecastModel]
    forecasters: list[ForecasterModel]
