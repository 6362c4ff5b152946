"""Checks of what is said against what is recorded: flags that contradict events, renewals that contradict terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.finding import Finding
from unspun.book.checks.running import BASE, EARLY_DAYS, GRACE_DAYS, last_day_sql, runs_sql
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, only_row
from unspun.book.checks.term_flags import CHECK as TERM_FLAGS
from unspun.book.sql_words import sql_text

KEPT = ("renewed", "expanded", "contracted")
CLOSED_WORDS = ("closed", "solved", "resolved", "done", "complete", "completed")
OPEN_WORDS = ("open", "new", "pending", "waiting", "in progress", "on hold", "on-hold", "hold", "unassigned", "assigned")
"""A word that is in neither (reopened, merged) says nothing about whether a ticket has been closed."""


# accounts.churned against the table of churns

FLAGGED = (
    "SELECT source_file, source_row, account_id, churned AS says_churned, CAST(happened_at AS DATE) AS says_on FROM accounts "
    "WHERE churned IS NOT NULL"
)


def _churns_sql(shape: BookShape) -> str:
    """Accounts that say whether they churned, whether they stand in churns, and whether one that does came back since."""
    runs = "false"
    if "subscriptions" in shape.tables:
        runs = f"account_id IN (SELECT account_id FROM subscriptions WHERE {BASE} AND {runs_sql(last_day_sql(shape))})"
    return (
        "SELECT source_file, source_row, account_id, says_churned, churns > 0 AS in_churns, coalesce(churns, 0) AS churns, "
        f"last_churned, churns > 0 AND {runs} AS runs FROM ({FLAGGED}) LEFT JOIN (SELECT account_id, count(*) AS churns, "
        "max(churned) AS last_churned FROM churns GROUP BY account_id) AS c USING (account_id)"
    )


def _ask_churns(shape: BookShape) -> Mapping[str, str]:
    return {
        "cells": "SELECT count(*) AS accounts, count(*) FILTER (says_churned AND churns > 0) AS said_and_recorded, "
        "count(*) FILTER (says_churned AND churns = 0) AS said_only, count(*) FILTER (NOT says_churned AND churns > 0) AS recorded_only, "
        "count(*) FILTER (NOT says_churned AND churns = 0) AS neither, count(*) FILTER (NOT says_churned AND runs) AS came_back "
        f"FROM ({_churns_sql(shape)})"
    }


def _judge_churns(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    cells = only_row(answers, "cells")
    of, apart = cells["accounts"], cells["said_only"] + cells["recorded_only"]
    if not apart:
        return
    back = cells["came_back"]
    who = "all" if back == cells["recorded_only"] else f"{back:,}"
    came_back = f" ({who} of them with a term that runs, so they may have come back)" if back else ""
    yield Finding(
        check="churn_flag_against_churns",
        table="accounts",
        severity=gravity(apart - back, of, least="warning" if apart > back else "note"),
        count=apart,
        of=of,
        unit="accounts",
        message=f"The flag accounts.churned agrees with the table of churns for {counted(of - apart, of, 'accounts')}: "
        f"{cells['said_only']:,} are flagged and have no churn, {cells['recorded_only']:,} have a churn and are not flagged{came_back}.",
        affects=("churn reasons", "account counts"),
        mend="Decide which of the two is the record of churn, and leave the other out of book.yml (ignore). Retention uses neither: it "
        "reads churn from the subscription terms.",
        rows_sql=f"SELECT * EXCLUDE (in_churns) FROM ({_churns_sql(shape)}) WHERE says_churned <> (churns > 0) ORDER BY account_id",
        facts={**cells, "agreeing_share": (of - apart) / of},
    )


# accounts.churned against the terms


def _running_sql(shape: BookShape) -> str:
    """Accounts with terms that say whether they churned, with the end of their last base term, on the last day the terms tell of."""
    day = last_day_sql(shape)
    return (
        f"SELECT source_file, source_row, account_id, says_churned, says_on, last_ended, day FROM ({FLAGGED}) JOIN ("
        "SELECT account_id, CASE WHEN bool_or(ended IS NULL) THEN NULL ELSE max(ended) END AS last_ended "
        f"FROM subscriptions WHERE {BASE} AND started <= {day} GROUP BY account_id) AS terms USING (account_id), "
        f"(SELECT {day} AS day)"
    )


# not only for the rest of the grace days, nor only until the flag was set
RUNS = f"(last_ended IS NULL OR last_ended > greatest(day + {GRACE_DAYS}, says_on))"
OVER = f"last_ended < day - {GRACE_DAYS}"


def _ask_running(shape: BookShape) -> Mapping[str, str]:
    return {
        "cells": f"SELECT count(*) AS accounts, count(*) FILTER (says_churned AND {RUNS}) AS flagged_but_run, "
        f"count(*) FILTER (NOT says_churned AND {OVER}) AS over_but_not_flagged, max(day) AS day FROM ({_running_sql(shape)})"
    }


def _judge_running(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    cells = only_row(answers, "cells")
    sides = (
        ("flagged_but_run", f"says_churned AND {RUNS}", "are flagged as churned, yet have a term that runs on"),
        (
            "over_but_not_flagged",
            f"NOT says_churned AND {OVER}",
            f"are not flagged as churned, yet their last term had ended over {GRACE_DAYS} days before",
        ),
    )
    for name, where, said in sides:
        if cells[name]:
            yield Finding(
                check="churn_flag_against_terms",
                table="accounts",
                subject=name,
                severity=gravity(cells[name], cells["accounts"], least="warning" if name == "flagged_but_run" else "note"),
                count=cells[name],
                of=cells["accounts"],
                unit="accounts",
                message=f"{counted(cells[name], cells['accounts'], 'accounts with terms')} {said} {cells['day']}, the last day that "
                "the terms tell of.",
                affects=("churn reasons", "account counts"),
                mend="See whether the flag means another thing (notice given, a part of the contract), is older than the terms, or the "
                "ends of the terms are missing. Retention uses the terms.",
                rows_sql=f"SELECT * FROM ({_running_sql(shape)}) WHERE {where} ORDER BY account_id",
                facts={"as_of": str(cells["day"])},
            )


# Outcomes of renewals against the terms


def _outcomes_sql(shape: BookShape) -> str:
    """Decided renewals of accounts with terms, due early enough for their grace days to be told of, and whether a term goes on."""
    kept = ", ".join(map(sql_text, KEPT))
    runs = f"started <= due + {GRACE_DAYS} AND (ended IS NULL OR ended > due)"
    return (
        "SELECT source_file, source_row, account_id, due, outcome, coalesce(goes_on, false) AS goes_on, "
        f"coalesce(begins, false) AS begins, outcome IN ({kept}) AS kept "
        "FROM (SELECT source_file, source_row, account_id, due, outcome FROM renewals) LEFT JOIN ("
        f"SELECT account_id, due, bool_or(true) AS goes_on, bool_or(started >= due - {EARLY_DAYS}) AS begins "
        f"FROM (SELECT DISTINCT account_id, due FROM renewals) JOIN (SELECT account_id, started, ended FROM subscriptions WHERE {BASE}) "
        f"USING (account_id) WHERE {runs} GROUP BY ALL) AS after USING (account_id, due) "
        f"JOIN (SELECT account_id, min(started) AS first_started FROM subscriptions WHERE {BASE} GROUP BY account_id) AS firsts "
        f"USING (account_id) WHERE outcome IN ({kept}, 'churned') AND first_started < due "
        f"AND due <= {last_day_sql(shape)} - {GRACE_DAYS}"
    )


def _ask_outcomes(shape: BookShape) -> Mapping[str, str]:
    return {
        "outcomes": "SELECT count(*) AS renewals, count(*) FILTER (kept AND NOT goes_on) AS nothing_follows, "
        f"count(*) FILTER (NOT kept AND begins) AS term_follows FROM ({_outcomes_sql(shape)})"
    }


def _judge_outcomes(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    found = only_row(answers, "outcomes")
    of = found["renewals"]
    sides = (
        ("nothing_follows", "kept AND NOT goes_on", f"are recorded as renewed, though no term runs or begins within {GRACE_DAYS} days"),
        ("term_follows", "NOT kept AND begins", "are recorded as churned, though a term goes on from the day they were due"),
    )
    for name, where, said in sides:
        if found[name]:
            yield Finding(
                check="renewals_against_terms",
                table="renewals",
                subject=name,
                severity=gravity(found[name], of, least="warning"),
                count=found[name],
                of=of,
                unit="rows",
                message=f"{counted(found[name], of, 'renewals')} {said}.",
                affects=("renewals", "score audits", "retention: renewal rates"),
                mend="Compare the two for a few accounts, and keep the one that bills the customer. `unspun renewals` derives the renewals "
                "from the terms; terms that are missing must be loaded first.",
                rows_sql=f"SELECT source_file, source_row, account_id, due, outcome, goes_on, begins FROM ({_outcomes_sql(shape)}) "
                f"WHERE {where} ORDER BY source_file, source_row",
            )


# Status of tickets against their dates

STATUS_SQL = (
    "SELECT source_file, source_row, ticket_id, account_id, opened, closed, status, "
    f"lower(trim(status)) IN ({', '.join(map(sql_text, CLOSED_WORDS))}) AS says_closed, "
    f"lower(trim(status)) IN ({', '.join(map(sql_text, OPEN_WORDS))}) AS says_open FROM tickets"
)


def _ask_status(_shape: BookShape) -> Mapping[str, str]:
    return {
        "tickets": "SELECT count(*) FILTER (says_closed OR says_open) AS told, "
        "count(*) FILTER (says_closed AND closed IS NULL) AS undated, "
        f"count(*) FILTER (says_open AND closed IS NOT NULL) AS dated FROM ({STATUS_SQL})"
    }


def _judge_status(_shape: BookShape, answers: Answers) -> Iterator[Finding]:
    found = only_row(answers, "tickets")
    sides = (
        ("closed_without_date", found["undated"], "says_closed AND closed IS NULL", "are closed by their status, without a day"),
        ("open_with_date", found["dated"], "says_open AND closed IS NOT NULL", "are open by their status, and have a day of closing"),
    )
    for subject, count, where, said in sides:
        if count:
            yield Finding(
                check="ticket_status_against_dates",
                table="tickets",
                subject=subject,
                severity=gravity(count, found["told"], least="warning"),
                count=count,
                of=found["told"],
                unit="rows",
                message=f"{counted(count, found['told'], 'tickets')} {said}.",
                affects=("times to close", "counts of open tickets"),
                mend="See in book.yml which column is mapped to closed (a later update is no closing), and count open tickets by "
                "one of the two only.",
                rows_sql=f"SELECT source_file, source_row, ticket_id, account_id, opened, closed, status FROM ({STATUS_SQL}) WHERE {where} "
                "ORDER BY source_file, source_row",
            )


CHECKS: tuple[Check, ...] = (
    Check(
        "churn_flag_against_churns", "churn flags that contradict churns", ("accounts", "churns"),
        lambda shape: shape.lacks("accounts", "accounts.churned", "churns"), _ask_churns, _judge_churns,
    ),
    Check(
        "churn_flag_against_terms", "churn flags that contradict terms", ("accounts", "subscriptions"),
        lambda shape: shape.lacks("accounts", "accounts.churned", "subscriptions"), _ask_running, _judge_running,
    ),
    TERM_FLAGS,
    Check(
        "renewals_against_terms", "renewals that contradict terms", ("renewals", "subscriptions"),
        lambda shape: shape.lacks("renewals", "renewals.outcome", "subscriptions"), _ask_outcomes, _judge_outcomes,
    ),
    Check(
        "ticket_status_against_dates", "ticket status that contradicts dates", ("tickets",),
        lambda shape: shape.lacks("tickets", "tickets.status", "tickets.closed"), _ask_status, _judge_status,
    ),
)  # fmt: skip
