"""The state's rows as lines of JSON, which SQLite and Postgres both give and take: what a backup holds of the state.

The first line says which migrations the rows are of. They are read back into tables of exactly those migrations, and brought up to date
after that, so that a newer Unspun takes an older backup.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import groupby
from typing import IO, Any

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent

FORM, BATCH = 1, 500
SIGNED_IN = frozenset({"sessions.session", "state.sessionrecord"})
"""Who is signed in where: whoever reads these rows could be them, so that they are left out unless they are asked for."""
Node = tuple[str, str]
Model = type[models.Model]


def write_state(lines: IO[bytes], signed_in: bool = False, progress: Progress = silent) -> int:
    """Write every row as it stands at one moment; how many. `signed_in` takes the sessions too."""
    loader = MigrationLoader(connection)
    applied = sorted(loader.applied_migrations)
    _refuse_unknown(loader, applied)
    count = 0
    with _one_moment():
        lines.write(_line({"form": FORM, "migrations": applied}))
        chosen = [model for model in _models(loader, applied) if signed_in or model._meta.label_lower not in SIGNED_IN]
        for done, model in enumerate(chosen):
            progress("writing what people did", done, len(chosen))
            for one in model._base_manager.order_by("pk").iterator(BATCH):
                row = {field.attname: _plain(field, one) for field in model._meta.concrete_fields}
                lines.write(_line({"model": model._meta.label_lower, "row": row}))
                count += 1
    return count


def read_state(lines: Iterable[bytes], progress: Progress = silent) -> int:
    """Make the tables in the database, which must have none, fill them with the rows, and bring them up to date; how many rows.

    Raises BadInput where the database has tables, or the rows are of a newer Unspun.
    """
    refuse_tables()
    given = iter(lines)
    head = json.loads(next(given))
    if head.get("form") != FORM:
        raise BadInput(Fault("newer_state", "the state in the backup has a form that this Unspun does not know.", "", "Use a newer one."))
    migrations: list[Node] = [(app, name) for app, name in head["migrations"]]
    loader = MigrationLoader(connection)
    _refuse_unknown(loader, migrations)
    progress("making the state's tables", 0, 0)
    MigrationExecutor(connection).migrate(_leaves(loader, migrations))
    with transaction.atomic():
        count = _fill(_models(loader, migrations), (json.loads(line) for line in given), progress)
    progress("bringing the state up to date", 0, 0)
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    return count


def close_state() -> None:
    """Let go of the database, so that its file can be moved."""
    connections.close_all()


def refuse_tables() -> None:
    """Raises BadInput where the database that is to take the state has tables already."""
    if connection.introspection.table_names():
        hint = "Make an empty database and name it in UNSPUN_STATE_URL, or leave that out to keep the state in SQLite."
        raise BadInput(Fault("state_exists", "the database for the state has tables already.", connection.alias, hint))


def _fill(there: Sequence[Model], rows: Iterator[dict[str, Any]], progress: Progress) -> int:
    by_name = {model._meta.label_lower: model for model in there}
    with connection.cursor() as cursor:
        for model in there:  # what the migrations themselves put there
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
    count = 0
    for name, group in groupby(rows, key=lambda one: one["model"]):
        model = by_name[name]
        for batch in _batches(group):
            model._base_manager.bulk_create([_object(model, one["row"]) for one in batch])
            count += len(batch)
            progress("reading what people did", count, 0)
    with connection.cursor() as cursor:  # the next number of each table comes after those that were given
        for statement in connection.ops.sequence_reset_sql(no_style(), list(there)):
            cursor.execute(statement)
    return count


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _models(loader: MigrationLoader, migrations: Sequence[Node]) -> list[Model]:
    """Every model with a table of its own, as those migrations left it. The classes are this call's own, and write what they are given."""
    apps = loader.project_state([node for node in migrations if node in loader.graph.nodes]).apps
    found = [one for one in apps.get_models(include_auto_created=True) if one._meta.managed and not one._meta.proxy]
    for model in found:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.DateField):
                field.auto_now = field.auto_now_add = False
    return sorted(found, key=lambda one: one._meta.label_lower)


def _leaves(loader: MigrationLoader, migrations: Sequence[Node]) -> list[Node]:
    """Of each app the migrations after which no other of these comes."""
    wanted = set(migrations)
    children = {node: {child.key for child in loader.graph.node_map[node].children} for node in migrations}
    return [node for node in migrations if not any(child in wanted and child[0] == node[0] for child in children[node])]


def _refuse_unknown(loader: MigrationLoader, migrations: Iterable[Node]) -> None:
    unknown = sorted(set(migrations) - set(loader.graph.nodes))
    if unknown:
        message = f"the state is of a newer Unspun: this one does not know {'.'.join(unknown[0])}."
        raise BadInput(Fault("newer_state", message, "", "Use the Unspun that wrote it, or a newer one."))


@contextmanager
def _one_moment() -> Iterator[None]:
    """All that is read within is of one moment. On SQLite others who write wait meanwhile."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _plain(field: models.Field[Any, Any], one: models.Model) -> Any:
    value = field.value_from_object(one)
    if value is None or isinstance(value, bool | int | float | str) or isinstance(field, models.JSONField):
        return value
    return value.isoformat() if isinstance(value, datetime | date | time) else field.value_to_string(one)


def _object(model: Model, row: dict[str, Any]) -> models.Model:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return model(**{name: fields[name].to_python(value) for name, value in row.items()})


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
