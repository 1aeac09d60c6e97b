"""A process loads only modules that it needs, and none before it needs them, because it holds them for good."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploy.environment import PROCESSES

#: The database and what services are made of, which the gateway has no use for.
_OF_SERVICES = {"sqlalchemy", "psycopg", "nameko", "jwt", "cryptography"}
#: What some requests need, and loads with the first of them.
_LATER = {"charset_normalizer", "holidays", "nameparser", "python_calamine", "usaddress"}
#: What a deployment is set up and tested with, and what libraries load where it happens to be there.
_NEVER = {"alembic", "click", "dns", "flask", "flask_smorest", "mako", "pkg_resources", "pygments", "pytest", "requests", "rich"}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_loads_what_it_needs(name: str) -> None:
    module = "gateway.__main__" if name == "gateway" else f"services.{name}.__main__"
    code = f"import {module}, sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    unwanted = _LATER | (_OF_SERVICES | _NEVER - {"click", "flask", "flask_smorest"} if name == "gateway" else _NEVER)
    assert loaded & unwanted == set()
    assert loaded >= {"eventlet", "kombu", "orjson"}, "it was loaded"
