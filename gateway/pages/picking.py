"""Choose people and organizations by name, in any form: nobody types an id.

The form has a box for each chosen one (`individual_ids`, `organization_ids`), or one of several for the only one
(`individual_id`), and a search field. Without scripts, a text
in that field shows the form again with what was found; with scripts, `/pick` answers while one types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

import orjson
from flask import Response, g, request

from gateway.clients import query
from gateway.merging import Page
from gateway.naming import is_id, stakeholder_names
from gateway.pages.layout import blueprint, validated
from services.contacts.contract.answers.search import LineAnswer
from services.contacts.contract.schemas.search import StakeholderQuerySchema

#: How many a search in a form shows, and how many while one types.
TICKED, TYPED_SHOWN = 20, 8
_TYPES = ("individual", "organization")


class Choice(TypedDict):
    """Somebody to choose."""

    id: str
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Picker:
    """What a form shows: who is chosen, and what a search found besides."""

    chosen: list[Choice]
    wanted: str = ""
    found: tuple[Choice, ...] = ()
    is_more: bool = False
    #: Whether one person is chosen.
    single: bool = False


def is_searching() -> bool:
    """Tell whether the form that was sent asks for a search, so that nothing is saved yet."""
    return "given_back" not in g and bool(_wanted())


def picker(chosen: Mapping[str, list[str]], *, single: bool = False) -> Picker:
    """Return the picker of a form: those with these ids by type, and what its search field asks for."""
    names = stakeholder_names(one for ids in chosen.values() for one in ids if is_id(one))
    picked: list[Choice] = [{"id": one, "type": kind, "name": names.get(one, "")} for kind in _TYPES for one in chosen.get(kind, []) if is_id(one)]
    wanted = _wanted()
    if not wanted:
        return Picker(picked, single=single)
    found, is_more = _search(wanted, TICKED, people_alone=single)
    known = {one["id"] for one in picked}
    return Picker(picked, wanted, tuple(one for one in found if one["id"] not in known), is_more, single)


def single_picker(individual_id: str | None) -> Picker:
    """Return the picker of a form that is about one person."""
    return picker({"individual": [individual_id]} if individual_id else {}, single=True)


def ids_from_form() -> dict[str, list[str]]:
    """Return the chosen ids of the form, by type."""
    return {kind: request.form.getlist(f"{kind}_ids") for kind in _TYPES}


@blueprint.post("/pick")
def picking() -> Response:
    """Answer a search field while one types: the first people and organizations of these words, as JSON."""
    wanted = _wanted()
    found = _search(wanted, TYPED_SHOWN, people_alone="single" in request.form)[0] if len(wanted) > 1 else []
    return Response(orjson.dumps(found), content_type="application/json")


def _wanted() -> str:
    return request.form.get("find", "").strip()


def _search(words: str, most: int, *, people_alone: bool) -> tuple[list[Choice], bool]:
    asked = {"q": words, "limit": str(most), **({"type": "individual"} if people_alone else {})}
    found: Page[LineAnswer] = query("contacts", "search_stakeholders", query=validated(StakeholderQuerySchema, asked))
    return [
        {
            "id": item["id"],
            "type": item["type"],
            "name": ", ".join(filter(None, (item["name"], item["organization_name"] if item["type"] == "individual" else None, item["state"]))),
        }
        for item in found["items"]
    ], found["next"] is not None
