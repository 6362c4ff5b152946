"""The report on paper: tagged, whole, the same each time, its rows attached, and nothing asked of any network."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

from tests.unit.reports import sample
from tests.unit.reports.company import audited, write_company
from unspun.audit.result import AuditResult
from unspun.errors import BadInput
from unspun.reports import audit_pdf
from unspun.reports.audit_html import render
from unspun.reports.audit_pdf import paper_html, render_pdf
from unspun.reports.row_files import make_row_files
from unspun.reports.settled import settle


@pytest.fixture(scope="module")
def result() -> AuditResult:
    return sample.one_score()


@pytest.fixture(scope="module")
def paper(result: AuditResult, pango: None) -> bytes:
    return render_pdf(result)


@pytest.fixture(scope="module")
def pdf(paper: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(paper))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).replace("\u2060", "").replace("\u00a0", " ").split())


def tags(element: object, found: list[str]) -> list[str]:
    """Structure types of a tagged PDF in reading order."""
    node = element.get_object() if isinstance(element, IndirectObject) else element
    if isinstance(node, DictionaryObject):
        if "/S" in node:
            found.append(str(node["/S"]))
        tags(node.get("/K"), found)
    elif isinstance(node, list):
        for child in node:
            tags(child, found)
    return found


def catalogue(pdf: PdfReader) -> Any:
    return pdf.trailer["/Root"].get_object()


def test_it_is_tagged_titled_and_in_a_language(pdf: PdfReader) -> None:
    root = catalogue(pdf)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata is not None and "customer engagement score" in str(pdf.metadata.title)
    assert b"pdfuaid" in (root["/Metadata"].get_object().get_data())
    kinds = tags(root["/StructTreeRoot"], [])
    assert {"/H1", "/H2", "/P", "/Table", "/TR", "/TH", "/TD", "/L", "/Figure"} <= set(kinds)
    assert kinds.count("/H1") == 1


def test_every_figure_has_words_for_who_cannot_see_it(pdf: PdfReader, result: AuditResult) -> None:
    said: list[str] = []

    def visit(element: object) -> None:
        node = element.get_object() if isinstance(element, IndirectObject) else element
        if isinstance(node, DictionaryObject):
            if node.get("/S") == "/Figure":
                said.append(str(node.get("/Alt", "")))
            visit(node.get("/K"))
        elif isinstance(node, list):
            for child in node:
                visit(child)

    visit(catalogue(pdf)["/StructTreeRoot"])
    charts = re.findall(r'<svg class="c"[^>]*aria-label="([^"]+)"', render(result))
    assert len(charts) == 5
    assert {chart.replace("&#34;", '"') for chart in charts} <= set(said)
    assert all(said)


def test_its_outline_is_that_of_its_headings(pdf: PdfReader, result: AuditResult) -> None:
    titles = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    assert titles[0] == result.scores[0].sentence


def test_it_reads_in_the_order_of_the_argument(pdf: PdfReader, result: AuditResult) -> None:
    text = text_of(pdf)
    parts = [
        "It ranks better than a coin",
        "The simple baseline",
        "Read as a risk",
        "With time for 20 accounts a month",
        "Green, then gone",
    ]
    parts += ["Every row is accounted for", "How to read this", "Where each figure comes from"]
    places = [text.index(part) for part in [result.scores[0].sentence[:40], *parts]]
    assert places == sorted(places)


def test_all_its_fonts_are_inside(pdf: PdfReader) -> None:
    fonts = {}
    for page in pdf.pages:
        resources: Any = page["/Resources"]
        for font in resources.get("/Font", {}).values():
            inner = font.get_object()
            for descendant in inner.get("/DescendantFonts", []):
                fonts[inner["/BaseFont"]] = descendant.get_object()["/FontDescriptor"].get_object()
    assert fonts and all({"/FontFile2", "/FontFile3"} & set(one) for one in fonts.values())
    assert any("Inter" in name for name in fonts)


def test_its_pages_are_a4_and_numbered(pdf: PdfReader) -> None:
    for number, page in enumerate(pdf.pages, 1):
        assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (595, 842)
        assert f"{number} of {len(pdf.pages)}" in page.extract_text()


def test_the_same_audit_gives_the_same_bytes(paper: bytes, result: AuditResult) -> None:
    assert render_pdf(result) == paper


def test_the_rows_are_attached(tmp_path: Path, pango: None) -> None:
    write_company(tmp_path, 365)
    judged = audited(tmp_path, ("it's one",))
    files = {f"{one.stem}.zip": one.zipped for one in make_row_files(judged.result, judged.trace, 12)}
    attached = PdfReader(io.BytesIO(render_pdf(judged.result, judged.trace))).attachments
    assert {name: held[0] for name, held in attached.items()} == files


def test_nothing_on_paper_needs_a_stylesheet_inside_a_chart(result: AuditResult) -> None:
    for svg in re.findall(r'<svg [^>]*role="img".*?</svg>', paper_html(result, []), re.S):
        drawn = ElementTree.fromstring(svg)
        assert not [e.tag for e in drawn.iter() if e.get("class") or "%" in "".join(v for k, v in e.attrib.items() if k != "aria-label")]
        assert all(e.get("stroke") or e.get("fill") for e in drawn.iter() if e.tag in ("path", "line", "circle"))


def test_a_stretched_line_lies_where_it_did_on_the_page() -> None:
    page = (
        '<svg class="c" height="100" role="img" aria-label="x"><line class="w" x1="10%" x2="50%" y1="5" y2="5"></line>'
        '<svg viewBox="0 0 100 100" width="100%" height="100" preserveAspectRatio="none">'
        '<path class="s score" d="M10,5 50,5"></path></svg></svg>'
    )
    drawn = ElementTree.fromstring(settle(page))
    line, path = drawn.find("line"), drawn.find("g/path")
    assert line is not None and path is not None
    assert (line.get("x1"), line.get("x2")) == ("49.00", "245.00")
    assert path.get("d") == "M49.00,5 245.00,5"
    assert path.get("stroke") == "#1f5fbf"


def test_a_system_without_the_text_library_is_told_which_packages_bring_it(result: AuditResult, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    whole = builtins.__import__

    def without_pango(name: str, *rest: object, **named: object) -> object:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return whole(name, *rest, **named)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(BadInput, match=r"libpangoft2-1\.0-0"):
        render_pdf(result)
    assert audit_pdf.PACKAGES
