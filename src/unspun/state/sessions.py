"""Where people are signed in: the records beside Django's sessions."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session

from unspun.state.models import Person, SessionRecord

RENEW_AFTER = timedelta(minutes=1)


def note_session(person: Person, key: str, at: datetime, address: str, device: str) -> None:
    """Write down from which device and address a session was used; at most once a minute."""
    kept = SessionRecord.objects.filter(session_key=key).first()
    if kept is not None and kept.person_id == person.pk and kept.address == address and at - kept.seen_at < RENEW_AFTER:
        return
    about = {"person": person, "seen_at": at, "address": address, "device": device[:300]}
    SessionRecord.objects.update_or_create(session_key=key, defaults=about, create_defaults={**about, "began_at": at})


def open_sessions(person: Person, at: datetime) -> list[SessionRecord]:
    """The sessions that have not ended, the last used first; records of sessions that are gone are deleted."""
    records = list(person.session_records.order_by("-seen_at"))
    alive = _alive([one.session_key for one in records], at)
    SessionRecord.objects.filter(pk__in=[one.pk for one in records if one.session_key not in alive]).delete()
    return [one for one in records if one.session_key in alive]


def _alive(keys: list[str], at: datetime) -> set[str]:
    return set(Session.objects.filter(session_key__in=keys, expire_date__gt=at).values_list("session_key", flat=True))


def end_session(person: Person, record_id: int) -> bool:
    """End one session of a person. False where the person has no such session."""
    record = person.session_records.filter(pk=record_id).first()
    if record is None:
        return False
    Session.objects.filter(session_key=record.session_key).delete()
    record.delete()
    return True
