"""Every connection to a server names the certificate authority that it trusts."""

from __future__ import annotations

import ast

from tests.compose import ROOT


def _names_a_broker(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return name == "Address" and any(key.arg == "url" for key in node.keywords)


def _addresses() -> list[tuple[str, ast.Call]]:
    files = [path for folder in ("services", "gateway", "deploy") for path in (ROOT / folder).rglob("*.py") if "testing" not in path.parts]
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in files
        if "Address(" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and _names_a_broker(node)
    ]


def test_whoever_names_a_broker_names_whose_certificate_it_must_show() -> None:
    addresses = _addresses()
    without = [
        where
        for where, call in addresses
        if not any(key.arg == "authority" for key in call.keywords)
        # The in-process broker has no network before it.
        and not where.startswith("deploy/embedded.py:")
        and "embedded://" not in ast.unparse(call)
    ]
    assert without == []
    assert {where.partition(":")[0] for where, _ in addresses} >= {"services/chassis/runtime/clients.py", "deploy/provision.py"}
