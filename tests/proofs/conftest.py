"""One embedded system for all proofs, with every log that it can write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proofs.world import World
from tests.system import Embedded


@pytest.fixture(scope="session")
def embedded_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The system with its people signed in. A proof that breaks something repairs it."""
    folder = tmp_path_factory.mktemp("proofs")
    temporary = folder / "temporary"
    temporary.mkdir(mode=0o777)
    # Whoever asks from this machine may say for whom, so that a proof can ask from more addresses than one.
    environ = {"LOG_LEVEL": "DEBUG", "TMPDIR": str(temporary), "TRUSTED_PROXIES": "127.0.0.1"}
    system = Embedded(folder / "state", environ=environ).start()
    try:
        yield World(system, temporary)
    finally:
        system.stop()


@pytest.fixture(scope="module")
def world(embedded_world: World) -> World:
    """The system of this proof: the embedded one, unless the proof has its own."""
    return embedded_world
