"""Checks of subscription terms: terms without a day, amounts, overlaps, gaps, add-ons without a base term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unspun.book.checks.addons import CHECK as PHANTOM_ADDONS
from unspun.book.checks.check import Answers, Check
from unspun.book.checks.finding import Finding
from unspun.book.checks.running import BASE, GRACE_DAYS, OPEN, money_sql, money_words
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, only_row, plural

AFFECTS = ("retention: GRR, NRR", "renewals", "score audits")
ROW = "source_file, source_row, account_id, subscription_id, product, is_addon, started, ended, amount, currency"


def _terms(shape: BookShape) -> str:
    return shape.lacks("subscriptions")


# Terms without a day


def _ask_days(_shape: BookShape) -> Mapping[str, str]:
    return {
        "terms": "SELECT count(*) AS terms, count(*) FILTER (ended < started) AS inverted, count(*) FILTER (ended = started) AS empty "
        "FROM subscriptions"
    }


def _judge_days(_shape: BookShape, answers: Answers) -> Iterator[Finding]:
    found = only_row(answers, "terms")
    of = found["terms"]
    rows = f"SELECT {ROW} FROM subscriptions WHERE ended {{}} started ORDER BY source_file, source_row"
    if inverted := found["inverted"]:
        yield Finding(
            "terms_without_days", "subscriptions", gravity(inverted, of, least="warning"), inverted, of, "terms",
            f"{counted(inverted, of, 'terms')} end before they start.", AFFECTS,
            "These terms are set aside, and count in no renewal. See in book.yml whether started and ended are mapped to each other's "
            "columns; else have start and end mended where they come from.",
            rows.format("<"), "ended_before_started",
        )  # fmt: skip
    if empty := found["empty"]:
        yield Finding(
            "terms_without_days", "subscriptions", "note", empty, of, "terms",
            f"{counted(empty, of, 'terms')} end on the day they start: they have no day, unless an end is the last day of a term.", AFFECTS,
            "Nothing to mend where they were voided at once: terms without a day are set aside, and the retention page counts them.",
            rows.format("="), "ended_as_started",
        )  # fmt: skip


# Amounts


def _ask_amounts(_shape: BookShape) -> Mapping[str, str]:
    return {
        "terms": "SELECT count(*) AS terms, count(*) FILTER (amount IS NULL) AS missing, count(*) FILTER (amount = 0) AS zero, "
        "count(*) FILTER (amount <> 0 AND amount_months IS NULL) AS unknown FROM subscriptions"
    }


def _judge_amounts(_shape: BookShape, answers: Answers) -> Iterator[Finding]:
    found = only_row(answers, "terms")
    of = found["terms"]
    rows = f"SELECT {ROW}, amount_months FROM subscriptions WHERE {{}} ORDER BY source_file, source_row"
    if missing := found["missing"]:
        yield Finding(
            "term_amounts", "subscriptions", gravity(missing, of, least="warning"), missing, of, "terms",
            f"{counted(missing, of, 'terms')} have no amount.", AFFECTS,
            "Have the amounts filled in where they come from. Until then the accounts of these terms count in logos and in no money.",
            rows.format("amount IS NULL"), "missing",
        )  # fmt: skip
    if unknown := found["unknown"]:
        yield Finding(
            "term_amounts", "subscriptions", "error", unknown, of, "terms",
            f"{counted(unknown, of, 'terms')} have an amount of which is not known how many months it covers.", AFFECTS,
            "Say in book.yml what the amount covers (amount: {column: ..., covers: month}), or map amount_months.",
            rows.format("amount <> 0 AND amount_months IS NULL"), "unknown_months",
        )  # fmt: skip
    if zero := found["zero"]:
        yield Finding(
            "term_amounts", "subscriptions", "note", zero, of, "terms",
            f"{counted(zero, of, 'terms')} have an amount of 0, which counts as a price: an account that pays nothing is not yet a logo.",
            AFFECTS, "Nothing to mend where these are trials or free plans. Else have the amounts filled in where they come from.",
            rows.format("amount = 0"), "zero",
        )  # fmt: skip


# Overlaps

_WITH_DAYS = "FROM subscriptions WHERE ended IS NULL OR ended > started"
BESIDE_SQL = (
    f"SELECT * EXCLUDE (until, beside), beside.started AS beside_started, nullif(beside.until, {OPEN}) AS beside_ended, "
    "beside.amount AS beside_amount, beside.source_file AS beside_file, beside.source_row AS beside_row, "
    "CASE WHEN until > beside.until THEN 'takes over' WHEN started = beside.started AND until = beside.until "
    "AND amount IS DISTINCT FROM beside.amount THEN 'order line' ELSE 'inside' END AS kind "
    "FROM (SELECT *, max({'until': until, 'started': started, 'amount': amount, 'counts_until': counts_until, "
    "'source_file': source_file, 'source_row': source_row}) OVER (PARTITION BY account_id, coalesce(is_addon, false), product "
    "ORDER BY started, until DESC, amount, source_file, source_row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS beside "
    f"FROM (SELECT {ROW}, amount_months, coalesce(ended, {OPEN}) AS until, "
    f"least(coalesce(ended, {OPEN}), coalesce(cancelled_on - {GRACE_DAYS}, {OPEN})) AS counts_until "
    f"{_WITH_DAYS})) WHERE started < beside.counts_until"
)
"""The terms that begin while another of the same account and product runs (one that was cancelled by then is replaced), with that term.
"takes over": it outlasts the other, and renews or replaces it; "order line": the same days, another amount; "inside": both count."""
_BUSY_SQL = (
    f"SELECT DISTINCT account_id AS busy_id FROM (SELECT account_id, started < max(coalesce(ended, {OPEN})) OVER (PARTITION BY account_id, "
    "coalesce(is_addon, false), product ORDER BY started ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS runs_on "
    f"{_WITH_DAYS}) WHERE runs_on"
)
"""The accounts that have such terms at all, told by fewer columns."""
_BESIDE_COUNTED_SQL = BESIDE_SQL.replace(
    _WITH_DAYS, f"FROM (SELECT * FROM subscriptions SEMI JOIN ({_BUSY_SQL}) ON account_id IS NOT DISTINCT FROM busy_id) {_WITH_DAYS[19:]}"
)


def _ask_overlaps(shape: BookShape) -> Mapping[str, str]:
    money = money_sql("SELECT * FROM found WHERE kind = 'inside'", shape)
    return {
        "terms": f"WITH found AS MATERIALIZED ({_BESIDE_COUNTED_SQL}) "
        "SELECT (SELECT count(*) FROM subscriptions) AS terms, count(*) FILTER (kind = 'inside') AS inside, "
        "count(DISTINCT account_id) FILTER (kind = 'inside') AS accounts, count(*) FILTER (kind = 'takes over') AS takes_over, "
        f"count(*) FILTER (kind = 'order line') AS order_lines, (SELECT list(money) FROM ({money}) AS money) AS money FROM found"
    }


def _judge_overlaps(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    found = only_row(answers, "terms")
    if not found["inside"]:
        return
    money = found["money"] or []
    alike = "account and product" if shape.has("subscriptions", "product") else "account (no product is mapped)"
    said = f" They add {money_words(money)}, which is counted twice where one replaces the other." if money else ""
    yield Finding(
        check="overlapping_terms",
        table="subscriptions",
        severity="warning",
        count=found["inside"],
        of=found["terms"],
        unit="terms",
        message=f"{counted(found['inside'], found['terms'], 'terms')} of {plural(found['accounts'], 'account')} lie inside another term "
        f"of the same {alike}.{said}",
        affects=("retention: ARR, GRR, NRR", "renewals"),
        mend="See whether these are several contracts side by side (then accept this) or one that was replaced: then give the old term "
        f"its true end.{'' if shape.has('subscriptions', 'product') else ' Where they are different products, map product in book.yml.'}",
        rows_sql=f"SELECT * EXCLUDE (kind, counts_until, amount_months) FROM ({BESIDE_SQL}) WHERE kind = 'inside' "
        "ORDER BY source_file, source_row",
        facts={
            "accounts": found["accounts"],
            "takes_over_before_the_end": found["takes_over"],
            "order_lines_of_the_same_days": found["order_lines"],
            **{f"arr {row['currency']}".rstrip(): row["arr"] for row in money},
        },
    )


# Gaps

TOLD = "source_file, source_row, account_id, subscription_id, started"  # by name: an own column may have the name of ours
GAPS_SQL = (
    "SELECT source_file, source_row, account_id, subscription_id, before AS earlier_ended, started, started - before AS gap_days "
    f"FROM (SELECT {TOLD}, max(coalesce(ended, {OPEN})) OVER (PARTITION BY account_id "
    f"ORDER BY started, coalesce(ended, {OPEN}), source_file, source_row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before "
    f"FROM subscriptions WHERE {BASE} AND (ended IS NULL OR ended >= started)) WHERE before IS NOT NULL"
)
"""The base terms that follow another of their account, with the days since the latest end before them (negative: it runs still)."""


def _ask_gaps(_shape: BookShape) -> Mapping[str, str]:
    return {
        "gaps": f"SELECT gap_days, count(*) AS terms FROM ({GAPS_SQL}) GROUP BY gap_days ORDER BY gap_days",
        "accounts": f"SELECT count(DISTINCT account_id) FILTER (gap_days > 0) AS after_0, "
        f"count(DISTINCT account_id) FILTER (gap_days > 1) AS after_1 FROM ({GAPS_SQL})",
    }


def _judge_gaps(_shape: BookShape, answers: Answers) -> Iterator[Finding]:
    terms = {row["gap_days"]: row["terms"] for row in answers["gaps"].to_pylist()}
    inclusive = int(terms.get(1, 0) > terms.get(0, 0))  # ends are last days, as renewals from terms tell it
    gaps = {days - inclusive: count for days, count in terms.items() if days > inclusive}
    if not gaps:
        return
    count, of, accounts = sum(gaps.values()), sum(terms.values()), only_row(answers, "accounts")[f"after_{inclusive}"]
    late = sum(count for days, count in gaps.items() if days <= GRACE_DAYS)
    shortest, longest = min(gaps), max(gaps)
    length = plural(longest, "day") if shortest == longest else f"{shortest:,} to {plural(longest, 'day')}"
    yield Finding(
        check="term_gaps",
        table="subscriptions",
        severity="note",
        count=count,
        of=of,
        unit="terms",
        message=f"{counted(count, of, 'base terms that follow another')} begin after a gap of {length}, in {plural(accounts, 'account')}: "
        f"{_late_and_lapsed(late, count - late)}.",
        affects=("retention: GRR, logo churn", "renewals"),
        mend="Nothing to mend where the service stopped. Where it went on, the terms between are missing from the export, or grace_days "
        "in retention.yml should be longer.",
        rows_sql=f"SELECT * REPLACE (gap_days - {inclusive} AS gap_days) FROM ({GAPS_SQL}) WHERE gap_days > {inclusive} "
        "ORDER BY source_file, source_row",
        facts={
            "accounts": accounts, "within_grace_days": late, "lapses": count - late, "shortest_days": shortest, "longest_days": longest,
            "median_days": _median(gaps), "ends_are_last_days": str(bool(inclusive)).lower(),
        },
    )  # fmt: skip


def _late_and_lapsed(late: int, lapsed: int) -> str:
    renewed = f"{late:,} within the {GRACE_DAYS} grace days, which counts as renewed late"
    back = f"{lapsed:,} after longer, which counts as churned and come back"
    if not lapsed:
        return f"{'all of them' if late > 1 else 'it is'} within the {GRACE_DAYS} grace days, which counts as renewed late"
    return ", ".join(said for count, said in ((late, renewed), (lapsed, back)) if count)


def _median(counts: Mapping[int, int]) -> int:
    """The lower median of values with counts."""
    left = (sum(counts.values()) + 1) // 2
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    raise ValueError("no values")


CHECKS: tuple[Check, ...] = (
    Check("terms_without_days", "terms that end before they start", ("subscriptions",), _terms, _ask_days, _judge_days),
    Check(
        "term_amounts", "terms without an amount", ("subscriptions",),
        lambda shape: shape.lacks("subscriptions", "subscriptions.amount"), _ask_amounts, _judge_amounts,
    ),
    Check("overlapping_terms", "overlapping terms", ("subscriptions",), _terms, _ask_overlaps, _judge_overlaps),
    Check("term_gaps", "gaps between terms", ("subscriptions",), _terms, _ask_gaps, _judge_gaps),
    PHANTOM_ADDONS,
)  # fmt: skip
