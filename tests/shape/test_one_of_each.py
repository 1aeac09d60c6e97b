"""What every service needs exists once; a second copy fails here."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for part in ("services", "gateway", "deploy") for path in (ROOT / part).rglob("*.py") if "migrations" not in path.parts)


def _defined(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module defines: its classes, and its functions that are no properties."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and not node.decorator_list):
            yield node.name.lower()


def _makes_cursors(tree: ast.AST) -> bool:
    return any("cursor" in name and name != "cursorinvalid" for name in _defined(tree))


def _reads_if_match(tree: ast.AST) -> bool:
    """Return whether a module compares or parses an If-Match header; whether there is one, any module may ask."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Attribute):
            parts = [node.value]
        elif isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
            parts = [node.left, *node.comparators]
        if any(isinstance(part, ast.Name) and part.id == "if_match" for part in parts):
            return True
    return False


def _flattens_errors(tree: ast.AST) -> bool:
    """Return whether a module reads marshmallow's messages of nested fields."""
    return any(isinstance(node, ast.Attribute) and node.attr == "normalized_messages" for node in ast.walk(tree))


def _reads_ids(tree: ast.AST) -> bool:
    """Return whether a module has a field for ids, or a function that parses an id."""
    fields = any(isinstance(node, ast.ClassDef) and any("UUID" in ast.unparse(base) for base in node.bases) for node in ast.walk(tree))
    return fields or any(name in {"as_id", "_as_id", "_uuid"} for name in _defined(tree))


def _backs_off(tree: ast.AST) -> bool:
    """Return whether a module doubles something up to a limit: `min(... * 2 ..., limit)`."""
    return any(
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult | ast.Pow) and "2" in ast.unparse(part).replace(".0", "").split()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "min" and len(node.args) == 2
        for part in ast.walk(node.args[0])
    )


def _writes_contact_points(tree: ast.AST) -> bool:
    """Tell whether a module inserts contact points, by a statement or by a function that is told the table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "insert into contact_points" in node.value.lower():
            return True
        if isinstance(node, ast.Call) and "insert" in ast.unparse(node.func) and any("contact_points" in ast.unparse(each) for each in node.args):
            return True
    return False


def _asks_for_level_or_role(tree: ast.AST) -> bool:
    """Return whether a module decides by a level or a role: compares one, looks for one, or intersects roles (R148, T19)."""

    def is_one(part: ast.AST) -> bool:
        name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else None
        # The nodes of the trail's tree have a level, too.
        return name in {"level", "roles"} and not ast.unparse(part).startswith("trail_nodes.")

    def asks(node: ast.AST) -> bool:
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
            return any(is_one(part) for part in (node.left, *node.comparators))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
            return is_one(node.left) or is_one(node.right)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"at_least", "isdisjoint", "intersection"}:
            return any(is_one(part) for part in (*node.args, getattr(node.func, "value", node.func)))
        return False

    return any(asks(node) for node in ast.walk(tree))


#: What there is one of: how a module that has it is known, and which one it is.
ONCE: dict[str, tuple[Callable[[ast.AST], bool], str]] = {
    "cursors": (_makes_cursors, "services/chassis/cursors.py"),
    "flattened errors": (_flattens_errors, "services/chassis/validation.py"),
    "readers of ids": (_reads_ids, "services/chassis/validation.py"),
    "back-offs": (_backs_off, "services/chassis/backoff.py"),
    "writers of contact points": (_writes_contact_points, "services/contacts/storage/contact_layer.py"),
    "questions of level and role": (_asks_for_level_or_role, "services/lexicon/policy/decision.py"),
    "checks of If-Match": (_reads_if_match, "services/chassis/messages.py"),
}


@pytest.mark.parametrize("what", ONCE)
def test_there_is_one_of_each(what: str) -> None:
    has_it, place = ONCE[what]
    assert [str(path.relative_to(ROOT)) for path in PRODUCT if has_it(ast.parse(path.read_text()))] == [place]
