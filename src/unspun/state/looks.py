"""Looks at accounts as they are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from unspun.state.models import LastSeen


def note_look(
    person_id: int, account: str, at: datetime, key: str, entry: int | None, is_new_visit: Callable[[LastSeen], bool]
) -> LastSeen:
    """Write down that a person looks at an account now; on a new visit the one that was kept becomes the one before."""
    try:
        with transaction.atomic():
            return _noted(person_id, account, at, key, entry, is_new_visit)
    except IntegrityError:  # the same page was opened twice at once for the first time
        with transaction.atomic():
            return _noted(person_id, account, at, key, entry, is_new_visit)


def _noted(person_id: int, account: str, at: datetime, key: str, entry: int | None, is_new_visit: Callable[[LastSeen], bool]) -> LastSeen:
    found = LastSeen.objects.select_for_update().filter(person_id=person_id, account=account).first()
    if found is None:
        return LastSeen.objects.create(person_id=person_id, account=account, at=at, key=key, entry=entry)
    if is_new_visit(found):
        found.before_at, found.before_key, found.before_entry = found.at, found.key, found.entry
    found.at, found.key, found.entry = max(at, found.at), key, entry
    found.save()
    return found
