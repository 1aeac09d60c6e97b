"""Every service has the same layout, and says why a statement is text instead of SQLAlchemy Core."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from deploy.migrations import SERVICES

ROOT = Path(__file__).parents[2]
PARTS = ("contract", "domain", "migrations", "service", "storage", "usecases")
MODULES = (
    "contract/announcements",
    "contract/refusals",
    "contract/schemas",
    "usecases/authorization",
    "storage/tables",
    "service/dependencies",
)
#: How the reason begins, in a comment of the module.
REASON = "# Text SQL:"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_parts_of_every_service(service: str) -> None:
    folder = ROOT / "services" / service
    assert sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__") == list(PARTS)
    assert {path.name for path in folder.glob("*.py")} == {"__init__.py", "__main__.py"}
    assert [name for name in MODULES if not (folder / f"{name}.py").is_file() and not (folder / name / "__init__.py").is_file()] == []
    assert [path.name for path in (folder / "migrations" / "versions").glob("*.py")] == ["0001_initial.py"]


def _writes_text(source: str) -> bool:
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) in {"text", "sa.text"} for node in ast.walk(ast.parse(source)))


def test_a_module_says_why_it_writes_sql_as_text() -> None:
    sources = {path: path.read_text() for path in sorted((ROOT / "services").rglob("*.py")) if "migrations" not in path.parts}
    assert [str(path.relative_to(ROOT)) for path, source in sources.items() if _writes_text(source) and REASON not in source] == []
