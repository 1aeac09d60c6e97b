"""Logs: one line for one fact, in JSON or for people; ids, codes, sizes and hashes, never a value.

An exception's text may quote a person (a database tells the row it refused), so a log line tells its type and where
it was raised, not its words.
"""

from __future__ import annotations

import hmac
import logging
import os
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

#: The trace of what this greenlet works on; greenlets start with none, so it is bound inside the worker.
trace: ContextVar[str | None] = ContextVar("trace", default=None)

_FRAMES = 12
#: The log of one process tells its messages apart; nobody else can try a guess against it.
_MARKING = os.urandom(32)


class Log:
    """What one module has to say: of each event its name, such as `relay.failed`, and its facts."""

    def __init__(self, name: str) -> None:
        """Speak under the module's name."""
        self._logger = logging.getLogger(name)

    def info(self, event: str, **facts: Any) -> None:
        """Tell what happened in the course of things."""
        self._say(logging.INFO, event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Tell what went wrong and mends itself."""
        self._say(logging.WARNING, event, facts)

    def error(self, event: str, **facts: Any) -> None:
        """Tell what somebody should look at."""
        self._say(logging.ERROR, event, facts)

    def exception(self, event: str, **facts: Any) -> None:
        """Tell it with the type and the places of the exception that is being handled."""
        error = sys.exc_info()[1]
        self._say(logging.ERROR, event, {**facts, **(where(error) if error else {})})

    def critical(self, event: str, **facts: Any) -> None:
        """Tell what ends this process, or should."""
        self._say(logging.CRITICAL, event, facts)

    def _say(self, level: int, event: str, facts: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            # Nobody asks for file and line, the event has a name: so the stack is not searched for them.
            record = self._logger.makeRecord(self._logger.name, level, "", 0, event, (), None, extra={"facts": facts})
            self._logger.handle(record)


class Lines(logging.Formatter):
    """Makes lines, of our own events and of what libraries log."""

    def __init__(self, *, form: str = "json", service: str = "") -> None:
        """Put the service's name on every line; `form` is `json` or `console`."""
        super().__init__()
        self._service = {"service": service} if service else {}
        self._for_people = form == "console"

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        told = self.facts(record)
        if self._for_people:
            event, level, at = told.pop("event"), told.pop("level"), told.pop("timestamp")
            return f"{at} {level:8} {event} {' '.join(f'{name}={fact}' for name, fact in told.items())}"
        # What has no JSON form may be anything, a person's value too.
        return orjson.dumps(told, default=lambda fact: type(fact).__name__, option=orjson.OPT_NON_STR_KEYS).decode()

    def facts(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what the line tells."""
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
    """Send our lines, and those of the libraries, to standard error."""
    output = _StandardError()
    output.setFormatter(Lines(form=form, service=service))
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level.upper())
    # These libraries log arguments, bodies and addresses at their lower levels.
    for name in ("nameko", "kombu", "amqp", "sqlalchemy.engine", "eventlet", "urllib3", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _StandardError(logging.Handler):
    """Writes to whatever standard error is now; somebody may have put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging must not end what it speaks of
            self.handleError(record)


def fingerprint(body: bytes | str, *, key: bytes = b"") -> dict[str, Any]:
    """Return what a log may say of a message: its size, and a mark that tells it from others in the log of this process, or under a key."""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    return {"size": len(raw), "mark": hmac.digest(key or _MARKING, raw, "sha256").hex()[:32]}


def where(error: BaseException) -> dict[str, Any]:
    """Return what a log may say of an exception: its type and the places it passed."""
    frames = list(traceback.walk_tb(error.__traceback__))[-_FRAMES:]
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in frames],
    }
