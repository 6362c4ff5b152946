"""The standard metrics of support, surveys and contact, of the demo company, as plain pandas counts them.

To its files are added what its systems do not export: when a ticket was first answered, its status, how long it took, whether it was
escalated, surveys of three kinds, notices, and some attributes of accounts, all made from the numbers of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from tests.panel.crm_metrics import seats
from tests.panel.standard_use import change, since_last
from tests.panel.truth import At, Files, Metric, Missing, Rows, Value, day_numbers, exact_sum, in_order, last_of, ratio, some, those
from unspun.book.demo import write_demo

BOOK = """\
time_zone: UTC
currency: USD
sources:
  - files: accounts.csv
    table: accounts
    columns:
      account_id: account_id
      created_on: signed_on
      segment: segment
      plan: plan
      industry: industry
      country: region
      owner: owner
      amount_overdue: {column: overdue, kind: number}
    fixed: [created_on, segment, plan, industry, country, owner, amount_overdue]
  - files: subscriptions.csv
    table: subscriptions
    columns:
      subscription_id: subscription_id
      account_id: account_id
      started: start_date
      ended: end_date
      seats: seats
      notice: notice
  - files: tickets.csv
    table: tickets
    columns:
      ticket_id: ticket_id
      account_id: account_id
      opened: opened_at
      closed: closed_at
      first_answered: answered_at
      priority: severity
      status: status
      satisfaction: csat
      is_escalated: {column: escalated, kind: flag}
      response_minutes: {column: answer_minutes, kind: number}
      resolution_hours: {column: closing_hours, kind: number}
  - files: responses.csv
    table: responses
    columns: {account_id: account_id, survey: survey, answered: responded_on, answer: nps}
  - files: touchpoints.csv
    table: touchpoints
    columns: {account_id: account_id, occurred: happened_at, channel: kind, minutes: minutes}
  - files: contacts.csv
    table: contacts
    columns: {contact_id: contact_id, account_id: account_id, dated: added_on, role: role}
"""
CHOSEN: dict[str, tuple[str, ...]] = {
    "satisfied": ("5", "4"), "meetings": ("call", "meeting"), "answer_time": ("response_minutes",), "closing_time": ("resolution_hours",),
    "overdue_amount": ("amount_overdue",), "escalated": ("is_escalated",),
}  # fmt: skip
ACCOUNTS, SEED = 60, 7
ATTRIBUTES = {"segment": "segment", "plan": "plan", "industry": "industry", "country": "region", "owner": "owner"}


def make_company(folder: Path) -> Files:
    """Writes the company's files into a folder, and gives their rows."""
    source = folder / "demo"
    write_demo(source, SEED, ACCOUNTS)
    data = folder / "data"
    data.mkdir()
    frames = {name: pd.read_csv(source / f"{name}.csv") for name in ("accounts", "subscriptions", "tickets", "touchpoints", "contacts")}
    frames["responses"] = pd.read_csv(source / "survey_responses.csv")
    for name, add in (("accounts", _accounts), ("subscriptions", _terms), ("tickets", _tickets), ("responses", _answers)):
        frames[name] = add(frames[name])
    for name, frame in frames.items():
        frame.to_csv(data / f"{name}.csv", index=False)
    return _files(frames)


def _accounts(rows: pd.DataFrame) -> pd.DataFrame:
    n = np.arange(len(rows))
    plans, fields = np.array(["Basic", "Pro", "Max"])[n % 3], np.array(["Retail", "Energy"])[n % 2]
    return rows.assign(plan=plans, industry=fields, owner=np.where(n % 4 == 0, "", "Kim"), overdue=np.where(n % 5 == 0, np.nan, n * 10.25))


def _terms(rows: pd.DataFrame) -> pd.DataFrame:
    notice = pd.to_datetime(rows.end_date) - pd.to_timedelta(np.arange(len(rows)) % 60, unit="D")
    return rows.assign(notice=notice.dt.date.where(pd.Series(np.arange(len(rows)) % 3 == 0), None))


def _tickets(rows: pd.DataFrame) -> pd.DataFrame:
    n = np.arange(len(rows))
    opened, closed = pd.to_datetime(rows.opened_at), pd.to_datetime(rows.closed_at)
    answered = (opened + pd.to_timedelta((n * 37) % 4000, unit="m")).where(pd.Series(n % 6 > 0))
    status = np.where(n % 7 == 0, "Reopened", "solved")
    hours = ((closed - opened).dt.total_seconds() / 3600).round(3)
    minutes, flags = np.where(n % 8 == 0, np.nan, (n * 37) % 4000 + 0.5), np.where(n % 9 == 0, "yes", "no")
    return rows.assign(answered_at=answered, status=status, escalated=flags, answer_minutes=minutes, closing_hours=hours)


