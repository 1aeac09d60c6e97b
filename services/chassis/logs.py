"""Structured logs, as JSON or for people: ids, codes, sizes and hashes, never personal data.

An exception's message may quote personal data (a database quotes the rejected row), so a line has its type and location
but not its message.
"""

from __future__ import annotations

import hmac
import logging
import os
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypedDict

import orjson

#: The trace id of the current work; greenlets start without one, so workers set it.
trace: ContextVar[str | None] = ContextVar("trace", default=None)

_FRAMES = 12
#: The key of marks: within one process they tell bodies apart, and bodies cannot be guessed from them.
_MARKING = os.urandom(32)


class Log:
    """The log of one module: events with a name, such as `relay.failed`, and facts."""

    def __init__(self, name: str) -> None:
        """Log under the module's name."""
        self._logger = logging.getLogger(name)

    def info(self, event: str, **facts: Any) -> None:
        """Log an event of normal operation."""
        self._say(logging.INFO, event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Log a failure that needs no action."""
        self._say(logging.WARNING, event, facts)

    def error(self, event: str, **facts: Any) -> None:
        """Log a failure that somebody should look at."""
        self._say(logging.ERROR, event, facts)

    def exception(self, event: str, **facts: Any) -> None:
        """Log an error with the type and location of the current exception."""
        error = sys.exc_info()[1]
        self._say(logging.ERROR, event, {**facts, **(where(error) if error else {})})

    def critical(self, event: str, **facts: Any) -> None:
        """Log a failure that ends the process."""
        self._say(logging.CRITICAL, event, facts)

    def _say(self, level: int, event: str, facts: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            # Without file and line, which `Logger.log` would search the stack for; the event name is enough.
            record = self._logger.makeRecord(self._logger.name, level, "", 0, event, (), None, extra={"facts": facts})
            self._logger.handle(record)


class Lines(logging.Formatter):
    """Formats our events and the records of libraries."""

    def __init__(self, *, form: str = "json", service: str = "") -> None:
        """Add the service's name to every line; `form` is `json` or `console`."""
        super().__init__()
        self._service = {"service": service} if service else {}
        self._for_people = form == "console"

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        facts = self.facts(record)
        if self._for_people:
            event, level, at = facts.pop("event"), facts.pop("level"), facts.pop("timestamp")
            return f"{at} {level:8} {event} {' '.join(f'{name}={fact}' for name, fact in facts.items())}"
        # A value without a JSON form may be personal data, so only its type is logged.
        return orjson.dumps(facts, default=lambda fact: type(fact).__name__, option=orjson.OPT_NON_STR_KEYS).decode()

    def facts(self, record: logging.LogRecord) -> dict[str, object]:
        """Return the fields of a line."""
        current = trace.get()
        error = record.exc_info[1] if record.exc_info else None
        return {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            **({"trace_id": current} if current is not None else {}),
            **self._service,
            **getattr(record, "facts", {}),
            **(where(error) if error else {}),
        }


def configure(*, level: str = "INFO", form: str = "json", service: str = "") -> None:
    """Log to standard error, for our modules and libraries."""
    output = _StandardError()
    output.setFormatter(Lines(form=form, service=service))
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level.upper())
    # Below warning, these libraries log arguments, bodies and addresses.
    for name in ("nameko", "kombu", "amqp", "sqlalchemy.engine", "eventlet", "urllib3", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _StandardError(logging.Handler):
    """Writes to the current `sys.stderr`, which may have been replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging must not raise
            self.handleError(record)


class Fingerprint(TypedDict):
    """The size of a body in bytes, and a keyed hash."""

    size: int
    mark: str


def fingerprint(body: bytes | str, *, key: bytes = b"") -> Fingerprint:
    """Return the size and a keyed hash of a body, for logs; the default key is this process's own."""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    return {"size": len(raw), "mark": hmac.digest(key or _MARKING, raw, "sha256").hex()[:32]}


class ErrorFacts(TypedDict):
    """The type of an exception, and `file:line function` of each frame."""

    error: str
    at: list[str]


def where(error: BaseException) -> ErrorFacts:
    """Return the type and location of an exception, for logs."""
    frames = list(traceback.walk_tb(error.__traceback__))[-_FRAMES:]
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in frames],
    }
