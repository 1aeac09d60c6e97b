"""The page that compares two records that may be of one person (T34)."""

from __future__ import annotations

from flask import Response

from gateway.clients import command, query
from gateway.pages.layout import blueprint, form_values, form_view, page, redirect_to, user_names, validated
from services.chassis.messages import Refusal
from services.contacts.contract.answers.cases import PairOfRecords
from services.contacts.contract.schemas.cases import PairDecisionSchema

BUTTONS = {
    "different": "They are different people",
    "same": "They are one person",
    "propose": "Ask both owners whether they are one person",
}
BECAUSE = {
    "same_value": "Both records hold the same phone or e-mail.",
    "proposed": "The privacy officer asks whether these are one person's.",
}


@blueprint.get("/duplicates/<uuid:individual_id>/<uuid:other_id>")
def pair_of_records(individual_id: str, other_id: str, refusal: Refusal | None = None) -> Response:
    """Show two records that may be of one person."""
    found: PairOfRecords = query("contacts", "read_pair", individual_id=individual_id, other_id=other_id)
    answers = found["proposal"]["answers"] if found["proposal"] else []
    return page(
        "duplicate.html",
        pair=found["individuals"],
        because=[BECAUSE[reason] for reason in found["because"]],
        buttons={decision: BUTTONS[decision] for decision in found["decisions"]},
        proposal=found["proposal"],
        said={each["individual_id"]: each for each in answers},
        names=user_names([*(one["owner"]["user"] for one in found["individuals"]), *(each["by"] for each in answers)]),
        refusal=refusal,
    )


@form_view("/duplicates/<uuid:individual_id>/<uuid:other_id>", pair_of_records)
def deciding_pair(individual_id: str, other_id: str) -> Response:
    """Decide whether they are of one person."""
    body = validated(PairDecisionSchema, form_values("decision"))
    command("contacts", "decide_pair", individual_id=individual_id, other_id=other_id, body=body)
    return redirect_to("desk")
