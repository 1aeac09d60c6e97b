"""Use preferences of people, and the page of what the department did against them (T33)."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, request

from gateway.clients import query
from gateway.merging import Page
from gateway.naming import stakeholder_names
from gateway.pages.layout import blueprint, page, user_names, validated
from gateway.pages.paging import page_links, page_query
from gateway.pages.times import bound_of_day
from gateway.trail import recorded
from services.chassis.messages import Forbidden, Invalid, NotFound, Unavailable
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.interactions.contract.answers import AgainstPreferenceAnswer
from services.interactions.contract.schemas import AgainstPreferencesQuerySchema


def with_preferences(ids: Iterable[str]) -> list[IndividualAnswer]:
    """Return the people who stated preferences, as far as the user may know of them."""
    people: list[IndividualAnswer] = []
    for one in dict.fromkeys(ids):
        try:
            person: IndividualAnswer = query("contacts", "read_individual", individual_id=one)
        except (NotFound, Forbidden, Unavailable):
            continue
        if person.get("use_preferences"):
            people.append(person)
    return people


@blueprint.get("/interactions/against-preferences")
def against_preferences() -> Response:
    """Show the privacy officer what the department began against a preference."""
    given = {name: value for name in ("component", "since", "until") if (value := request.args.get(name, "").strip())}
    try:
        asked = given | {name: bound_of_day(given[name], end=name == "until") for name in ("since", "until") if name in given}
        checked = validated(AgainstPreferencesQuerySchema, page_query(asked))
        found: Page[AgainstPreferenceAnswer] = query("interactions", "list_against_preferences", query=checked)
    except Invalid as refusal:
        return page("against_preferences.html", refusal=recorded(refusal), values=given)
    return page(
        "against_preferences.html",
        values=given,
        found=found,
        part=page_links(found, path="/interactions/against-preferences", kept=given),
        names=user_names({item["user"] for item in found["items"]}),
        people=stakeholder_names(item["individual_id"] for item in found["items"]),
    )
