"""The audit on paper: the page's own templates, set as a tagged PDF with the rows attached. Nothing is asked of any network."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from datetime import UTC, datetime, time
from functools import cache
from typing import Any

from markupsafe import Markup

from unspun.audit.evidence_rows import Trace
from unspun.audit.result import AuditResult
from unspun.errors import BadInput, Fault
from unspun.reports import words
from unspun.reports.audit_html import ASSETS, MOST_DETAILED, compose, lay_out, page_style, read_asset
from unspun.reports.row_files import RowFile, make_row_files
from unspun.reports.settled import settle

NOTE = re.compile(r'(<section class="step[^"]*"[^>]*>\s*<div>.*?)(<h[123][^>]*>.*?</h[123]>)(.*?)(<aside class="note">.*?</aside>)', re.S)
FONT_FACE = re.compile(r"@font-face \{.*?\}", re.S)
WEIGHTS = (400, 500, 600)  # the PDF renderer knows whole hundreds only
FONT = ASSETS / "inter-latin.woff2"
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def render_pdf(result: AuditResult, trace: Trace | None = None) -> bytes:
    """The report as PDF/UA-1, A4: the same inputs give the same bytes. `trace` attaches the rows behind the figures.

    Raises BadInput where the system lacks the text library that sets the type.
    """
    files = make_row_files(result, trace, MOST_DETAILED)
    html = paper_html(result, files)
    printer = load_printer()
    attached = [_attachment(printer, result, one) for one in files if one.zipped is not None]
    identifier = hashlib.sha256(html.encode()).digest()[:16]
    fetcher = printer.urls.URLFetcher(allowed_protocols=["data"])  # what is inside the page, and nothing else
    document = printer.HTML(string=html, url_fetcher=fetcher)
    return document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier, attachments=attached, full_fonts=False)


def paper_html(result: AuditResult, files: list[RowFile]) -> str:
    """The page as it is set: notes floated to the margin, charts settled, drawers as an appendix."""
    style = paper_fonts() + FONT_FACE.sub("", page_style()) + read_asset("paper.css") + _running_foot(result)
    page = compose(result, files)
    return settle(_notes_to_margin(lay_out({**page, "style": Markup(style), "script": "", "policy": "", "paper": True})))


def _notes_to_margin(html: str) -> str:
    """Each section's note into one unbreakable box with its heading, as the renderer repeats notes that a page would cut."""
    sections = re.split(r"(?=<section )", html)
    return "".join(re.sub(NOTE, _moved, section, count=1) for section in sections)


def _moved(found: re.Match[str]) -> str:
    before, heading, figure, note = found.groups()
    return f'{before}<div class="whole">{heading}{note}</div>{figure}'


def _running_foot(result: AuditResult) -> str:
    name = result.scores[0].name if len(result.scores) == 1 else f"{words.count(len(result.scores))} scores"
    said = f"Unspun score audit of {words.shorten(name, 60)}, as of {words.day(result.design.as_of)}"
    quoted = said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("<", "\\3c ")
    return f'@page {{ @bottom-left {{ content: "{quoted}"; }} }}'


@cache
def paper_fonts() -> str:
    """The page's variable font cut to the weights that paper uses, as font faces; the renderer sets no variations."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    faces = []
    for weight in WEIGHTS:
        font = TTFont(io.BytesIO(FONT.read_bytes()), recalcTimestamp=False)
        cut = instantiateVariableFont(
            font, {axis.axisTag: weight if axis.axisTag == "wght" else axis.defaultValue for axis in font["fvar"].axes}
        )
        cut.flavor = None
        out = io.BytesIO()
        cut.save(out)
        held = base64.b64encode(out.getvalue()).decode("ascii")
        faces.append(
            f'@font-face {{ font-family: "Inter"; font-weight: {weight}; src: url(data:font/ttf;base64,{held}) format("truetype"); }}'
        )
    return "\n".join(faces)


def load_printer() -> Any:
    """WeasyPrint, which loads its text library on import. Raises BadInput where the system lacks that."""
    try:
        import weasyprint
    except OSError as missing:
        message = f"a PDF needs the text library Pango, which this system lacks ({str(missing).splitlines()[0]})."
        hint = f"On Debian and Ubuntu: apt-get install {PACKAGES}. Or write the report as HTML and print it."
        raise BadInput(Fault("no_pango", message, "--pdf", hint)) from missing
    return weasyprint


def _attachment(printer: Any, result: AuditResult, file: RowFile) -> Any:
    made = datetime.combine(result.design.as_of, time(), UTC)
    return printer.Attachment(
        string=file.zipped, name=f"{file.stem}.zip", description=file.filters, created=made, modified=made, relationship="Data"
    )
