"""What the API answers with, where several routes share it. Read from the results of operations by the names of their fields."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

JsonObject = dict[str, JsonValue]


class Told(BaseModel):
    """An object of an answer: made of a result of an operation."""

    model_config = ConfigDict(from_attributes=True, ser_json_inf_nan="null")


class Given(BaseModel):
    """An object of a body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Estimate(Told):
    """A point with its two-sided interval at `level`; `n` counts the units it rests on."""

    point: float
    low: float
    high: float
    level: float
    n: int
    method: str
    caveats: list[str]


class Missing(Told):
    """Why there is no value, and what it would take to have one."""

    reason: str
    what_it_would_take: str


Value = Estimate | Missing


class FaultModel(Told):
    """One thing wrong: what, where, and what to do."""

    code: str
    message: str
    where: str
    hint: str


class ErrorModel(FaultModel):
    """What went wrong: the first fault, then all of them, and the id to quote."""

    faults: list[FaultModel]
    request_id: str


class ErrorAnswer(Told):
    """The one shape of every error."""

    error: ErrorModel


class FoundAccountModel(Told):
    """An account by its id and name."""

    account_id: str
    name: str
    segment: str | None
    owner: str | None


class NoteModel(Told):
    """A note: its ledger entry, who wrote it when, and the text."""

    entry: int
    at: datetime
    author_id: int
    author: str
    account: str
    text: str


class StatedForecastModel(Told):
    """Somebody's forecast of one renewal: the probability that it renews, the ARR then (decimal text), and why."""

    entry: int
    at: datetime
    author_id: int
    author: str
    account: str
    due: date
    probability: float
    amount: str | None
    currency: str | None
    reason: str
    seen: int | None = Field(description="The risk entry that its author could see.")

    @classmethod
    def of(cls, one: Any) -> StatedForecastModel:
        """Of a `StatedForecast`."""
        named = {name: getattr(one, name) for name in cls.model_fields}
        return cls(**{**named, "amount": None if one.amount is None else format(one.amount, "f")})
