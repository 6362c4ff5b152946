"""The units of a panel: an account on an as-of date each, numbered in the order of the panel's rows."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.lower.local_day import day_number
from unspun.metrics.lower.plan import Step
from unspun.metrics.lower.sources import RECEIVED, as_of_days, named
from unspun.metrics.lower.windows_of import days_before
from unspun.metrics.question import KeptTable, PanelQuestion

ACCOUNTS, POINTS, UNITS, DUES, ROWS = "accounts_of_panel", "points", "units", "dues_of_panel", "rows_of_panel"
NAMES_ACCOUNTS = ("accounts", "subscriptions", "purchases", "events")
"""The tables whose accounts a panel has."""
FOREVER = 10_000_000  # a day after every day that there is; with days added to it still a 32-bit integer


def unit_inputs(question: PanelQuestion) -> dict[str, pa.Table]:
    """The as-of dates (`point`, `day`), the days on which loads were received and, before renewals, what is due when."""
    days = [day_number(day) for day in as_of_days(question)]
    points = {"point": pa.array(range(len(days)), pa.int32()), "day": pa.array(days, pa.int32())}
    received = sorted(question.received.items())
    loads = {
        "load": pa.array([load for load, _ in received], pa.int64()),
        "received_day": pa.array([day_number(day) for _, day in received], pa.int32()),
    }
    inputs = {POINTS: pa.table(points), RECEIVED: pa.table(loads)}
    return inputs | ({DUES: _dues(question.as_of)} if isinstance(question.as_of, BeforeRenewals) else {})


def unit_steps(question: PanelQuestion) -> tuple[Step, ...]:
    """The accounts, numbered in their order, and the units: every account on every date, or what the renewals ask."""
    if isinstance(question.as_of, BeforeRenewals):
        accounts = _numbered(exp.select("account_id").from_(DUES))
        return _step(ACCOUNTS, accounts, "accounts"), _step(UNITS, _units_of_dues(), "units"), _step(ROWS, _rows_of_dues(), "rows")
    accounts = _numbered(_account_ids(question.tables, question.kept))
    points = len(as_of_days(question))
    unit = f"CAST(a.account AS BIGINT) * {points} + p.point AS unit"
    units = exp.select(unit, "a.account AS account", "a.account_id AS account_id", "p.point AS point", "p.day AS day")
    units = units.from_("accounts_of_panel AS a").join("points AS p", join_type="cross").order_by("unit")
    return _step(ACCOUNTS, accounts, "accounts"), _step(UNITS, units, "units")


def spread(intervals: exp.Select, columns: tuple[str, ...]) -> exp.Select:
    """Intervals of days (`account_id`, `from_day`, `until_day`, `columns`) on the units that lie in them: `unit` and the columns."""
    found = exp.select("u.unit AS unit", *(exp.column(name, table="i").as_(name) for name in columns))
    found = found.from_(intervals.subquery("i", copy=False))
    on = "u.account_id = i.account_id AND u.day >= i.from_day AND u.day < i.until_day"
    return found.join("units AS u", on=on)


def _step(name: str, query: exp.Query, note: str) -> Step:
    return Step(name, query, note)


def _numbered(ids: exp.Query) -> exp.Select:
    distinct = exp.select("account_id").from_(ids.subquery("named", copy=False)).where("account_id IS NOT NULL").group_by("account_id")
    number = "CAST(ROW_NUMBER() OVER (ORDER BY account_id) - 1 AS INT) AS account"
    return exp.select(number, "account_id").from_(distinct.subquery("ids", copy=False)).order_by("account_id")


def _account_ids(tables: Mapping[str, object], kept: Mapping[str, KeptTable]) -> exp.Query:
    parts = [_ids_of(kept[table].days if table in kept else f"{table}_versions") for table in NAMES_ACCOUNTS if table in tables]
    query: exp.Query = parts[0] if parts else exp.select("CAST(NULL AS VARCHAR) AS account_id")
    for part in parts[1:]:
        query = exp.union(query, part, distinct=False, copy=False)
    return query


def _ids_of(table: str) -> exp.Select:
    ids = exp.select(named("account_id")).from_(exp.Table(this=exp.to_identifier(table)))
    return ids.group_by(named("account_id"))


def _units_of_dues() -> exp.Select:
    asked = exp.select("a.account AS account", "a.account_id AS account_id", "p.point AS point", "p.day AS day").distinct()
    asked = asked.from_("dues_of_panel AS d").join("accounts_of_panel AS a", on="a.account_id = d.account_id")
    asked = asked.join("points AS p", on="p.day = d.day")
    number = "ROW_NUMBER() OVER (ORDER BY account, point) - 1 AS unit"
    return exp.select(number, "account", "account_id", "point", "day").from_(asked.subquery("asked", copy=False)).order_by("unit")


def _rows_of_dues() -> exp.Select:
    """What is asked, a row each, in the order of the panel: several renewals of an account may be looked at on one day."""
    place = "ROW_NUMBER() OVER (ORDER BY d.account_id, d.day, d.due, d.horizon_days DESC) - 1 AS place"
    picked = (
        "u.unit AS unit",
        "u.account_id AS account_id",
        "u.point AS point",
        "u.day AS day",
        "d.due AS due",
        "d.horizon_days AS horizon_days",
    )
    rows = exp.select(place, *picked).from_("dues_of_panel AS d")
    return rows.join("units AS u", on="u.account_id = d.account_id AND u.day = d.day").order_by("place")


def _dues(as_of: BeforeRenewals) -> pa.Table:
    asked = [(account, due, horizon) for account, due in as_of.dues for horizon in as_of.horizons_days]
    return pa.table(
        {
            "account_id": pa.array([account for account, _, _ in asked], pa.string()),
            "due": pa.array([due for _, due, _ in asked], pa.date32()),
            "horizon_days": pa.array([horizon for _, _, horizon in asked], pa.int32()),
            "day": pa.array([day_number(days_before(due, horizon)) for _, due, horizon in asked], pa.int32()),
        }
    )
