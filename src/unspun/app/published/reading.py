"""Pages that a refresh laid out, found again: one look-up each, by who asks."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from unspun.app.access import Actor, Forbidden, Permission
from unspun.app.published.pages import ALL, AROUND, DOCUMENT, LIMITED, PAGE, Section
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.warehouse.read_model import open_read_model

MAY_SEE: Final[Mapping[Section, Permission]] = {
    "evidence": "evidence.see",
    "risk": "evidence.see",
    "forecast": "forecast.see",
    "record": "forecast.see",
    "performance": "performance.see",
}
NO_PAGE, NOT_MADE = "no_page", "not_made"
_FOUND = "SELECT kind, title, toc, body FROM pages WHERE section = ? AND scope = ? AND name = ?"


@dataclass(frozen=True, slots=True)
class LaidPage:
    """A page or a file of a section. Of a page `title`, `toc`, `around` and the body are HTML that is safe as it is; of a file `kind` is
    its media type. `packed` is the body, compressed. `as_of` and `book_version` are those of the refresh."""

    section: Section
    name: str
    kind: str
    title: str
    toc: str
    around: str
    packed: bytes
    as_of: str
    book_version: int

    @property
    def is_page(self) -> bool:
        return self.kind == PAGE

    @property
    def body(self) -> bytes:
        return zlib.decompress(self.packed)


def laid_page(workspace: Workspace, actor: Actor, section: Section, name: str = "index.html") -> LaidPage:
    """A page for this actor: without lists of single accounts where not every account is in scope.

    Raises Forbidden; BadInput: `no_read_model` nothing was refreshed yet, `not_made` no refresh made this section yet, `no_page` there is
    none of that name.
    """
    actor.require(MAY_SEE[section])
    model = open_read_model(workspace.warehouse)
    scope = ALL if actor.scope.everything else LIMITED
    found = model.rows(_FOUND, (section, scope, name))
    if not found:
        raise BadInput(_missing(section, name, bool(model.rows(_FOUND, (section, scope, "index.html")))))
    kind, title, toc, body = found[0]
    contents, _, around = toc.partition(AROUND)
    return LaidPage(section, name, kind, title, contents, around, body, model.meta["as_of"], model.meta["book_version"])


def document(workspace: Workspace, actor: Actor, section: Section) -> bytes:
    """The result behind a section's pages, as the JSON that the command of that name writes.

    Raises Forbidden (`limited`) where not every account is in scope, as it names accounts; and as `laid_page` does.
    """
    actor.require(MAY_SEE[section])
    if not actor.scope.everything:
        message = "the whole document names accounts, and you are limited to some."
        raise Forbidden(Fault("limited", message, section, "Open the pages, which leave out what is of single accounts."))
    return laid_page(workspace, actor, section, DOCUMENT).body


def _missing(section: Section, name: str, is_made: bool) -> Fault:
    if is_made:
        return Fault(NO_PAGE, f"there is no page '{name}' here.", section)
    return Fault(NOT_MADE, "no refresh has made this page yet.", section, "Make it: unspun refresh --evidence.")
