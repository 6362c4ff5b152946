"""What backs a page of published figures: its entry in the ledger, the book, and what the quality gate had found."""

from __future__ import annotations

from unspun.app.opening import in_place_remarks
from unspun.app.publication import FigureSet
from unspun.app.workspace import Workspace
from unspun.book.checks.remarks import check_remarks
from unspun.reports.proof import Proof


def proof_of(
    workspace: Workspace,
    figures: FigureSet,
    entry: int,
    anchor: str,
    set_aside: tuple[tuple[str, str], ...] = (),
    remarks: tuple[str, ...] = (),
) -> Proof:
    """The proof of a set that was published as `entry`; `remarks` are told after those on the book."""
    return Proof(
        entry=entry,
        anchor=anchor,
        book_version=figures.book_version,
        book_digest=figures.book_digest,
        engine=f"{figures.engine} {figures.engine_version}",
        company=workspace.settings.name,
        remarks=(*check_remarks(figures.book_check, figures.book_version), *in_place_remarks(figures.in_place), *remarks),
        set_aside=set_aside,
    )


def unrecorded_remarks(renewals: int) -> tuple[str, ...]:
    """What is said where so many renewals are not listed."""
    many, verb = ("1 renewal", "is") if renewals == 1 else (f"{renewals:,} renewals", "are")
    return (f"{many} {verb} not listed: due long ago, and nobody wrote down what came",) if renewals else ()