def _answers(rows: pd.DataFrame) -> pd.DataFrame:
    """Surveys in turn, every eleventh answer empty."""
    n = np.arange(len(rows))
    return rows.assign(survey=np.array(["NPS", "CSAT", "CES"])[n % 3], nps=rows.nps.where(pd.Series(n % 11 > 0)))


def _files(frames: dict[str, pd.DataFrame]) -> Files:
    terms = _dated(frames["subscriptions"], "start_date")
    terms = terms.assign(ended=_days(terms.end_date), notice_day=_days(terms.notice), is_addon=False)
    tickets = _dated(frames["tickets"], "opened_at")
    tickets = tickets.assign(closed_day=_days(tickets.closed_at), answered_day=_days(tickets.answered_at))
    contacts = _dated(frames["contacts"], "added_on")
    accounts = frames["accounts"].assign(account=frames["accounts"].account_id, day=0)
    tables = {
        "subscriptions": terms, "tickets": tickets, "responses": _dated(frames["responses"], "responded_on"),
        "touchpoints": _dated(frames["touchpoints"], "happened_at"), "contacts": contacts, "accounts": accounts,
    }  # fmt: skip
    born = dict(zip(accounts.account, _days(accounts.signed_on).astype(int), strict=True))
    return Files({name: in_order(rows) for name, rows in tables.items()}, born, dense=frozenset())


