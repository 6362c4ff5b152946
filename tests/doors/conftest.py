"""Workspaces that several files of tests begin with."""

from __future__ import annotations

import pytest

from tests.doors.book_files import Book
from tests.doors.evidence_company import Company, made_company
from tests.doors.metric_book import metric_book


@pytest.fixture(scope="session")
def loaded_company(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The company whose metrics can be worked out by hand, loaded: to be copied, not to be used."""
    return metric_book(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def evidence_company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The company whose churn follows a fall of its usage, loaded: to be copied, not to be used."""
    return made_company(tmp_path_factory.mktemp("evidence"))
