"""Capture log lines."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from services.chassis.logs import Lines


@contextmanager
def lines_logged() -> Iterator[list[dict[str, Any]]]:
    """Yield a list that receives each log line, of any level."""
    lines: list[dict[str, Any]] = []
    listening = _Listening(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(listening)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(listening)


class _Listening(logging.Handler):
    def __init__(self, lines: list[dict[str, Any]]) -> None:
        super().__init__()
        self._lines = lines
        self._form = Lines()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self._form.facts(record))