def _dated(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    at = pd.to_datetime(rows[column], utc=True).dt.tz_localize(None)
    return rows.assign(account=rows.account_id, at=at, day=day_numbers(at, "UTC"))


def _days(cells: pd.Series) -> pd.Series:
    """Days as counts, NaN where there is none."""
    at = pd.to_datetime(cells, utc=True).dt.tz_localize(None)
    days = pd.Series(np.nan, cells.index)
    days[at.notna()] = day_numbers(at[at.notna()], "UTC")
    return days


def column_of(rows: pd.DataFrame, name: str) -> pd.Series:
    return cast("pd.Series", rows[name])


Where = Callable[[pd.DataFrame], pd.Series]


def tickets(at: At, days: int = 90, where: Where | None = None) -> pd.DataFrame:
    return at.rows("tickets", at.days(days), where)


def settled(at: At, rows: pd.DataFrame, day: str = "closed_day") -> pd.Series:
    """Whether cells that are filled in later may be read: once the day that settles them has passed."""
    return column_of(rows, day) <= at.as_of


def share(at: At, fits: Where, days: int = 90) -> float:
    rows = tickets(at, days)
    return ratio(int(fits(rows).sum()), len(rows))


def is_open(at: At, rows: pd.DataFrame) -> pd.DataFrame:
    return those(rows, ~(rows.closed_day <= at.as_of))


def open_tickets(at: At) -> int:
    return len(is_open(at, at.rows("tickets", at.lifetime())))


def rated(at: At) -> pd.DataFrame:
    rows = tickets(at, 180)
    return those(rows, settled(at, rows) & rows.csat.notna())


def cells(at: At, column: str) -> pd.Series:
    """Own columns of the tickets of 90 days that may be read: once the ticket is closed."""
    rows = tickets(at)
    found = those(rows, settled(at, rows) & rows[column].notna())
    return column_of(some(found), column)


def middle(values: pd.Series, parts: int = 5_000) -> float:
    """The median, or another percentile, by linear interpolation in ten thousandths, as the language defines it."""
    ordered = sorted(values)
    place, rest = divmod((len(ordered) - 1) * parts, 10_000)
    return (ordered[place] * (10_000 - rest) + ordered[place + 1] * rest) / 10_000 if rest else ordered[place]


def hours(at: At, end: str, day: str, parts: int = 5_000) -> float:
    """The median, or another percentile, of the hours from opening to an instant of the tickets of 90 days, where that may be read."""
    rows = tickets(at)
    found = some(those(rows, settled(at, rows, day)))
    seconds = (pd.to_datetime(found[end], utc=True) - pd.to_datetime(found.opened_at, utc=True)).dt.total_seconds()
    return middle(seconds / 3600, parts)


def answers(at: At, survey: str) -> pd.Series:
    rows = at.rows("responses", at.days(365), lambda rows: (rows.survey == survey) & rows.nps.notna())
    return column_of(rows, "nps")


def mean(values: pd.Series) -> float:
    if values.empty:
        raise Missing("no_rows")
    return exact_sum(values) / len(values)


def last_answer(at: At) -> Value:
    rows = at.rows("responses", at.days(365), lambda rows: (rows.survey == "NPS") & rows.nps.notna())
    return last_of(rows, "nps")


def attribute(column: str) -> Metric:
    def stated(at: At) -> str | float:
        at.check_life(at.day)
        (cell,) = at.own.tables["accounts"].rows[column]
        if cell == "" or pd.isna(cell):
            raise Missing("not_stated")
        return cell

    return stated


def people(at: At, role: str | None = None) -> int:
    at.check_life(at.day)
    everybody: Rows = at.whole.tables["contacts"]
    if not (everybody.days <= at.day).any():
        raise Missing("no_source")
    rows = at.own.tables["contacts"].between(1, at.day)
    return len(rows) if role is None else int((rows.role == role).sum())


def notices(at: At) -> int:
    at.check_life(at.day)
    terms = at.visible("subscriptions")
    return int(((terms.ended.isna() | (terms.ended > at.day)) & (terms.notice_day <= at.as_of)).sum())


def reopened(at: At) -> Where:
    return lambda rows: settled(at, rows) & (rows.status == "Reopened")


DESK: dict[str, Metric] = {
    "tickets_28d": lambda at: len(tickets(at, 28)),
    "tickets_90d": lambda at: len(tickets(at)),
    "tickets_per_seat_90d": lambda at: ratio(len(tickets(at)), seats(at)),
    "tickets_change_90d": lambda at: change(lambda then: len(tickets(then)), at, 90),
    "open_tickets": open_tickets,
    "oldest_open_ticket_days": lambda at: at.day - some(is_open(at, at.rows("tickets", at.lifetime()))).day.min(),
    "urgent_tickets_90d": lambda at: len(tickets(at, 90, lambda rows: rows.severity == "urgent")),
    "urgent_share_90d": lambda at: share(at, lambda rows: rows.severity == "urgent"),
    "reopened_share_90d": lambda at: share(at, reopened(at)),
    "escalated_share_90d": lambda at: share(at, lambda rows: settled(at, rows) & (rows.escalated == "yes")),
    "days_since_ticket": lambda at: since_last(at, "tickets"),
    "first_answer_median_90d": lambda at: middle(cells(at, "answer_minutes")),
    "closing_median_90d": lambda at: middle(cells(at, "closing_hours")),
    "first_answer_hours_90d": lambda at: hours(at, "answered_at", "answered_day"),
    "first_answer_hours_p90_90d": lambda at: hours(at, "answered_at", "answered_day", 9_000),
    "closing_hours_90d": lambda at: hours(at, "closed_at", "closed_day"),
    "answered_share_90d": lambda at: share(at, lambda rows: settled(at, rows, "answered_day")),
    "closed_share_90d": lambda at: share(at, lambda rows: settled(at, rows)),
    "ratings_180d": lambda at: len(rated(at)),
    "rating_180d": lambda at: mean(rated(at).csat),
    "satisfied_share_180d": lambda at: ratio(int((rated(at).csat >= 4).sum()), len(rated(at))),
    "csat_answers_365d": lambda at: len(answers(at, "CSAT")),
    "csat_mean_365d": lambda at: mean(answers(at, "CSAT")),
    "effort_answers_365d": lambda at: len(answers(at, "CES")),
    "effort_mean_365d": lambda at: mean(answers(at, "CES")),
    "nps_answers_365d": lambda at: len(answers(at, "NPS")),
    "promoters_365d": lambda at: int((answers(at, "NPS") >= 9).sum()),
    "detractors_365d": lambda at: int((answers(at, "NPS") <= 6).sum()),
    "nps_last_answer": last_answer,
    "days_since_answer": lambda at: since_last(at, "responses"),
    "overdue_amount": attribute("overdue"),
    "notices": notices,
    "touchpoints_90d": lambda at: len(at.rows("touchpoints", at.days(90))),
    "days_since_touchpoint": lambda at: since_last(at, "touchpoints"),
    "meetings_90d": lambda at: len(at.rows("touchpoints", at.days(90), lambda rows: rows.kind.isin(["call", "meeting"]))),
    "contact_minutes_90d": lambda at: exact_sum(at.rows("touchpoints", at.days(90)).minutes),
    "people_known": people,
    "champions": lambda at: people(at, "Champion"),
    **{id: attribute(column) for id, column in ATTRIBUTES.items()},
}  # fmt: skip
