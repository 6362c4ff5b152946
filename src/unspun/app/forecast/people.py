"""The forecasts that people made, by who they were: the owner of the account on that day, or anybody else by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from unspun.app.evidence.inputs import OpenTrial
from unspun.app.forecast.inputs import owners_on
from unspun.app.forecast.stated import StatedForecast, sources_of_calls
from unspun.app.risk.inputs import RiskInputs
from unspun.app.trial.book import FORECASTS, holds
from unspun.app.trial.scores import EVERYBODY, read_forecasts
from unspun.audit.calls import MAX_FORECASTERS, CallIndex
from unspun.book.extras import Forecasts
from unspun.book.tables import Codes
from unspun.book.text import Complaint
from unspun.errors import BadInput, Fault
from unspun.risk.forecast.record import Forecaster, by_calls
from unspun.risk.forecast.result import ForecasterKind
from unspun.risk.rows import Bools

CSM, OTHERS, UNNAMED = "CSM", "others", "not said by whom"
IN_CONSOLE = ", in the console"
SAID_OF_CSM = "the last call of the account's owner on the day it was made, made and recorded by then"
SAID_OF_OTHERS = "the last call of anybody but the account's owner, made and recorded by then"


def people(trial: OpenTrial, inputs: RiskInputs, stated: Sequence[StatedForecast] = ()) -> list[tuple[Forecaster, int]]:
    """Owners together, others each by name where they are few, with the first day on which each spoke: by the calls of the book, and by
    those that were `stated` in the console.

    Raises BadInput where the calls of the book are words whose order is not known.
    """
    found = read_forecasts(trial.reader, EVERYBODY, inputs.basis.day) if holds(trial.reader, FORECASTS) else None
    if isinstance(found, Complaint):
        raise BadInput(Fault(found.code, found.message, FORECASTS, found.hint))
    said: list[tuple[Forecaster, int]] = []
    for calls in sources_of_calls(found, stated, inputs.basis.day.zone):
        names = {forecaster.name for forecaster, _ in said}
        said += [(replace(one, name=f"{one.name}{IN_CONSOLE}") if one.name in names else one, day) for one, day in _callers(calls, inputs)]
    return said


def _callers(found: Forecasts, inputs: RiskInputs) -> list[tuple[Forecaster, int]]:
    index = CallIndex(found, inputs.terms)
    by = found.by or Codes(np.full(len(found.made), -1, np.int32), ())
    usable = (index.account >= 0) & ~index.late
    owner, owners = owners_on(inputs, np.maximum(index.account, 0), index.made)
    caller = np.array([owners.index(name) if name in owners else -1 for name in by.names] + [-1])[by.codes]
    is_owner = usable & (caller >= 0) & (caller == owner)
    said: list[tuple[str, ForecasterKind, str, Bools]] = []
    if is_owner.any():
        said.append((CSM, "CSM", SAID_OF_CSM, is_owner))
    others = usable & ~is_owner
    said.extend(_others(by, others))
    return [(by_calls(name, kind, words, index, rows), int(index.made[rows].min())) for name, kind, words, rows in said]


def _others(by: Codes, rows: Bools) -> Iterator[tuple[str, ForecasterKind, str, Bools]]:
    codes = np.unique(by.codes[rows]).tolist()
    if len(codes) > MAX_FORECASTERS:
        yield OTHERS, "person", SAID_OF_OTHERS, rows
        return
    for code in codes:
        yield _name(by, code), "person", _said_of(_name(by, code)), rows & (by.codes == code)


def _name(by: Codes, code: int) -> str:
    return by.names[code] if code >= 0 else UNNAMED


def _said_of(name: str) -> str:
    return f"the last call of {name} on an account of somebody else, made and recorded by then"
