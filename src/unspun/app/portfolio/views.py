"""Saved views: the portfolio as somebody wants to find it again, under a name and an address that stays.

A view keeps what an address says: the filter, the order and the columns. It never says whose accounts are seen: whoever opens a shared
view sees those of the own scope that fit it. A view of somebody else that is not shared is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode

from unspun.app.access import Actor
from unspun.app.portfolio.conditions import can_be_held, fold
from unspun.errors import BadInput, Fault

if TYPE_CHECKING:
    from unspun.state.models import SavedView

KEPT: Final = ("col", "currency", "dir", "due", "owner", "product", "q", "risk", "segment", "sort")
"""The parameters of an address that a view keeps; a place in the list and an open figure are not part of it."""
LONGEST_NAME, LONGEST_QUERY, MOST_VIEWS, LONGEST_SLUG = 80, 8_000, 200, 60


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as its reader has it. `own`: it is the reader's; `may_change`: the reader may rename, update, share and delete it;
    `is_default`: the reader's portfolio begins with it."""

    id: int
    name: str
    parameters: Mapping[str, tuple[str, ...]]
    shared: bool
    author: str
    own: bool
    may_change: bool
    is_default: bool

    @property
    def slug(self) -> str:
        """The name as it stands in the address, for people; the number before it finds the view."""
        words = "".join(one if one.isascii() and one.isalnum() else " " for one in fold(self.name)).split()
        return "-".join(words)[:LONGEST_SLUG].strip("-") or "view"


def kept_query(parameters: Mapping[str, Sequence[str]]) -> str:
    """What a view keeps of an address, always in one order."""
    return urlencode([(name, one) for name in KEPT for one in parameters.get(name, ())])


def list_views(actor: Actor) -> tuple[View, ...]:
    """The own views and those that others share, by name, the own ones first. Raises Forbidden."""
    from unspun.state.views import default_of, views_of

    actor.require("portfolio.see")
    default = default_of(actor.id)
    return tuple(sorted((_view(one, actor, default) for one in views_of(actor.id)), key=lambda one: not one.own))


def find_view(actor: Actor, view_id: int) -> View:
    """One of them. Raises Forbidden; BadInput `no_view`."""
    return _view(_found(actor, view_id), actor, _default(actor))


def default_view(actor: Actor) -> View | None:
    """The view that the actor's portfolio begins with; None: all accounts."""
    default = _default(actor)
    return next((one for one in list_views(actor) if one.id == default), None) if default is not None else None


def save_view(actor: Actor, name: str, parameters: Mapping[str, Sequence[str]], shared: bool, at: datetime) -> View:
    """Keep a view under a name. Raises Forbidden; BadInput with all faults: no name, one that is taken, too much of it, too many views."""
    from unspun.state.views import NameTaken, count_views, create_view

    actor.require("portfolio.see")
    query = kept_query(parameters)
    faults = [*_name_faults(name), *_query_faults(query)]
    if count_views(actor.id) >= MOST_VIEWS:
        faults.append(Fault("many_views", f"you have {MOST_VIEWS} views.", "name", "Delete one that you no longer use."))
    _refuse(faults)
    try:
        return _view(create_view(actor.id, name.strip(), query, shared, at), actor, _default(actor))
    except NameTaken:
        raise _taken(name) from None


def change_view(
    actor: Actor,
    view_id: int,
    at: datetime,
    name: str | None = None,
    parameters: Mapping[str, Sequence[str]] | None = None,
    shared: bool | None = None,
) -> View:
    """Rename a view, keep another filter in it, or share it or not; None leaves that as it is.

    Raises Forbidden where it is another person's; BadInput as `save_view` and `find_view` do.
    """
    from unspun.state.views import NameTaken
    from unspun.state.views import change_view as keep

    found = _changeable(actor, view_id)
    query = found.query if parameters is None else kept_query(parameters)
    _refuse([*([] if name is None else _name_faults(name)), *_query_faults(query)])
    found.name, found.query = found.name if name is None else name.strip(), query
    found.shared = found.shared if shared is None else shared
    try:
        return _view(keep(found, at), actor, _default(actor))
    except NameTaken:
        raise _taken(found.name) from None


def delete_view(actor: Actor, view_id: int) -> None:
    """Delete a view; whoever began with it begins with all accounts again. Raises as `change_view` does."""
    _changeable(actor, view_id).delete()


def choose_default(actor: Actor, view_id: int | None) -> None:
    """Begin the portfolio with that view, None: with all accounts. Raises Forbidden; BadInput `no_view`."""
    from unspun.state.views import set_default

    actor.require("portfolio.see")
    set_default(actor.id, None if view_id is None else _found(actor, view_id))


def _default(actor: Actor) -> int | None:
    from unspun.state.views import default_of

    return default_of(actor.id)


def _found(actor: Actor, view_id: int) -> SavedView:
    from unspun.state.views import views_of

    actor.require("portfolio.see")
    found = views_of(actor.id).filter(pk=view_id).first() if 0 < view_id < 2**63 else None
    if found is None:
        raise BadInput(Fault("no_view", "there is no such view that you can see.", "view", "It was deleted, or is no longer shared."))
    return found


def _changeable(actor: Actor, view_id: int) -> SavedView:
    """Its author may change it; who manages people may take a shared view in hand too, as its author may have left."""
    found = _found(actor, view_id)
    if found.person.pk != actor.id:
        actor.require("people.manage")
    return found


def _view(found: SavedView, actor: Actor, default: int | None) -> View:
    own = found.person.pk == actor.id
    parameters = {name: tuple(values) for name, values in parse_qs(found.query, keep_blank_values=True).items()}
    may_change = own or actor.may("people.manage")
    return View(found.pk, found.name, parameters, found.shared, found.person.name, own, may_change, found.pk == default)


# Faults


def _refuse(faults: Iterable[Fault]) -> None:
    held = list(faults)
    if held:
        raise BadInput(held)


def _name_faults(name: str) -> list[Fault]:
    plain = name.strip()
    if not plain or not fold(plain):
        return [Fault("no_name", "the view has no name.", "name", "Call it what you look for in it.")]
    if len(plain) > LONGEST_NAME:
        return [Fault("long_name", f"the name has {len(plain):,} characters, and may have {LONGEST_NAME}.", "name")]
    if not can_be_held(plain) or not plain.isprintable():
        return [Fault("bad_name", "the name holds characters that are no text.", "name")]
    return []


def _query_faults(query: str) -> list[Fault]:
    if len(query) <= LONGEST_QUERY:
        return []
    return [Fault("long_view", "the filter names too much to be kept.", "query", "Choose fewer names, or a segment in their place.")]


def _taken(name: str) -> BadInput:
    return BadInput(Fault("name_taken", f"you have a view called '{name.strip()}'.", "name", "Choose another name, or update that view."))
