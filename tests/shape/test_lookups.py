"""One module asks the suppression ledger, and counts (T35); a look-up elsewhere fails here."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
DOOR = "contacts/usecases/looking.py"
#: What reads marks by a value: function → where it is defined.
LOOKING = {"written": "contacts/storage/ledger.py", "look": "contacts/storage/registration.py"}
#: SQL that finds a mark by a digest, by file; each is in one of the functions above, or says nothing of it to anybody.
BY_DIGEST = {
    "contacts/storage/ledger.py": ["written", "follow_rename: an organization's new name is marked where its former one is; nobody is told"],
    "contacts/storage/registration.py": ["look"],
}
_FINDS = re.compile(r"FROM suppressions\b[^;]{0,160}?\bdigest = ANY")


@cache
def _files() -> dict[str, str]:
    return {str(path.relative_to(SERVICES)): path.read_text() for path in SERVICES.rglob("*.py") if "migrations" not in path.parts}


@cache
def _trees() -> dict[str, ast.Module]:
    """Return the syntax trees of files that contain one of the words; parsing all files takes seconds."""
    words = ("written", "registration", "suppressions")
    return {name: ast.parse(source) for name, source in _files().items() if name.startswith("contacts/") and any(word in source for word in words)}


def _asks(node: ast.AST) -> bool:
    """Return whether this calls `ledger.written` or `registration.look`, whatever name its module was imported as."""
    if not isinstance(node, ast.Call):
        return False
    asked = node.func
    name = asked.attr if isinstance(asked, ast.Attribute) else asked.id if isinstance(asked, ast.Name) else ""
    module = asked.value.id if isinstance(asked, ast.Attribute) and isinstance(asked.value, ast.Name) else ""
    return (name == "written" and module in {"", "ledger"} and len(node.args) == 2) or (name, module) == ("look", "registration")


@pytest.mark.requirement("T35")
def test_nobody_reads_marks_by_a_value_but_the_door_that_counts() -> None:
    asking = {name for name, tree in _trees().items() if any(_asks(node) for node in ast.walk(tree))}
    assert asking == {DOOR}, "ask through usecases.looking: what is looked up is counted there"
    taken = {
        name
        for name, tree in _trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and any(each.name in LOOKING and (node.module or "").endswith(Path(LOOKING[each.name]).stem) for each in node.names)
    }
    assert taken == set(), "taken by another name, it could not be told from others"


@pytest.mark.requirement("T35")
def test_every_statement_that_finds_a_mark_by_its_digest_is_known() -> None:
    # Pieces of one statement stand in several literals; a reader of the source joins them.
    joined = {name: re.sub(r'"\s*\n\s*f?"', "", source) for name, source in _files().items()}
    found = {name: len(_FINDS.findall(source)) for name, source in joined.items() if _FINDS.search(source)}
    assert found == {name: len(places) for name, places in BY_DIGEST.items()}


@pytest.mark.requirement("T35")
def test_the_door_counts_whatever_it_reads() -> None:
    tree = ast.parse((SERVICES / DOOR).read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    def calls(name: str, called: str) -> bool:
        return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == called for node in ast.walk(functions[name]))

    for name in ("look", "weigh"):
        assert calls(name, "_count"), name
        assert calls(name, "_require_left"), name
    # What `look_together` reads is used by `weigh` alone.
    answering = {
        name: [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "suppressions" and _of_known(node)]
        for name, tree in _trees().items()
    }
    assert {name for name, nodes in answering.items() if nodes} == {DOOR}


def _of_known(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"known", "found"}
