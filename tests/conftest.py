"""What every test may ask for. The first import patches sockets and threads, as the product's processes do."""

import services.chassis.green  # isort: skip

import os
import ssl
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from requests.packages.urllib3.util import ssl_

from deploy.postgres import ServerFailed
from services.chassis.config import Settings
from services.chassis.database import Database
from tests import rows, soaked
from tests.support import Absent, Databases, Taken, take_broker, take_database
from tests.support.discovery import is_demanded
from tests.support.postgres import Server

assert services.chassis.green

# A plugin imports it before sockets are patched: it would go on making contexts of the class that was replaced, without end.
ssl_.SSLContext = ssl.SSLContext

# Threads switch as in the product's processes.
sys.setswitchinterval(Settings(service="tests").switch_interval)

# The processes that tests start keep what they compiled, even where the environment says not to: a third of a start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

#: What this run took that is theres, for the last lines of its output.
_taken: dict[str, str] = {}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line each what database and broker the tests ran on, and of a soak how each row of the proof went."""
    for what, sentence in _taken.items():
        terminalreporter.write_line(f"{what}: {sentence}")
    if rows.SOAK:
        outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for outcome in ("passed", "failed", "error", "skipped"):
            for report in terminalreporter.getreports(outcome):
                for name, value in report.user_properties:
                    if name == "row" and (report.when == "call" or outcome != "passed"):
                        outcomes[value][outcome] += 1
        for line in rows.told(outcomes):
            terminalreporter.write_line(line)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down how a test of the proof ended, if it ran at its figure."""
    of = [str(value) for name, value in report.user_properties if name == "row"]
    if rows.AT_FIGURE and of and (report.failed or (report.when == "call" and report.passed)):
        soaked.write(soaked.seen(" ".join(of), report.nodeid, report.outcome, report.duration, report.capstdout))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note of each test the rows of the proof that it belongs to."""
    for item in items:
        item.user_properties.extend(("row", row) for mark in item.iter_markers("row") for row in mark.args)


def _take(what: str, take: Callable[[], Taken[Any]]) -> Taken[Any]:
    try:
        taken = take()
    except Absent as absent:
        _taken[what] = f"absent. {absent}"
        if is_demanded("DB" if what == "database" else "BROKER"):
            pytest.fail(str(absent), pytrace=False)
        pytest.skip(str(absent))
    _taken[what] = taken.sentence
    return taken


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, the first that is there."""
    taken = _take("database", take_database)
    yield taken.thing
    taken.stop()


@pytest.fixture(scope="session")
def databases(server: Server) -> Iterator[Databases]:
    """The server's databases, migrated once and copied for whoever asks."""
    made = Databases(server)
    yield made
    made.close()


@pytest.fixture
def fresh_database(databases: Databases) -> Iterator[Callable[[str], Database]]:
    """Give databases of this test alone: `fresh_database("contacts")`, under the service's runtime role."""
    with ExitStack() as stack:
        yield lambda service: stack.enter_context(databases.opened(service))


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[Callable[[str], Database]]:
    """Give databases that the tests of one module share."""
    with ExitStack() as stack:
        yield lambda service: stack.enter_context(databases.opened(service))


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[str]:
    """A RabbitMQ broker's address: given, in Docker, or a node of our own; the in-process broker won't do."""
    taken = _take("broker", lambda: take_broker(in_process=False))
    yield taken.thing
    taken.stop()


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """A broker's address, the first that is there."""
    taken = _take("broker", take_broker)
    yield taken.thing
    taken.stop()


@pytest.fixture(scope="session")
def rabbitmq_is_here() -> None:
    """Let pass only where a RabbitMQ node of one's own can be started: such a test kills it."""
    from tests.support.rabbitmq import start_node

    try:
        start_node().stop()
    except ServerFailed as failed:
        if is_demanded("BROKER"):
            pytest.fail(str(failed), pytrace=False)
        pytest.skip(str(failed))
