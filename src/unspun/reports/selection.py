"""The SQL that selects the rows behind a figure, in the files' own column names, so that anyone can look at them."""

from __future__ import annotations

from datetime import date

from unspun.audit.evidence_rows import Selection
from unspun.audit.result import AuditResult, InputReport, ScoreResult, Split
from unspun.book.outcomes import CHURN_FLAGS, MEANINGS, NO, RENEWED_FLAGS, YES
from unspun.book.tables import CHURNED as LOST
from unspun.book.tables import OUTCOMES, RENEWED

DECIDED = "('renewed', 'churned', 'contracted', 'expanded')"
CHURNED = "'churned'"
FOLDED = "trim(regexp_replace(lower(CAST({} AS VARCHAR)), '[^a-z0-9]+', ' ', 'g'))"


def select_rows(result: AuditResult, score: ScoreResult, selection: Selection) -> str:
    """The query of one selection of rows of a score, or a comment where SQL cannot say it shortly."""
    days = score.primary_horizon_days
    if not {"scores", "renewals"} <= {one.role for one in result.inputs}:
        files = ", ".join(f"{one.name} ({one.role})" for one in result.inputs)
        return f"-- The outcomes are derived from {files} by the rules of the method, which SQL cannot say shortly: see the CSV."
    match selection:
        case "test":
            split = score.primary.split
            return select_units(result, score, days, split.first_test_as_of if isinstance(split, Split) else None)
        case "eligible":
            return select_units(result, score, days, None)
        case "horizons":
            others = [h.horizon_days for h in score.horizons if h.horizon_days != days and h.n]
            return "\n;\n".join(f"-- {other} days ahead\n{select_units(result, score, other, None)}" for other in others)
        case "candidates":
            head = "-- The candidates of each month are found from the units below, as the filter says."
            return f"{head}\n{select_rows(result, score, 'test')}"
        case "leads":
            return (
                f"-- The same query at each lead, 0 to 360 days before, in the place of {days}.\n{select_rows(result, score, 'eligible')}"
            )
        case "leak":
            return f"-- With the score as dated, whenever it was recorded.\n{select_units(result, score, days, None, as_dated=True)}"


def select_units(result: AuditResult, score: ScoreResult, horizon_days: int, first_test: date | None, *, as_dated: bool = False) -> str:
    """The eligible units at a horizon, each with its score as known then; from `first_test` on where one is given.

    Written for DuckDB, which reads the files by their names. It reads the outcomes by the words the reader knows of itself;
    words that were declared when the audit ran are the file's own and have to be added.
    """
    scores, renewals = (next(i for i in result.inputs if i.role == role) for role in ("scores", "renewals"))
    write = _landmark if result.design.name == "landmark" else _renewal
    head = "-- Rows that were set aside are left out first. Outcome words declared with --outcome are to be added to the lists."
    columns = _score_columns(scores, score) | ({"known": ""} if as_dated else {})
    return "\n".join([head, *_terms(renewals, result.design.as_of), *write(result, columns, horizon_days, first_test)])


def _renewal(result: AuditResult, s: dict[str, str], horizon_days: int, first_test: date | None) -> list[str]:
    looked_at = f"t.due - {horizon_days}"
    return [
        f"SELECT t.account, {looked_at} AS looked_at, s.{s['value']} AS score, t.outcome, t.due",
        "FROM term AS t",
        *_join(s, "t", looked_at),
        f"WHERE t.due <= {_day(result.design.as_of)} AND t.outcome IN {DECIDED}",
        f"  AND (t.begun IS NULL OR t.begun <= {looked_at})",
        f"  AND (t.decided IS NULL OR t.decided > {looked_at})",
        *([f"  AND {looked_at} >= {_day(first_test)}"] if first_test else []),
        _latest("t.account, t.due", s),
    ]


