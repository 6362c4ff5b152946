"""Django set up in a process that serves no pages: a worker, the process of a job, a backup of the state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unspun.progress import Progress, silent

SETTINGS = "unspun.web.settings"
LOCK_FILE, LOCK_SECONDS = ".state.lock", 300.0
LOCK_NUMBER = 0x556E7370  # of Postgres' advisory lock: "Unsp"


def set_up(workspace: Path) -> None:
    """Read the settings of the site of that workspace; once in a process. Raises BadInput where they cannot be used."""
    os.environ["UNSPUN_WORKSPACE"] = str(workspace)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django

    django.setup()


def prepare_state(progress: Progress = silent) -> None:
    """Apply the migrations of the state, and make the table of the cache that processes share. Django is set up before.

    Each migration is one transaction: a process that dies leaves it done or undone, and the next goes on from there.
    """
    from django.conf import settings
    from django.core.management import call_command

    progress("migrating the state", 0, 0)
    with migrating(settings.WORKSPACE.folder):
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        call_command("createcachetable", verbosity=0)


@contextmanager
def migrating(workspace: Path) -> Iterator[None]:
    """Be the one process that changes the state's tables: a server and its workers may all start at once.

    Raises UnspunError (`busy`) where another takes longer than LOCK_SECONDS.
    """
    from django.db import connection
    from filelock import FileLock, Timeout

    from unspun.errors import Fault, UnspunError

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_NUMBER])
        return
    path = workspace / LOCK_FILE
    try:
        with FileLock(path, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        message = f"another process has been changing the state's tables for {LOCK_SECONDS:g} seconds."
        raise UnspunError(Fault("busy", message, str(path), "Wait for it to finish, or end it.")) from None
