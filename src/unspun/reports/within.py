"""Where a page is laid out: as a file of its own, or as a part of the console, whose frame, styles and figures are around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

BETWEEN = "<!--part-->"
"""Stands between the parts of a fragment. All text is escaped, so no part holds it."""


@dataclass(frozen=True, slots=True)
class Within:
    """`shell` is the template that a page extends ("": that of a file of its own), `figures` the address below which a figure opens ("":
    none, so that a command is told), `accounts` whether lists of single accounts, and files of them, are part of it."""

    shell: str = ""
    figures: str = ""
    accounts: bool = True

    def opening(self, address: object) -> str:
        """Where the figure of an address in the ledger opens."""
        return f"{self.figures}{quote(str(address))}"


FILE = Within()
CONSOLE = Within("fragment.html.j2", "/figures/")
CONSOLE_LIMITED = replace(CONSOLE, accounts=False)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A page without a frame: its title as HTML text, links to the pages around it, the items of its contents, its body."""

    title: str
    around: str
    toc: str
    body: str


def fragment_of(page: bytes) -> Fragment:
    """The parts of a page that was laid out within the console."""
    title, around, toc, body = page.decode().split(BETWEEN)
    return Fragment(title.strip(), around.strip(), toc.strip(), body.strip())
