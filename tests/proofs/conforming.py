"""Checks whether the document promises an answer: its status, type and schema."""

from __future__ import annotations

import json
from typing import Any

import requests
from jsonschema import Draft202012Validator

from tests.proofs.operations import Operation


def violations(document: dict[str, Any], operation: Operation, answer: requests.Response) -> list[str]:
    """Return what the document does not promise of an answer."""
    said = operation.said["responses"].get(str(answer.status_code))
    if said is None:
        return [f"{answer.status_code} is not in the document"]
    content = said.get("content", {})
    if not content:
        return [f"{answer.status_code} has a body"] if answer.content else []
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if kind not in content:
        return [f"{answer.status_code} comes as {kind}"]
    if not kind.endswith("json"):
        return []
    schema = {**content[kind].get("schema", {}), "components": document["components"]}
    found = Draft202012Validator(schema).iter_errors(json.loads(answer.content))
    return [f"{answer.status_code} {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]
