"""The documents hang together: links lead somewhere, and every decision is in the index."""

from __future__ import annotations

import re
from pathlib import Path

LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)|(?:src|href)=\"([^\"#]+)\"")
DECISION = re.compile(r"^(\d{4})-[a-z0-9-]+\.md$")


def links_in(document: Path) -> list[str]:
    found = [one or other for one, other in LINK.findall(document.read_text())]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def test_every_link_between_documents_leads_to_a_file(root: Path, project_files: tuple[Path, ...]) -> None:
    documents = [path for path in project_files if path.suffix == ".md"]
    broken = [
        f"{document.relative_to(root)}: {link}"
        for document in documents
        for link in links_in(document)
        if not (document.parent / link).exists()
    ]
    assert documents
    assert broken == []


def test_every_decision_has_its_own_number_and_a_line_in_the_index(root: Path) -> None:
    folder = root / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    numbers = [match[1] for page in pages if (match := DECISION.match(page))]
    assert len(numbers) == len(pages), "a page is named by its number: 0001-a-few-words.md"
    assert numbers == [f"{n:04}" for n in range(1, len(pages) + 1)]
    assert sorted(links_in(folder / "README.md")) == pages


def test_a_decision_says_context_decision_and_consequences_in_under_a_page(root: Path) -> None:
    for page in (root / "docs" / "decisions").glob("0*.md"):
        parts = re.findall(r"^\*\*(\w+)\.\*\*", page.read_text(), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], page.name
        assert len(page.read_text().split()) <= 600, page.name
