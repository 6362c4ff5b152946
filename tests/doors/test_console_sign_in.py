"""Signing in and out, passwords, second factors and sessions, as a person does them; what guards them; what strangers are told."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.doors.console_site import PASSWORD, Kind, Visitor, django_site, person, signed_in, site_settings, sqlite_state, state, visitor
from unspun.app.workspace_tables import MailSettings, ServeSettings

__all__ = ["sqlite_state", "state"]
OTHER_PASSWORD = "another rather long one"
MAIL = MailSettings("mail.example.com", "Unspun <unspun@example.com>")


@pytest.fixture
def outbox() -> Iterator[list[Any]]:
    """A mail server that keeps what it is given."""
    django_site()
    from django.core import mail
    from django.test import override_settings

    with site_settings(mail=MAIL), override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        mail.outbox = []
        yield mail.outbox


def test_a_person_signs_in_and_out(state: Kind) -> None:
    person()
    browser = visitor()
    assert browser.get("/self").to == "/sign-in?next=/self"
    assert browser.sign_in("ANN@example.com").to == "/"
    assert browser.get("/self").heading == "Ann"
    assert browser.post("/sign-out").to == "/sign-in"
    assert browser.get("/self").to == "/sign-in?next=/self"


def test_after_signing_in_one_comes_where_one_wanted_to_go_but_to_no_other_site(sqlite_state: None) -> None:
    person()
    fields = {"login": "ann@example.com", "password": PASSWORD}
    assert visitor().post("/sign-in?next=/self", **fields).to == "/self"
    assert visitor().post("/sign-in?next=https://evil.example/", **fields).to == "/"
    assert visitor().post("/sign-in?next=//evil.example/", **fields).to == "/"


def test_a_wrong_password_an_unknown_address_and_one_who_has_no_password_are_told_the_same(sqlite_state: None) -> None:
    person()
    person("csm", "Bob", password=None)
    said = {visitor().sign_in(f"{name}@example.com", "wrong").said.replace(name, "") for name in ("ann", "bob", "nobody")}
    assert len({re.sub(r"value=\S+", "", text) for text in said}) == 1
    assert "not correct" in said.pop()


def test_after_five_wrong_passwords_the_right_one_is_refused_too_for_that_address_only(state: Kind) -> None:
    person()
    person("csm", "Bob")
    for _ in range(5):
        assert visitor().sign_in("ann@example.com", "wrong").status == 200
    locked = visitor().sign_in("ann@example.com")
    assert locked.status == 200 and "Too many failed" in locked.said
    assert visitor().sign_in("bob@example.com").status == 302


def test_signing_in_too_often_from_one_address_is_answered_with_a_page_that_says_so(sqlite_state: None) -> None:
    answers = [visitor().sign_in(f"n{i}@example.com", "wrong") for i in range(31)]
    assert answers[-1].status == 429
    assert answers[-1].heading == "Too many tries"
    assert answers[-1].response.headers["Retry-After"] == "60"


def test_the_set_up_code_cannot_be_tried_without_end(sqlite_state: None) -> None:
    fields = {"name": "Eve", "email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert [visitor().post("/set-up", code=f"AAAA-{i}", **fields).status for i in range(11)] == [422] * 10 + [429]


def reset_link(message: Any) -> str:
    body = str(message.body)
    found = re.search(r"https?://[^/\s]+(/reset-password/\S+)", body)
    assert found, body
    return found[1]


def test_a_new_password_by_mail_signs_out_everywhere_and_the_link_works_once(state: Kind, outbox: list[Any]) -> None:
    elsewhere = signed_in()
    assert visitor().post("/reset-password", email="ann@example.com").to == "/reset-password/sent"
    link, browser = reset_link(outbox[0]), visitor()
    form = browser.get(link).to
    assert browser.post(form, password1=OTHER_PASSWORD, password2=OTHER_PASSWORD).to == "/reset-password/done"
    assert elsewhere.get("/self").to.startswith("/sign-in")
    assert visitor().sign_in("ann@example.com").status == 200
    assert visitor().sign_in("ann@example.com", OTHER_PASSWORD).to == "/"
    assert visitor().get(link).heading == "This link can no longer be used"


def test_a_stranger_learns_nothing_by_asking_for_a_new_password(sqlite_state: None, outbox: list[Any]) -> None:
    person()
    answers = [visitor().post("/reset-password", email=f"{name}@example.com") for name in ("ann", "nobody")]
    assert {(one.status, one.to) for one in answers} == {(302, "/reset-password/sent")}
    assert len(outbox) == 1


def test_links_go_by_the_address_of_the_site_whatever_host_was_asked(sqlite_state: None, outbox: list[Any]) -> None:
    person()
    with site_settings(mail=MAIL, serve=ServeSettings("https://unspun.example.com")):
        visitor().post("/reset-password", email="ann@example.com")
    assert "https://unspun.example.com/reset-password/" in str(outbox[0].body)


def test_without_a_mail_server_the_page_says_who_can_help_and_an_owner_can(sqlite_state: None) -> None:
    owner, bob = signed_in(), person("csm", "Bob")
    assert "no mail server" in visitor().get("/reset-password").said
    link, browser = owner.post(f"/people/{bob.pk}/reset-link").link(), visitor()
    browser.post(browser.get(link).to, password1=OTHER_PASSWORD, password2=OTHER_PASSWORD)
    assert browser.sign_in("bob@example.com", OTHER_PASSWORD).to == "/"


def test_an_invitation_goes_by_mail_where_that_can_be_sent(sqlite_state: None, outbox: list[Any]) -> None:
    said = signed_in().post("/people/invite", email="bob@example.com", role="viewer").said
    assert "on its way" in said
    body = str(outbox[0].body)
    assert "Ann invites you" in body and "/join/" in body and "as Viewer" in body


def test_a_mail_server_that_cannot_be_reached_is_no_fault_of_the_page(sqlite_state: None) -> None:
    from django.test import override_settings

    owner = signed_in()
    with (
        site_settings(mail=MAIL),
        override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=9),
    ):
        answer = owner.post("/people/invite", email="bob@example.com", role="viewer")
        assert visitor().post("/reset-password", email="ann@example.com").to == "/reset-password/sent"
    assert "did not take the message" in answer.said
    assert visitor().get(answer.link()).status == 200


def test_changing_the_password_keeps_this_session_and_ends_the_others(state: Kind) -> None:
    here, elsewhere = signed_in(), visitor()
    elsewhere.sign_in("ann@example.com")
    here.post("/self/password", oldpassword=PASSWORD, password1=OTHER_PASSWORD, password2=OTHER_PASSWORD)
    assert here.get("/self").status == 200
    assert elsewhere.get("/self").to.startswith("/sign-in")


def session_rows(browser: Visitor) -> list[str]:
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", browser.get("/self").text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_sessions_are_listed_by_device_and_each_can_be_ended(state: Kind) -> None:
    here = signed_in()
    phone = visitor("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1")
    laptop = visitor("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")
    for one in (phone, laptop):
        one.sign_in("ann@example.com")
    rows = session_rows(here)
    assert sorted(row.split(" 127")[0] for row in rows) == ["Chrome on Windows", "Firefox on Linux this one", "Safari on iPhone"]
    text = here.get("/self").text
    number = re.search(r"Safari on iPhone.*?/self/sessions/(\d+)/end", text, re.DOTALL)
    assert number
    here.post(f"/self/sessions/{number[1]}/end")
    assert phone.get("/self").to.startswith("/sign-in") and laptop.get("/self").status == 200
    here.post("/self/sessions/end-others")
    assert laptop.get("/self").to.startswith("/sign-in") and here.get("/self").status == 200


def test_nobody_ends_the_session_of_someone_else(sqlite_state: None) -> None:
    from unspun.state.models import SessionRecord

    ann, bob = signed_in(), signed_in("csm", "Bob")
    number = SessionRecord.objects.get(person__name="Ann").pk
    assert bob.post(f"/self/sessions/{number}/end").status == 404
    assert ann.get("/self").status == 200


def totp(secret: str) -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_with_an_authenticator_app_the_password_alone_no_longer_lets_in(state: Kind) -> None:
    from allauth.mfa.models import Authenticator

    browser = signed_in()
    confirm = browser.get("/self/second-factor/app").to
    assert confirm.startswith("/sign-in/confirm")
    assert browser.post(confirm, password=PASSWORD).to == "/self/second-factor/app"
    page = browser.get("/self/second-factor/app").text
    secret = re.findall(r"<code>([A-Z2-7]+)</code>", page)[0]
    assert 'src="data:image/svg' in page
    assert browser.post("/self/second-factor/app", code=totp(secret)).status == 302
    codes = re.findall(r"<code>(\d+)</code>", browser.get("/self/second-factor/codes").text)
    assert len(codes) == 10
    assert not any(secret in str(one.data) for one in Authenticator.objects.all())  # kept enciphered

    other = visitor()
    assert other.sign_in("ann@example.com").to.startswith("/sign-in/second-factor")
    assert other.get("/self").to.startswith("/sign-in")
    assert other.post("/sign-in/second-factor", code="000000").status == 200
    assert other.post("/sign-in/second-factor", code=codes[0]).to == "/"
    again = visitor()
    again.sign_in("ann@example.com")
    assert again.post("/sign-in/second-factor", code=codes[0]).status == 200  # a recovery code works once


def test_every_page_carries_the_headers_that_bound_the_browser(sqlite_state: None) -> None:
    for page in (visitor().get("/sign-in"), signed_in().get("/people"), visitor().get("/nothing"), visitor().get("/healthz")):
        headers = page.response.headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'" and policy["form-action"] == "'self'"
        assert {policy[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["X-Frame-Options"]) == (
            "nosniff",
            "same-origin",
            "DENY",
        )
        assert "camera=()" in headers["Permissions-Policy"]
        assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-Id"])


def test_cookies_are_closed_to_scripts_and_other_sites(sqlite_state: None) -> None:
    browser = signed_in()
    browser.get("/people")
    cookies = browser.client.cookies
    assert set(cookies) == {"unspun_session", "unspun_csrf"}
    assert all(cookies[name]["httponly"] and cookies[name]["samesite"] == "Lax" for name in cookies)


def test_a_form_without_its_token_is_refused_and_says_what_to_do(sqlite_state: None) -> None:
    person()
    answer = visitor(csrf=True).sign_in("ann@example.com")
    assert (answer.status, answer.heading) == (403, "The form was open for too long")


def test_pages_of_errors_say_where_what_was_kept_and_the_request(sqlite_state: None) -> None:
    missing = signed_in().get("/nothing/here")
    assert missing.status == 404 and "/nothing/here" in missing.said
    assert missing.response.headers["X-Request-Id"] in missing.said
    forbidden = signed_in("viewer", "Bob").get("/people")
    assert (forbidden.status, forbidden.heading) == (403, "This is not open to you")


def test_a_fault_of_ones_own_is_a_page_with_an_id_that_the_log_has_too(sqlite_state: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from unspun.console.views import people
    from unspun.web.logs import JsonLines

    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLines())
    handler.emit = lambda record: lines.append(handler.format(record))
    logging.getLogger("django.request").addHandler(handler)
    owner = signed_in()
    monkeypatch.setattr(people, "list_people", lambda *_: 1 / 0)
    try:
        answer = owner.get("/people?token=s3cret")
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert (answer.status, answer.heading) == (500, "A fault of Unspun's own")
    told = json.loads(lines[-1])
    assert told["request_id"] == answer.response.headers["X-Request-Id"]
    assert told["message"] == "500 at /people" and "ZeroDivisionError" in told["traceback"]
    assert "s3cret" not in lines[-1]


def test_a_request_that_brings_too_much_is_refused_before_it_is_read(sqlite_state: None) -> None:
    with site_settings(serve=ServeSettings(upload="1MB")):
        answer = visitor().post("/sign-in", login="x" * 1_100_000, password="y")
    assert (answer.status, answer.heading) == (413, "The file is too large")


def test_health_is_told_to_everyone_and_names_what_fails(sqlite_state: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visitor().get("/healthz").text == "ok\n"
    assert json.loads(visitor().get("/readyz").text) == {"state": "ok", "migrations": "ok", "warehouse": "ok"}
    warehouse = django_site() / "warehouse"
    warehouse.rename(warehouse.with_name("away"))
    try:
        answer = visitor().get("/readyz")
    finally:
        warehouse.with_name("away").rename(warehouse)
    assert (answer.status, json.loads(answer.text)["warehouse"]) == (503, "failed")


def test_figures_of_the_server_are_for_this_machine_or_for_those_with_the_token(
    sqlite_state: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor().get("/sign-in")
    told = visitor().get("/metrics")
    assert re.search(r'unspun_requests_total\{method="GET",route="/sign-in",status="\d+"\} \d', told.text)
    assert visitor().get("/metrics", **{"X-Forwarded-For": "10.0.0.9"}).status == 404
    far = visitor()
    far.client.defaults["REMOTE_ADDR"] = "10.0.0.9"
    assert far.get("/metrics").status == 404
    monkeypatch.setenv("UNSPUN_METRICS_TOKEN", "t0ken")
    assert far.get("/metrics", Authorization="Bearer t0ken").status == 200
    assert far.get("/metrics", Authorization="Bearer other").status == 404
    assert visitor().get("/metrics").status == 404


def test_a_route_that_does_not_say_who_may_reach_it_stops_the_server(sqlite_state: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.http import HttpResponse
    from django.test import override_settings
    from django.urls import get_resolver, include, path

    from unspun.app.route_rules import rule_of
    from unspun.web import checks

    every = dict(checks.routes(get_resolver()))
    assert len(every) > 30 and checks.every_route_has_a_rule(None) == []
    public = {route for route, view in every.items() if (rule := rule_of(view)) is not None and rule.kind == "public"}
    doors = (
        "sign-in",
        "sign-out",
        "reset-password",
        "^reset-password",
        "join/",
        "set-up",
        "healthz",
        "readyz",
        "metrics",
        "api/v1/openapi.json",
    )
    assert all(route.startswith(doors) for route in public), public

    def forgotten(request: object) -> HttpResponse:
        return HttpResponse("all the accounts")

    routes = ModuleType("forgetful_routes")
    vars(routes).update(urlpatterns=[path("forgotten", forgotten), path("", include("unspun.web.urls"))])
    monkeypatch.setitem(sys.modules, "forgetful_routes", routes)
    browser = signed_in()
    with override_settings(ROOT_URLCONF="forgetful_routes"):
        assert [one.id for one in checks.every_route_has_a_rule(None)] == ["unspun.E001"]
        for one in (visitor(), browser):  # and it is closed besides
            answer = one.get("/forgotten")
            assert answer.status == 500 and "all the accounts" not in answer.text


def test_a_session_is_written_down_once_a_minute_not_at_every_request(sqlite_state: None) -> None:
    from unspun.state.models import SessionRecord

    browser = signed_in()
    browser.get("/self")
    first = SessionRecord.objects.get().seen_at
    time.sleep(0.01)
    browser.get("/self")
    assert SessionRecord.objects.get().seen_at == first


def test_what_an_operation_refuses_is_a_page_and_no_fault_of_ones_own(sqlite_state: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from unspun.app.access import Forbidden
    from unspun.console.views import people
    from unspun.errors import BadInput, Fault, UnspunError

    owner = signed_in()
    for refusal, status in ((BadInput, 422), (Forbidden, 403), (UnspunError, 503)):

        def refuse(*_: object, error: type[UnspunError] = refusal) -> None:
            raise error(Fault("none", "nothing is ready.", "", "Run unspun refresh."))

        monkeypatch.setattr(people, "list_people", refuse)
        answer = owner.get("/people")
        assert answer.status == status
        assert status == 403 or "Nothing is ready. Run unspun refresh." in answer.said
