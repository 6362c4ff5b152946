"""Inputs that cannot stand beside each other, and inputs that were given in another's place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import cast

from unspun.book.files import ArrowStream, Readable, open_table
from unspun.book.header import fits, recognised
from unspun.book.tables import ReadingOptions, Role
from unspun.errors import BadInput, Fault

STDIN = "-"
SWAPPED = "swapped"  # the code of the fault that makes all others of the two files idle
# Told apart by the columns that they alone must have; a table with an account and a date alone could be several things.
TOLD_APART: tuple[Role, ...] = ("renewals", "subscriptions", "forecasts", "scores")


def misused_faults(given: Mapping[str, object], outcomes: Sequence[str]) -> list[Fault]:
    """What is wrong with the choice of inputs, whatever they hold. `outcomes` are those that say what became of the accounts."""
    faults = []
    if not outcomes:
        message = "nothing says what became of the accounts."
        faults.append(Fault("no_outcomes", message, "renewals", "Give renewals, subscriptions, or purchases."))
    if len(outcomes) > 1:
        message = f"outcomes can come from one source, and {' and '.join(outcomes)} are given."
        faults.append(Fault("two_outcomes", message, outcomes[-1], "Give one of them."))
    if "forecasts" in given and "purchases" in given:
        message = "forecasts are calls on renewals, and where there are purchases there is no renewal."
        faults.append(Fault("forecasts_of_purchases", message, "forecasts", "Leave one of the two out."))
    if sum(isinstance(one, str) and one == STDIN for one in chain.from_iterable(map(_parts, given.values()))) > 1:
        faults.append(Fault("stdin_twice", "standard input can be one of the files only.", STDIN, "Give the others as paths."))
    return faults + [fault for name, source in given.items() for fault in given_twice(name, source)]


def given_twice(name: str, source: object) -> Iterator[Fault]:
    """One file named twice within an input: its rows would be set aside as repeated ones."""
    seen: set[str] = set()
    for path in map(_file, _parts(source)):
        real = os.path.realpath(path)
        if path and real in seen:
            yield Fault("file_twice", f"the file is given twice among the {name}.", path, "Give each file once.")
        seen.add(real)


def misplaced_faults(failed: Mapping[str, object], outcomes: Sequence[str], options: ReadingOptions) -> list[Fault]:
    """Of the inputs that could not be read as what they were given for: which hold something else, and where they belong."""
    taken = {name: _told_apart(name, source, options) for name, source in failed.items()}
    others = {name: looks[-1][1] for name, looks in taken.items() if looks}
    if others.get("scores") == "renewals" and others.get("renewals") == "scores":
        message = "this looks like renewals, and what is given as renewals like scores."
        return [Fault(SWAPPED, message, _place(taken["scores"][-1][0], "scores"), "Give the scores first, and the renewals last.")]
    return [_misplaced(part, name, looks, outcomes) for name, found in taken.items() for part, looks in found]


def _told_apart(name: str, source: object, options: ReadingOptions) -> list[tuple[object, str]]:
    """The parts of an input that look like something else, each with what it looks like."""
    return [(part, looks) for part in _parts(source) if (looks := _looks_like(part, name, options))]


def _misplaced(part: object, name: str, looks: str, outcomes: Sequence[str]) -> Fault:
    hint = f"Give {name} in its place."
    if name == "scores" and looks == "renewals" and outcomes and "renewals" not in outcomes:
        hint = f"Leave it out: outcomes come from the {outcomes[0]}."
    elif name == "renewals" and looks == "subscriptions":
        hint = "Give it with --subscriptions, or make renewals of it: unspun renewals FILE --out renewals.csv."
    elif name == "subscriptions" and looks == "renewals":
        hint = "An audit takes it as it is: unspun audit SCORES RENEWALS."
    return Fault("other_role", f"this looks like {looks}, and is read as {name}.", _place(part, name), hint)


def _looks_like(part: object, name: str, options: ReadingOptions) -> str:
    """What a table that does not serve as `name` seems to be, "" where nobody can tell or nobody may look twice."""
    read_once = (isinstance(part, str) and part == STDIN) or (isinstance(part, Readable) and not isinstance(part, ArrowStream))
    if read_once or _serves(part, cast("Role", name), options):
        return ""
    return next((role for role in TOLD_APART if role != name and _serves(part, role, options)), "")


def _serves(part: object, role: Role, options: ReadingOptions) -> bool:
    try:
        raw = open_table(part, role, options=options)
    except BadInput:
        return False
    return fits(recognised(raw.names, role, options), role)


def _parts(source: object) -> Sequence[object]:
    return source if isinstance(source, list | tuple) else (source,)


def _file(part: object) -> str:
    """The path of a file, "" of anything else."""
    return str(part) if isinstance(part, str | Path) and Path(part).is_file() else ""


def _place(part: object, name: str) -> str:
    return os.fspath(part) if isinstance(part, str) else name
