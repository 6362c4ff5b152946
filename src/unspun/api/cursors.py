"""Cursors of lists that only grow, or never change: a number, written so that nobody takes it for one to count with."""

from __future__ import annotations

import base64
import binascii

from unspun.errors import BadInput, Fault

MOST = 10**12


def text_of(place: int) -> str:
    """As it stands in an answer."""
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def place_of(text: str, start: int) -> int:
    """The place that a cursor states; `start` for none. Raises BadInput where it is no cursor."""
    if not text:
        return start
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        plain = ""
    if not plain.isdecimal() or len(plain) > len(str(MOST)) or text_of(int(plain)) != text:
        raise BadInput(
            Fault("cursor", "this is no place in this list.", "query.cursor", "Leave it out: the list then begins at its first.")
        )
    return max(int(plain), start)
