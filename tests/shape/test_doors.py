"""Every function that writes a person's value is in the table of entry points and spellings, or has a reason not to be (T25)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.integration.contacts import test_doors

USE_CASES = Path(__file__).parents[2] / "services" / "contacts" / "usecases"
#: What keeps a value of a person, or a name, or a telephone of an office: (module or object, function).
WRITES = {
    ("registration", "register"), ("layer", "add"), ("layer", "file_correction"), ("layer", "confirm_own"), ("individuals", "update"),
    ("writing", "insert_people"), ("contact_layer", "insert_points"), ("writing", "fill"), ("writing", "insert_offices"),
    ("writing", "insert_organizations"), ("organizations", "insert"), ("organizations", "insert_offices"),
    ("organizations", "replace_offices"), ("organizations", "update"), ("undoing", "put_back"),
}  # fmt: skip
_EVERY_IMPORT = ["import CSV", "import vCard"]
_OFFICES = "test_an_office_s_telephone_is_asked_for_too"
#: Each function that writes: its doors in the table, its own test, or why it needs none.
TABLE = {
    "registration.register": ["create", "test_no_spelling_comes_in_by_a_component_s_system"],
    "individuals.change_individual": ["change"],
    "contact_points.add_contact_point": ["add"],
    "contact_points._added": ["add", "correct"],
    "contact_points.correct_contact_point": ["correct"],
    "organizations.register_organization": [_OFFICES],
    "organizations.change_organization": [_OFFICES],
    "imports.committing._carry_out": [*_EVERY_IMPORT, _OFFICES],
    "imports.committing._enter": _EVERY_IMPORT,
    "imports.undoing._put_back": "gives a living record what it had before an import, of its own; one that is frozen is left alone",
    "verifying.verify": "writes when the person was verified, and takes declined marks away",
}


@pytest.mark.requirement("T25")
def test_every_door_that_writes_a_person_s_value_is_in_the_table() -> None:
    writing = {name for path in USE_CASES.rglob("*.py") for name in _writers(path)}
    assert writing == set(TABLE), "a door is missing from the table of doors and spellings, or gone"


@pytest.mark.requirement("T25")
def test_the_table_names_doors_and_tests_that_are_there() -> None:
    known = {*test_doors.VALUE_DOORS, *test_doors.NAME_DOORS, *dir(test_doors)}
    assert [name for doors in TABLE.values() if isinstance(doors, list) for name in doors if name not in known] == []


def _writers(path: Path) -> list[str]:
    module = ".".join(path.relative_to(USE_CASES).with_suffix("").parts)
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    return [f"{module}.{function.name}" for function in functions if any(_writes(node) for node in ast.walk(function))]


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    return (node.value.id, node.attr) in WRITES
