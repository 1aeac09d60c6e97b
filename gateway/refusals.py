"""The table of all refusals, made from the contracts by `python -m gateway.refusals`."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

import gateway
import services
from gateway.errors import HOST_NOT_OURS, STATUS, BrokenFraming
from services.chassis.messages import BRANCHES, Refusal

TARGET = Path(__file__).parents[1] / "docs" / "refusals.md"
HEAD = """# Refusals

Every refusal that a client may meet: its stable `code`, its HTTP status, its sentence, and who says so. Made by
`python -m gateway.refusals`; a test holds it to the code.

| code | status | sentence | said by |
|---|---|---|---|
"""
#: Errors of HTTP itself, which have no branch of the refusals.
HTTP_ALONE = (
    ("internal", 500, "Something went wrong here; it was recorded under this trace id.", "gateway"),
    (*HOST_NOT_OURS, "gateway"),
    (BrokenFraming.code, BrokenFraming.status, str(BrokenFraming.__doc__), "gateway"),
    ("method-not-allowed", 405, "This address takes other methods; see Allow.", "gateway"),
)


def refusals() -> list[type[Refusal]]:
    """Return all refusals of the chassis, the lexicon, the contracts and the gateway."""
    _import_all()
    found = [*BRANCHES.values()]
    waiting = list(found)
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child not in found and child.__module__.split(".")[0] in {"services", "gateway"}:
                found.append(child)
                waiting.append(child)
    # To a client, a refusal with the code of its parent is the same refusal.
    named = [refusal for refusal in found if refusal.code not in {getattr(p, "code", None) for p in refusal.__mro__[1:]}]
    return sorted(named, key=lambda refusal: (refusal.code, said_by(refusal)))


def said_by(refusal: type[Refusal]) -> str:
    """Return the service that declares a refusal, or `any`."""
    parts = refusal.__module__.split(".")
    return "gateway" if parts[0] == "gateway" else "any" if parts[1] in {"chassis", "lexicon"} else parts[1]


@functools.cache
def rows() -> tuple[tuple[str, int, str, str], ...]:
    """Return the rows of the table: code, status, sentence and the services that answer with it."""
    said: dict[tuple[str, int, str], set[str]] = {}
    for refusal in refusals():
        status = next(status for branch, status in STATUS.items() if issubclass(refusal, branch))
        sentence = " ".join((refusal.__doc__ or "").split("\n\n")[0].split())
        said.setdefault((refusal.code, status, sentence), set()).add(said_by(refusal))
    for code, status, sentence, who in HTTP_ALONE:
        said[(code, status, sentence)] = {who}
    return tuple((*key, ", ".join(sorted(who))) for key, who in sorted(said.items()))


def table() -> str:
    """Return the table as Markdown."""
    return HEAD + "".join(f"| `{code}` | {status} | {sentence} | {who} |\n" for code, status, sentence, who in rows())


def _import_all() -> None:
    importlib.import_module("services.lexicon.refusals")
    for service in pkgutil.iter_modules(services.__path__):
        name = f"services.{service.name}.contract"
        if service.name not in {"chassis", "lexicon"} and importlib.util.find_spec(name):
            package = importlib.import_module(name)
            for part in pkgutil.iter_modules(getattr(package, "__path__", [])):
                importlib.import_module(f"{name}.{part.name}")
    # These two modules declare all refusals of the chassis; the others would load libraries that only services need.
    for name in ("messages", "refusals"):
        importlib.import_module(f"services.chassis.{name}")
    for part in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if not part.name.endswith(("__main__", "refusals")):
            importlib.import_module(part.name)


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(table())
    sys.stdout.write(f"{TARGET.name}: {len(refusals())} refusals\n")
