"""The life of an account as of each date: since when it is a customer, whether it has left, and when its current term began.

Gives the table `life`: `unit`, `born` (INT day; NULL: not known), `gone`, `contract` (INT day; NULL: no term runs), `unseen` (its birth is
not known, and no table said anything of it yet).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from unspun.metrics.lower.day_state import APPEARED
from unspun.metrics.lower.local_day import day_number, number
from unspun.metrics.lower.plan import Step
from unspun.metrics.lower.sources import column_kind, day_sql, instant_day_sql, named, question_range, row_versions
from unspun.metrics.lower.states import attributes
from unspun.metrics.lower.units import FOREVER, NAMES_ACCOUNTS
from unspun.metrics.question import PanelQuestion

LIFE = "life"
CREATED = "created_on"
SEEN = "u.day >= t.seen_from AND u.day < t.seen_until"


def life_steps(question: PanelQuestion, stated: Sequence[str] = ()) -> tuple[Step, ...]:
    """The steps that make the table `life`, a row for each unit; with what is `stated` of accounts on the as-of date, `a{i}`."""
    tables = question.tables
    steps: list[Step] = []
    life = exp.select("u.unit AS unit").from_("units AS u")
    born: list[exp.Expr] = []
    gone: exp.Expr = exp.false()
    contract: exp.Expr = exp.cast(exp.null(), "int")
    created = (CREATED,) if "accounts" in tables and CREATED in tables["accounts"].columns else ()
    if created or stated:
        steps.append(Step("life_stated", attributes(question, (*stated, *created), 0), "what is said of accounts"))
        life = life.join("life_stated AS s", on="s.unit = u.unit", join_type="left").select(
            *(f"s.c{i} AS a{i}" for i in range(len(stated)))
        )
        born += [exp.column(f"c{len(stated)}", table="s")] if created else []
    if "churns" in tables:
        steps += [_churn_versions(question), *([_purchase_days(question)] if "purchases" in tables else []), _left(question)]
        life = life.join("life_left AS c", on="c.unit = u.unit", join_type="left")
        gone = exp.func("COALESCE", exp.column("gone", table="c"), exp.false())
    if "subscriptions" in tables:
        steps += [_term_versions(question), _terms()]
        life = life.join("life_terms AS t", on="t.unit = u.unit", join_type="left")
        born.append(exp.column("born", table="t"))
        contract = exp.column("contract", table="t")
        ended = exp.column("last_end", table="t")
        after = exp.GTE(this=exp.column("day", table="u"), expression=exp.Add(this=ended, expression=number(question.grace_days)))
        gone = exp.Case().when(ended.copy().is_(exp.null()).not_(), after).else_(gone)
    if "purchases" in tables:
        steps += [*([] if "churns" in tables else [_purchase_days(question)]), _first_purchases()]
        life = life.join("life_purchased AS p", on="p.unit = u.unit", join_type="left")
        born.append(exp.column("born", table="p"))
    steps += [*_appeared_steps(question)]
    life = life.join("life_appeared AS a", on="a.account = u.account", join_type="left")
    first = exp.Least(this=born[0], expressions=born[1:], ignore_nulls=True) if born else exp.cast(exp.null(), "int")
    appeared = exp.func("COALESCE", exp.column("appeared", table="a"), number(FOREVER))
    unseen = exp.and_(first.copy().is_(exp.null()), exp.GT(this=appeared, expression=exp.column("day", table="u")))
    life = life.select(first.as_("born"), gone.as_("gone"), contract.as_("contract"), unseen.as_("unseen"), copy=False)
    return (*steps, Step(LIFE, life, "since when accounts are customers, and whether they have left"))


def _appeared_steps(question: PanelQuestion) -> Iterator[Step]:
    """On which day each account was first heard of, in the tables that name accounts: `account`, `appeared`; no row where it never was.

    Events are looked at only for accounts that no other table names by the first as-of date.
    """
    others = [name for name in NAMES_ACCOUNTS if name in question.tables and name != "events"]
    yield Step("life_named", _named(question, others), "since when accounts are heard of")
    known = exp.select("a.account AS account", "a.account_id AS account_id", "n.appeared AS appeared").from_("accounts_of_panel AS a")
    known = known.join("life_named AS n", on="n.account_id = a.account_id", join_type="left")
    if "events" not in question.tables:
        yield Step("life_appeared", known, "since when accounts are heard of")
        return
    first = number(day_number(question_range(question)[0]))
    late = exp.select("a.account_id").from_(known.copy().subquery("a")).where(exp.GT(this=_or_never("a.appeared"), expression=first))
    events = _first_events(question).where(exp.column("account_id").isin(query=late), copy=False)
    yield Step("life_events", events, "first events")
    day = instant_day_sql(question, exp.column("at", table="e"))
    earlier = exp.Least(this=_or_never("k.appeared"), expressions=[exp.func("COALESCE", day, number(FOREVER))], ignore_nulls=True)
    found = exp.select("k.account AS account", earlier.as_("appeared")).from_(known.subquery("k"))
    yield Step(
        "life_appeared",
        found.join("life_events AS e", on="e.account_id = k.account_id", join_type="left"),
        "since when accounts are heard of",
    )


def _first_events(question: PanelQuestion) -> exp.Select:
    """When the first event of each account had happened and was known: `account_id`, `at`."""
    found = exp.select(named("account_id")).group_by(named("account_id"))
    if "events" in question.kept:
        days = exp.to_table(question.kept["events"].days)
        return found.select(exp.Min(this=exp.column(APPEARED)).as_("at")).from_(days).where("NOT day IS NULL")
    later = exp.Greatest(this=named("happened_at"), expressions=[named("known_at")], ignore_nulls=True)
    found = found.select(exp.Min(this=later).as_("at")).from_("events_versions")
    return found.where(named("happened_at").is_(exp.null()).not_())


def _or_never(column: str) -> exp.Expr:
    table, name = column.split(".")
    return exp.func("COALESCE", exp.column(name, table=table), number(FOREVER))


def _named(question: PanelQuestion, tables: Sequence[str]) -> exp.Select:
    """The first day on which each account is named in some tables."""
    parts: exp.Query = exp.select("CAST(NULL AS VARCHAR) AS account_id", "CAST(NULL AS INT) AS appeared")
    for table in tables:
        part = exp.select("account_id", "MIN(GREATEST(day, seen_from)) AS appeared").from_(_known(question, table, []))
        parts = exp.union(parts, part.where("NOT day IS NULL").group_by("account_id"), distinct=False, copy=False)
    found = exp.select("account_id", "MIN(appeared) AS appeared").from_(parts.subquery("named", copy=False))
    return found.where("NOT account_id IS NULL").group_by("account_id")


def _until(question: PanelQuestion, table: str) -> str:
    return f"COALESCE(seen_until, {FOREVER}) AS seen_until" if question.tables[table].several_versions else f"{FOREVER} AS seen_until"


def _known(question: PanelQuestion, table: str, columns: list[exp.Expr]) -> exp.Subquery:
    return row_versions(question, table, [named("account_id"), *columns]).subquery("row_versions", copy=False)


def _term_versions(question: PanelQuestion) -> Step:
    """Each version of a term: when it began, its end (the first day on which it runs no more), and whether it is a base term."""
    after = 1 if question.ends_inclusive else 0
    ended = day_sql(question, "ended", column_kind(question, "subscriptions", "ended")).as_("ended")
    rows = _known(question, "subscriptions", [ended, named("is_addon").as_("is_addon")])
    terms = exp.select(
        "account_id", "day", "seen_from", _until(question, "subscriptions"),
        f"COALESCE(ended + {after}, {FOREVER}) AS end_day", "NOT COALESCE(is_addon, FALSE) AS is_base",
    )  # fmt: skip
    terms = terms.from_(rows).where("account_id IS NOT NULL AND day IS NOT NULL")
    return Step("life_term_versions", terms, "terms as they were known")


def _terms() -> Step:
    """Of the terms visible on a date: the first day of all, and of the base terms that have begun the last end and the begin of the last
    that runs."""
    found = exp.select(
        "u.unit AS unit", "MIN(t.day) AS born", "MAX(CASE WHEN t.is_base AND t.day <= u.day THEN t.end_day END) AS last_end",
        "MAX(CASE WHEN t.is_base AND t.day <= u.day AND u.day < t.end_day THEN t.day END) AS contract",
    )  # fmt: skip
    found = found.from_("units AS u").join("life_term_versions AS t", on=f"t.account_id = u.account_id AND {SEEN}")
    return Step("life_terms", found.group_by("u.unit"), "the terms of accounts")


def _purchase_days(question: PanelQuestion) -> Step:
    """The days of purchases as they were known, each once."""
    days = exp.select("account_id", "day", "GREATEST(day, seen_from) AS seen_from", _until(question, "purchases")).distinct()
    days = days.from_(_known(question, "purchases", [])).where("account_id IS NOT NULL AND day IS NOT NULL")
    return Step("life_purchase_days", days, "the days of purchases")


def _first_purchases() -> Step:
    """The first purchase day visible on a date. A day after another that stays visible for good never is the first."""
    earlier = (
        f"MIN(CASE WHEN seen_until = {FOREVER} THEN day END) OVER "
        "(PARTITION BY account_id ORDER BY seen_from, day, seen_until DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier"
    )
    days = exp.select("account_id", "day", "seen_from", "seen_until", earlier).from_("life_purchase_days")
    kept = exp.select("account_id", "day", "seen_from", "seen_until").from_(days.subquery("days", copy=False))
    kept = kept.where("earlier IS NULL OR day < earlier")
    found = exp.select("u.unit AS unit", "MIN(t.day) AS born").from_("units AS u")
    found = found.join(kept.subquery("t", copy=False), on=f"t.account_id = u.account_id AND {SEEN}").group_by("u.unit")
    return Step("life_purchased", found, "the first purchases")


def _churn_versions(question: PanelQuestion) -> Step:
    churns = exp.select("account_id", "day", "GREATEST(day, seen_from) AS seen_from", _until(question, "churns"))
    churns = churns.from_(_known(question, "churns", [])).where("account_id IS NOT NULL AND day IS NOT NULL")
    return Step("life_churns", churns, "recorded departures")


def _left(question: PanelQuestion) -> Step:
    """Whether an account without terms has left: it has departed, and has bought nothing since. Every row of churns is a departure, also
    that of an account which had left before and come back."""
    departed = exp.select("u.unit AS unit", "u.account_id AS account_id", "u.day AS day", "MAX(t.day) AS departed").from_("units AS u")
    departed = departed.join("life_churns AS t", on=f"t.account_id = u.account_id AND {SEEN}").group_by("u.unit", "u.account_id", "u.day")
    left = exp.select("u.unit AS unit", "TRUE AS gone").from_(departed.subquery("u", copy=False))
    if "purchases" in question.tables:
        on = f"t.account_id = u.account_id AND t.day > u.departed AND {SEEN}"
        bought = left.select("t.day AS bought").join("life_purchase_days AS t", on=on, join_type="left")
        left = exp.select("unit", "TRUE AS gone").from_(bought.subquery("bought", copy=False)).group_by("unit")
        left = left.having("MAX(bought) IS NULL")
    return Step("life_left", left, "accounts that have left")
