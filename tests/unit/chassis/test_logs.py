"""A log line tells what happened and where, never to whom."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import eventlet
import pytest

from services.chassis import logs

SECRET = "Dov's cell is (202) 555-0199"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    # Whatever runs before these tests runs in the same greenlet.
    traced = logs.trace.set(None)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(level="DEBUG", service="probe")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logs.trace.reset(traced)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def _fail() -> None:
    raise ValueError(SECRET)


def test_an_exception_is_told_by_its_type_and_place_not_by_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    for log in (logs.Log("ours").exception, logging.getLogger("theirs").exception):
        try:
            _fail()
        except ValueError:
            log("it.failed")
    ours, theirs = _lines(capsys)
    for line in (ours, theirs):
        assert line["error"] == "builtins.ValueError"
        assert line["at"][-1].endswith("_fail")
        assert line["service"] == "probe"
        assert "555-0199" not in json.dumps(line)


def test_a_line_bears_the_trace_of_its_own_greenlet(capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.Log("ours")

    def work(trace: str) -> None:
        logs.trace.set(trace)
        eventlet.sleep(0)
        log.info("worked", of=trace)

    for greenlet in [eventlet.spawn(work, str(n)) for n in range(5)]:
        greenlet.wait()
    log.info("alone")
    lines = _lines(capsys)
    assert all(line["trace_id"] == line["of"] for line in lines[:5])
    assert "trace_id" not in lines[5]


def test_what_has_no_form_in_json_is_told_by_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    class Whom:
        def __repr__(self) -> str:
            return SECRET

    logs.Log("ours").info("it.happened", to=Whom())
    (line,) = _lines(capsys)
    assert line["to"] == "Whom"


def test_of_a_message_its_size_and_a_mark_that_nobody_can_guess_at_are_told() -> None:
    body = SECRET.encode()
    told = logs.fingerprint(body)
    assert told == logs.fingerprint(SECRET)
    assert told["size"] == len(body)
    assert told["mark"] not in {hashlib.new(name, body).hexdigest()[: len(told["mark"])] for name in ("md5", "sha1", "sha256", "blake2b")}
    assert logs.fingerprint(body, key=b"k") != told


def test_libraries_that_log_bodies_are_silenced_even_in_debug() -> None:
    assert not logging.getLogger("nameko.containers").isEnabledFor(logging.INFO)
    assert not logging.getLogger("kombu").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)


def test_for_people_there_is_a_plain_form(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="INFO", form="console")
    logs.Log("plain").info("it.happened", count=3)
    assert "it.happened" in capsys.readouterr().err
