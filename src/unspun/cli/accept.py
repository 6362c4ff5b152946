"""`unspun accept`: a finding taken as it is, with a name and a reason; and the list of those that were."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.acceptances import AcceptRequest
    from unspun.book.checks.acceptance import Acceptance

VARIABLE = "UNSPUN_USER"


def accept(
    finding: Annotated[
        str | None, typer.Argument(metavar="[FINDING]", help="The id that unspun check gives. [list what is accepted]")
    ] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is right as it is, or what will mend it.")] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who accepts it. [UNSPUN_USER, or the name you are logged in by]")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last day on which it holds. [without end]")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Accept it no longer.")] = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Accept a finding of unspun check as it is: the ledger records who, why, when, and how much of it there was.

    It holds until that day, and for as much as there was: a finding that grows in number and in share stands again.

    \b
    Examples:
      unspun accept equal_rows/events/within_file --why "the tracker sends some clicks twice; 107 of 12M"
      unspun accept term_gaps/subscriptions --why "renewals are booked on Mondays" --until 2026-12-31
      unspun accept equal_rows/events/within_file --withdraw --why "the tracker was mended"
      unspun accept
    """
    from unspun.app.acceptances import accept as accept_finding
    from unspun.cli.book_text import print_json, print_made, workspace_at

    place = workspace_at(workspace)
    if finding is None:
        from unspun.app.acceptances import list_acceptances

        known = list_acceptances(place)
        if json:
            print_json([_document(one) for one in known])
        else:
            print_made(lambda width: _list(known, width))
        return 0
    request = _request(finding, why, by, until, withdraw)
    done = accept_finding(place, request, datetime.now(UTC))
    if json:
        print_json(None if done is None else _document(done))
    else:
        print_made(lambda width: _done(request, done, width))
    return 0


def _request(finding: str, why: str | None, by: str | None, until: str | None, withdraw: bool) -> AcceptRequest:
    from unspun.app.acceptances import AcceptRequest
    from unspun.cli.options import OptionReader
    from unspun.errors import BadInput

    reader = OptionReader()
    day = reader.day("--until", until)
    if reader.faults:
        raise BadInput(reader.faults)
    return AcceptRequest(finding, by if by is not None else _who(), why or "", day, withdraw)


def _who() -> str:
    """The name to record where none is given."""
    try:
        return os.environ.get(VARIABLE) or getpass.getuser()
    except (KeyError, OSError):  # nobody is logged in by a name
        return ""


def _done(request: AcceptRequest, done: Acceptance | None, width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph

    if done is None:
        yield from paragraph(f"{request.finding} is no longer accepted.", width, "bold", indent=0)
        return
    until = f", until {done.until.isoformat()}" if done.until else ""
    yield from paragraph(f"{done.finding} is accepted by {done.who}{until}: ledger entry {done.entry}.", width, "bold", indent=0)
    largest = f"For up to {done.count:,} of {done.of:,}; should it grow in number and in share, it stands again."
    yield from paragraph("It goes on, and is accepted however long it lasts." if done.goes_on else largest, width)


def _list(known: tuple[Acceptance, ...], width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph

    if not known:
        yield from paragraph("No finding is accepted.", width, indent=0)
    for one in known:
        yield from paragraph(one.finding, width, "bold", indent=0)
        until = f", until {one.until.isoformat()}" if one.until else ""
        yield from paragraph(f"{one.who}, {one.at.date().isoformat()}{until}, {one.count:,} of {one.of:,}, ledger entry {one.entry}", width)
        yield from paragraph(one.why, width)


def _document(one: Acceptance) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(one)
