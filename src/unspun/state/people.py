"""How people come, change and go: each function one transaction. Who may do it, and what is allowed, is decided above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from unspun.state.models import Invitation, Person, ScopeRule, SessionRecord, SetUpCode

ScopeNames = Mapping[str, Sequence[str]] | None
"""None: every account; else the names of owners, segments and accounts by their kind."""


class EmailTaken(Exception):
    """There is a person of that e-mail."""


class NotOpen(Exception):
    """The set-up, or the invitation, was used in the meantime, or never was."""


class LastOwner(Exception):
    """Nobody would be left who could manage people."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Someone about to join. `password` None: signs in by the company's own sign-in only."""

    name: str
    email: str
    password: str | None


def everyone() -> QuerySet[Person]:
    """All people by name, with when each was last seen (`seen`) and their scope rules read along."""
    seen = Max("session_records__seen_at")
    return Person.objects.annotate(seen=seen).prefetch_related("scope_rules").order_by(Lower("name"), "pk")


def open_invitations(at: datetime) -> QuerySet[Invitation]:
    """Those that can still be used, the newest first."""
    return Invitation.objects.filter(ended_at=None, expires_at__gt=at).select_related("invited_by").order_by("-made_at")


def anyone() -> bool:
    """Whether the workspace has a person."""
    return Person.objects.exists()


def keep_set_up_code(secret_hash: str, at: datetime) -> None:
    """One code holds, the newest."""
    with transaction.atomic():
        SetUpCode.objects.all().delete()
        SetUpCode.objects.create(secret_hash=secret_hash, made_at=at)


def set_up_hash() -> str | None:
    """The hash of the code that holds."""
    return SetUpCode.objects.values_list("secret_hash", flat=True).first()


def create_first_owner(new: NewPerson, secret_hash: str) -> Person:
    """The first person, an owner. The code is used up in the same transaction: of two who give it at once, one gets NotOpen."""
    with transaction.atomic():
        used, _ = SetUpCode.objects.filter(secret_hash=secret_hash).delete()
        if not used or anyone():
            raise NotOpen
        return _create(new, "owner", None)


def create_person(new: NewPerson, role: str, scope: ScopeNames) -> Person:
    """A person of that role and scope. Raises EmailTaken."""
    with transaction.atomic():
        return _create(new, role, scope)


def _create(new: NewPerson, role: str, scope: ScopeNames) -> Person:
    email = new.email.lower()
    person = Person(email=email, name=new.name, role=role, limited=scope is not None)
    person.set_password(new.password)
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError:
        raise EmailTaken(email) from None
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    _set_rules(person, scope)
    return person


def _set_rules(person: Person, scope: ScopeNames) -> None:
    person.scope_rules.all().delete()
    rules = [ScopeRule(person=person, kind=kind, value=value) for kind, values in (scope or {}).items() for value in values]
    ScopeRule.objects.bulk_create(rules)


def set_password(email: str, password: str) -> None:
    """Another password for the person of that e-mail, who must be there; their sessions end with it."""
    with transaction.atomic():
        person = Person.objects.select_for_update().get(email=email.lower())
        person.set_password(password)
        person.save(update_fields=["password"])
        end_sessions(person, None)


def open_invitation(secret_hash: str, at: datetime) -> Invitation | None:
    """The invitation of that secret, if it can still be used."""
    return Invitation.objects.filter(secret_hash=secret_hash, ended_at=None, expires_at__gt=at).select_related("invited_by").first()


def open_invitation_of(email: str, at: datetime) -> Invitation | None:
    """The newest invitation of that address that can still be used."""
    return Invitation.objects.filter(email=email.lower(), ended_at=None, expires_at__gt=at).order_by("-made_at").first()


def accept(invitation: Invitation, new: NewPerson, at: datetime) -> Person:
    """The person who was invited. Of two who use one invitation at once, one gets NotOpen. Raises EmailTaken."""
    with transaction.atomic():
        used = Invitation.objects.filter(pk=invitation.pk, ended_at=None, expires_at__gt=at).update(ended_at=at)
        if not used:
            raise NotOpen
        person = _create(new, invitation.role, invitation.scope)
        Invitation.objects.filter(pk=invitation.pk).update(person=person)
        return person


def end_invitations(email: str, at: datetime) -> None:
    """Those of that address that are open are withdrawn."""
    Invitation.objects.filter(email=email.lower(), ended_at=None).update(ended_at=at)


def change_access(person_id: int, role: str, scope: ScopeNames) -> None:
    """Another role and scope. Raises LastOwner, and Person.DoesNotExist."""
    with transaction.atomic():
        person = _locked(person_id)
        if role != "owner":
            _leave_an_owner(person)
        person.role, person.limited = role, scope is not None
        person.save(update_fields=["role", "limited"])
        _set_rules(person, scope)


def set_active(person_id: int, active: bool) -> None:
    """Let someone in again, or out: then their sessions and API tokens end with it. Raises LastOwner, and Person.DoesNotExist."""
    with transaction.atomic():
        person = _locked(person_id)
        if not active:
            _leave_an_owner(person)
            end_sessions(person, None)
            person.api_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
        person.is_active = active
        person.save(update_fields=["is_active"])


def _locked(person_id: int) -> Person:
    """The person; every owner's row is locked first, in one order, so that two owners cannot put each other out at once."""
    list(Person.objects.select_for_update().filter(role="owner").order_by("pk"))
    return Person.objects.select_for_update().get(pk=person_id)


def _leave_an_owner(person: Person) -> None:
    others = Person.objects.filter(role="owner", is_active=True).exclude(pk=person.pk)
    if person.role == "owner" and person.is_active and not others.exists():
        raise LastOwner


def end_sessions(person: Person, keep: str | None) -> int:
    """End the sessions of a person, but for the one whose key is `keep`; how many ended."""
    keys = list(person.session_records.exclude(session_key=keep or "").values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    SessionRecord.objects.filter(session_key__in=keys).delete()
    return len(keys)
