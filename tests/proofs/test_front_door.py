"""What an anonymous client reaches of a system that runs in one process."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests

from tests.proofs.world import World


def ask(world: World, path: str, **headers: str) -> requests.Response:
    """Send a request without a session."""
    return requests.get(f"{world.system.base}{path}", headers=headers, timeout=20, allow_redirects=False)


def test_cookies_bear_the_port_for_browsers_keep_one_jar_for_all_ports_of_a_host(world: World) -> None:
    (name,) = ask(world, "/sign-in").cookies.keys()
    assert str(urlsplit(world.system.base).port) in name


def test_counters_are_for_operators_alone(world: World) -> None:
    for path in ("/metrics", "/api/v1/metrics"):
        assert ask(world, path).status_code == 401
        assert ask(world, path, Authorization=f"Bearer {world.amina.token}").status_code == 401
        assert ask(world, path, **world.operators).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/sessions/current", "//evil.example", "/no-such-address"])
def test_a_name_that_leads_here_from_elsewhere_is_no_name_of_this_system(world: World, path: str) -> None:
    answer = ask(world, path, Host="evil.example")
    assert answer.status_code == 421
    assert "evil" not in str(answer.headers)
