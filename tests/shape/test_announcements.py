"""Announcements may arrive late, twice and in any order; this checks what each needs for that, and who sends and receives it."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import services
from deploy.migrations import SERVICES
from deploy.provision import service_classes
from services.chassis.messages import Announcement
from services.chassis.runtime.process import topics_handled_by

ROOT = Path(__file__).parents[2]

#: What is told once and stays so: nothing that comes late can contradict it. A checkpoint has its size.
FOR_EVER = {"registered", "imported", "established", "frozen", "unfrozen", "erased", "withdrawn", "completed", "signed"}


def _announcements() -> list[type[Announcement]]:
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if found.name.rpartition(".")[2] in {"contract", "announcements", "checkpoints"}:
            importlib.import_module(found.name)
    return [kind for kind in Announcement.__subclasses__() if kind.__module__.startswith("services.")]


def test_every_announcement_of_what_may_change_again_bears_a_revision_that_may_be_absent() -> None:
    changing = [kind for kind in _announcements() if kind.name.rpartition(":")[2] not in FOR_EVER]
    assert {kind.__name__ for kind in changing} >= {"UserChanged", "IndividualChanged", "OwnerChanged", "InteractionLogged"}
    for kind in changing:
        (revision,) = [field for field in dataclasses.fields(kind) if field.name == "revision"] or [None]
        assert revision is not None, f"{kind.__name__} may be overtaken by another, and nobody could tell"
        assert revision.default is not dataclasses.MISSING, f"{kind.__name__} was sent without a revision before"


def _heard(service: str) -> set[str]:
    """Return the other services whose announcements a service handles."""
    return {key.partition(".")[0] for key in topics_handled_by(service_classes()[service])} - {service}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_says_what_it_owns_answers_announces_and_listens_to(service: str) -> None:
    said = re.split(r"^\*?(owns|answers|announces|listens to)\*?: ", importlib.import_module(f"services.{service}").__doc__ or "", flags=re.MULTILINE)
    parts = dict(zip(said[1::2], said[2::2], strict=True))
    assert list(parts) == ["owns", "answers", "announces", "listens to"]
    assert all(part.strip() for part in parts.values())
    announced = {kind.__name__ for kind in _announcements() if kind.name.partition(":")[0] == service}
    assert set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", parts["announces"])) == announced
    assert set(re.findall(r"[a-z]+", parts["listens to"])) & set(SERVICES) - {service} == _heard(service)


def test_the_architecture_page_says_whom_each_service_listens_to() -> None:
    rows = re.findall(r"^\| (\w+) \| .+ \| (.+) \|$", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    told = {service: set(re.findall(r"[a-z]+", heard)) & set(SERVICES) - {service} for service, heard in rows if service in SERVICES}
    assert told == {service: _heard(service) for service in SERVICES}
