"""Every schema of what comes in, wherever it is written."""

from __future__ import annotations

import importlib
import pkgutil

from marshmallow import Schema

import gateway.routes
from services.chassis.validation import Closed
from services.contacts.contract.integrations import SubmissionSchema

SERVICES = ("access", "audit", "contacts", "interactions", "retention")


def incoming() -> list[type[Schema]]:
    """Return the schemas of bodies, queries, positions and submissions, by name; those that only others build on are left out."""
    for service in SERVICES:
        contract = importlib.import_module(f"services.{service}.contract")
        for module in pkgutil.walk_packages(getattr(contract, "__path__", ()), f"{contract.__name__}."):
            importlib.import_module(module.name)
    for module in pkgutil.iter_modules(gateway.routes.__path__, "gateway.routes."):
        importlib.import_module(module.name)
    found, left = set(), [Closed, SubmissionSchema]
    while left:
        schema = left.pop()
        if schema not in found:
            found.add(schema)
            left += schema.__subclasses__()
    ours = [schema for schema in found - {Closed} if not schema.__name__.startswith("_") and not schema.__module__.startswith("tests.")]
    return sorted(ours, key=lambda schema: schema.__name__)
