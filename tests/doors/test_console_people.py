"""Who joins a workspace, how, and what an owner does about people; the same on SQLite and on Postgres."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.doors.console_site import PASSWORD, Kind, empty_state, person, signed_in, sqlite_state, state, visitor

__all__ = ["sqlite_state", "state"]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def set_up_code() -> str:
    from unspun.app.people.joining import new_set_up_code

    code = new_set_up_code(datetime.now(UTC))
    assert code is not None
    return code


def owner_form(code: str, **other: str) -> dict[str, str]:
    return {"code": code, "name": "Ann", "email": "Ann@Example.com", "password1": PASSWORD, "password2": PASSWORD, **other}


def test_the_first_visitor_is_led_to_the_set_up_and_the_code_makes_them_the_owner(state: Kind) -> None:
    code, browser = set_up_code(), visitor()
    assert browser.get("/").to == "/sign-in?next=/"
    assert browser.get("/sign-in").to == "/set-up"
    done = browser.post("/set-up", **owner_form(code.lower().replace("-", " ")))
    assert (done.status, done.to) == (302, "/")
    people = browser.get("/people")
    assert "ann@example.com" in people.text and "Owner" in people.said


def test_without_the_code_of_the_terminal_nobody_takes_the_workspace(state: Kind) -> None:
    set_up_code()
    code = set_up_code()  # the server was started again: the code before no longer holds
    for wrong in ("", "AAAA-AAAA-AAAA-AAAA", code[:-1]):
        assert visitor().post("/set-up", **owner_form(wrong)).status == 422
    from unspun.state.models import Person

    assert not Person.objects.exists()
    assert visitor().post("/set-up", **owner_form(code)).status == 302


def test_the_set_up_is_closed_once_someone_has_joined_and_no_code_is_made(state: Kind) -> None:
    from unspun.app.people.joining import new_set_up_code

    code = set_up_code()
    visitor().post("/set-up", **owner_form(code))
    assert visitor().get("/set-up").to == "/sign-in"
    assert visitor().post("/set-up", **owner_form(code, email="eve@example.com")).to == "/sign-in"
    assert new_set_up_code(NOW) is None


def test_of_two_who_give_the_code_at_once_one_becomes_the_owner(state: Kind) -> None:
    from django.db import connection

    from unspun.app.people.joining import set_up
    from unspun.errors import BadInput
    from unspun.state.models import Person
    from unspun.state.people import NewPerson

    code, refused, barrier = set_up_code(), [], threading.Barrier(2)

    def give(name: str) -> None:
        barrier.wait()
        try:
            set_up(code, NewPerson(name, f"{name}@example.com", None))
        except BadInput as refusal:
            refused.append(refusal.faults[0].code)
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=(name,)) for name in ("ann", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["bad_set_up_code"]
    assert Person.objects.count() == 1


@pytest.mark.parametrize("password", ["short", "password123", "ann@example.com"])
def test_a_weak_password_is_refused_where_it_is_chosen(sqlite_state: None, password: str) -> None:
    answer = visitor().post("/set-up", **owner_form(set_up_code(), password1=password, password2=password))
    assert answer.status == 422
    assert 'id="id_password1_error"' in answer.text


def invite(browser: object, **other: str) -> str:
    fields = {"email": "bob@example.com", "name": "", "role": "csm", "owners": "", "segments": "", "accounts": "", **other}
    return browser.post("/people/invite", **fields).link()  # pyright: ignore[reportAttributeAccessIssue]


def test_an_invitation_is_a_link_that_works_once_and_brings_role_and_accounts(state: Kind) -> None:
    from unspun.app.people.actors import actor_of
    from unspun.state.models import Person

    link = invite(signed_in(), limited="on", owners="Kim\n  Lee \n\n", accounts="A-1")
    bob = visitor()
    assert "bob@example.com as CSM" in bob.get(link).said
    assert bob.post(link, name="Bob", password1=PASSWORD, password2=PASSWORD).to == "/"
    actor = actor_of(Person.objects.get(email="bob@example.com"), "session")
    assert (actor.role, actor.scope.owners, actor.scope.accounts) == ("csm", {"Kim", "Lee"}, {"A-1"})
    assert not actor.scope.everything
    assert visitor().get(link).status == 410
    assert visitor().post(link, name="Eve", password1=PASSWORD, password2=PASSWORD).status == 410


def test_an_invitation_ends_when_withdrawn_when_made_anew_and_after_seven_days(state: Kind) -> None:
    from unspun.state.models import Invitation

    owner = signed_in()
    first = invite(owner)
    second = invite(owner)
    assert (visitor().get(first).status, visitor().get(second).status) == (410, 200)
    Invitation.objects.filter(ended_at=None).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert visitor().get(second).status == 410
    third = invite(owner)
    owner.post(f"/people/invitations/{Invitation.objects.get(ended_at=None).pk}/withdraw")
    assert visitor().get(third).status == 410


def test_a_secret_of_a_link_is_kept_as_a_hash_only(sqlite_state: None) -> None:
    from unspun.state.models import Invitation

    secret = invite(signed_in()).rpartition("/")[2]
    row = Invitation.objects.values().get()
    assert len(secret) > 40
    assert not any(secret in str(value) for value in row.values())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "ann@example.com"}, "there is a person of this address"),
        ({"role": "analyst", "limited": "on", "owners": "Kim"}, "sees every account"),
        ({"limited": "on"}, "names nothing"),
        ({"role": "emperor"}, "valid choice"),
        ({"email": "nobody"}, "valid email"),
    ],
)
def test_an_invitation_that_cannot_be_says_why(sqlite_state: None, fields: dict[str, str], said: str) -> None:
    whole = {"email": "bob@example.com", "role": "csm", **fields}
    answer = signed_in().post("/people/invite", **whole)
    assert answer.status == 422
    assert said.lower() in answer.said.lower()


def test_another_role_holds_from_the_next_request_on(state: Kind) -> None:
    owner, csm = signed_in(), signed_in("csm", "Bob")
    from unspun.state.models import Person

    bob = Person.objects.get(name="Bob")
    assert csm.get("/people").status == 403
    assert owner.post(f"/people/{bob.pk}", role="owner", owners="", segments="", accounts="").to == "/people"
    assert csm.get("/people").status == 200
    owner.post(f"/people/{bob.pk}", role="viewer", limited="on", owners="", segments="Large", accounts="")
    assert csm.get("/people").status == 403
    assert "sees 1 segment" in csm.get("/self").said


def test_deactivating_ends_every_session_at_once_and_keeps_the_person_out(state: Kind) -> None:
    from unspun.state.models import Person

    owner, bob = signed_in(), signed_in("csm", "Bob")
    number = Person.objects.get(name="Bob").pk
    owner.post(f"/people/{number}/active", active="no")
    assert bob.get("/self").to.startswith("/sign-in")
    assert bob.sign_in("bob@example.com").to == "/sign-in/inactive"
    assert bob.get("/self").to.startswith("/sign-in")
    owner.post(f"/people/{number}/active", active="yes")
    assert bob.sign_in("bob@example.com").to == "/"


def test_the_last_owner_can_be_neither_deactivated_nor_given_another_role(state: Kind) -> None:
    from unspun.state.models import Person

    owner = signed_in()
    ann = Person.objects.get(name="Ann")
    owner.post(f"/people/{ann.pk}/active", active="no")
    assert "only owner" in owner.get(f"/people/{ann.pk}").said
    assert "only owner" in owner.post(f"/people/{ann.pk}", role="viewer").said
    second = person("owner", "Bea")
    second.is_active = False
    second.save()
    assert "only owner" in owner.post(f"/people/{ann.pk}", role="viewer").said  # an owner who is not let in is none
    second.is_active = True
    second.save()
    assert owner.post(f"/people/{ann.pk}", role="viewer").to == "/people"


def test_only_those_who_manage_people_reach_the_pages_of_people(sqlite_state: None) -> None:
    from unspun.app.access import ROLES

    reached = {}
    for role in ROLES:
        browser = signed_in(role, role.title())
        reached[role] = [browser.get(path).status for path in ("/people", "/people/invite", "/people/1")]
    assert reached.pop("owner")[:2] == [200, 200]
    assert all(statuses == [403, 403, 403] for statuses in reached.values())


def test_both_databases_hold_addresses_whatever_their_case_once() -> None:
    from unspun.state.people import EmailTaken, NewPerson, create_person

    for kind in ("sqlite", "postgres"):
        with empty_state(kind):
            create_person(NewPerson("Ann", "ANN@example.com", None), "owner", None)
            with pytest.raises(EmailTaken):
                create_person(NewPerson("Eve", "ann@EXAMPLE.com", None), "owner", None)
