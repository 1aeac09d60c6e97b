"""The requirements files have every package that the code imports, so that a fresh installation has it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"services", "gateway", "deploy", "tests"}


def _imported(folder: str) -> Iterator[tuple[Path, str]]:
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name.partition(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield file, node.module.partition(".")[0]


def _asked_for(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return {re.split(r"[\[<>=!~ ]", line)[0].lower() for line in lines if line and line[0] not in "#-"}


def _locked(name: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("folder", sorted(OURS))
def test_every_import_is_asked_for(folder: str) -> None:
    distributions = packages_distributions()
    runtime, dev = _asked_for("runtime"), _asked_for("dev")
    for file, module in _imported(folder):
        if module in OURS or module in sys.stdlib_module_names:
            continue
        # The doubles for tests are part of the chassis; the deployed image has no use for their libraries.
        for_tests = folder == "tests" or "testing" in file.parts
        names = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
        assert names & (runtime | dev if for_tests else runtime), f"{file.relative_to(ROOT)} imports {module}, which is not asked for"


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_everything_asked_for_is_locked(name: str) -> None:
    assert _asked_for(name) <= _locked(name)
