"""The JSON API on a company that was refreshed once: what it answers, to whom, and that what is sent twice is done once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.doors.console_site import HOST, person, signed_in, visitor
from tests.doors.portfolio_company import HOSTILE, HOSTILE_NAME, Company
from tests.doors.published_site import console_of, served, whole_company
from unspun.app.access import GRANTS, ROLES, Permission, Role

if TYPE_CHECKING:
    from unspun.state.models import Person

RTL = "\u202e\u2066right to left"
HOSTILE_TEXT = f'=cmd|"/c calc"!A1 <script>alert(1)</script> {RTL} \u0000'.replace("\u0000", "")


@dataclass
class Program:
    """A program with a token, or without."""

    secret: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        from django.test import Client

        given = {"Host": HOST, **({"Authorization": f"Bearer {self.secret}"} if self.secret else {}), **headers}
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        client = Client(raise_request_exception=False)
        return Answer(client.generic(method, f"/api/v1/{path}", text, "application/json", headers=given))

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("PUT", path, body, **headers)


@dataclass
class Answer:
    """What came back."""

    response: Any

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def code(self) -> str:
        """Of an error, which has the one shape or fails here."""
        error = self.json["error"]
        assert set(error) == {"code", "message", "where", "hint", "faults", "request_id"}
        assert error["faults"] and error["request_id"] == self.response.headers["X-Request-Id"]
        return error["code"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    made = whole_company(tmp_path_factory.mktemp("api"))
    with console_of(made.workspace):
        yield made


@pytest.fixture(scope="module")
def joined(company: Company) -> dict[str, Person]:
    """Someone in each role, the CSM limited to the accounts of Kim."""
    scopes = {"csm": {"owner": ["Kim"], "segment": [], "account": []}}
    return {role: person(role, f"Api{role}", scopes.get(role)) for role in ROLES}


def secret_of(joined: Person, permissions: list[Permission] | None = None, days: int = 30, at: datetime | None = None) -> str:
    """The secret of a token that this person made."""
    from unspun.app.people.actors import actor_of
    from unspun.app.people.tokens import grantable, make_token

    actor = actor_of(joined, "session")
    return make_token(actor, "a test", permissions or list(grantable(actor)), days, at or datetime.now(UTC)).secret


@pytest.fixture(scope="module")
def programs(joined: dict[str, Person]) -> dict[str, Program]:
    """A program of everyone, with all that they may do."""
    return {role: Program(secret_of(one)) for role, one in joined.items()}


@pytest.fixture
def owner(programs: dict[str, Program]) -> Program:
    return programs["owner"]


@pytest.fixture
def csm(programs: dict[str, Program]) -> Program:
    return programs["csm"]


def a_renewal(program: Program) -> dict[str, Any]:
    """A line whose renewal is open."""
    return next(one for one in program.get("portfolio?size=100").json["lines"] if one["status"] == "open")


# Who asks


def test_a_token_says_who_asks_and_what_they_may_do(csm: Program, joined: dict[str, Person]) -> None:
    told = csm.get("me").json
    assert (told["id"], told["role"], told["via"]) == (joined["csm"].pk, "csm", "token")
    assert set(told["permissions"]) == GRANTS["csm"]
    assert told["scope"] == {"everything": False, "owners": ["Kim"], "segments": [], "accounts": []}


def test_a_token_may_do_what_it_was_given_and_the_role_still_grants(joined: dict[str, Person]) -> None:
    from unspun.state.people import change_access

    given = person("analyst", "Ina")
    program = Program(secret_of(given, ["portfolio.see", "data.see"]))
    assert program.get("portfolio").status == program.get("tables").status == 200
    assert (program.get("ledger").status, program.get("ledger").code) == (403, "not_granted")
    change_access(given.pk, "viewer", None)
    assert (program.get("tables").status, program.get("tables").code) == (403, "forbidden")
    assert program.get("portfolio").status == 200


def test_a_token_that_ended_was_revoked_or_whose_person_was_let_out_is_refused(joined: dict[str, Person]) -> None:
    from unspun.state.people import set_active
    from unspun.state.tokens import revoke_token, tokens_of

    ended = Program(secret_of(joined["viewer"], days=1, at=datetime.now(UTC) - timedelta(days=2)))
    assert (ended.get("me").status, ended.get("me").code) == (401, "expired_token")
    gone = person("analyst", "Gus")
    program = Program(secret_of(gone))
    assert program.get("me").status == 200
    revoke_token(gone.pk, tokens_of(gone.pk)[0].pk, datetime.now(UTC))
    assert (program.get("me").status, program.get("me").code) == (401, "revoked_token")
    other = Program(secret_of(gone))
    set_active(gone.pk, False)
    assert (other.get("me").status, other.get("me").code) == (401, "bad_token")
    set_active(gone.pk, True)
    assert other.get("me").code == "revoked_token"


def test_who_shows_no_token_or_a_wrong_one_is_told_so_and_one_who_guesses_is_held_up(owner: Program) -> None:
    from django.core.cache import cache

    assert (Program().get("me").status, Program().get("me").code) == (401, "not_signed_in")
    assert Program().get("me").response.headers["WWW-Authenticate"].startswith("Bearer")
    assert Program().ask("GET", "me", Authorization="Basic YTpi").code == "bad_token"
    answers = [Program(f"unspun_{n}").get("me").status for n in range(40)]
    assert (answers[0], answers[-1]) == (401, 429)
    assert owner.get("me").status == 200
    cache.clear()


def test_a_session_reads_and_does_not_write(company: Company) -> None:
    browser = signed_in("owner", "Sue")
    assert browser.get("/api/v1/me").status == 200
    refused = browser.client.post("/api/v1/jobs/refresh", "{}", "application/json", headers={"Host": HOST})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "token_needed")


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        (("GET", "nothing"), 404, "not_found"),
        (("GET", "accounts/none"), 404, "no_account"),
        (("GET", "jobs/99999"), 404, "no_job"),
        (("GET", "figures/1/none"), 404, None),
        (("DELETE", "me"), 405, "method"),
        (("POST", "jobs/refresh", "{"), 400, "bad_body"),
        (("POST", "jobs/refresh", {"other": 1}), 422, "extra_forbidden"),
        (("GET", "portfolio?size=0"), 422, "greater_than_equal"),
        (("GET", "portfolio?cursor=x"), 422, "cursor"),
        (("GET", "ledger?cursor=x"), 422, "cursor"),
        (("PUT", "notes/k", {"account": "A", "text": "x" * 3_000_000}), 413, "too_large"),
    ],
)
def test_every_error_has_one_shape(owner: Program, ask: tuple[Any, ...], status: int, code: str | None) -> None:
    answer = owner.ask(*ask)
    assert answer.status == status, answer.response.content
    assert code is None or answer.code == code


def test_a_fault_of_our_own_is_told_in_the_same_shape(owner: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from unspun.api.routes import accounts

    monkeypatch.setattr(accounts, "search_accounts", lambda *_: 1 / 0)
    assert (owner.get("search?q=x").status, owner.get("search?q=x").code) == (500, "fault")


# Who may, and whose accounts


def api_routes() -> list[tuple[str, str | None]]:
    """Every route of the API with its permission."""
    from tests.doors.test_console_roles import ruled

    found = [(path, rule.permission) for kind in ("permission", "signed_in") for path, rule in ruled(kind) if path.startswith("/api/")]
    assert len(found) > 25
    return [(path.removeprefix("/api/v1/"), permission) for path, permission in found]


@pytest.mark.parametrize("role", ROLES)
def test_a_token_of_each_role_is_let_in_where_the_role_grants_it_and_nowhere_else(programs: dict[str, Program], role: Role) -> None:
    for path, permission in api_routes():
        for method in ("GET", "POST", "PUT", "DELETE"):
            status = programs[role].ask(method, path, {}).status
            if permission is None or permission in GRANTS[role]:
                assert status not in (401, 500) and (status != 403 or role in ("csm", "viewer")), (method, path, status)
            else:
                assert status == 403, (method, path)


def test_a_token_with_one_permission_opens_the_routes_of_that_one_alone(joined: dict[str, Person]) -> None:
    from unspun.app.people.actors import actor_of
    from unspun.app.people.tokens import grantable

    for permission in grantable(actor_of(joined["owner"], "session")):
        program = Program(secret_of(joined["owner"], [permission]))
        for path, needed in api_routes():
            assert (program.ask("DELETE", path).status == 403) == (needed is not None and needed != permission), (permission, path)


def test_who_shows_no_token_is_let_in_nowhere(company: Company) -> None:
    for path, _ in api_routes():
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert Program().ask(method, path, {}).code == "not_signed_in", (method, path)


def test_the_pages_take_no_token(owner: Program) -> None:
    answer = visitor().get("/portfolio", Authorization=f"Bearer {owner.secret}")
    assert (answer.status, answer.to.split("?")[0]) == (302, "/sign-in")


def test_a_limited_token_gets_nothing_of_other_accounts(csm: Program, owner: Program) -> None:
    """Everything that reaches an account is asked for each account that is out of scope, and all text is searched for them."""
    lines = owner.get("portfolio?size=1000").json["lines"]
    entry = owner.get("portfolio").json["entries"]["risk"]
    others = [one for one in lines if one["owner"] != "Kim"]
    assert len(others) > 10
    for one in others:
        id = one["account_id"]
        asked = [f"accounts/{id}", f"notes?account={id}", f"forecasts?account={id}"]
        asked += [f"figures/{entry}/{one['figure']}/churn"] if one["figure"] else []
        assert [csm.get(path).status for path in asked] == [404] * len(asked), id
    note = {"account": others[0]["account_id"], "text": "mine?"}
    assert csm.put("notes/other", note).code == "no_account"
    held = [csm.get(path) for path in ("portfolio?size=1000", "search?q=company", f"figures/{entry}")]
    assert all(one.status == 200 for one in held)
    text = "".join(one.response.content.decode() for one in held)
    assert not [one["account_id"] for one in others if f'"{one["account_id"]}' in text]
    own = [one["account_id"] for one in lines if one["owner"] == "Kim"]
    assert {one["account_id"] for one in csm.get("portfolio?size=1000").json["lines"]} == set(own)


def test_whole_documents_and_rows_are_for_who_sees_every_account(csm: Program, owner: Program) -> None:
    for name in ("evidence", "forecast", "record"):
        assert owner.get(f"documents/{name}").status == 200
        assert (csm.get(f"documents/{name}").status, csm.get(f"documents/{name}").code) == (403, "limited")
    line = a_renewal(csm)
    address = f"{owner.get('portfolio').json['entries']['risk']}/{line['figure']}/churn"
    assert csm.get(f"figures/{address}").json["figure"]["value"]["point"] > 0
    assert csm.get(f"figure-rows/{address}").status == 403


# What it answers


def test_documents_have_the_form_of_those_that_commands_write(owner: Program, company: Company) -> None:
    import jsonschema

    from unspun.api.openapi import DOCUMENTS

    for name, schema in DOCUMENTS.items():
        jsonschema.validate(owner.get(f"documents/{name}").json, schema())
    assert owner.get("documents/check").json["entry"] == company.run.entries["check"]


def test_pages_of_the_portfolio_hold_every_line_once_in_its_order(owner: Program) -> None:
    whole = owner.get("portfolio?size=1000&sort=arr").json
    found, cursor = [], ""
    while cursor is not None:
        page = owner.get(f"portfolio?size=7&sort=arr&cursor={cursor}" if cursor else "portfolio?size=7&sort=arr").json
        found, cursor = [*found, *page["lines"]], page["cursor"]
        assert page["sums"] == whole["sums"]
    assert found == whole["lines"]
    assert len(found) == whole["total"]


def test_columns_are_those_that_were_asked_for_and_sums_say_what_they_are(owner: Program) -> None:
    page = owner.get("portfolio?columns=name&columns=arr&segment=Large&due=180&size=3").json
    assert all(set(one) == {"name", "arr"} for one in page["lines"])
    (total,) = page["sums"]
    assert {name: figure["settings"]["filter"] for name, figure in total["figures"].items()} == dict.fromkeys(
        ("arr", "expected_lost", "at_base_rate"), "segment Large, due within 180 days"
    )


def test_the_account_page_adds_up(owner: Program) -> None:
    line = a_renewal(owner)
    page = owner.get(f"accounts/{line['account_id']}").json
    renewal = page["renewals"][0]
    told = renewal["typical"] + renewal["others"] + sum(one["points"] for one in renewal["reasons"])
    assert told == pytest.approx(renewal["probabilities"]["churn"]["point"])
    assert page["trends"][0]["values"] and page["timeline"] and page["terms"]


def test_a_figure_opens_with_its_rows_page_by_page(owner: Program) -> None:
    line, entry = a_renewal(owner), owner.get("portfolio").json["entries"]["risk"]
    opened = owner.get(f"figures/{entry}/{line['figure']}/churn").json
    assert opened["figure"]["value"]["point"] == pytest.approx(line["p_churn"], abs=1e-4)
    assert opened["n"] == opened["figure"]["value"]["n"]
    assert opened["set"]["definition"]["name"] == "metrics.yml"
    rows = owner.get(f"figure-rows/{entry}/{line['figure']}/churn?size=1000").json
    first = owner.get(f"figure-rows/{entry}/{line['figure']}/churn?size=3").json
    assert first["rows"] == rows["rows"][:3]
    second = owner.get(f"figure-rows/{entry}/{line['figure']}/churn?size=3&cursor={first['cursor']}").json if first["cursor"] else None
    assert second is None or second["rows"] == rows["rows"][3:6]
    names = [one["name"] for one in owner.get(f"figures/{entry}").json["figures"]]
    assert len(names) == 100 and len(set(names)) == 100


def test_the_ledger_is_read_to_its_first_entry(owner: Program) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = owner.get(f"ledger?cursor={cursor}").json
        found, cursor = [*found, *(one["seq"] for one in page["entries"])], page["cursor"]
    assert found == list(range(found[0], 0, -1))


# What is sent twice


def test_a_note_sent_twice_is_written_once_and_is_inert(owner: Program, csm: Program) -> None:
    text = HOSTILE_TEXT + "x" * (10_000 - len(HOSTILE_TEXT))
    sent = {"account": HOSTILE, "text": text}
    first, second = owner.put("notes/crm:1", sent), owner.put("notes/crm:1", sent)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json and first.json["text"] == text.strip()
    assert owner.put("notes/crm:1", {**sent, "text": "other"}).code == "key_used"
    assert [one["entry"] for one in owner.get(f"notes?account={HOSTILE}").json["notes"]] == [first.json["entry"]]
    assert owner.get(f"accounts/{HOSTILE}").json["account"]["name"] == HOSTILE_NAME
    page = signed_in("owner", "Pia").get(f"/accounts/{HOSTILE}").text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_a_key_is_its_persons_own(owner: Program, programs: dict[str, Program]) -> None:
    line = a_renewal(owner)
    sent = {"account": line["account_id"], "text": "seen"}
    entries = {programs[role].put("notes/shared", sent).json["entry"] for role in ("owner", "analyst")}
    assert len(entries) == 2


def test_a_process_that_died_before_it_said_so_has_written_once(owner: Program, joined: dict[str, Person], company: Company) -> None:
    """The ledger holds the note, the state not its key: as a process leaves it that is killed between the two."""
    from unspun.state.models import ApiAnswer

    sent = {"account": a_renewal(owner)["account_id"], "text": "once"}
    first = owner.put("notes/died", sent)
    ApiAnswer.objects.filter(person=joined["owner"], key="died").delete()
    again = owner.put("notes/died", sent)
    assert (first.json, again.status) == (again.json, 200)


def test_a_forecast_is_stated_once_and_every_fault_is_told(csm: Program) -> None:
    line = a_renewal(csm)
    sent = {"account": line["account_id"], "due": line["due"], "probability": 0.7, "amount": "165600.50", "reason": RTL}
    first, second = csm.put("forecasts/f1", sent), csm.put("forecasts/f1", sent)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json and first.json["amount"] == "165600.50"
    wrong = csm.put("forecasts/f2", {**sent, "probability": 7, "amount": "-1", "reason": ""})
    assert (wrong.status, len(wrong.json["error"]["faults"])) == (422, 3)
    assert csm.put("forecasts/f3", {**sent, "due": "2031-01-01"}).code == "no_renewal"


def test_rows_in_are_rows_taken_and_rejected_with_reasons_and_sent_twice_change_nothing(owner: Program, company: Company) -> None:
    rows = [
        {"id": f"N-{n}", "since": "2025-06-01", "name": HOSTILE_TEXT + "y" * 10_000, "tier": "Small", "csm": "Kim", "country": "DE"}
        for n in range(5)
    ]
    body = {"rows": [*rows, {"id": "", "since": "2025-06-01", "name": "nobody"}]}
    assert owner.put("tables/accounts/rows", body).status == 422  # no key
    first = owner.put("tables/accounts/rows", body, **{"Idempotency-Key": "up-1"})
    assert first.status == 201, first.json
    told = first.json
    assert told["rows"] == 6 == told["new"] + told["changed"] + told["unchanged"] + told["rejected"]
    assert (told["new"], told["rejected"], sum(one["rows"] for one in told["reasons"])) == (5, 1, 1)
    again = owner.put("tables/accounts/rows", body, **{"Idempotency-Key": "up-1"})
    assert (again.status, again.json) == (200, told)
    other = owner.put("tables/accounts/rows", {"rows": rows}, **{"Idempotency-Key": "up-2"})
    assert (other.json["new"], other.json["changed"], other.json["unchanged"]) == (0, 0, 5)
    assert owner.put("tables/accounts/rows", {"rows": rows[:1]}, **{"Idempotency-Key": "up-1"}).code == "key_used"
    assert owner.get("loads").json["loads"][0]["load"] >= told["load"]
    assert not list((company.book.folder / ".console").glob("rows-*"))
    moved = owner.put("tables/accounts/rows", {"rows": [{**rows[0], "csm": "Lee", "extra": 1}]}, **{"Idempotency-Key": "up-3"}).json
    assert (moved["changed"] + moved["new"], moved["ignored"]) == (1, ["extra"])


def test_rows_that_fit_no_table_are_refused_whole(owner: Program) -> None:
    key = {"Idempotency-Key": "bad"}
    assert owner.put("tables/nothing/rows", {"rows": [{"a": 1}]}, **key).status == 404
    refused = owner.put("tables/tickets/rows", {"rows": [{"colour": "red"}]}, **key)
    assert refused.status == 422 and "/" not in refused.json["error"]["faults"][0]["where"]
    assert owner.put("tables/tickets/rows", {"rows": []}, **key).status == 422


def test_a_job_is_started_once_seen_and_cancelled(owner: Program) -> None:
    first, second = (owner.ask("POST", "jobs/refresh", {"evidence": True}) for _ in range(2))
    assert (first.status, first.json) == (202, second.json)
    number = first.json["job"]
    assert owner.get(f"jobs/{number}").json["state"] == "waiting"
    assert owner.ask("POST", f"jobs/{number}/cancel").json == {"cancelled": True}
    assert owner.get("jobs").json["jobs"][0]["state"] == "cancelled"


# Over HTTP, by its description


def test_the_reference_page_is_made_from_the_description(company: Company, root: Path) -> None:
    from unspun.api.reference_page import reference_page

    assert (root / "docs/reference/api.md").read_text("utf-8") == reference_page(Program().get("openapi.json").json)


def test_the_description_is_open_and_every_route_is_in_it(company: Company) -> None:
    described = Program().get("openapi.json").json
    assert described["openapi"] == "3.1.0"
    assert len(described["paths"]) == len(api_routes())


def test_requests_made_from_the_description_find_no_fault_and_get_what_it_describes(
    owner: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, seed, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        ignored_auth,
        response_schema_conformance,
        status_code_conformance,
        unsupported_method,
    )

    monkeypatch.setattr("unspun.api.admission.RATES", {"bad_token": "100000/m/ip"})  # each request is tried without its token too
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    checks += [unsupported_method, ignored_auth]
    with served() as site:
        described = requests.get(f"{site.address}/api/v1/openapi.json", timeout=60).json()
        schema = schemathesis.openapi.from_dict(described)
        schema.config.update(base_url=site.address)
        headers = {"Authorization": f"Bearer {owner.secret}"}
        asked, slow = 0, [HealthCheck.too_slow, HealthCheck.filter_too_much]
        for result in schema.get_all_operations():
            operation: Any = result.ok()  # pyright: ignore[reportAttributeAccessIssue]

            @seed(20261123)
            @settings(
                max_examples=12,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=slow,
            )
            @_given(operation.as_strategy())
            def one(case: Any) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate(headers=headers, checks=checks, timeout=60)

            one()
        assert asked > 150


def _given(strategy: Any) -> Any:
    from hypothesis import given

    return given(case=strategy)
