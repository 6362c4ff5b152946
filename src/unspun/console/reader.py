"""How a page is written for its reader: times in the person's zone, numbers and days as their country writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from unspun.app.portfolio.run import book_zone
from unspun.reports import words
from unspun.reports.conventions import ENGLISH, NBSP, Convention, convention, written_as

TWELVE_HOURS: Final = frozenset({"en-us", "en-ca", "en-au", "en-in", "en-nz", "en-ph"})
ENGLISH_SIGNS: Final = frozenset({"en-us", "en-ca", "en-au", "en-in", "en-nz", "en-ph", "en-gb", "en-ie", "en"})
MOST_TRIED: Final = 10


@contextmanager
def written_for(request: HttpRequest, zone: str) -> Iterator[None]:
    """Within it, pages are written for who asks: in that zone ("" stands for the book's), as their browser's first country writes."""
    with timezone.override(_zone(zone)), written_as(convention_of(request.headers.get("Accept-Language", ""))):
        yield


def zone_name() -> str:
    """The zone that times are told in."""
    return timezone.get_current_timezone_name()


def moment(at: datetime) -> str:
    """A time to the minute, in the reader's zone: 2 Jan 2026, 09:00."""
    there = at.astimezone(timezone.get_current_timezone())
    return f"{words.day(there.date())}, {words.clock(there.time())}"


def moment_utc(at: datetime) -> str:
    """The same in UTC, for what is read elsewhere, such as mail."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def read_amount(text: str) -> Decimal:
    """An amount of money as the reader's country writes it, with thousands apart or not, and a fraction of one or two digits or none.

    Raises ValueError for anything else: 1.234,50 is no amount where the point stands before the fraction, nor is 1.234 anywhere but where
    it stands between thousands.
    """
    used, plain = convention(), text.strip().strip("$€£").strip().replace(NBSP, " ")
    group = r"[ \u202f]" if used.group.isspace() else re.escape(used.group)
    if not re.fullmatch(rf"(\d{{1,3}}({group}\d{{3}})+|\d+)({re.escape(used.decimal)}\d{{1,2}})?", plain, re.ASCII):
        raise ValueError(text)
    return Decimal(re.sub(group, "", plain).replace(used.decimal, "."))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or book_zone(settings.WORKSPACE))
    except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine's list no longer has
        return ZoneInfo("UTC")


@lru_cache(maxsize=256)
def convention_of(accepted: str) -> Convention:
    """How the first country or language that a browser names, and that Django knows, writes; English where it names none."""
    for tag, _weight in parse_accept_lang_header(accepted[:200])[:MOST_TRIED]:
        if tag in ENGLISH_SIGNS:
            return Convention(order="mdy" if tag in ("en-us", "en-ph") else "dmy", clock=12 if tag in TWELVE_HOURS else 24)
        try:
            return _of_language(get_supported_language_variant(tag))
        except LookupError:
            continue
    return ENGLISH


def _of_language(language: str) -> Convention:
    """By Django's formats of a language."""
    group, decimal, written = (
        str(get_format(name, language, use_l10n=True)) for name in ("THOUSAND_SEPARATOR", "DECIMAL_SEPARATOR", "DATE_FORMAT")
    )
    day, month, year = (min((written.find(one) for one in letters if one in written), default=99) for letters in ("jd", "FNEMmn", "Yyo"))
    order = "ymd" if year < day else "mdy" if month < day else "dmy"
    spaced = NBSP if not group.strip() else group
    return Convention(spaced, decimal, symbol_first=False, order=order, clock=24)