def _landmark(result: AuditResult, s: dict[str, str], horizon_days: int, first_test: date | None) -> list[str]:
    """Account-months: active from a term's start until its due date, and after the last one unless it churned."""
    as_of = _day(result.design.as_of)
    earliest = _day(first_test) if first_test else "CAST(date_trunc('month', (SELECT min(first) FROM span)) AS DATE)"
    return [
        ", typical AS (SELECT CAST(coalesce(median(due - begun), 30) AS INTEGER) AS days FROM term WHERE begun IS NOT NULL)",
        ", span AS (",
        "  SELECT account, coalesce(begun, greatest(last_due, due - days)) AS first, due AS until FROM term, typical",
        "  UNION ALL",
        f"  SELECT account, due, {as_of} + 1 FROM term WHERE final AND due <= {as_of} AND outcome IN {DECIDED} AND outcome <> {CHURNED}",
        ")",
        f", month AS (SELECT CAST(unnest(generate_series({earliest}, {as_of} - {horizon_days}, INTERVAL 1 MONTH)) AS DATE) AS looked_at)",
        ", unit AS (SELECT DISTINCT account, looked_at FROM span JOIN month ON first <= looked_at AND looked_at < until)",
        f"SELECT u.account, u.looked_at, s.{s['value']} AS score,",
        f"  CASE WHEN gone.due IS NULL THEN 'stayed' ELSE {CHURNED} END AS outcome, gone.due",
        "FROM unit AS u",
        "LEFT JOIN term AS gone",
        f"  ON gone.account = u.account AND gone.outcome = {CHURNED}",
        f"  AND gone.due > u.looked_at AND gone.due <= u.looked_at + {horizon_days}",
        *_join(s, "u", "u.looked_at"),
        "WHERE gone.decided IS NULL OR gone.decided > u.looked_at",
        _latest("u.account, u.looked_at", s),
    ]


def _terms(renewals: InputReport, as_of: date) -> list[str]:
    """Renewals under plain names. A term begins as given, else at the account's previous due date unless it churned then."""
    c = {role: _identifier(column) for role, column in renewals.columns}
    known = [f"CAST({c[role]} AS DATE)" for role in ("notice", "outcome_known_at") if role in c]
    decided = f"least({', '.join(known)})" if known else "CAST(NULL AS DATE)"
    later = f"    WHEN CAST({c['outcome_known_at']} AS DATE) > {_day(as_of)} THEN 'open'" if "outcome_known_at" in c else ""
    outcome = _outcome(c.get("outcome", "outcome"), dict(renewals.columns).get("outcome", "outcome"), later)
    start = f"CAST({c['term_start']} AS DATE)" if "term_start" in c else "CAST(NULL AS DATE)"
    return [
        "WITH renewal AS (",
        f"  SELECT {c.get('account', 'account')} AS account, CAST({c.get('due', 'due')} AS DATE) AS due,",
        *outcome,
        f"    {decided} AS decided, {start} AS start",
        f"  FROM {_source(renewals.name)}",
        ")",
        ", term AS (",
        "  SELECT *, lag(due) OVER past AS last_due, lead(due) OVER past IS NULL AS final,",
        f"    coalesce(start, CASE WHEN lag(outcome) OVER past <> {CHURNED} THEN lag(due) OVER past END) AS begun",
        "  FROM renewal WINDOW past AS (PARTITION BY account ORDER BY due)",
        ")",
    ]


def _outcome(column: str, name: str, later: str) -> list[str]:
    """The file's words as outcomes of the audit, by the lists that the reader goes by; yes and no as the column's name means them."""
    meanings = {code: said.split(", ") for code, said in MEANINGS.items()}
    flag = "".join(letter for letter in name.casefold() if letter.isalnum())
    yes, no = (LOST, RENEWED) if flag in CHURN_FLAGS else (RENEWED, LOST)
    if flag in CHURN_FLAGS | RENEWED_FLAGS:
        plain = {code: [word for word in said if word not in YES | NO] for code, said in meanings.items()}
        meanings = {**plain, yes: [*plain[yes], *sorted(YES)], no: [*plain[no], *sorted(NO)]}
    folded = FOLDED.format(column)
    return [
        "    CASE",
        *([later] if later else []),
        *(
            f"    WHEN {folded} IN ({', '.join(_string(word) for word in said)}) THEN {_string(OUTCOMES[code])}"
            for code, said in meanings.items()
            if code >= 0
        ),
        "    ELSE 'open' END AS outcome,",
    ]


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
        "known": found.get("recorded_at", ""),  # empty where the score is taken as dated
        "value": _identifier(columns.get("score") or score.name),
        "named": f"s.{_identifier(named)} = {_string(score.name)}" if named else "",
    }


def _join(s: dict[str, str], unit: str, by: str) -> list[str]:
    """The score rows of a unit known by the end of a day."""
    known = [f"  AND CAST(s.{s[role]} AS DATE) <= {by}" for role in ("date", "known") if s[role]]
    named = [f"  AND {s['named']}"] if s["named"] else []
    return [f"LEFT JOIN {s['source']} AS s", f"  ON s.{s['account']} = {unit}.account", *named, *known]


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
