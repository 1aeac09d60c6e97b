"""Logs: one line for one fact, in JSON or for people; ids, codes, sizes and hashes, never a value.

An exception's text may quote a person (a database tells the row it refused), so a log line tells its type and where
it was raised, not its words.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

#: The trace of what this greenlet works on; greenlets start with none, so it is bound inside the worker.
trace: ContextVar[str | None] = ContextVar("trace", default=None)

_FRAMES = 12


def configure(*, level: str = "INFO", form: str = "json", service: str = "") -> None:
    """Send structured lines, and those of the libraries, to standard error."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        _exception_without_words,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer() if form == "console" else structlog.processors.JSONRenderer(_json)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    output = _StandardError()
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _with_service(service), renderer],
            foreign_pre_chain=[*shared],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level.upper())
    # These libraries log arguments, bodies and addresses at their lower levels.
    for name in ("nameko", "kombu", "amqp", "sqlalchemy.engine", "eventlet", "urllib3", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _json(event: Any, *, default: Any) -> str:
    return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()


class _StandardError(logging.Handler):
    """Writes to whatever standard error is now; somebody may have put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging must not end what it speaks of
            self.handleError(record)


def fingerprint(body: bytes | str) -> dict[str, Any]:
    """Return what a log may say of a message: its size and its SHA-256."""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    return {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def where(error: BaseException) -> dict[str, Any]:
    """Return what a log may say of an exception: its type and the places it passed."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    current = trace.get()
    if current is not None:
        event.setdefault("trace_id", current)
    return event


def _exception_without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event.update(where(error))
    return event


def _with_service(service: str) -> Any:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if service:
            event.setdefault("service", service)
        return event

    return add
