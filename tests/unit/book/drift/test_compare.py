"""Each change of a column is named as what it is, alike files give nothing, and chance is no change."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.book.drift.profiles import MAPPING, profile, terms
from unspun.book.drift.compare import at_most, compare, compare_with_load
from unspun.book.drift.findings import severity_of, to_findings, together
from unspun.book.mapping.definition import SourceMapping

Terms = dict[str, list[str]]
ROWS = 240


def _changes(change: Callable[[Terms], Terms]) -> list[tuple[str, str, str]]:
    found = compare(profile(terms(1)), profile(change(terms(2))))
    return [(one.kind, one.column, severity_of(one, "subscriptions")) for one in found]


def _with(**columns: list[str]) -> Callable[[Terms], Terms]:
    return lambda cells: cells | columns


def _called(old: str, new: str) -> Callable[[Terms], Terms]:
    return lambda cells: {new if name == old else name: column for name, column in cells.items()}


DAYS = [f"{i % 28 + 1:02d}" for i in range(ROWS)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda cells: cells, []),
        (_called("mrr", "mrr_usd"), [("renamed", "mrr", "warning")]),
        (_called("region", "territory"), [("renamed", "region", "note")]),
        (lambda cells: {name: column for name, column in cells.items() if name != "region"}, [("dropped", "region", "note")]),
        (lambda cells: {name: column for name, column in cells.items() if name != "plan"}, [("dropped", "plan", "warning")]),
        (_with(owner=["Kim"] * ROWS), [("added", "owner", "note")]),
        (_with(mrr=["about 12"] * ROWS), [("retyped", "mrr", "warning")]),
        (_with(seats=["12.5", "3.25"] * (ROWS // 2)), [("retyped", "seats", "note")]),
        (_with(**{"from": ["2026-01-05 10:30"] * ROWS}), [("retyped", "from", "warning")]),
        (_with(**{"from": [f"{day}/02/2026" for day in DAYS]}), [("reordered", "from", "warning")]),
        (_with(plan=["basic", "pro", "team", "enterprise"] * (ROWS // 4)), [("widened", "plan", "note")]),
        (_with(plan=["basic", "pro"] * (ROWS // 2)), [("narrowed", "plan", "note")]),
        (_with(plan=["basic", "professional", "team"] * (ROWS // 3)), [("replaced", "plan", "warning")]),
        (_with(auto=["maybe"] + ["yes", "no"] * (ROWS // 2 - 1) + ["no"]), [("widened", "auto", "warning")]),
        (_with(plan=[""] * ROWS), [("emptied", "plan", "warning")]),
        (_with(region=[""] * ROWS), [("emptied", "region", "note")]),
        (_with(seats=["", "5"] * (ROWS // 2)), [("emptied", "seats", "note")]),
    ],
)
def test_a_change_is_named(change: Callable[[Terms], Terms], expected: list[tuple[str, str, str]]) -> None:
    assert _changes(change) == expected


def test_dates_month_first_after_day_first_are_told() -> None:
    first = terms(1) | {"from": [f"{day}/02/2026" for day in DAYS]}
    second = terms(1) | {"from": [f"02/{day}/2026" for day in DAYS]}
    (change,) = compare(profile(first), profile(second))
    assert change.kind == "reordered" and (change.before and change.before.order, change.now and change.now.order) == ("day", "month")


def test_dates_that_could_be_two_days_are_not_called_text() -> None:
    first = terms(1) | {"from": [f"{day}/02/2026" for day in DAYS]}
    assert compare(profile(first), profile(first | {"from": ["03/04/2026"] * ROWS})) == ()


def test_a_column_renamed_in_book_yml_too_is_a_note() -> None:
    followed = SourceMapping(MAPPING.files, MAPPING.table, MAPPING.columns | {"amount": "price"}, kinds=MAPPING.kinds)
    (change,) = compare(profile(terms(1)), profile(_called("mrr", "price")(terms(2)), followed))
    assert (change.kind, severity_of(change, "subscriptions")) == ("renamed", "note")


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_a_file_has_no_drift_from_itself_nor_from_another_of_its_kind(seed: int) -> None:
    assert compare(profile(terms(seed)), profile(terms(seed))) == ()
    assert compare(profile(terms(seed)), profile(terms(seed + 1))) == ()


@given(st.integers(0, 10**6), st.integers(0, 6))
@settings(deadline=None, max_examples=25)
def test_the_renamed_column_is_found_among_random_columns(seed: int, place: int) -> None:
    random = Random(seed)
    names = random.sample(["alpha", "beta", "gamma", "delta", "kappa", "sigma", "omega", "theta"], 7)
    makers = [lambda r: str(r.randint(1, 9999)), lambda r: r.choice("xyz"), lambda r: f"2026-0{r.randint(1, 9)}-1{r.randint(0, 9)}"]
    kinds = [random.choice(makers) for _ in names]
    first, second = (
        {name: [kind(r) for _ in range(120)] for name, kind in zip(names, kinds, strict=True)} for r in (random, Random(seed + 1))
    )
    changed = _called(names[place], "brand new")(second)
    (change,) = [one for one in compare(profile(first), profile(changed)) if one.kind in ("renamed", "dropped", "added")]
    assert change.kind == "renamed" and change.column == names[place] and change.now is not None and change.now.name == "brand new"


def test_a_dropped_column_of_another_kind_elsewhere_is_not_called_renamed() -> None:
    cells = {name: column for name, column in terms(2).items() if name != "seats"} | {"note": ["called them"] * ROWS}
    assert [(one.kind, one.column) for one in compare(profile(terms(1)), profile(cells))] == [("dropped", "seats"), ("added", "note")]


def test_files_of_a_load_that_differ_among_themselves_are_each_compared_with_the_one_they_are_like() -> None:
    europe, america = profile(terms(1)), profile(terms(1) | {"state": ["NY", "CA"] * (ROWS // 2)})
    assert compare_with_load((europe, america), america) == compare_with_load((europe, america), europe) == ()
    assert [one.kind for one in compare_with_load((europe,), america)] == ["added"]


def test_a_change_that_several_files_show_is_one_finding_that_counts_them() -> None:
    changes = compare(profile(terms(1)), profile(_with(plan=[""] * ROWS)(terms(2))))
    (finding,) = to_findings(together("subscriptions", [("a.csv", changes), ("b.csv", changes), ("c.csv", ())], 3, 2))
    assert (finding.count, finding.of, finding.unit) == (2, 3, "files")
    assert finding.id == "schema_drift/subscriptions/plan/emptied/load-3" and "(in 'a.csv', 'b.csv')" in finding.message


def test_the_chance_of_missing_a_word_is_the_binomial_one() -> None:
    """Against the distribution built up trial by trial."""
    spread = [1.0]
    for _ in range(30):
        spread = [(spread[i] if i < len(spread) else 0) * 0.8 + (spread[i - 1] * 0.2 if i else 0) for i in range(len(spread) + 1)]
    for count, expected in enumerate(accumulate(spread)):
        assert at_most(count, 30, 0.2) == pytest.approx(expected)
