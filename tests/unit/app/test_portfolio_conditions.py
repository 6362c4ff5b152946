"""Scope and filter as SQL, held against plain Python: random lines, scopes and filters, hostile texts among them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.app.read_model_lines import line, made
from unspun.app.access import Actor, Scope
from unspun.app.portfolio.account import account_detail
from unspun.app.portfolio.conditions import BANDS, PortfolioFilter, fitting, fold, within
from unspun.app.portfolio.request import SORT_COLUMNS, PortfolioRequest, SortName
from unspun.app.portfolio.run import account_in_scope, portfolio, portfolio_csv, search
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.warehouse.read_model import open_read_model

HOSTILE = (
    "", "'", "' OR 1=1 --", '"; DROP TABLE lines; --', "%", "_", "\\", "[\"Kim\"]", "Kim\0Lee",
    "Kim\0", "\ud800", "<script>alert(1)</script>",
    "\u202eKim", "KİM", "ﬁne", "Straße", "=2+2", "null", "Kim' UNION SELECT 1", "x" * 10_000, "\n", "🎈", "e\u0301", "é",
)  # fmt: skip
IN_BOOK = tuple(one for one in HOSTILE if one and "\0" not in one and one != "\ud800")
NAMES = ("Kim", "Lee", "kim", *IN_BOOK)
Line = Mapping[str, Any]


def lines() -> list[dict[str, Any]]:
    """Accounts of every owner and segment, some of none; two lines of one account; the last without a due date."""
    found = []
    for at, name in enumerate(NAMES):
        owner, segment = name if at % 5 else None, NAMES[-1 - at] if at % 3 else None
        told = {"p_churn": 0.1 + at / 100, "lost": (0.1 + at / 100) * 100 * at, "arr": 100.0 * at, "weight": 7.0 * (at % 4)}
        values = told if at % 4 else {"cannot_tell": "too_wide", "arr": 50.0}
        products = (NAMES[at // 2], "Core") if at % 2 else ()
        due = {"due": f"2027-01-{1 + at:02}", "lead_days": 10 * at - 20}
        found.append(line(f"A-{at}", name=name, owner=owner, segment=segment, band=BANDS[at % 6], products=products, **due, **values))
    found.append({**found[3], "due": "2027-06-01", "lead_days": 213})
    found.append(line(NAMES[-1], owner="Kim", status="no renewal", band="no renewal"))
    return found


LINES = lines()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return made(tmp_path_factory.mktemp("lines"), LINES)


def csm(scope: Scope) -> Actor:
    return Actor(2, "Kim", "", "csm", scope, "session")


texts = st.sampled_from((*NAMES, *HOSTILE)) | st.text(max_size=5)
ids = st.sampled_from(sorted({one["account_id"] for one in LINES})) | texts
some = st.frozensets(texts, max_size=4)
scopes = st.builds(Scope, st.booleans(), some, some, st.frozensets(ids, max_size=4))
tuples = st.lists(texts, max_size=3).map(tuple)
filters = st.builds(
    PortfolioFilter,
    tuples,
    tuples,
    tuples,
    st.lists(st.sampled_from(BANDS), max_size=3).map(tuple),
    st.lists(st.sampled_from(("EUR", "USD", "")) | texts, max_size=2).map(tuple),
    st.none() | st.integers(-30, 250) | st.sampled_from((10**30, -(10**30))),
    st.sampled_from(("", "kim", "a-", "KIM a-1", "' or", "ss", "fine", "e", "%", "null 1")) | texts,
)


def fits(one: Line, asked: PortfolioFilter) -> bool:
    """What the filter is said to do, line by line."""
    for column, wanted in (("segment", asked.segments), ("owner", asked.owners), ("currency", asked.currencies)):
        if wanted and (one.get(column) or "") not in wanted:
            return False
    if asked.products and not set(one.get("products", ()) or ("",)) & set(asked.products):
        return False
    if asked.bands and one["band"] not in asked.bands:
        return False
    if asked.due_within is not None and not (one.get("lead_days") is not None and one["lead_days"] <= asked.due_within):
        return False
    return all(word in one["search"] for word in fold(asked.text).split())


def in_scope(one: Line, scope: Scope) -> bool:
    return scope.holds(one["account_id"], one.get("owner"), one.get("segment"))


@given(scopes, filters)
def test_lines_are_those_that_scope_and_filter_let_through(workspace: Workspace, scope: Scope, asked: PortfolioFilter) -> None:
    model, condition = open_read_model(workspace.warehouse), within(scope) & fitting(asked)
    found = model.rows(f"SELECT line FROM lines WHERE {condition.sql} ORDER BY line", condition.parameters)
    assert [one for (one,) in found] == [at for at, one in enumerate(LINES) if in_scope(one, scope) and fits(one, asked)]


@given(scopes, filters)
def test_what_is_not_let_through_is_the_rest_as_no_condition_is_ever_null(
    workspace: Workspace, scope: Scope, asked: PortfolioFilter
) -> None:
    model, condition = open_read_model(workspace.warehouse), within(scope) & fitting(asked)
    (yes,), (no,) = (
        model.rows(f"SELECT count(*) FROM lines WHERE {sql}", condition.parameters)[0] for sql in (condition.sql, f"NOT ({condition.sql})")
    )
    assert yes + no == len(LINES)


@given(scopes, filters)
def test_page_search_csv_and_account_never_show_what_is_out_of_scope(workspace: Workspace, scope: Scope, asked: PortfolioFilter) -> None:
    limited = csm(scope)
    allowed = {one["account_id"] for one in LINES if in_scope(one, scope)}
    request = PortfolioRequest(asked, size=1000)
    shown = portfolio(workspace, limited, request)
    assert {one.account_id for one in shown.rows} <= allowed
    assert shown.total == len(shown.rows) == portfolio_csv(workspace, limited, request, columns=("line",)).text.count("\n") - 1
    assert {one.account_id for one in search(workspace, limited, asked.text)} <= allowed
    for account in {one["account_id"] for one in LINES}:
        if account in allowed:
            assert account_in_scope(workspace, limited, account)
        else:
            with pytest.raises(BadInput, match="there is no account"):
                account_in_scope(workspace, limited, account)


def test_an_account_out_of_scope_is_not_found_in_the_words_of_one_that_is_not_there(workspace: Workspace) -> None:
    limited, faults = csm(Scope(owners=frozenset({"nobody"}))), []
    for account in ("A-1", "A-x"):
        with pytest.raises(BadInput) as refused:
            account_detail(workspace, limited, account)
        faults.append(str(refused.value).replace(account, "ID"))
    assert faults[0] == faults[1]


def in_sqlite(value: Any) -> Any:
    """What SQLite sorts by: texts by their UTF-8."""
    return value.encode() if isinstance(value, str) else value


@given(st.sampled_from(tuple(SORT_COLUMNS)), st.sampled_from((None, True, False)), st.integers(1, 9), filters)
def test_pages_one_after_the_other_are_the_whole_list_in_order(
    workspace: Workspace, sort: SortName, descending: bool | None, size: int, asked: PortfolioFilter
) -> None:
    request = PortfolioRequest(asked, sort, descending, None, size)
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = portfolio(workspace, csm(Scope(everything=True)), PortfolioRequest(asked, sort, descending, cursor, size))
        found += [one.line for one in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    column = SORT_COLUMNS[sort]
    kept = [(at, one.get(column)) for at, one in enumerate(LINES) if fits(one, asked)]
    known: list[tuple[int, Any]] = [one for one in kept if one[1] is not None]
    known.sort(key=lambda one: in_sqlite(one[1]), reverse=request.downwards)  # of equal ones the first stays first, either way
    assert found == [at for at, _ in (*known, *(one for one in kept if one[1] is None))]


@given(st.text(max_size=40) | st.sampled_from(("bnVsbA", "W10", "WzEsMiwzLDQsNV0", "eyJhIjoxfQ", "=", "W1tbW1tb" * 50)))
def test_a_cursor_that_nobody_gave_out_is_refused(workspace: Workspace, cursor: str) -> None:
    with pytest.raises(BadInput, match=r"no place in the list|no longer kept"):
        portfolio(workspace, csm(Scope(everything=True)), PortfolioRequest(cursor=cursor))


def test_a_cursor_of_another_order_is_refused(workspace: Workspace) -> None:
    everyone = csm(Scope(everything=True))
    page = portfolio(workspace, everyone, PortfolioRequest(size=2))
    with pytest.raises(BadInput, match="as it is sorted now"):
        portfolio(workspace, everyone, PortfolioRequest(sort="name", cursor=page.cursor))


def test_a_csv_runs_no_formula_and_says_what_it_is(workspace: Workspace) -> None:
    made_csv = portfolio_csv(workspace, csm(Scope(everything=True)), PortfolioRequest(PortfolioFilter(text="=2+2")))
    assert "'=2+2" in made_csv.text
    assert "\n=2" not in made_csv.text
    assert ",=2" not in made_csv.text
    assert json.loads(json.dumps(made_csv.manifest))["filters"]["in_words"] == "naming “=2+2”"


def test_faults_of_a_request_are_told_together(workspace: Workspace) -> None:
    asked: Any = PortfolioFilter(bands=("red",))  # pyright: ignore[reportArgumentType]
    bad: Any = PortfolioRequest(asked, "colour", size=0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadInput) as refused:
        portfolio(workspace, csm(Scope(everything=True)), bad)
    assert [one.code for one in refused.value.faults] == ["sort", "size", "band"]
