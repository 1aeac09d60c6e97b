"""Every journey runs against either deployment: embedded in one process, and as six processes over RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system import Running, running


@pytest.fixture(scope="session", params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole system, with accounts and nothing else."""
    if request.param == "rabbitmq":
        request.getfixturevalue("rabbitmq_is_here")
    with running(request.param, tmp_path_factory.mktemp("system") / "state") as started:
        yield started
