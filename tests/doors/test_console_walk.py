"""The people's pages in a real browser, on a real server whose state is in a real Postgres: walked by hand and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from tests.doors.console_server import Running, running_console
from tests.doors.pages import SPILL, violations
from tests.unit.connectors.servers import shared_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PASSWORD = "a rather long one"
PATIENCE = 30_000


@dataclass
class Walk:
    """A browser context on the console, and what went wrong in it that nobody would see."""

    console: Running
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def page(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        return page

    def _note(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(self.console.url):
            self.complaints.append(f"asked {url}")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    url = shared_server().fresh("console")
    with running_console(tmp_path_factory.mktemp("walk"), UNSPUN_STATE_URL=url) as running:
        yield running


@pytest.fixture(scope="module")
def walk(console: Running, browser: Browser) -> Iterator[Walk]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    yield Walk(console, context)
    context.close()


@pytest.fixture(scope="module")
def owner(walk: Walk) -> Page:
    """The owner's window, after the set-up was done by keyboard alone."""
    page = walk.page()
    page.goto(f"{walk.console.url}/sign-in")
    assert page.url.endswith("/set-up")
    assert violations(page) == []
    page.get_by_label("Set-up code").focus()
    for text in (walk.console.code, "Ann", "ann@example.com", PASSWORD, PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "set-up" not in url)
    walk.complaints.clear()  # the first page has nothing to show in a workspace without a refresh, and says so by its status
    return page


def test_the_set_up_by_keyboard_makes_an_owner_whose_people_are_listed(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/people")
    assert owner.get_by_role("row").nth(1).inner_text().split()[:3] == ["Ann", "ann@example.com", "Owner"]
    assert walk.complaints == []


def test_an_invitation_is_made_copied_and_used_in_another_browser(owner: Page, walk: Walk, browser: Browser) -> None:
    owner.goto(f"{walk.console.url}/people")
    owner.get_by_role("link", name="Invite someone").click()
    owner.get_by_label("E-mail").fill("bob@example.com")
    owner.get_by_label("Role").select_option("csm")
    owner.get_by_label("Only some accounts").check()
    owner.get_by_label("Owners").fill("Kim")
    owner.get_by_role("button", name="Invite").click()
    link = owner.get_by_label("Link, shown this once").input_value()
    assert violations(owner) == []
    other = Walk(walk.console, browser.new_context())
    bob = other.page()
    bob.goto(link)
    assert violations(bob) == []
    bob.get_by_label("Name").fill("Bob")
    bob.get_by_label("Password", exact=True).fill(PASSWORD)
    bob.get_by_label("Password again").fill(PASSWORD)
    bob.get_by_role("button", name="Join").click()
    bob.wait_for_url(lambda url: "join" not in url)
    bob.goto(f"{walk.console.url}/self")
    assert "sees 1 owner" in bob.locator("main").inner_text()
    other.context.close()
    assert walk.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_nothing_on_the_pages_of_people_and_nothing_spills(owner: Page, walk: Walk, width: int, scheme: str) -> None:
    owner.set_viewport_size({"width": width, "height": 900})
    owner.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    found = {}
    for path in (
        "/people",
        "/people/invite",
        "/people/1",
        "/self",
        "/self/tokens",
        "/self/password",
        "/self/second-factor",
        "/sign-in/confirm",
    ):
        owner.goto(f"{walk.console.url}{path}")
        found[path] = (violations(owner), owner.evaluate(SPILL))
    owner.set_viewport_size({"width": 1440, "height": 1000})
    owner.emulate_media(color_scheme="light")
    assert {path: faults for path, faults in found.items() if faults != ([], [])} == {}
    assert walk.complaints == []


def test_a_token_is_made_by_keyboard_asks_the_api_and_is_revoked(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/self/tokens")
    owner.get_by_label("What it is for").focus()
    owner.keyboard.type('Sync <script>alert("x")</script>')
    owner.keyboard.press("Tab")
    owner.keyboard.press("Tab")  # past the span, on to the first permission
    owner.keyboard.press("Space")
    owner.get_by_label("What it is for").focus()
    owner.keyboard.press("Enter")
    secret = owner.get_by_label("Your token, shown this once").input_value()
    assert violations(owner) == []
    given = {"Authorization": f"Bearer {secret}"}
    told = requests.get(f"{walk.console.url}/api/v1/me", headers=given, timeout=30)
    assert (told.json()["email"], told.json()["permissions"]) == ("ann@example.com", ["portfolio.see"])
    owner.goto(f"{walk.console.url}/self/tokens")
    assert secret not in owner.content()
    owner.get_by_role("button", name="Revoke").press("Enter")
    owner.get_by_text("The token is revoked.").wait_for()
    refused = requests.get(f"{walk.console.url}/api/v1/me", headers=given, timeout=30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "revoked_token")
    assert walk.complaints == []


def test_a_token_that_could_do_nothing_is_refused_beside_its_fields(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/self/tokens")
    owner.get_by_label("What it is for").fill("Nothing")
    owner.get_by_role("button", name="Make a token").click()
    owner.get_by_text("The token could do nothing.").wait_for()
    assert violations(owner) == []
    walk.complaints.clear()  # the answer to a form that comes back is 422, which the browser tells of


def test_a_security_key_is_added_and_then_lets_in(owner: Page, walk: Walk) -> None:
    tools = walk.context.new_cdp_session(owner)
    tools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": True, "isUserVerified": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    owner.goto(f"{walk.console.url}/self/second-factor/keys/add")
    owner.get_by_label("Password").fill(PASSWORD)
    owner.get_by_role("button", name="Confirm").click()
    owner.get_by_role("textbox").first.fill("blue key")
    owner.get_by_role("button", name="Add the key").click()
    owner.wait_for_url(re.compile("second-factor/(codes|keys$)"))
    owner.goto(f"{walk.console.url}/self")
    owner.get_by_role("button", name="Sign out").first.click()
    owner.goto(f"{walk.console.url}/sign-in?next=/self/second-factor/keys")
    owner.get_by_label("E-mail").or_(owner.get_by_label("Email")).fill("ann@example.com")
    owner.get_by_label("Password").fill(PASSWORD)
    owner.get_by_role("button", name="Sign in").click()
    assert violations(owner) == []
    owner.get_by_role("button", name="Use a security key").click()
    owner.get_by_role("heading", name="Security keys").wait_for()
    assert "blue key" in owner.locator("main").inner_text()
    assert walk.complaints == []


def test_the_code_of_an_authenticator_app_is_drawn_under_the_content_security_policy(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/self/second-factor/app")
    owner.get_by_label("Password").fill(PASSWORD)  # asked once more since the last sign-in
    owner.get_by_role("button", name="Confirm").click()
    picture = owner.get_by_role("img", name="QR code")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 50
    assert violations(owner) == []
    assert walk.complaints == []
