"""Every refusal has its own code, a sentence, and a row in the table."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections import defaultdict

from gateway.errors import STATUS
from gateway.refusals import TARGET, refusals, said_by
from services.chassis.messages import BRANCHES


def test_every_branch_has_a_status_and_no_two_the_same() -> None:
    assert set(STATUS) == set(BRANCHES.values())
    assert len(set(STATUS.values())) == len(STATUS)


def test_a_code_means_one_status_and_in_one_service_one_refusal() -> None:
    statuses = defaultdict(set)
    speakers = defaultdict(list)
    for refusal in refusals():
        statuses[refusal.code].add(next(s for branch, s in STATUS.items() if issubclass(refusal, branch)))
        speakers[(refusal.code, said_by(refusal))].append(refusal.__qualname__)
    assert not {code: found for code, found in statuses.items() if len(found) > 1}
    assert not {who: names for who, names in speakers.items() if len(names) > 1}


def test_every_code_is_a_slug_and_every_docstring_a_sentence() -> None:
    for refusal in refusals():
        assert re.fullmatch(r"[a-z][a-z0-9-]*", refusal.code), refusal
        sentence = inspect.cleandoc(refusal.__doc__ or "").partition("\n")[0]
        assert sentence.endswith((".", "?")), refusal


def test_the_table_is_what_the_code_says() -> None:
    # In a process of its own: what other tests imported, or defined, is no part of the product's table.
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import sys; from gateway.refusals import table; sys.stdout.write(table())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert TARGET.read_text() == made, "run: python -m gateway.refusals"


def test_the_chassis_names_its_obstacles_where_the_table_looks() -> None:
    # In a process of its own, in which every module of the chassis is loaded beside those that the table loads.
    code = (
        "import services.chassis.green, pkgutil, sys; from gateway.refusals import table\n"
        "for part in pkgutil.walk_packages(services.chassis.__path__, 'services.chassis.'): __import__(part.name)\n"
        "sys.stdout.write(table())"
    )
    made = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True).stdout
    assert TARGET.read_text() == made
