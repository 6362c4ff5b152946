"""Signing in by the company's own OpenID provider: a real one on HTTP, a real server, and the whole flow by code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.doors.console_server import Running, running_console
from tests.doors.openid_provider import CLIENT, SECRET, Provider, running_provider

PASSWORD = "a rather long one"


@dataclass
class Company:
    """The provider, the console that trusts it, and the owner's browser."""

    provider: Provider
    console: Running
    owner: requests.Session


def token_of(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def post(browser: requests.Session, url: str, form_page: str, **fields: str) -> requests.Response:
    return browser.post(url, data={"csrfmiddlewaretoken": token_of(browser.get(form_page).text), **fields})


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with running_provider() as provider:
        lines = f'\n[oidc]\nserver = "{provider.url}/"\nclient_id = "{CLIENT}"\nclient_secret_env = "ACME_SECRET"\nname = "Acme login"\n'
        with running_console(tmp_path_factory.mktemp("company"), lines, ACME_SECRET=SECRET) as console:
            owner, url = requests.Session(), f"{console.url}/set-up"
            fields = {"code": console.code, "name": "Ann", "email": "ann@example.com", "password1": PASSWORD, "password2": PASSWORD}
            post(owner, url, url, **fields)
            assert owner.get(f"{console.url}/people").ok
            yield Company(provider, console, owner)


def sign_in_by_company(company: Company) -> tuple[requests.Session, requests.Response]:
    """A new browser goes to the provider and comes back, to its own page if it is let in."""
    browser, start = requests.Session(), f"{company.console.url}/sign-in"
    return browser, post(browser, f"{start}/company/oidc?next=/self", start)


def test_a_person_whose_address_the_provider_checked_is_let_in_and_no_password_is_asked(company: Company) -> None:
    company.provider.visitor("Ann@example.com", "Ann of Acme")
    _, answer = sign_in_by_company(company)
    assert answer.url == f"{company.console.url}/self"
    assert "ann@example.com" in answer.text and "<h1>Ann</h1>" in answer.text
    assert company.provider.faults == []


def test_someone_whom_nobody_invited_stays_out(company: Company) -> None:
    company.provider.visitor("eve@example.com", "Eve")
    browser, answer = sign_in_by_company(company)
    assert "Nobody has invited you yet" in answer.text
    assert "/sign-in" in browser.get(f"{company.console.url}/self").url


def test_an_address_that_the_provider_did_not_check_opens_nothing(company: Company) -> None:
    company.provider.visitor("ann@example.com", "Eve", verified=False)
    company.provider.claims["sub"] = "eve"
    browser, _ = sign_in_by_company(company)
    assert "/sign-in" in browser.get(f"{company.console.url}/self").url


def test_someone_invited_joins_by_the_provider_in_the_role_of_the_invitation(company: Company) -> None:
    url = f"{company.console.url}/people/invite"
    invited = post(company.owner, url, url, email="bob@example.com", role="csm", limited="on", owners="Kim")
    assert invited.status_code == 200
    company.provider.visitor("bob@example.com", "Bob")
    _, answer = sign_in_by_company(company)
    own = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
    assert "bob@example.com, CSM, sees 1 owner" in own
    link = re.search(r'value="(http[^"]+/join/[^"]+)"', invited.text)
    assert link and requests.get(link[1]).status_code == 410  # the invitation is used up


def test_an_answer_that_belongs_to_no_question_is_refused(company: Company) -> None:
    answer = requests.get(f"{company.console.url}/sign-in/company/oidc/callback?code=x&state=y")
    assert answer.status_code == 401
    assert "did not let you in" in answer.text


def test_a_refusal_of_the_provider_is_told_and_signs_nobody_in(company: Company) -> None:
    company.provider.visitor("ann@example.com")
    company.provider.refuses = True
    try:
        browser, answer = sign_in_by_company(company)
    finally:
        company.provider.refuses = False
    assert "cancelled" in answer.text
    assert "/sign-in" in browser.get(f"{company.console.url}/self").url


def test_in_a_real_browser_the_form_may_go_to_the_provider_and_nowhere_else(company: Company, browser: object) -> None:
    from playwright.sync_api import Browser, expect

    assert isinstance(browser, Browser)
    company.provider.visitor("ann@example.com")
    context = browser.new_context()
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{company.console.url}/sign-in?next=/self")
    page.get_by_role("button", name="Sign in by Acme login").click()
    expect(page.get_by_role("heading", name="Ann", exact=True)).to_be_visible(timeout=30_000)
    assert said == []
    context.close()


def test_no_secret_stands_in_the_log(company: Company) -> None:
    log = company.console.log()
    assert '"route": "/sign-in/company/<str:provider_id>/callback"' in log
    assert all(secret not in log for secret in (SECRET, PASSWORD, company.console.code, "code=", "state="))


def test_the_console_s_passwords_are_hashed_by_argon2(company: Company) -> None:
    import sqlite3

    with sqlite3.connect(company.console.errors.parent / "acme" / "state.db") as state:
        kept = [row[0] for row in state.execute("SELECT password FROM state_person WHERE email = 'ann@example.com'")]
    assert kept[0].startswith("argon2$argon2id$")


def test_the_files_that_hold_secrets_are_closed_to_others(company: Company) -> None:
    workspace: Path = company.console.errors.parent / "acme"
    assert (workspace / ".secret").stat().st_mode & 0o077 == 0
    assert (workspace / "state.db").stat().st_mode & 0o077 == 0
