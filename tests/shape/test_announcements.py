"""What every announcement has, so that listeners may hear them late, twice and in another order."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import services
from services.chassis.messages import Announcement

#: What is told once and stays so: nothing that comes late can contradict it. A checkpoint has its size.
FOR_EVER = {"registered", "imported", "established", "frozen", "erased", "withdrawn", "completed", "signed"}


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
