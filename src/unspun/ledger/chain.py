"""The hash chain of the ledger, without I/O: how an entry is made, and how a change to stored entries is found.

The hash of an entry is the SHA-256 of five lines joined by line feeds, in UTF-8: the hash of the entry before (64 zeros for the
first), the number of the entry, its instant (UTC, six decimals, `Z`), its kind, its body as canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from unspun.errors import BadInput, Fault

FIRST_KIND = "opened"
NO_HASH = "0" * 64
KIND = re.compile(r"[a-z][a-z_]*")
HASH = re.compile(r"[0-9a-f]{64}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
BreakKind = Literal["edited", "removed", "reordered", "truncated", "foreign"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger. `previous` is the hash of the entry before it, `hash` its own; `seq` counts from 1."""

    seq: int
    at: datetime
    kind: str
    body: dict[str, object]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it lies in storage, unchecked: text as str, numbers as int, anything else (or text that is no UTF-8) as it is."""

    seq: object
    at: object
    kind: object
    body: object
    previous: object
    hash: object


@dataclass(frozen=True, slots=True)
class Anchor:
    """The hash of an entry as it is recorded outside of the chain; `where` names the place for messages."""

    seq: int
    hash: str
    where: str


@dataclass(frozen=True, slots=True)
class Break:
    """One thing wrong with the ledger: at which entry, what was done to it, and how that is known."""

    seq: int
    kind: BreakKind
    message: str


def canonical(body: Mapping[str, object]) -> str:
    """JSON with sorted keys, no spaces and ASCII only, so that equal bodies are equal bytes. ValueError for NaN and infinity."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def written_instant(at: datetime) -> str:
    """The instant as entries hold it, `2026-11-22T21:57:09.000000Z`. ValueError where it has no time zone."""
    if at.tzinfo is None:
        raise ValueError("an instant of the ledger needs a time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def entry_hash(previous: str, seq: int, at: str, kind: str, body: str) -> str:
    """The hash of an entry from its stored texts (see the head of this module)."""
    return hashlib.sha256("\n".join((previous, str(seq), at, kind, body)).encode("utf-8", "surrogatepass")).hexdigest()


def make_entry(previous: Entry | None, kind: str, body: Mapping[str, object], at: datetime) -> Entry:
    """The entry that follows `previous`; the first one is of kind `opened`. ValueError for a kind or body that cannot be written."""
    if not KIND.fullmatch(kind) or (previous is None) != (kind == FIRST_KIND):
        raise ValueError(f"an entry of kind {kind!r} cannot stand here")
    seq, before = (1, NO_HASH) if previous is None else (previous.seq + 1, previous.hash)
    text = canonical(body)
    hashed = entry_hash(before, seq, written_instant(at), kind, text)
    return Entry(seq, at.astimezone(UTC), kind, json.loads(text), before, hashed)


def stored_entry(entry: Entry) -> StoredEntry:
    """The entry as it is stored: its instant and body as the texts that were hashed."""
    return StoredEntry(entry.seq, written_instant(entry.at), entry.kind, canonical(entry.body), entry.previous, entry.hash)


def is_whole(stored: StoredEntry, seq: int) -> bool:
    """Whether the stored row is, as entry number `seq`, what its hash was made of."""
    texts = (stored.previous, stored.at, stored.kind, stored.body)
    if not all(isinstance(text, str) for text in texts):
        return False
    previous, at, kind, body = map(str, texts)
    shaped = HASH.fullmatch(previous) and INSTANT.fullmatch(at) and KIND.fullmatch(kind)
    return bool(shaped) and entry_hash(previous, seq, at, kind, body) == stored.hash


def read_entry(stored: StoredEntry) -> Entry:
    """The entry of a stored row. Raises BadInput where the row is not one that was written; its links are check_chain's."""
    damaged = BadInput(Fault("ledger_broken", f"entry {stored.seq} is damaged.", "the ledger", "Run `unspun ledger verify`."))
    if not isinstance(stored.seq, int) or not is_whole(stored, stored.seq):
        raise damaged
    try:
        at, body = datetime.fromisoformat(str(stored.at)).astimezone(UTC), json.loads(str(stored.body))
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(body, dict):
        raise damaged
    return Entry(stored.seq, at, str(stored.kind), body, str(stored.previous), str(stored.hash))


def parse_anchor(text: str, where: str) -> Anchor:
    """The anchor that `SEQ:HASH` states, as reports and `ledger.head` do. Raises BadInput where the text is none."""
    match = re.fullmatch(r"\s*([1-9][0-9]{0,17}):([0-9a-f]{64})\s*", text)
    if match is None:
        hint = "Write it as it is printed, NUMBER:HASH with 64 digits."
        raise BadInput(Fault("no_anchor", f"not the number and hash of a ledger entry: {text.strip()[:90]!r}.", where, hint))
    return Anchor(int(match[1]), match[2], where)


def written_anchor(entry: Entry) -> str:
    """`SEQ:HASH`, what parse_anchor reads."""
    return f"{entry.seq}:{entry.hash}"


def check_chain(rows: Sequence[StoredEntry], anchors: Sequence[Anchor] = ()) -> tuple[Break, ...]:
    """What is wrong with the stored rows (in stored order), by entry number; empty where all is as it was written.

    A row is known by its own hash, by the hash that its successor holds of it, and by `anchors`. A tail that was cut off or
    rewritten with new hashes is found by an anchor only. Rows may hold anything: that is a finding, never an error.
    """
    if not rows:
        return (Break(1, "truncated", "the ledger is empty; its first entry is written with the warehouse"),)
    places = _places(rows, anchors)
    chain = {place.seq: place for place in places if not place.foreign}
    found = [*_row_breaks(places), *_gaps(chain), *_links(chain)]
    found += _anchor_breaks(chain, anchors, {each.seq for each in found})
    return tuple(sorted(found, key=lambda each: (each.seq, each.kind)))


@dataclass(frozen=True, slots=True)
class _Place:
    """A row in the chain. `seq` is the number it was written with, as far as can be known; `whole`: its hash confirms that.

    `foreign`: another, whole row has that number. `belongs`: among the rows as they lie it stands where its number puts it.
    """

    row: StoredEntry
    seq: int
    whole: bool
    foreign: bool
    belongs: bool

    @property
    def moved(self) -> bool:
        return self.whole and not self.foreign and (self.row.seq != self.seq or not self.belongs)


def _places(rows: Sequence[StoredEntry], anchors: Sequence[Anchor]) -> list[_Place]:
    written = _written_numbers(rows, max(len(rows), *(anchor.seq for anchor in anchors), 0) + 100)
    holders: dict[int, int] = {}
    for at, number in enumerate(written):
        if number is not None and (number not in holders or rows[at].seq == number):
            holders[number] = at
    numbers = [number or _stated_number(rows[at], at) for at, number in enumerate(written)]
    for at, number in enumerate(numbers):
        holders.setdefault(number, at)
    standing = sorted(holders.values())
    ordered = {at for at, belonging in zip(standing, sorted(standing, key=numbers.__getitem__), strict=True) if at == belonging}
    return [_Place(rows[at], number, written[at] is not None, holders[number] != at, at in ordered) for at, number in enumerate(numbers)]


def _stated_number(row: StoredEntry, at: int) -> int:
    return row.seq if isinstance(row.seq, int) and 0 < row.seq < 2**63 else at + 1


def _written_numbers(rows: Sequence[StoredEntry], most: int) -> list[int | None]:
    """The number each row's hash was made with: the stated one, else the one after the row it follows, else one up to `most`."""
    numbers = [row.seq if isinstance(row.seq, int) and is_whole(row, row.seq) else None for row in rows]
    followers: dict[object, list[int]] = {}
    for at, row in enumerate(rows):
        if numbers[at] is None and isinstance(row.previous, str):
            followers.setdefault(row.previous, []).append(at)
    ends = [(NO_HASH, 0), *((str(row.hash), _stated_number(row, at)) for at, row in enumerate(rows))]
    _follow(rows, numbers, followers, ends)
    hashes = {row.hash for row in rows if isinstance(row.hash, str)}
    tries = 200_000  # a hash each: rows that follow no other are few unless most of the ledger is gone
    for at, row in enumerate(rows):
        if numbers[at] is None and row.previous not in hashes and tries > 0:
            tries -= most
            numbers[at] = next((number for number in range(1, most + 1) if is_whole(row, number)), None)
            if numbers[at] is not None:
                _follow(rows, numbers, followers, [(str(row.hash), numbers[at] or 0)])
    return numbers


def _follow(
    rows: Sequence[StoredEntry],
    numbers: list[int | None],
    followers: Mapping[object, list[int]],
    ends: Iterable[tuple[str, int]],
) -> None:
    """Number the rows that follow an entry of known hash and number, and those that follow them."""
    queue = deque(ends)
    while queue:
        before, number = queue.popleft()
        for at in followers.get(before, ()):
            if numbers[at] is None and is_whole(rows[at], number + 1):
                numbers[at] = number + 1
                queue.append((str(rows[at].hash), number + 1))


def _row_breaks(places: Sequence[_Place]) -> list[Break]:
    found: list[Break] = []
    for place in places:
        if place.foreign:
            found.append(Break(place.seq, "foreign", f"{_named(place)}: there is another entry {place.seq}, of which this is no part"))
        elif not place.whole:
            found.append(
                Break(place.seq, "edited", f"{_named(place)}: its content is not what its hash {place.row.hash!s:.12} was made of")
            )
        elif place.seq == 1 and (place.row.kind != FIRST_KIND or place.row.previous != NO_HASH):
            found.append(Break(1, "foreign", f"{_named(place)}: the first entry is of kind `{FIRST_KIND}` and follows no other"))
    return found + _moves([place for place in places if place.moved])


def _named(place: _Place) -> str:
    kind = place.row.kind if isinstance(place.row.kind, str) and KIND.fullmatch(place.row.kind) else "of unreadable kind"
    stated = "" if place.row.seq == place.seq else f", numbered {place.row.seq!s:.30}"
    return f"entry {place.seq} ({kind}{stated})"


def _moves(moved: Sequence[_Place]) -> list[Break]:
    """One finding for each run of entries that were renumbered by the same step, one for each entry that stands elsewhere."""
    runs: list[list[_Place]] = []
    for place in moved:
        last = runs[-1][-1] if runs else None
        if last is not None and place.seq == last.seq + 1 and _step(place) == _step(last) != 0:
            runs[-1].append(place)
        else:
            runs.append([place])
    return [Break(run[0].seq, "reordered", _moved(run)) for run in runs]


def _step(place: _Place) -> int:
    return place.row.seq - place.seq if isinstance(place.row.seq, int) else 0


def _moved(run: Sequence[_Place]) -> str:
    first, last = run[0], run[-1]
    known = (
        "the hash confirms the number it was written with" if len(run) == 1 else "their hashes confirm the numbers they were written with"
    )
    if len(run) > 1:
        return f"entries {first.seq} to {last.seq} are numbered {first.row.seq} to {last.row.seq}; {known}"
    if first.row.seq == first.seq:
        return f"{_named(first)} does not stand between the entries before and after it; {known}"
    return f"{_named(first)} stands in the place of another; {known}"


def _gaps(chain: Mapping[int, _Place]) -> list[Break]:
    """Numbers that no row has, below the highest: one finding for each gap."""
    found: list[Break] = []
    held = [0, *sorted(chain)]
    for before, after in pairwise(held):
        if after - before > 1:
            missing = f"entry {after - 1} is" if after - before == 2 else f"entries {before + 1} to {after - 1} are"
            found.append(Break(before + 1, "removed", f"{missing} missing; entry {after} was written after it"))
    return found


def _links(chain: Mapping[int, _Place]) -> list[Break]:
    """Whole entries of which the entry after them, itself whole and not contradicted, holds another hash: replaced ones."""
    replaced: dict[int, Break] = {}
    for seq in sorted(chain, reverse=True):
        entry, after = chain[seq], chain.get(seq + 1)
        if after is None or not (entry.whole and after.whole) or after.row.previous == entry.row.hash or seq + 1 in replaced:
            continue
        message = f"{_named(entry)} was replaced: entry {seq + 1} was written after one with the hash {after.row.previous!s:.12}"
        replaced[seq] = Break(seq, "edited", f"{message}, this one's is {entry.row.hash!s:.12}; others before it may be too")
    return list(replaced.values())


def _anchor_breaks(chain: Mapping[int, _Place], anchors: Sequence[Anchor], broken: Collection[int]) -> list[Break]:
    """Entries that are missing from the end, and the first of those that differ from what is recorded elsewhere."""
    last = max(chain)
    known = sorted(anchors, key=lambda anchor: anchor.seq)
    found = [_cut_off(last, known[-1])] if known and known[-1].seq > last else []
    confirmed = [anchor.seq for anchor in known if anchor.seq in chain and chain[anchor.seq].row.hash == anchor.hash]
    wrong = [anchor for anchor in known if anchor.seq in chain and anchor.seq not in broken and chain[anchor.seq].row.hash != anchor.hash]
    vouched = _vouched(chain, max(confirmed, default=0))
    found += [_disputed(anchor) for anchor in wrong if anchor.seq in vouched]
    rewritten = [anchor for anchor in wrong if anchor.seq not in vouched]
    return found + ([_rewritten(rewritten, max((seq for seq in confirmed if seq < rewritten[0].seq), default=0))] if rewritten else [])


def _vouched(chain: Mapping[int, _Place], confirmed: int) -> frozenset[int]:
    """The numbers, from a confirmed entry downwards, that an unbroken chain of hashes leads to."""
    numbers: list[int] = []
    while confirmed in chain and chain[confirmed].whole:
        numbers.append(confirmed)
        before = chain.get(confirmed - 1)
        if before is None or before.row.hash != chain[confirmed].row.previous:
            break
        confirmed -= 1
    return frozenset(numbers)


def _cut_off(last: int, anchor: Anchor) -> Break:
    missing = f"entry {anchor.seq} is" if anchor.seq == last + 1 else f"entries {last + 1} to {anchor.seq} are"
    return Break(last + 1, "truncated", f"{missing} missing from the end: {anchor.where} records entry {anchor.seq}")


def _disputed(anchor: Anchor) -> Break:
    message = f"{anchor.where} records the hash {anchor.hash:.12} for entry {anchor.seq}, other records confirm the entry as it is"
    return Break(anchor.seq, "edited", f"{message}: the ledger was rewritten together with those, or the record in {anchor.where} was")


def _rewritten(anchors: Sequence[Anchor], confirmed: int) -> Break:
    first = anchors[0]
    since = f"after entry {confirmed}, the last one that is confirmed," if confirmed else "from an entry not known"
    more = f" (and {len(anchors) - 1} more records differ)" if len(anchors) > 1 else ""
    message = f"entry {first.seq} is not the one whose hash {first.hash:.12} {first.where} records{more}"
    return Break(first.seq, "edited", f"{message}: the ledger was rewritten {since} up to its end")
