"""The state's rows on their way through a backup: every value as it was, from either kind of database into either."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from tests.unit.state.databases import KINDS, state_in
from unspun.errors import BadInput
from unspun.state.models import Job, Person, ScopeRule, SessionRecord
from unspun.state.portable import read_state, write_state

AT = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)
NAME = 'Zoë <script>‮ "quoted"\n\\ 東京'


def sessions() -> Any:
    return apps.get_model("sessions", "Session")


def filled() -> None:
    people = [Person.objects.create(email=f"p{n}@acme.test", name=NAME, role="csm", limited=n > 1) for n in range(4)]
    Person.objects.filter(pk=people[0].pk).update(last_login=AT, password="argon2$hash")
    people[3].delete()  # its number is not given to anyone else
    ScopeRule.objects.create(person=people[2], kind="owner", value=NAME)
    sessions().objects.create(session_key="k" * 32, session_data="secret", expire_date=AT)
    SessionRecord.objects.create(person=people[0], session_key="k" * 32, began_at=AT, seen_at=AT)
    Job.objects.create(kind="load", key="a", arguments={"paths": [NAME], "n": 2**60, "share": 0.1}, asked_by=people[1], asked_at=AT)
    Job.objects.create(kind="refresh", key="b", asked_at=AT, state="done", result={"none": None, "text": "null"}, error=None)


def everything() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in (Person, ScopeRule, SessionRecord, sessions(), Job)}


def written(signed_in: bool) -> bytes:
    lines = io.BytesIO()
    write_state(lines, signed_in)
    return lines.getvalue()


@contextmanager
def read_into(folder: Path, kind: str, lines: bytes) -> Iterator[int]:
    with state_in(folder, kind, empty=True):
        yield read_state(io.BytesIO(lines))


@pytest.mark.parametrize("into", KINDS)
@pytest.mark.parametrize("given", KINDS)
def test_every_value_comes_out_as_it_went_in(given: str, into: str, tmp_path: Path) -> None:
    with state_in(tmp_path / "before", given):
        filled()
        before, lines = everything(), written(signed_in=True)
    with read_into(tmp_path / "after", into, lines) as rows:
        assert everything() == before
        assert rows == len(lines.splitlines()) - 1
        # The tables go on as before: the next number is free, and what may not be twice may not be twice.
        newest = max(person["id"] for person in before["Person"])
        assert Person.objects.create(email="new@acme.test", name="New", role="viewer").pk > newest
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.create(kind="load", key="a", asked_at=AT)


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_signed_in_is_left_out_unless_asked_for(kind: str, tmp_path: Path) -> None:
    with state_in(tmp_path / "acme", kind):
        filled()
        lines = written(signed_in=False)
    assert b"k" * 32 not in lines and b"secret" not in lines
    assert b"argon2$hash" in lines


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_that_has_tables_takes_no_state(kind: str, tmp_path: Path) -> None:
    with state_in(tmp_path / "acme", kind):
        filled()
        before, lines = everything(), written(signed_in=True)
        with pytest.raises(BadInput, match="has tables already"):
            read_state(io.BytesIO(lines))
        assert everything() == before


def test_rows_of_a_newer_unspun_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    head = json.dumps({"form": 1, "migrations": [["state", "0001_initial"], ["state", "9999_later"]]}).encode()
    with state_in(tmp_path / "acme", "sqlite", empty=True):
        with pytest.raises(BadInput, match=r"does not know state\.9999_later"):
            read_state(io.BytesIO(head))
        assert connection.introspection.table_names() == []


def test_rows_of_an_older_unspun_are_brought_up_to_date(tmp_path: Path) -> None:
    """The state as its first version had it, without jobs and without the zone of a person."""
    from django.core.management import call_command

    with state_in(tmp_path / "before", "sqlite", empty=True):
        call_command("migrate", "state", "0001", verbosity=0, skip_checks=True)
        columns = "id, email, name, role, limited, is_active, joined_at, password"
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO state_person ({columns}) VALUES (5, 'ann@acme.test', 'Ann', 'owner', 0, 1, '2026-03-02', 'x')")
        lines = written(signed_in=True)
    assert b"zone" not in lines
    with read_into(tmp_path / "after", "sqlite", lines):
        person = Person.objects.get()
        assert (person.pk, person.name, person.zone) == (5, "Ann", "")
        assert Job.objects.count() == 0
