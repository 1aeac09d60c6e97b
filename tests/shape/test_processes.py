"""Every process patches blocking calls before its first import; done later, a query would block the whole process."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from deploy.migrations import SERVICES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("process", [*(f"services/{service}" for service in SERVICES), "gateway"])
def test_a_process_patches_before_it_imports_anything_else(process: str) -> None:
    tree = ast.parse((ROOT / process / "__main__.py").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    first = imports[0]
    assert isinstance(first, ast.Import)
    assert [name.name for name in first.names] == ["services.chassis.green"]
