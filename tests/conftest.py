"""What the tests share: the data that is not in the repository, and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

LONGEST = (  # files of 20 seconds and more, the longest first: one that starts last leaves the other processors with nothing to do
    "tests/doors/test_panel_on_spark.py",
    "tests/doors/test_databases.py",
    "tests/panel/test_as_of.py",
    "tests/calibration/test_protocol_proof.py",
    "tests/doors/test_report_page.py",
    "tests/reliability/test_crashes.py",
    "tests/spec/test_spark_specs.py",
    "tests/doors/test_quality_of_real_data.py",
    "tests/doors/test_two_files_tutorial.py",
    "tests/doors/test_console_imports.py",
    "tests/doors/test_check_page.py",
    "tests/doors/test_metric_suggest_cli.py",
    "tests/panel/test_agreement.py",
    "tests/doors/test_panel_engines.py",
    "tests/doors/test_api.py",
    "tests/doors/test_demo_console.py",
    "tests/unit/reports/test_audit_pdf.py",
    "tests/doors/test_same_figures.py",
    "tests/doors/test_risk_outage.py",
    "tests/doors/test_console_published.py",
    "tests/doors/test_console_portfolio.py",
    "tests/reliability/test_job_crashes.py",
    "tests/panel/test_standard_metrics.py",
)

# A slow machine is no fault of the code, and a run that can't be repeated is no test. UNSPUN_EXAMPLES asks for more than a few dozen.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=int(os.environ.get("UNSPUN_EXAMPLES", "30")))
settings.load_profile("house")

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # a browser that was started in this thread leaves a loop of its own there


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others, and the tests of a file, stay in their order."""
    place = {ROOT / name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data sets: $UNSPUN_DATA, else `../shared/data` beside the repository."""
    folder = Path(os.environ.get("UNSPUN_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the shared data sets are not here (set UNSPUN_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def pango() -> None:
    """The library that sets a PDF's text. Where there is none: a skip, or a failure under UNSPUN_REQUIRE=1."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        missing = "no pango on this machine (Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
        if os.environ.get("UNSPUN_REQUIRE") == "1":
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="session")
def java() -> None:
    """The Java in which Spark runs. Where there is none: a skip, or a failure under UNSPUN_REQUIRE=1."""
    if shutil.which(str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if "JAVA_HOME" in os.environ else "java") is None:
        missing = "no Java on this machine (Debian and Ubuntu: apt install openjdk-17-jre-headless)"
        if os.environ.get("UNSPUN_REQUIRE") == "1":
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium as the system has it. Where there is none: a skip, or a failure under UNSPUN_REQUIRE=1."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing = "no chromium on this machine (Debian and Ubuntu: apt install chromium)"
        if os.environ.get("UNSPUN_REQUIRE") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM_ARGS))
        yield running
        running.close()
