"""The SQL that selects the rows behind a figure, in the files' own column names, so that anyone can look at them."""

from __future__ import annotations

from datetime import date

from unspun.audit.result import AuditResult, InputReport, ScoreResult


def select_units(result: AuditResult, score: ScoreResult, horizon_days: int, first_test: date | None) -> str:
    """The eligible units at a horizon, each with its score as known then; from `first_test` on where one is given.

    Written for DuckDB, which reads the files by their names. Rows that were set aside, and outcomes still open, must be left out first.
    """
    scores, renewals = (next(i for i in result.inputs if i.role == role) for role in ("scores", "renewals"))
    write = _landmark if result.design.name == "landmark" else _renewal
    return "\n".join([_terms(renewals), *write(result, _score_columns(scores, score), horizon_days, first_test)])


def _renewal(result: AuditResult, s: dict[str, str], horizon_days: int, first_test: date | None) -> list[str]:
    looked_at = f"t.due - {horizon_days}"
    return [
        f"SELECT t.account, t.due, {looked_at} AS looked_at, s.{s['value']} AS score, t.outcome",
        "FROM term AS t",
        *_join(s, looked_at),
        f"WHERE t.due <= {_day(result.design.as_of)}",
        f"  AND (t.begun IS NULL OR t.begun <= {looked_at})",
        f"  AND (t.decided IS NULL OR t.decided > {looked_at})",
        *([f"  AND {looked_at} >= {_day(first_test)}"] if first_test else []),
        _latest("t.account, t.due", s),
    ]


def _landmark(result: AuditResult, s: dict[str, str], horizon_days: int, first_test: date | None) -> list[str]:
    start = first_test or result.design.first_due.replace(day=1)
    return [
        ", month AS (",
        f"  SELECT CAST(unnest(generate_series({_day(start)}, {_day(result.design.as_of)} - {horizon_days}, INTERVAL 1 MONTH)) AS DATE) AS looked_at",
        ")",
        f"SELECT t.account, m.looked_at, s.{s['value']} AS score, w.due, w.outcome",
        "FROM month AS m JOIN term AS t ON t.begun <= m.looked_at AND m.looked_at < t.due",
        "LEFT JOIN term AS w",
        f"  ON w.account = t.account AND w.due > m.looked_at AND w.due <= m.looked_at + {horizon_days}",
        *_join(s, "m.looked_at"),
        _latest("t.account, m.looked_at", s),
    ]


def _terms(renewals: InputReport) -> str:
    """Renewals under plain names; a term begins as given, else at the account's previous due date."""
    c = {role: _identifier(column) for role, column in renewals.columns}
    account, due = c.get("account", "account"), f"CAST({c.get('due', 'due')} AS DATE)"
    known = [f"CAST({c[role]} AS DATE)" for role in ("notice", "outcome_known_at") if role in c]
    decided = f"least({', '.join(known)})" if known else "CAST(NULL AS DATE)"
    previous = f"lag({due}) OVER (PARTITION BY {account} ORDER BY {due})"
    begun = f"coalesce(CAST({c['term_start']} AS DATE), {previous})" if "term_start" in c else previous
    return "\n".join([
        "WITH term AS (",
        f"  SELECT {account} AS account, {due} AS due, {c.get('outcome', 'outcome')} AS outcome,",
        f"    {decided} AS decided,",
        f"    {begun} AS begun",
        f"  FROM {_source(renewals.name)}",
        ")",
    ])  # fmt: skip


def _score_columns(scores: InputReport, score: ScoreResult) -> dict[str, str]:
    """Columns of the score file by what they are to the query."""
    columns = dict(scores.columns)
    found = {role: _identifier(columns[role]) for role in ("account", "date", "recorded_at") if role in columns}
    named = columns.get("score_name")
    return {
        "source": _source(scores.name),
        "account": found.get("account", "account"),
        "date": found.get("date", "date"),
        "recorded": found.get("recorded_at", ""),
        "value": _identifier(columns.get("score") or score.name),
        "named": f"s.{_identifier(named)} = {_string(score.name)}" if named else "",
    }


def _join(s: dict[str, str], by: str) -> list[str]:
    """The score rows known by the end of a day."""
    known = [f"  AND CAST(s.{s[role]} AS DATE) <= {by}" for role in ("date", "recorded") if s[role]]
    named = [f"  AND {s['named']}"] if s["named"] else []
    return [f"LEFT JOIN {s['source']} AS s", f"  ON s.{s['account']} = t.account", *named, *known]


def _latest(unit: str, s: dict[str, str]) -> str:
    order = ", ".join(f"s.{s[role]} DESC NULLS LAST" for role in ("date", "recorded") if s[role])
    return f"QUALIFY row_number() OVER (PARTITION BY {unit} ORDER BY {order}) = 1"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _identifier(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _string(value: str) -> str:
    return "'{}'".format(value.replace("'", "''"))


def _source(name: str) -> str:
    """A file by its quoted name; a table in memory by its identifier."""
    return _string(name) if "." in name else _identifier(name)
