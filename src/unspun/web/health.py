"""Whether the server runs, and whether it can answer: what a supervisor and a load balancer ask."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from unspun.app.route_rules import public
from unspun.errors import UnspunError

LOG = logging.getLogger("unspun.health")


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where the state can be reached and is migrated, and the warehouse can be read; else 503, and which of them cannot."""
    found = {name: _holds(name, check) for name, check in CHECKS.items()}
    return JsonResponse({name: "ok" if holds else "failed" for name, holds in found.items()}, status=200 if all(found.values()) else 503)


def _holds(name: str, check: Callable[[], bool]) -> bool:
    """Why not stands in the log: strangers may ask too."""
    try:
        return check()
    except (DatabaseError, UnspunError, OSError) as refusal:
        LOG.warning("not ready: %s: %s", name, refusal)
        return False


def _state() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _warehouse() -> bool:
    with settings.WORKSPACE.catalog() as catalog:
        catalog.current()
        return True


CHECKS: dict[str, Callable[[], bool]] = {"state": _state, "migrations": _migrations, "warehouse": _warehouse}
