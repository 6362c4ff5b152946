"""The panel as SQL by hand in the style of the repository fight-churn (of Carl Gold's book Fighting Churn With Data).

For each metric one statement joins the events with the as-of dates by a range of time and adds rows to a long table `metric`; ratios and
changes are made from that table; at the end it is turned into a row for each account and date. Tables and indexes as there: accounts,
users and names are numbers. Values are double precision (`real` there, which would lose digits). DuckDB and Postgres run the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from panel_cells import DERIVED, EMPTY_IDS, IDS, MEASURES, Changed, Divided, Measured, measure

EVENT_TABLES = (
    "CREATE TABLE account (account_id integer NOT NULL, account_name text NOT NULL, created_on date NOT NULL, seats integer NOT NULL)",
    "CREATE TABLE event_type (event_type_id integer NOT NULL, event_type_name text NOT NULL)",
    """CREATE TABLE event (account_id integer NOT NULL, event_time timestamp NOT NULL, event_type_id integer NOT NULL, user_id integer,
        event_value double precision)""",
)
METRIC_TABLES = (
    """CREATE TABLE metric (account_id integer NOT NULL, metric_time timestamp NOT NULL, metric_name_id integer NOT NULL,
        metric_value double precision)""",
    "CREATE TABLE observation (account_id integer NOT NULL, metric_date timestamp NOT NULL, due date, horizon_days integer)",
)
EVENT_INDEXES = (
    "CREATE INDEX idx_event_account_id ON event (account_id)",
    "CREATE INDEX idx_event_account_time ON event (account_id, event_time)",
    "CREATE INDEX idx_event_time ON event (event_time)",
    "CREATE INDEX idx_event_type ON event (event_type_id)",
)
METRIC_INDEXES = (
    "CREATE INDEX idx_metric_account_id ON metric (account_id)",
    "CREATE UNIQUE INDEX idx_metric_account_time ON metric (account_id, metric_name_id, metric_time)",
    "CREATE INDEX idx_metric_time ON metric (metric_time, metric_name_id)",
    "CREATE INDEX idx_metric_type ON metric (metric_name_id)",
)
SERIES = {
    "monthly": "SELECT i AS metric_date FROM generate_series(timestamp '2024-02-01', timestamp '2026-01-01', interval '1 month') g(i)",
    "weekly": "SELECT i AS metric_date FROM generate_series(timestamp '2024-01-29', timestamp '2025-12-29', interval '7 day') g(i)",
}
"""The as-of dates: a date stands for the end of the day, so each `metric_date` is midnight after it."""
AGGREGATES = {
    "count": "count(*)",
    "sum": "sum(e.event_value)",
    "average": "avg(e.event_value)",
    "largest": "max(e.event_value)",
    "users": "count(DISTINCT e.user_id)",
    "days": "count(DISTINCT e.event_time::date)",
    "since last": "d.metric_date::date - 1 - max(e.event_time)::date",
    "since first": "d.metric_date::date - 1 - min(e.event_time)::date",
}
NUMBERS = {id: number for number, id in enumerate([*IDS, *(f"{one.of} before" for one in DERIVED if isinstance(one, Changed))], 1)}


def insert_statements(dates: str) -> Iterator[tuple[str, str]]:
    """What is inserted and the statement that does it: the observed dates, each measure, then what is derived of them."""
    if dates in SERIES:
        every = f"SELECT a.account_id, d.metric_date FROM account a CROSS JOIN ({SERIES[dates]}) d"
        yield "observation", f"INSERT INTO observation (account_id, metric_date) {every}"
    for one in MEASURES:
        yield one.id, _insert_measure(one, NUMBERS[one.id], dates)
    for derived in DERIVED:
        if isinstance(derived, Changed):
            earlier = replace(measure(derived.of), days_earlier=derived.days)
            yield f"{derived.of} before", _insert_measure(earlier, NUMBERS[f"{derived.of} before"], dates)
        yield derived.id, _insert_derived(derived)


def _insert_measure(one: Measured, number: int, dates: str) -> str:
    """The join by a range of time; dates that every account has are generated, an account's own are joined by account too."""
    with_dates = f"WITH date_vals AS ({SERIES[dates]}) " if dates in SERIES else ""
    joined = "date_vals d ON" if dates in SERIES else "observation d ON e.account_id = d.account_id AND"
    end = "d.metric_date" + (f" - interval '{one.days_earlier} day'" if one.days_earlier else "")
    start = f" AND e.event_time >= d.metric_date - interval '{one.days_earlier + one.window_days} day'" if one.window_days else ""
    named = "INNER JOIN event_type t ON t.event_type_id = e.event_type_id" if one.event else ""
    where = f"WHERE t.event_type_name = '{one.event}'" if one.event else ""
    return f"""INSERT INTO metric (account_id, metric_time, metric_name_id, metric_value) {with_dates}
        SELECT e.account_id, d.metric_date, {number}, {AGGREGATES[one.what]}
        FROM event e INNER JOIN {joined} e.event_time < {end}{start} {named} {where}
        GROUP BY e.account_id, d.metric_date"""


def _insert_derived(one: Divided | Changed) -> str:
    number = NUMBERS[one.id]
    if isinstance(one, Divided) and not one.by:
        return f"""INSERT INTO metric SELECT m.account_id, m.metric_time, {number}, m.metric_value / a.seats
            FROM metric m INNER JOIN account a ON a.account_id = m.account_id WHERE m.metric_name_id = {NUMBERS[one.of]}"""
    other = one.by if isinstance(one, Divided) else f"{one.of} before"
    value = (
        "coalesce(n.metric_value, 0) / d.metric_value"
        if isinstance(one, Divided)
        else "coalesce(n.metric_value, 0) - coalesce(d.metric_value, 0)"
    )
    join = "RIGHT" if isinstance(one, Divided) else "FULL OUTER"
    return f"""INSERT INTO metric
        WITH num_metric AS (SELECT * FROM metric WHERE metric_name_id = {NUMBERS[one.of]}),
             den_metric AS (SELECT * FROM metric WHERE metric_name_id = {NUMBERS[other]})
        SELECT coalesce(n.account_id, d.account_id), coalesce(n.metric_time, d.metric_time), {number}, {value}
        FROM num_metric n {join} JOIN den_metric d ON d.account_id = n.account_id AND d.metric_time = n.metric_time"""


def flatten_statement() -> str:
    """The wide table: a row for each account and date; 0 where nothing was counted, empty where there is nothing to average or date."""
    wide = ", ".join(f"max(CASE WHEN metric_name_id = {NUMBERS[id]} THEN metric_value END) AS {id}" for id in IDS)
    columns = ", ".join(f"m.{id}" if id in EMPTY_IDS else f"coalesce(m.{id}, 0) AS {id}" for id in IDS)
    return f"""SELECT a.account_name AS account_id, o.metric_date::date - 1 AS as_of, o.due, o.horizon_days, {columns}
        FROM observation o INNER JOIN account a ON a.account_id = o.account_id
        LEFT JOIN (SELECT account_id, metric_time, {wide} FROM metric GROUP BY account_id, metric_time) m
            ON m.account_id = o.account_id AND m.metric_time = o.metric_date
        ORDER BY a.account_name, o.metric_date"""
