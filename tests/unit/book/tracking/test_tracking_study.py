"""A small part of the study of the tracking check, by the same seeds and the same judge."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def study(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The script, which imports its neighbour from its folder as it does when run."""
    folder = str(request.config.rootpath / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("tracking_study")
    sys.path.remove(folder)


def test_in_a_few_companies_stops_of_three_days_are_found_on_their_days_and_nothing_else_is_said(study: ModuleType) -> None:
    results = [study.study_company(seed, 200) for seed in range(1, 7)]
    stops = [one for result in results for one in result.found if one.kept == 0 and one.days >= 3]
    assert [one.said for one in stops] == ["broke"] * len(stops)
    assert len(stops) >= 3
    assert all(abs(one.first_error) <= 1 for one in stops)
    assert sum(result.false_alarms + result.beside for result in results) <= 1
