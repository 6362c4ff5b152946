"""Which column plays which role: by the caller's word, else by the names such columns usually have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from unspun.book.files import RawTable
from unspun.book.roles import REQUIRED, ROLES, SCORE_ROLE, SHEET_ROLE, WHY_REQUIRED, Tiers
from unspun.book.tables import ReadingOptions
from unspun.book.text import quoted, squash
from unspun.book.vendors import Export, find_export
from unspun.errors import Fault


@dataclass(frozen=True, slots=True)
class Found:
    """Column positions by role, and what stands in the way. `mapped` are the roles that the caller named a column for.

    `notes` say which product's export the names were told for, and what to know of the reading.
    """

    columns: dict[str, int]
    mapped: frozenset[str]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()


LEFT_OUT = "-"  # mapped to this, a role has no column


def find_columns(raw: RawTable, options: ReadingOptions) -> Found:
    """Find the column of each role of a file; two that fit one role equally well are a fault."""
    columns: dict[str, int] = {}
    faults: list[Fault] = []
    mapped = _mapped(raw, options)
    for role, name in mapped.items():
        if name == LEFT_OUT and not column_named(raw, name):
            continue
        position = _position(raw, role, name, faults)
        if position is not None:
            columns[role] = position
    export = find_export(raw.role, {squash(name) for name in raw.names})
    columns |= _by_export(raw, export.columns if export else {}, {*mapped, *columns})
    for role, tiers in ROLES[raw.role].items():
        if role not in mapped and role not in columns:
            position = _by_name(raw, role, tiers, frozenset(columns.values()), faults)
            if position is not None:
                columns[role] = position
    fallen_back = _by_export(raw, export.otherwise if export else {}, {*mapped, *columns})
    columns |= fallen_back
    reported = {fault.where.rpartition(":")[2] for fault in faults}
    absent = {role for role, name in mapped.items() if name == LEFT_OUT}
    missing = [
        role for role in REQUIRED[raw.role] if role not in columns and (role not in mapped or role in absent) and role not in reported
    ]
    faults += [_missing(raw, role) for role in missing]
    return Found(columns, frozenset(mapped), tuple(faults), _notes(export, fallen_back))


def check_roles(options: ReadingOptions) -> list[Fault]:
    """Mapped roles that are no role of any file."""
    plain = {SCORE_ROLE, SHEET_ROLE, *(role for roles in ROLES.values() for role in roles)}
    full = {f"scores.{SCORE_ROLE}", *(f"{file}.{role}" for file, roles in ROLES.items() for role in (SHEET_ROLE, *roles))}
    faults: list[Fault] = []
    for key, name in options.columns.items():
        if key not in plain and key not in full:
            guess = did_you_mean(key, plain | full)
            hint = f"{guess}The roles are {', '.join(sorted(plain))}."
            faults.append(Fault("unknown_role", f"'{key}' is not a role that a column can have.", f'--map {key}="{name}"', hint))
    return faults


def did_you_mean(word: str, words: Iterable[str]) -> str:
    by_squashed = {squash(candidate): candidate for candidate in words}
    close = difflib.get_close_matches(squash(word), list(by_squashed), n=1, cutoff=0.6)
    return f"Did you mean '{by_squashed[close[0]]}'? " if close else ""


def column_named(raw: RawTable, name: str) -> list[int]:
    """Positions of the columns of that name: as written, else with case and punctuation aside."""
    exact = [i for i, given in enumerate(raw.names) if given == name]
    return exact or [i for i, given in enumerate(raw.names) if squash(given) == squash(name) != ""]


def _mapped(raw: RawTable, options: ReadingOptions) -> dict[str, str]:
    """The caller's words for this file; `scores.account` goes before `account`."""
    roles = {*ROLES[raw.role], *((SCORE_ROLE,) if raw.role == "scores" else ())}
    plain = {key: name for key, name in options.columns.items() if key in roles}
    prefix = f"{raw.role}."
    own = {key.removeprefix(prefix): name for key, name in options.columns.items() if key.startswith(prefix)}
    return {role: name for role, name in (plain | own).items() if role != SHEET_ROLE}


def _position(raw: RawTable, role: str, name: str, faults: list[Fault]) -> int | None:
    found = column_named(raw, name)
    if len(found) == 1:
        return found[0]
    what = f"there is no column '{name}'" if not found else f"{len(found)} columns are named '{name}'"
    hint = f"{did_you_mean(name, raw.names) if not found else ''}The columns are {quoted(list(raw.names), 30)}. "
    hint += f'To name a column of this file only, say --map {raw.role}.{role}="...".'
    faults.append(Fault("no_such_column", f"{what} (wanted as {role}).", f"{raw.name}:{raw.header_row}", hint))
    return None


def _by_name(raw: RawTable, role: str, tiers: Tiers, taken: frozenset[int], faults: list[Fault]) -> int | None:
    squashed = [squash(name) for name in raw.names]
    for tier in tiers:
        found = [i for i, name in enumerate(squashed) if name in tier and i not in taken]
        if len(found) == 1:
            return found[0]
        if found:
            names = [raw.names[i] for i in found]
            alike = len(set(names)) < len(names)
            hint = "Rename one of them." if alike else f'Say which: --map {raw.role}.{role}="{names[0]}" or "{names[1]}".'
            where = f"{raw.name}:{raw.header_row}:{role}"
            faults.append(Fault("two_columns", f"{quoted(names)} fit the role {role} equally well.", where, hint))
            return None
    return None


def _by_export(raw: RawTable, names: dict[str, str], settled: set[str]) -> dict[str, int]:
    """The columns that a product's export is known to have, for roles not settled yet. A name that stands twice is left to the rest."""
    squashed = [squash(name) for name in raw.names]
    found: dict[str, int] = {}
    for role, listed in names.items():
        present = [name for name in map(squash, listed.split(", ")) if squashed.count(name) == 1]
        if role not in settled and present:
            found[role] = squashed.index(present[0])
    return found


def _notes(export: Export | None, fallen_back: dict[str, int]) -> tuple[str, ...]:
    if export is None:
        return ()
    caution = f": {export.caution}" if export.caution and fallen_back.keys() & {"due", "date"} else ""
    return (f"columns read as in a {export.product} export{caution}",)


def _missing(raw: RawTable, role: str) -> Fault:
    why = WHY_REQUIRED.get((raw.role, role), f"no column is recognised as the {role}.")
    hint = f'The columns are {quoted(list(raw.names), 30)}. If one of them is it, say --map {raw.role}.{role}="COLUMN".'
    return Fault(f"no_{role}_column", why, f"{raw.name}:{raw.header_row}", hint)
