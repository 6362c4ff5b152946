"""The mean and the spread of an account's peers, for z-scores."""

from __future__ import annotations

from sqlglot import exp

from unspun.metrics.lower.derived import Value, first_why
from unspun.metrics.lower.missing import code
from unspun.metrics.lower.plan import Step
from unspun.metrics.missing import FEWEST_PEERS

PEER_DAYS = 365
"""Before renewals: peers are the units of the same horizon whose as-of dates lie in so many days up to this one's."""


def peer_step(name: str, stage: str, value: exp.Expr, within: exp.Expr | None, before_renewals: bool) -> Step:
    """Of each group of peers: how many there are (`n`), the mean, the sum of squares about it (`ss`), the least and the greatest value.

    By day, in two passes, so that nothing cancels; before renewals the days of a year are then put together.
    """
    keys = [exp.column("point").as_("point"), *([within.copy().as_("segment")] if within is not None else [])]
    keys += [exp.column("horizon_days").as_("horizon"), exp.column("day").as_("day")] if before_renewals else []
    there = [value.copy().is_(exp.null()).not_(), *([within.copy().is_(exp.null()).not_()] if within is not None else [])]
    values = exp.select(*keys, exp.cast(value.copy(), "double").as_("x")).from_(stage).where(*there)
    by = [key.alias for key in keys]
    rough = exp.select(*by, "COUNT(*) AS n", "AVG(x) AS rough", "MIN(x) AS least", "MAX(x) AS greatest").from_("peer_values").group_by(*by)
    same = " AND ".join(f"r.{key} = v.{key}" for key in by)
    off = exp.select(*(f"r.{key} AS {key}" for key in by), "MIN(r.n) AS n", "MIN(r.rough) AS rough", "MIN(r.least) AS least")
    off = off.select("MIN(r.greatest) AS greatest", "AVG(v.x - r.rough) AS d", "SUM((v.x - r.rough) * (v.x - r.rough)) AS s")
    off = off.from_("rough AS r").join("peer_values AS v", on=same).group_by(*(f"r.{key}" for key in by))
    days = exp.select(*by, "n", "rough + d AS mean", "s - n * d * d AS ss", "least", "greatest").from_("off")
    made = {"peer_values": values, "rough": rough, "off": off}
    query = days
    if before_renewals:
        years, query = _of_a_year(within is not None)
        made |= {"peer_days": days, "peer_years": years}
    for table, one in made.items():
        query = query.with_(table, as_=one)
    return Step(name, query, "the peers of accounts")


def _of_a_year(within: bool) -> tuple[exp.Select, exp.Select]:
    """For each horizon and as-of date the peers of the days up to it (PEER_DAYS): their mean, then also the squares about it."""
    same = f"o.horizon = t.horizon AND o.day <= t.day AND o.day > t.day - {PEER_DAYS}" + (" AND o.segment = t.segment" if within else "")
    by = ["t.point AS point", "t.horizon AS horizon", *(["t.segment AS segment"] if within else [])]
    groups = ["t.point", "t.horizon", *(["t.segment"] if within else [])]
    mean = exp.select(*by, "SUM(o.n) AS n", "SUM(o.n * o.mean) / SUM(o.n) AS mean", "MIN(t.day) AS day")
    mean = mean.select("MIN(o.least) AS least", "MAX(o.greatest) AS greatest").from_("peer_days AS t").join("peer_days AS o", on=same)
    mean = mean.group_by(*groups)
    total = "SUM(o.ss + o.n * (o.mean - t.mean) * (o.mean - t.mean)) AS ss"
    whole = exp.select(*by, "MIN(t.n) AS n", "MIN(t.mean) AS mean", total, "MIN(t.least) AS least", "MIN(t.greatest) AS greatest")
    whole = whole.from_("peer_years AS t").join("peer_days AS o", on=same).group_by(*groups)
    return mean, whole


def with_peers(below: exp.Select, step: str, within: exp.Expr | None, before_renewals: bool, number_of: int) -> exp.Select:
    """A query over a stage (alias `s`) with the figures of the peers: `mean{i}` and `spread{i}` (NULL: too few, or all the same)."""
    on = [f"p{number_of}.point = s.point", *([f"p{number_of}.horizon = s.horizon_days"] if before_renewals else [])]
    conditions: list[exp.Expr | str] = [*on]
    if within is not None:
        conditions.append(exp.EQ(this=exp.column("segment", table=f"p{number_of}"), expression=exp.column(within.name, table="s")))
    alias = f"p{number_of}"
    spread = f"CASE WHEN {alias}.n >= {FEWEST_PEERS} AND {alias}.greatest > {alias}.least THEN SQRT({alias}.ss / ({alias}.n - 1)) END"
    joined = below.join(f"{step} AS {alias}", on=exp.and_(*conditions), join_type="left")
    return joined.select(f"{alias}.mean AS mean{number_of}", f"{spread} AS spread{number_of}")


def score(of: Value, within: Value | None, number_of: int) -> Value:
    """The z-score, of the columns that `with_peers` gives."""
    mean, spread = exp.column(f"mean{number_of}"), exp.column(f"spread{number_of}")
    few = exp.Case().when(spread.is_(exp.null()), code("few_peers"))
    why = first_why([of, *([within] if within is not None else [])], few)
    value = exp.Div(this=exp.paren(exp.Sub(this=of.double, expression=mean)), expression=spread.copy(), typed=True, safe=False)
    there = value if within is None else exp.Case().when(within.value.copy().is_(exp.null()).not_(), value)
    return Value(there, why, "number")
