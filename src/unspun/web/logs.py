"""Logs: a JSON object on a line each, with the id of the request. No query, no cookie, no body, no link that opens something."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

LEVEL_VARIABLE = "UNSPUN_LOG"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
ACCESS = logging.getLogger("unspun.access")


class JsonLines(logging.Formatter):
    """Time, level, logger, message, request id, what `extra={"fields": ...}` adds, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message_of(record)}
        if request_id := REQUEST_ID.get():
            told["request_id"] = request_id
        told.update(getattr(record, "fields", {}))
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def message_of(record: logging.LogRecord) -> str:
    """What a record says. Django's own of a request are told by their route: a path may be a link that opens something."""
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest):
        return record.getMessage()
    return f"{getattr(record, 'status_code', '')} at {route_of(request)}".strip()


def route_of(request: HttpRequest) -> str:
    """The pattern of the request's route, in which secrets are only named; `(no route)` where none matched."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "(no route)"


def level() -> str:
    """UNSPUN_LOG; else everything, but only warnings where a person watches the terminal."""
    asked = os.environ.get(LEVEL_VARIABLE, "").upper()
    if asked in LEVELS:
        return asked
    return "WARNING" if sys.stderr.isatty() else "INFO"


def configuration() -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "unspun.web.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level()},
        # what went wrong for the asker stands in the line of the request already
        "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "CRITICAL"}, "fontTools": {"level": "ERROR"}},
    }
