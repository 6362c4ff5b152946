"""The files of an audit: result, report, PDF, rows behind the figures, rows set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unspun.cli.outputs import OutputFile, replacing, write_bytes, write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from unspun.app.audits import AuditRun
    from unspun.cli.plan import Outputs
    from unspun.progress import Progress

    Writer = Callable[[OutputFile, AuditRun], None]


def write_files(outputs: Outputs, done: AuditRun, progress: Progress) -> str:
    """Write what was asked for; the JSON text where it is to be printed. Raises BadInput where the system refuses."""
    writers: tuple[tuple[str, OutputFile | None, Writer], ...] = (
        ("the result", outputs.json, _write_json),
        ("the report", outputs.html, _write_html),
        ("the PDF", outputs.pdf, _write_pdf),
        ("the rows behind the figures", outputs.rows, _write_rows),
        ("the rows set aside", outputs.rejects, _write_rejects),
    )
    wanted = [(what, file, write) for what, file, write in writers if file is not None]
    for i, (what, file, write) in enumerate(wanted):
        progress(f"writing {what}", i, len(wanted))
        write(file, done)
    return _json_text(done) if outputs.json_to_stdout else ""


def _json_text(done: AuditRun) -> str:
    from unspun.reports.result_json import to_json

    return to_json(done.result)


def _write_json(file: OutputFile, done: AuditRun) -> None:
    write_text(file, _json_text(done))


def _write_html(file: OutputFile, done: AuditRun) -> None:
    from unspun.reports.audit_html import render

    write_text(file, render(done.result, done.trace))


def _write_pdf(file: OutputFile, done: AuditRun) -> None:
    from unspun.reports.audit_pdf import render_pdf

    write_bytes(file, render_pdf(done.result, done.trace))


def _write_rows(file: OutputFile, done: AuditRun) -> None:
    from unspun.reports.row_files import write_rows

    write_rows(file.path, done.result, done.trace)


def _write_rejects(file: OutputFile, done: AuditRun) -> None:
    from unspun.book.inputs import write_rejections

    with replacing(file) as path:
        write_rejections(path, done.sources)
