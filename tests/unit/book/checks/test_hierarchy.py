"""The hierarchy of accounts: circles, parents that are no accounts, and chains that no group of companies has."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.unit.book.checks.loaded_checks import Export, Found, checked
from unspun.book.checks.hierarchy import CHECKS, DEEPEST, walked

Parents = dict[str, str]


def climbed(parents: Parents, account: str) -> list[str]:
    """The ancestors of an account, one after another, until there are none or as many as there are accounts."""
    above: list[str] = []
    while account in parents and len(above) <= len(parents):
        account = parents[account]
        above.append(account)
    return above


def accounts(parents: Parents, alone: int = 200) -> Export:
    """The accounts, and some that have no parent."""
    named = [{"account_id": account, "parent_id": parent} for account, parent in parents.items()]
    return Export("accounts.csv", "accounts", [*named, *({"account_id": f"Z-{n}", "parent_id": ""} for n in range(alone))])


def hierarchy_of(folder: Path, parents: Parents, alone: int = 200) -> dict[str, Found]:
    return {name.removeprefix("hierarchy/accounts/"): one for name, one in checked(folder, CHECKS, accounts(parents, alone)).items()}


@pytest.mark.parametrize("seed", range(40))
def test_circles_and_depths_are_those_that_climbing_from_every_account_finds(seed: int) -> None:
    random = Random(seed)
    size = random.randint(1, 25)
    parents = {f"{n}": f"{random.randrange(size + 4)}" for n in range(size) if random.random() < 0.8}
    parents = {account: parent for account, parent in parents.items() if account != parent}
    circles, depths = walked(parents)
    in_circles = {account for account in parents if account in climbed(parents, account)}
    assert set().union(*circles) == in_circles
    assert sum(map(len, circles)) == len(in_circles)
    assert all({*climbed(parents, one)} == circle for circle in circles for one in circle)
    free = {account: len(climbed(parents, account)) for account in parents if not {*climbed(parents, account)} & in_circles}
    assert depths == free


def test_a_circle_is_found_with_its_accounts_and_without_those_that_only_lead_to_it(tmp_path: Path) -> None:
    found = hierarchy_of(tmp_path, {"A": "B", "B": "C", "C": "A", "D": "A", "E": "D"})
    assert list(found) == ["circles"]
    assert [row["account_id"] for row in found["circles"].rows] == ["A", "B", "C"]
    assert found["circles"].finding.count == 3


def test_an_account_that_is_its_own_parent_is_the_top_of_its_hierarchy(tmp_path: Path) -> None:
    assert not hierarchy_of(tmp_path, {"A": "A", "B": "A"})


def test_parents_that_are_no_accounts_are_warned_of_where_others_are(tmp_path: Path) -> None:
    found = hierarchy_of(tmp_path, {"A": "Z-1", "B": "gone", "C": "gone"})
    assert (found["parents"].finding.severity, found["parents"].finding.count) == ("warning", 2)
    assert [row["account_id"] for row in found["parents"].rows] == ["B", "C"]


def test_a_column_of_groups_none_of_which_is_an_account_is_only_described(tmp_path: Path) -> None:
    found = hierarchy_of(tmp_path, {"A": "Group 1", "B": "Group 1", "C": "Group 2"})
    assert [one.finding.severity for one in found.values()] == ["note"]


def test_a_chain_deeper_than_any_group_of_companies_is_found_from_the_level_after_the_deepest_on(tmp_path: Path) -> None:
    names = [f"L-{level:02d}" for level in range(DEEPEST + 3)]
    parents = dict(zip(names[1:], names[:-1], strict=True)) | {names[0]: "Z-0"}
    found = hierarchy_of(tmp_path / "deep", parents)
    assert [row["levels"] for row in found["depth"].rows] == [DEEPEST + 3, DEEPEST + 2, DEEPEST + 1]
    assert found["depth"].finding.count == 3
    assert not hierarchy_of(tmp_path / "sane", {name: parents[name] for name in names[:DEEPEST]})


def test_accounts_below_a_long_circle_are_not_shown_as_deep_ones(tmp_path: Path) -> None:
    ring = [f"R-{n:02d}" for n in range(DEEPEST + 2)]
    chain = [f"L-{n:02d}" for n in range(DEEPEST + 2)]
    parents = dict(zip(ring, [*ring[1:], ring[0]], strict=True)) | {"below": ring[0]}
    parents |= dict(zip(chain[1:], chain[:-1], strict=True)) | {chain[0]: "Z-0"}
    found = hierarchy_of(tmp_path, parents)
    assert [row["account_id"] for row in found["depth"].rows] == [chain[-1], chain[-2]]
    assert found["depth"].finding.count == 2
