"""Every command stores its result with its effect, and with the status that the gateway answers."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app import create_app
from gateway.endpoints import CHANGING
from services.access.service import AccessService
from services.audit.service import AuditService
from services.chassis.config import Settings
from services.chassis.entrypoints.rpc import RpcEntrypoint
from services.contacts.service import ContactsService
from services.interactions.service import InteractionsService
from services.retention.service import RetentionService
from tests.unit.gateway.fakes import FakeBus, heard

ROOT = Path(__file__).parents[2]
SERVICES: tuple[Any, ...] = (AccessService, AuditService, ContactsService, InteractionsService, RetentionService)
#: What stores the result of a command.
STORES = {"run", "perform", "attempt"}
#: Where results are stored by hand: the call itself, and people who are registered together, each by their own call.
BY_HAND = {"services/chassis/database/commands.py", "services/chassis/database/unit_of_work.py", "services/contacts/service/registrations.py"}


COMMANDS: dict[str, tuple[Any, str, RpcEntrypoint]] = {
    f"{service.name}.{name}": (service, name, entrypoint)
    for service in SERVICES
    for name in dir(service)
    for entrypoint in getattr(getattr(service, name), "nameko_entrypoints", ())
    if isinstance(entrypoint, RpcEntrypoint) and entrypoint.command
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_what_its_base_classes_work_with(service: Any) -> None:
    wanted = {name for base in service.__mro__[1:] for name in inspect.get_annotations(base) if not name.startswith("_")}
    assert {"settings", "database", "bus"} <= wanted
    assert {name for name in wanted if not hasattr(service, name)} == set()


def _stores(service: Any, name: str) -> bool:
    """Return whether a method runs its effect through the call, or passes the call to a method of its class that does."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(service, name))))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
            continue
        of, method = node.func.value.id, node.func.attr
        given = [each.id for each in node.args if isinstance(each, ast.Name)]
        if (of == "call" and method in STORES) or (of == "self" and "call" in given and _stores(service, method)):
            return True
    return False


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_runs_its_effect_through_its_call(name: str) -> None:
    service, method, _ = COMMANDS[name]
    assert list(inspect.signature(getattr(service, method)).parameters)[1] == "call"
    assert _stores(service, method), "GET /operations/{id} would not know of it"


def test_nobody_else_stores_a_result_or_looks_for_one() -> None:
    files = (path for path in (ROOT / "services").rglob("*.py") if "idempotent_result(" in path.read_text())
    assert {str(path.relative_to(ROOT)) for path in files} == BY_HAND


def test_the_operations_of_every_service_are_read_by_one_method() -> None:
    assert len({service.read_operation for service in SERVICES}) == 1


def test_the_status_that_is_stored_is_the_one_that_the_gateway_answers() -> None:
    answered = dict(answer for path in (ROOT / "gateway" / "routes").glob("*.py") for answer in _answered(path))
    app = create_app(FakeBus(), heard(), Settings(service="gateway", cookie_secure=False))
    declared = [endpoint for view in app.view_functions.values() if (endpoint := getattr(view, "endpoint_declared", None))]
    answered |= {".".join(each.forwards): each.status for each in declared if each.forwards and each.method in CHANGING}
    assert len(answered) > 40
    assert {name: COMMANDS[name][2].status for name in answered} == answered


def _answered(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the commands that a view of its own sends, each with the status that its route declares."""
    for function in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
        declared = [each for each in function.decorator_list if isinstance(each, ast.Call) and ast.unparse(each.func).endswith(".endpoint")]
        sent = [node for node in ast.walk(function) if isinstance(node, ast.Call) and ast.unparse(node.func) == "command"]
        if len(declared) == len(sent) == 1:
            said = {each.arg: ast.unparse(each.value) for each in declared[0].keywords}
            yield ".".join(ast.literal_eval(each) for each in sent[0].args[:2]), int(said.get("status", "200"))
