"""The panel as an analyst writes it with Polars: lazy and streaming over the same files, a slice of the events for each as-of date.

Of the forms tried this was the fastest: one join of all events with all dates, and windows that are taken of each group apart, cost more
than twice as much. For renewals events are joined with the dues of their account, and each horizon is a slice of what is near enough.
Days since are found by a join to the last day that is not later, over the days on which an account was active.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
from panel_cells import (
    DERIVED,
    EMPTY_IDS,
    HORIZONS_DAYS,
    IDS,
    MEASURES,
    Changed,
    Measured,
    measure,
    monthly,
    renewals,
    weekly,
)
from panel_clock import Clock, accounts_files, event_files, number_of_accounts

LONGEST_DAYS = 90
WINDOWED = {one.id: (one, 0) for one in MEASURES if one.window_days}
EARLIER = {f"{one.of} before": (measure(one.of), one.days) for one in DERIVED if isinstance(one, Changed)}


def make_panel(warehouse: Path, dates: str, out: Path, clock: Clock) -> None:
    """The panel of one as-of set, written as Parquet."""
    with clock.timed("panel"):
        events = pl.scan_parquet(event_files(warehouse)).select("account_id", "user_id", "event", "value", "happened_at")
        if dates == "renewals":
            dues = renewals(number_of_accounts(warehouse))
            units, slices = _renewal_units(dues), _renewal_slices(events, dues)
        else:
            days = monthly() if dates == "monthly" else weekly()
            units, slices = _units(days, warehouse), _slices(events, days)
        keys = ["account_id", "as_of"]
        windows = pl.concat([_windows(rows, keys) for rows in slices]).collect(engine="streaming")
        wide = _with_recency(units.join(windows, on=keys, how="left").sort("as_of"), events)
        _derived(wide, warehouse).write_parquet(out)


def _units(days: list[date], warehouse: Path) -> pl.DataFrame:
    accounts = pl.scan_parquet(accounts_files(warehouse)).select("account_id").collect()
    dated = pl.DataFrame({"as_of": days}).with_columns(due=pl.lit(None, pl.Date), horizon_days=pl.lit(None, pl.Int32))
    return accounts.join(dated, how="cross")


def _slices(events: pl.LazyFrame, days: list[date]) -> Iterator[pl.LazyFrame]:
    """Of each date the events of the 90 days that end with it, and how many days before it they happened."""
    for day in days:
        first, end = (datetime.combine(one, time(), UTC) for one in (day - timedelta(days=LONGEST_DAYS - 1), day + timedelta(days=1)))
        near = events.filter((pl.col("happened_at") >= first) & (pl.col("happened_at") < end))
        yield near.with_columns(as_of=pl.lit(day), age=_days(pl.lit(day) - pl.col("happened_at").dt.date()))


def _renewal_units(dues: list[tuple[str, date]]) -> pl.DataFrame:
    made = [(account, due - timedelta(days=days), due, days) for account, due in dues for days in HORIZONS_DAYS]
    return pl.DataFrame(made, {"account_id": pl.String, "as_of": pl.Date, "due": pl.Date, "horizon_days": pl.Int32}, orient="row")


def _renewal_slices(events: pl.LazyFrame, dues: list[tuple[str, date]]) -> Iterator[pl.LazyFrame]:
    dated = pl.LazyFrame(dues, {"account_id": pl.String, "due": pl.Date}, orient="row")
    ahead = _days(pl.col("due") - pl.col("happened_at").dt.date())
    joined = events.join(dated, on="account_id").with_columns(ahead=ahead)
    near = (
        joined.filter(pl.col("ahead").is_between(min(HORIZONS_DAYS), max(HORIZONS_DAYS) + LONGEST_DAYS - 1))
        .collect(engine="streaming")
        .lazy()
    )
    for days in HORIZONS_DAYS:
        aged = near.with_columns(age=pl.col("ahead") - days, as_of=pl.col("due") - pl.duration(days=days))
        yield aged.filter(pl.col("age").is_between(0, LONGEST_DAYS - 1))


def _days(difference: pl.Expr) -> pl.Expr:
    return difference.dt.total_days().cast(pl.Int32)


def _windows(rows: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Counts and values of each account, users by way of the users of each account, active days by way of its days."""
    users = {id: part for id, part in (WINDOWED | EARLIER).items() if part[0].what == "users"}
    active = {id: part for id, part in WINDOWED.items() if part[0].what == "days"}
    counted = rows.group_by(keys).agg(*_counts())
    of_users = rows.group_by(*keys, "user_id").agg(_fits(*part).any().alias(id) for id, part in users.items())
    of_days = rows.select(*keys, "age").unique().group_by(keys).agg(_fits(*part).sum().alias(id) for id, part in active.items())
    return counted.join(of_users.group_by(keys).agg(pl.col(list(users)).sum()), on=keys).join(of_days, on=keys)


def _counts() -> Iterator[pl.Expr]:
    for id, (one, earlier) in (WINDOWED | EARLIER).items():
        value = pl.when(_fits(one, earlier)).then(pl.col("value"))
        match one.what:
            case "count":
                yield _fits(one, earlier).sum().alias(id)
            case "sum":
                yield value.sum().alias(id)
            case "average":
                yield value.mean().alias(id)
            case "largest":
                yield value.max().alias(id)
            case _:
                continue


def _fits(one: Measured, earlier: int) -> pl.Expr:
    within = pl.col("age").is_between(earlier, earlier + one.window_days - 1)
    return within & (pl.col("event") == one.event) if one.event else within


def _with_recency(wide: pl.DataFrame, events: pl.LazyFrame) -> pl.DataFrame:
    login = (pl.col("event") == "login").any().alias("login")
    days = events.group_by("account_id", day=pl.col("happened_at").dt.date()).agg(login).collect(engine="streaming").sort("day")
    for id, kept in {"days_since_event": days, "days_since_login": days.filter("login")}.items():
        last = kept.select("account_id", last="day")
        wide = wide.join_asof(last, left_on="as_of", right_on="last", by="account_id", check_sortedness=False)
        wide = wide.with_columns(_days(pl.col("as_of") - pl.col("last")).alias(id)).drop("last")
    wide = wide.join(days.group_by("account_id").agg(first=pl.col("day").min()), on="account_id", how="left")
    first = _days(pl.col("as_of") - pl.col("first"))
    return wide.with_columns(days_since_first_event=pl.when(first >= 0).then(first)).drop("first")


def _derived(wide: pl.DataFrame, warehouse: Path) -> pl.DataFrame:
    """Ratios, changes and use per seat; zeros where nothing was counted; in the order of account and date."""
    filled = wide.with_columns(pl.col([id for id in wide.columns if (id in IDS and id not in EMPTY_IDS) or id in EARLIER]).fill_null(0))
    seats = pl.scan_parquet(accounts_files(warehouse)).select("account_id", "seats").collect()
    ratio = pl.when(pl.col("logins_28d") > 0).then(pl.col("reports_28d") / pl.col("logins_28d"))
    made = filled.join(seats, on="account_id").with_columns(
        reports_per_login_28d=ratio,
        events_change_28d=pl.col("events_28d").cast(pl.Int64) - pl.col("events_28d before").cast(pl.Int64),
        users_change_28d=pl.col("users_28d").cast(pl.Int64) - pl.col("users_28d before").cast(pl.Int64),
        events_per_seat_28d=pl.col("events_28d") / pl.col("seats"),
    )
    return made.select("account_id", "as_of", "due", "horizon_days", *IDS).sort("account_id", "as_of")
