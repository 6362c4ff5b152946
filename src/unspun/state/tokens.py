"""How API tokens, and answers under a caller's key, are kept: each function one transaction. Who may do it is decided above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from unspun.state.models import ApiAnswer, ApiToken, Person

NOTED_EVERY: Final = timedelta(minutes=1)
"""How far the time of last use may lag: a token in use is not written down at each request."""


class TooMany(Exception):
    """The person has as many tokens as one may have."""


class OtherRequest(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token about to be kept."""

    name: str
    prefix: str
    secret_hash: str
    permissions: Sequence[str]
    expires_at: datetime


def keep_token(person_id: int, new: NewToken, at: datetime, most: int) -> ApiToken:
    """Keep a token. Raises TooMany where the person has `most` that can be used."""
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person_id)  # one at a time for each person
        if open_tokens(person_id, at).count() >= most:
            raise TooMany
        return ApiToken.objects.create(
            person_id=person_id,
            name=new.name,
            prefix=new.prefix,
            secret_hash=new.secret_hash,
            permissions=list(new.permissions),
            made_at=at,
            expires_at=new.expires_at,
        )


def open_tokens(person_id: int, at: datetime) -> QuerySet[ApiToken]:
    """Those that can be used."""
    return ApiToken.objects.filter(person_id=person_id, revoked_at=None, expires_at__gt=at)


def tokens_of(person_id: int) -> QuerySet[ApiToken]:
    """All that a person ever made, the newest first."""
    return ApiToken.objects.filter(person_id=person_id).order_by("-made_at", "-pk")


def token_of_hash(secret_hash: str) -> ApiToken | None:
    """The token of that secret, with its person."""
    return ApiToken.objects.filter(secret_hash=secret_hash).select_related("person").first()


def revoke_token(person_id: int, token: int, at: datetime) -> bool:
    """End a token of that person; False where there is none that was not ended."""
    return bool(ApiToken.objects.filter(pk=token, person_id=person_id, revoked_at=None).update(revoked_at=at))


def note_use(token: ApiToken, at: datetime) -> None:
    """Write down when it was last used, to the minute."""
    if token.last_used_at is None or at - token.last_used_at >= NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)


def answered(person_id: int, kind: str, key: str, asked: str) -> Any:
    """What was answered to this request before; None: it was not made. Raises OtherRequest."""
    held = ApiAnswer.objects.filter(person_id=person_id, kind=kind, key=key).first()
    if held is not None and held.asked != asked:
        raise OtherRequest
    return None if held is None else held.answer


def answer_once(person_id: int, kind: str, key: str, asked: str, at: datetime, act: Callable[[], Any]) -> tuple[Any, bool]:
    """The answer of `act`, kept under the key with it, and whether it was made just now: of two who ask at once the second waits and is
    given what the first one was. `act` is short, as nobody else writes to the state meanwhile. Raises OtherRequest."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                held = ApiAnswer.objects.create(person_id=person_id, kind=kind, key=key, asked=asked, at=at)
        except IntegrityError:
            return answered(person_id, kind, key, asked), False
        held.answer = act()
        held.save(update_fields=["answer"])
        return held.answer, True


def keep_answer(person_id: int, kind: str, key: str, asked: str, at: datetime, answer: Any) -> Any:
    """Keep what was answered, or give back what another request of that key was answered meanwhile. Raises OtherRequest."""
    return answer_once(person_id, kind, key, asked, at, lambda: answer)[0]
