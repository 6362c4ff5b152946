"""Pictures of every page of the console: light, dark and on a phone. For looking at, not for comparing: nothing here says what is right.

    python -m benchmarks.screenshots ADDRESS EMAIL PASSWORD FOLDER             # of a console that runs, as `unspun demo` prints it
    python -m benchmarks.screenshots ... --only portfolio --only account       # some routes, by name

The routes are those of the site itself, so that a page that was added is not forgotten. An address with a place to fill (an account,
an entry of the ledger, a job ...) is filled from links found on other pages; a route whose address is found nowhere is listed at
the end, and so is each that takes nothing but a form.
Beside each picture the list names its status and what the browser complained of. It only reads.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from playwright.sync_api import Error as PlaywrightError

if TYPE_CHECKING:
    from django.urls import URLPattern
    from playwright.sync_api import Browser, BrowserContext, Page

LOOKS: Final[dict[str, tuple[int, int, Literal["light", "dark"]]]] = {
    "light": (1440, 1000, "light"),
    "dark": (1440, 1000, "dark"),
    "phone": (390, 844, "light"),
}
NO_PAGES: Final = frozenset(
    {"healthz", "readyz", "metrics", "figure_csv", "portfolio_rows", "mfa_download_recovery_codes", "account_logout"}
)
"""Routes that give text or files, and the one that would end the session."""
BY_HAND: Final = {"search": "search?q=a"}
NOT_BY_GET: Final = 405
PATIENCE: Final = 120_000


@dataclass(slots=True)
class Found:
    """One address of each route, and the routes whose page cannot be opened by an address."""

    paths: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def routes() -> dict[str, URLPattern]:
    """Every route of the site by its name."""
    import django

    from unspun.app.workspace_making import create_workspace

    folder = create_workspace(
        Path(tempfile.mkdtemp()) / "any", datetime.now(UTC)
    ).folder  # settings want a workspace; its pages are not asked
    os.environ.update({"UNSPUN_WORKSPACE": str(folder), "DJANGO_SETTINGS_MODULE": "unspun.web.settings"})
    django.setup()
    return named_routes()


def named_routes() -> dict[str, URLPattern]:
    """Those of the site that Django is set up for."""
    from django.urls import get_resolver

    return {one.name: one for one in _patterns(get_resolver().url_patterns) if one.name}


def _patterns(found: Any) -> Iterator[URLPattern]:
    for one in found:
        yield from _patterns(one.url_patterns) if hasattr(one, "url_patterns") else (one,)


def name_of(path: str) -> str:
    """The route that answers a path; empty where none does."""
    from django.urls import Resolver404, resolve

    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


def find_pages(page: Page, address: str, wanted: dict[str, URLPattern]) -> Found:
    """An address of each route: its own where it has no place to fill, else the first that a page links to."""
    found = Found()
    for name, pattern in wanted.items():
        if pattern.pattern.regex.groups == 0 and not (pattern.pattern.regex.groupindex):
            found.paths[name] = f"/{BY_HAND.get(name, str(pattern.pattern))}"
    for name, path in list(found.paths.items()):
        if page.request.get(address + path, timeout=PATIENCE).status == NOT_BY_GET:
            found.missing.append(found.paths.pop(name))
    queue = list(found.paths.values())
    while queue and set(wanted) - set(found.paths):
        path = queue.pop(0)
        if name_of(path) in NO_PAGES:
            continue
        for link in _links(page, address + path):
            name = name_of(link)
            if name in wanted and name not in found.paths:
                found.paths[name] = link
                queue.append(link)
    found.missing = sorted({*found.missing, *(set(wanted) - set(found.paths) - NO_PAGES)})
    return found


def _links(page: Page, url: str) -> Iterator[str]:
    """The paths that a page leads to within the site."""
    answer = page.request.get(url, timeout=PATIENCE)
    if answer.status == NOT_BY_GET or "html" not in answer.headers.get("content-type", ""):
        return
    for href in re.findall(r'(?:href|hx-get)="([^"#]+)"', answer.text()):
        whole = urldefrag(urljoin(url, href.replace("&amp;", "&")))[0]
        if urlsplit(whole).netloc == urlsplit(url).netloc:
            yield urlsplit(whole).path


def sign_in(context: BrowserContext, address: str, email: str, password: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/sign-in")
    page.locator('input[name="login"]').fill(email)
    page.locator('input[name="password"]').fill(password)
    page.locator('main button[type="submit"], form button[type="submit"]').last.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def take(page: Page, url: str, to: Path) -> str:
    """The picture of a page; its status and what the browser complained of."""
    complaints: list[str] = []

    def heard(message: Any) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", heard)
    try:
        answer = page.goto(url, wait_until="load")
    except PlaywrightError as refusal:  # an address that only takes a form, or gives a file
        page.remove_listener("console", heard)
        return f"no page: {str(refusal).splitlines()[0]}"
    page.wait_for_timeout(250)
    page.screenshot(path=to, full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    page.remove_listener("console", heard)
    status = answer.status if answer is not None else 0
    return " ".join([str(status), "wider than the window" if wide else "", *complaints]).strip()


def picture_all(browser: Browser, address: str, email: str, password: str, folder: Path, only: list[str]) -> int:
    wanted = {name: one for name, one in routes().items() if name not in NO_PAGES}
    with browser.new_context() as context:
        page = sign_in(context, address, email, password)
        found, kept = find_pages(page, address, wanted), context.storage_state()
    paths = {name: path for name, path in found.paths.items() if not only or name in only}
    for look, (width, height, scheme) in LOOKS.items():
        (folder / look).mkdir(parents=True, exist_ok=True)
        with browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=kept) as context:
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            for name, path in paths.items():
                print(f"{look:6} {name:34} {path:50} {take(page, address + path, folder / look / f'{name}.png')}", flush=True)
    print(f"\n{len(paths)} pages. No address leads to: {', '.join(found.missing) or 'none'}")
    return 0


def system_browser() -> str | None:
    """The machine's own Chromium, as the tests take; None where playwright has to bring one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("address", "email", "password"):
        parser.add_argument(name)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", action="append", default=[])
    words = parser.parse_args()
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as driver, driver.chromium.launch(executable_path=system_browser(), args=["--no-sandbox"]) as browser:
        return picture_all(browser, words.address.rstrip("/"), words.email, words.password, words.folder, words.only)


if __name__ == "__main__":
    sys.exit(main())
