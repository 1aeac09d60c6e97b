"""Every journey runs against either deployment: embedded in one process, and as six processes over RabbitMQ.

Or against one that runs already (`tests/deployed.py`). They share one system of each kind, which takes longer to start
than most of them take: each tells of people and organizations of its own, and gives a reason with a request for no more
contact, for others made some on the same day. A journey that counts everybody has an `empty_system`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed import Deployed, is_given
from tests.system import Running, running

_KINDS = ["deployed"] if is_given() else ["embedded", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]


@pytest.fixture(scope="package", params=_KINDS)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running | Deployed]:
    """The whole system, with accounts, and what other journeys left in it."""
    yield from _alone(request, tmp_path_factory)


@pytest.fixture(scope="module", params=_KINDS)
def empty_system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running | Deployed]:
    """The whole system, with accounts and nothing else."""
    yield from _alone(request, tmp_path_factory)


def _alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running | Deployed]:
    if request.param == "deployed":
        yield Deployed()
        return
    if request.param == "rabbitmq":
        request.getfixturevalue("rabbitmq_is_here")
    with running(request.param, tmp_path_factory.mktemp("system") / "state") as started:
        yield started
