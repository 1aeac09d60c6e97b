"""Every journey runs against either deployment: embedded in one process, and as six processes over RabbitMQ.

It can also run against a running system (`tests/deployed.py`). Starting a system takes longer than most journeys, so
they share one of each kind. Each journey therefore uses its own people and organizations, and gives a reason with a
request for no more contact, because others make some on the same day. A journey that counts everybody uses
`empty_system`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed import Deployed, is_given
from tests.system import Running, running

_KINDS = ["deployed"] if is_given() else ["embedded", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]


@pytest.fixture(scope="package", params=_KINDS)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running | Deployed]:
    """The whole system, with accounts and the data of other journeys."""
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
