"""`unspun renewals`: subscription terms in, renewals out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.term_options import (
    AmountCovers,
    CancellationEndsTerm,
    EarlyDays,
    EndsAre,
    FlatWithin,
    GraceDays,
    NoAddOns,
    OpenTermMonths,
    TermWords,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.renewals import DerivedRenewals, DeriveRequest
    from unspun.cli.outputs import OutputFile
    from unspun.errors import Fault


def renewals(
    subscriptions: Annotated[
        list[str],
        typer.Argument(metavar="SUBSCRIPTIONS...", help="Subscription terms: account, start, end, amount."),
    ],
    out: Annotated[str, typer.Option(metavar="FILE", help="Where to write the renewals, as CSV.")],
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last the terms know]")] = None,
    grace_days: GraceDays = None,
    early_days: EarlyDays = None,
    flat_within: FlatWithin = None,
    no_add_ons: NoAddOns = False,
    ends_are: EndsAre = None,
    cancellation_ends_term: CancellationEndsTerm = False,
    open_term_months: OpenTermMonths = None,
    amount_covers: AmountCovers = None,
    map: Annotated[list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Which column holds what; repeat.")] = None,
    date_format: Annotated[str | None, typer.Option(metavar="FORMAT", help="How dates are written, where the file leaves a doubt.")] = None,
    rejects: Annotated[str | None, typer.Option(metavar="FILE", help="Write the rows set aside, with their reasons, as CSV.")] = None,
) -> int:
    """Derive the renewals due, and what became of them, from subscription terms.

    \b
    Examples:
      unspun renewals subscriptions.csv --out renewals.csv
      unspun renewals terms-2024.csv terms-2025.csv --out renewals.csv --as-of 2026-06-30
      unspun renewals stripe.csv --out renewals.csv --open-term-months 1 --amount-covers month
    """
    words = TermWords(
        grace_days, early_days, flat_within, no_add_ons, ends_are, cancellation_ends_term, open_term_months, amount_covers
    )  # fmt: skip
    request, outputs = _plan(tuple(subscriptions), (out, rejects), words, tuple(map or ()), as_of, date_format)
    from unspun.app.renewals import derive
    from unspun.cli.progress import show_progress

    with show_progress() as report:
        derived = derive(request, date.today(), report)
    _write(derived, *outputs)
    _show(derived, outputs)
    return 0


def _plan(
    files: tuple[str, ...],
    written: tuple[str, str | None],
    words: TermWords,
    map: tuple[str, ...],
    as_of: str | None,
    date_format: str | None,
) -> tuple[DeriveRequest, tuple[OutputFile, OutputFile | None]]:
    from pathlib import Path

    from unspun.app.renewals import DeriveRequest
    from unspun.book.tables import ReadingOptions
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import OutputFile, check_outputs
    from unspun.cli.plan import STDIN, check_stdin, named_output
    from unspun.cli.term_options import read_rules
    from unspun.errors import BadInput

    reader = OptionReader()
    rules, day = read_rules(words, reader), reader.day("--as-of", as_of)
    options = ReadingOptions(columns=reader.pairs("--map", map, 'account="Company ID"'), date_format=date_format)
    check_stdin(files, reader)
    out, rejects = OutputFile("--out", Path(written[0])), named_output("--rejects", written[1], reader)
    named = [one for one in (named_output("--out", written[0], reader), rejects) if one]
    reader.faults.extend(check_outputs(named, files))
    request = DeriveRequest(files[0] if len(files) == 1 else files, options, rules, day)
    if reader.faults:
        raise BadInput([*reader.faults, *([] if STDIN in files else _file_faults(request))])
    return request, (out, rejects)


def _file_faults(request: DeriveRequest) -> list[Fault]:
    """What is wrong with the files, so that one run tells everything."""
    from unspun.app.renewals import read_terms
    from unspun.errors import BadInput

    try:
        read_terms(request)
    except BadInput as refusal:
        return list(refusal.faults)
    return []


def _write(derived: DerivedRenewals, out: OutputFile, rejects: OutputFile | None) -> None:
    from unspun.book.inputs import write_rejections
    from unspun.book.terms.export import write_renewals
    from unspun.cli.outputs import replacing

    with replacing(out) as path:
        write_renewals(path, derived.renewals)
    if rejects is not None:
        with replacing(rejects) as path:
            write_rejections(path, [derived.renewals.source])


def _show(derived: DerivedRenewals, outputs: tuple[OutputFile, OutputFile | None]) -> None:
    from unspun.cli.terminal import open_console, print_lines, reader_may_leave

    with reader_may_leave():
        console = open_console()
        print_lines(console, _lines(derived, outputs, console.width))


def _lines(derived: DerivedRenewals, outputs: tuple[OutputFile, OutputFile | None], width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import QUIET, paragraph
    from unspun.cli.terminal import clean
    from unspun.reports import words

    source, counts = derived.renewals.source, derived.counts
    outcomes = words.listed([f"{words.count(n)} {name}" for name, n in counts])
    yield Text(f"{words.count(len(derived.renewals.row))} renewals as of {words.day(derived.as_of)}", style="bold")
    yield from paragraph(f"{outcomes}.", width)
    aside = sum(len(one.rows) for one in source.rejections)
    read = words.count(source.rows_read)
    yield from paragraph(f"{read} rows read = {words.count(source.rows_read - aside)} used + {words.count(aside)} set aside.", width)
    for one in source.rejections:
        yield from paragraph(f"{words.count(len(one.rows))} set aside: {one.reason}", width, QUIET)
    yield from (line for note in source.notes for line in paragraph(note, width, QUIET, first="· "))
    yield Text()
    for name, file in zip(("renewals", "rows set aside"), outputs, strict=True):
        if file is not None:
            yield Text(f"Wrote the {name}: {clean(str(file.path))}")
