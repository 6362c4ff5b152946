"""What the operations refuse, as answers: what is not this actor's is not open, what there is not is not found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.http import Http404

from unspun.app.access import Forbidden
from unspun.errors import BadInput


@contextmanager
def as_not_found() -> Iterator[None]:
    """Within it, BadInput about something named by the address is a page that does not exist."""
    try:
        yield
    except Forbidden as refusal:
        raise PermissionDenied from refusal
    except BadInput as refusal:
        raise Http404 from refusal
