"""Checks of the hierarchy of accounts: circles, parents that are no accounts, and chains of improbable length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.finding import Finding, Severity
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, only_row

DEEPEST = 8  # levels below the top; corporate groups as CRMs record them have two to five
WRONG_SHARE = 0.01  # of accounts in circles or without their parent: a figure by parent is off by about that
AFFECTS = ("retention by parent: GRR, NRR", "account counts by parent", "score audits")
EDGES = "SELECT account_id, parent_id FROM accounts WHERE parent_id IS NOT NULL AND parent_id <> account_id"
"""An account that names itself is the top of its own hierarchy, as everywhere in the product: no fault."""
# UNION, not UNION ALL: pairs already seen end the walk, so a circle ends it too
ABOVE = (
    f"WITH RECURSIVE edges AS ({EDGES}), above(account_id, ancestor) AS (SELECT account_id, parent_id FROM edges "
    "UNION SELECT a.account_id, e.parent_id FROM above a JOIN edges e ON e.account_id = a.ancestor)"
)
CIRCLE_ROWS = (
    f"{ABOVE} SELECT account_id, parent_id, source_file, source_row FROM accounts "
    "WHERE account_id IN (SELECT account_id FROM above WHERE account_id = ancestor) ORDER BY account_id"
)
ORPHAN_ROWS = (
    "SELECT account_id, parent_id, source_file, source_row FROM accounts WHERE parent_id IS NOT NULL "
    "AND parent_id NOT IN (SELECT account_id FROM accounts WHERE account_id IS NOT NULL) ORDER BY account_id"
)
ORPHANS = f"SELECT count(*) AS accounts, count(DISTINCT parent_id) AS parents FROM ({ORPHAN_ROWS})"
DEEP_ROWS = (
    f"{ABOVE}, levels AS (SELECT account_id, count(*) AS levels FROM above GROUP BY account_id HAVING count(*) > {DEEPEST}) "
    "SELECT account_id, parent_id, levels, source_file, source_row FROM accounts JOIN levels USING (account_id) "
    "WHERE account_id NOT IN (SELECT a.account_id FROM above a JOIN above c ON c.account_id = a.ancestor AND c.ancestor = c.account_id) "
    "ORDER BY levels DESC, account_id"
)


def _ask(_shape: BookShape) -> dict[str, str]:
    return {"edges": f"{EDGES} ORDER BY account_id", "accounts": "SELECT count(*) AS accounts FROM accounts", "orphans": ORPHANS}


def _judge(_shape: BookShape, answers: Answers) -> Iterator[Finding]:
    edges = answers["edges"]
    parents = dict(zip(edges.column("account_id").to_pylist(), edges.column("parent_id").to_pylist(), strict=True))
    accounts = int(only_row(answers, "accounts")["accounts"])
    circles, depths = walked(parents)
    if circles:
        yield _circular(circles, accounts)
    orphans = only_row(answers, "orphans")
    if orphans["accounts"]:
        yield _orphaned(int(orphans["accounts"]), int(orphans["parents"]), len(set(parents.values())), accounts)
    if deep := sum(depth > DEEPEST for depth in depths.values()):
        yield _deep(deep, max(depths.values()), accounts)


def walked(parents: Mapping[str, str]) -> tuple[list[frozenset[str]], dict[str, int]]:
    """The circles, each as its accounts, and of every account that leads into none how many levels it is below the top."""
    circles: list[frozenset[str]] = []
    depths: dict[str, int] = {}
    into_circle: set[str] = set()
    for account in parents:
        path: dict[str, int] = {}
        at = account
        while at in parents and at not in path and at not in depths and at not in into_circle:
            path[at] = len(path)
            at = parents[at]
        if at in path:
            circles.append(frozenset(one for one, place in path.items() if place >= path[at]))
        if at in path or at in into_circle:
            into_circle |= path.keys()
        else:
            depths |= {one: depths.get(at, 0) + len(path) - place for one, place in path.items()}
    return circles, depths


def _severity(count: int, accounts: int) -> Severity:
    return "error" if count >= WRONG_SHARE * accounts else "warning"


def _circular(circles: list[frozenset[str]], accounts: int) -> Finding:
    count = sum(map(len, circles))
    number = f"{len(circles):,} circles" if len(circles) > 1 else "a circle"
    return Finding(
        check="hierarchy",
        table="accounts",
        subject="circles",
        severity=_severity(count, accounts),
        count=count,
        of=accounts,
        unit="accounts",
        message=f"{counted(count, accounts, 'accounts')} stand in {number} of parents: each is an ancestor of itself, so none has a top. "
        "Figures by parent take a circle for one family.",
        affects=AFFECTS,
        mend="Clear parent_id of the account at the top of each circle, in the system that the accounts come from, and load them again.",
        rows_sql=CIRCLE_ROWS,
        facts={"circles": len(circles), "longest": max(map(len, circles))},
    )


def _orphaned(count: int, missing: int, parents: int, accounts: int) -> Finding:
    """Where no parent at all is an account, the column names groups that are no customers themselves: consistent, so only described."""
    all_missing = missing >= parents
    return Finding(
        check="hierarchy",
        table="accounts",
        subject="parents",
        severity="note" if all_missing else "warning",
        count=count,
        of=accounts,
        unit="accounts",
        message=f"{counted(count, accounts, 'accounts')} name a parent that is no account of the book: {missing:,} of {parents:,} parents."
        + (" As none is, parent_id seems to name groups, which figures by parent use as they are." if all_missing else ""),
        affects=AFFECTS,
        mend="Load the parents' rows too, or map parent_id to the column that holds the parent's account id (not its name).",
        rows_sql=ORPHAN_ROWS,
        facts={"parents": parents, "missing_parents": missing},
    )


def _deep(count: int, deepest: int, accounts: int) -> Finding:
    return Finding(
        check="hierarchy",
        table="accounts",
        subject="depth",
        severity="warning",
        count=count,
        of=accounts,
        unit="accounts",
        message=f"{counted(count, accounts, 'accounts')} stand more than {DEEPEST} levels below the top of their hierarchy, the deepest "
        f"{deepest}.",
        affects=AFFECTS,
        mend="See the chains: a parent_id that points to the account before it in a list, not to its parent, makes such chains.",
        rows_sql=DEEP_ROWS,
        facts={"deepest": deepest},
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "hierarchy",
        "circles and gaps in the hierarchy of accounts",
        ("accounts",),
        lambda shape: shape.lacks("accounts.parent_id"),
        _ask,
        _judge,
    ),
)
