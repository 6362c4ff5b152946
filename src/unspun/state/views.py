"""Saved views as they are kept: each function one transaction. Who may see and change which is decided above."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from unspun.state.models import DefaultView, SavedView


class NameTaken(Exception):
    """The person has a view of that name."""


def views_of(person_id: int) -> QuerySet[SavedView]:
    """A person's own views and those that others share, by name."""
    seen = SavedView.objects.filter(Q(person_id=person_id) | Q(shared=True, person__is_active=True))
    return seen.select_related("person").order_by(Lower("name"), "pk")


def count_views(person_id: int) -> int:
    """How many views are the person's own."""
    return SavedView.objects.filter(person_id=person_id).count()


def create_view(person_id: int, name: str, query: str, shared: bool, at: datetime) -> SavedView:
    """Raises NameTaken."""
    return _saved(SavedView(person_id=person_id, name=name, query=query, shared=shared, made_at=at, changed_at=at))


def change_view(view: SavedView, at: datetime) -> SavedView:
    """Keep what was changed of it. Raises NameTaken. A view that is no longer shared is nobody else's default."""
    view.changed_at = at
    with transaction.atomic():
        if not view.shared:
            DefaultView.objects.filter(view=view).exclude(person_id=view.person_id).delete()  # pyright: ignore[reportAttributeAccessIssue]
        return _saved(view)


def _saved(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise NameTaken(view.name) from None
    return view


def default_of(person_id: int) -> int | None:
    """The view that the portfolio begins with."""
    return DefaultView.objects.filter(person_id=person_id).values_list("view_id", flat=True).first()


def set_default(person_id: int, view: SavedView | None) -> None:
    """Begin with that view; None: with everyone."""
    if view is None:
        DefaultView.objects.filter(person_id=person_id).delete()
    else:
        DefaultView.objects.update_or_create(person_id=person_id, defaults={"view": view})
