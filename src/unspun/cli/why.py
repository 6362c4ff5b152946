"""`unspun why` and `unspun recompute`: where a published figure came from, its rows, and the same computation done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.book_text import AsJson, EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.text import Text

    from unspun.app.proofs import Opened, Published, Recomputed

SHOWN_ROWS, SHOWN_FIGURES = 10, 20
TOLD_FIRST = ("account_id", "amount", "kept", "base")  # whose, and what sums to the figure
NOT_THE_SAME = 3
PARTS_FIRST = ("grr", "nrr", "brier", "bias", "in_95", "in_80", "words", "churned", "mean", "renewals", "n")
MOST_PARTS = 2

Address = Annotated[str, typer.Argument(metavar="FIGURE", help="ENTRY/NAME as it was printed, or ENTRY for the whole set.")]


def why(
    figure: Address,
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="FILE", help="Write all its rows as CSV, with a manifest beside it.")
    ] = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Show where a published figure came from: definition, as-of, book version, engine, query and rows.

    \b
    Examples:
      unspun why 17
      unspun why 17/grr/2025-12
      unspun why 17/arr.churn/2025-12 --rows churned.csv
    """
    from unspun.app.proofs import find_published, open_figure
    from unspun.app.published.figures import told_of
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    place = workspace_at(workspace)
    published = find_published(place, figure)
    opened = None
    if published.figure is not None or rows is not None:
        with show_progress() as report:
            opened = open_figure(place, figure, report)
    written = _write(opened, rows) if opened is not None and rows is not None else []
    if json:
        print_json(told_of(published, opened))
    else:
        print_made(lambda width: _lines(published, opened, written, width))
    return 0


def recompute(figure: Address, engine: EngineName = None, json: AsJson = False, workspace: WorkspaceFolder = None) -> int:
    """Compute a published figure again, from the version of the book and by the definition that it was made with.

    Exit code 0: the same to the last byte. 3: it came out otherwise, or rows behind it have been erased since.

    \b
    Examples:
      unspun recompute 17
      unspun recompute 17/grr/2025-12 --json
      unspun recompute 21 --engine postgresql://host/database
    """
    from unspun.app.proofs import recompute as compute_again
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    place = workspace_at(workspace)
    with show_progress() as report:
        done = compute_again(place, figure, report, engine)
    if json:
        shown = {
            "figure": done.published.address,
            "verdict": done.verdict,
            "compared": done.compared,
            "then": dict(done.then),
            "now": dict(done.now),
        }
        print_json({**shown, "erased": list(done.erased), "notes": list(done.notes)})
    else:
        print_made(lambda width: _outcome(done, width))
    return 0 if done.verdict == "same" else NOT_THE_SAME


def _write(opened: Opened, rows: str) -> list[str]:
    from pathlib import Path

    from unspun.app.published.figures import told_of
    from unspun.cli.outputs import OutputFile, check_outputs, write_text
    from unspun.errors import BadInput
    from unspun.reports.figure_files import manifest, rows_csv

    file = OutputFile("--rows", Path(rows))
    if faults := check_outputs([file], ()):
        raise BadInput(faults)
    beside = OutputFile("--rows", file.path.with_name(f"{file.path.stem}.manifest.json"))
    text = rows_csv(opened.rows)
    write_text(file, text)
    write_text(beside, manifest(text, file.path.name, told_of(opened.published, opened)))
    return [str(file.path), str(beside.path)]


def _lines(published: Published, opened: Opened | None, written: list[str], width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import Column, heading, table
    from unspun.cli.terminal import clean

    figures, figure = published.figures, published.figure
    title = f"{figure['label']}: {_value(figure)}" if figure is not None else f"Entry {published.entry.seq}: {figures.count:,} figures"
    yield from heading(title, width)
    yield from table([Column(""), Column("", flexible=True)], _facts(published), width)
    if figure is None:
        yield from _listed(published, width)
        return
    if opened is not None:
        yield from _rows(opened, width)
    yield Text()
    for line in (opened.query if opened else "").splitlines():
        yield Text(f"  {clean(line)}", style="dim")
    for path in written:
        yield Text(f"  Wrote {clean(path)}")


def _facts(published: Published) -> list[list[str]]:
    from unspun.cli.book_text import instant

    origin = published.provenance
    return [
        ["figure", published.address],
        ["as of", origin.as_of.isoformat()],
        ["published", f"{instant(published.entry.at)} UTC"],
        ["definition", f"{origin.definition} {origin.definition_sha256}"],
        ["book", f"version {origin.book_version}, {origin.book_digest}"],
        *(["in place", f"{one.name}, {one.sha256}"] for one in origin.inputs[1:]),
        ["engine", f"{origin.engine} {origin.engine_version}, Unspun {origin.package_version}"],
        ["ledger", published.anchor],
    ]


def _listed(published: Published, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import QUIET, Column, paragraph, table

    yield Text()
    shown = published.figures.figures[-SHOWN_FIGURES:]
    rows = [[f"{published.entry.seq}/{one['name']}", one["label"], _value(one)] for one in shown]
    yield from table([Column("Figure"), Column("", flexible=True), Column("Value", right=True)], rows, width)
    if published.figures.columns is not None:
        first = next(iter(published.figures.columns), {"name": "ACCOUNT@DUE/FIGURE"})
        told = f"of each renewal there are others, such as {published.entry.seq}/{first['name']}; --json has them all"
        yield from paragraph(told, width, QUIET)
    elif published.figures.count > len(shown):
        yield from paragraph(f"the last {len(shown)} of {published.figures.count:,}; --json has them all", width, QUIET)


def _rows(opened: Opened, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.book_text import cell, columns_fitting
    from unspun.cli.layout import QUIET, Column, paragraph, table

    names = sorted(opened.rows.column_names, key=lambda name: name not in TOLD_FIRST)
    head = opened.rows.slice(0, SHOWN_ROWS).to_pylist()
    cells = [[cell(row[name]) for name in names] for row in head]
    columns = [Column(name.replace("_", " "), right=_is_number(opened.rows.schema.field(name).type)) for name in names]
    fitting = columns_fitting(columns, cells, width)
    yield Text()
    yield from table(columns[:fitting], [row[:fitting] for row in cells], width)
    yield from paragraph(f"{len(head):,} of {opened.rows.num_rows:,} rows; --rows FILE writes all of them", width, QUIET)
    if opened.erased:
        yield from paragraph(f"rows of this version of the book were erased: ledger {_entries(opened.erased)}", width, QUIET)


def _outcome(done: Recomputed, width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table

    address = done.published.address
    if done.verdict == "same":
        what = "1 figure" if done.compared == 1 else f"{done.compared:,} figures"
        yield from heading(f"{address}: the same to the last byte ({what})", width)
        if done.published.figure is not None:
            yield from paragraph(f"{done.published.figure['label']}: {_value(done.published.figure)}", width)
    elif done.verdict == "erased":
        yield from heading(f"{address}: not recomputable: erased", width)
        yield from paragraph(f"Rows behind it were erased since: ledger {_entries(done.erased)}.", width)
    else:
        yield from heading(f"{address}: {len(done.then):,} of {done.compared:,} figures came out otherwise", width)
    if done.verdict != "same":
        rows = [[name, _value(was), _value(done.now[name])] for name, was in list(done.then.items())[:SHOWN_FIGURES]]
        yield from table([Column("Figure", flexible=True), Column("Published", right=True), Column("Now", right=True)], rows, width)
    for note in done.notes:
        yield from paragraph(note, width, QUIET, first="· ")


def _entries(numbers: tuple[int, ...]) -> str:
    return f"entr{'y' if len(numbers) == 1 else 'ies'} {', '.join(str(number) for number in numbers)}"


def _value(figure: Any) -> str:
    """A figure's value in words: an amount, a count, an estimate with its interval, or why there is none."""
    if figure is None:
        return "none"
    value = figure["value"]
    if "reason" in value:
        return f"no estimate: {value['reason']}"
    if "point" in value:
        return f"{value['point']:.4f} ({value['low']:.4f} to {value['high']:.4f}; n {value['n']:,})"
    if word := value.get("verdict", value.get("shape")):
        return str(word)
    if "amount" not in value and "count" not in value:
        return _parts(value)
    hashed = f" ({value['sha256'][:12]})" if "sha256" in value else ""
    return f"{_exact(value['amount'])} ({figure['unit']})" if "amount" in value else f"{value['count']:,} {figure['unit']}{hashed}"


def _parts(value: Mapping[str, Any]) -> str:
    """A figure of several parts, such as a group of a forecast: the first that are known, the expected ones with their 95 % interval."""
    first = {name: place for place, name in enumerate(PARTS_FIRST)}
    names = sorted((name for name, part in value.items() if _is_said(part)), key=lambda name: first.get(name, len(first)))
    return "; ".join(f"{name.replace('_', ' ')} {_part(value[name])}" for name in names[:MOST_PARTS])


def _is_said(part: Any) -> bool:
    return bool({"low_95", "point"} & part.keys()) if isinstance(part, dict) else isinstance(part, str | int | float)


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return f"{part:,.4g}" if isinstance(part, float) else str(part)
    point, low, high = ("point", "low", "high") if "point" in part else ("mean", "low_95", "high_95")
    return f"{part[point]:,.4g} ({part[low]:,.4g} to {part[high]:,.4g})"


def _exact(amount: str) -> str:
    """An amount with all its places that are not nought, two at least."""
    from decimal import Decimal

    places = max(2, len(amount.partition(".")[2].rstrip("0")))
    return f"{Decimal(amount):,.{places}f}"


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
