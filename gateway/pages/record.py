"""The page of an individual's record, with its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Response, request

from gateway.clients import command, query
from gateway.identity import current_user
from gateway.merging import Page
from gateway.pages.colleagues import colleagues
from gateway.pages.layout import WORDS, View, blueprint, form_list, form_values, form_view, issue_names, page, redirect_to, user_names, validated
from gateway.pages.paging import page_links, page_query
from gateway.pages.times import instant_from_form, now_typed
from gateway.pages.versions import changed_values, compare_versions, submitted_etag
from gateway.permissions import may
from gateway.routes.timeline import timeline
from gateway.trail import recorded
from services.chassis.messages import Refusal, Unauthenticated, Unavailable, entity_tag
from services.contacts.contract.answers.cases import FoundFrozen
from services.contacts.contract.answers.contact_points import RevealAnswer
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.contacts.contract.answers.notes import NoteAnswer
from services.contacts.contract.schemas.contact_points import ContactPointCreateSchema, CorrectionSchema, RevealQuerySchema
from services.contacts.contract.schemas.individuals import HandOverSchema, IndividualChangeSchema, VerificationCreateSchema
from services.contacts.contract.schemas.notes import NoteCreateSchema
from services.retention.contract.answers import RequestAnswer

FACTS = {"salutation": "Salutation", "first_name": "First name", "last_name": "Last name", "title": "Title", "state": "State"}


@blueprint.get("/individuals/<uuid:individual_id>")
def individual(individual_id: str, *, refusal: Refusal | None = None, form: str = "", revealed: RevealAnswer | None = None) -> Response:
    """Show a record, without its contact points; `form` names the refused form, if any."""
    person: IndividualAnswer = query("contacts", "read_individual", individual_id=individual_id)
    if person["frozen"]:
        return page("frozen.html", person=person, asked=_request_about(person), refusal=refusal, names=user_names(_users(person)))
    if person.get("set_aside"):
        return page("set_aside.html", person=person, names=user_names(_users(person)))
    mine = current_user()["id"] in {person["owner"]["user"], person.get("deputy")}
    notes: Page[NoteAnswer] = query("contacts", "list_notes", individual_id=individual_id, query=page_query(name="notes"))
    history = timeline("individual_id", individual_id, page_query(name="history"))
    names = user_names(
        _users(person)
        | {item.get("user") for item in history["items"]}
        | {note["author"] for note in notes["items"]}
        | {holder["owner"] for holder in (revealed["held_by"] if revealed else [])}
    )
    tag = entity_tag(person)
    states = {"state": WORDS["states"]}
    stated = {"use_preferences": ", ".join(WORDS["preferences"].get(one, one) for one in person.get("use_preferences") or [])}
    return page(
        "individual.html",
        person=person,
        facts=compare_versions(person, tag, FACTS, refusal if form == "facts" else None, words=states),
        preferences=compare_versions(stated, tag, {"use_preferences": "Preferences"}, refusal if form == "preferences" else None, asks_always=True),
        notes=notes,
        notes_part=page_links(notes, path=f"/individuals/{individual_id}", name="notes"),
        history=history,
        history_part=page_links(history, path=f"/individuals/{individual_id}", name="history"),
        names=names,
        issues=issue_names(),
        refusal=refusal,
        form=form,
        revealed=revealed,
        values=request.form if request.method == "POST" else {},
        verification=request.form if form == "verification" else {"verified_at": now_typed()},
        points=_own_points(revealed),
        verified=request.form.getlist("contact_point_ids") if form == "verification" else [],
        declined={kind: WORDS["kinds"][kind] for kind in person.get("declined") or []},
        mine=mine,
        writes=may("contribute"),
        colleagues={id_: name for id_, name in colleagues().items() if id_ != person["owner"]["user"]} if mine else {},
    )


def _form(part: str, name: str) -> Callable[[View], View]:
    """Declare a form of the record, whose page shows it again under its name."""

    def again(individual_id: str, refusal: Refusal) -> Response:
        try:
            return individual(individual_id, refusal=refusal, form=name)
        except Unauthenticated:
            raise
        except Refusal as gone:
            # The record cannot be shown now: it is gone, or a service does not answer.
            return page("refused.html", refusal=refusal if isinstance(gone, Unavailable) else recorded(gone))

    return form_view(f"/individuals/<uuid:individual_id>/{part}", again)


@_form("reveal", "reveal")
def revealing(individual_id: str) -> Response:
    """Reveal the contact points that the user may see; it is logged and counted (T11)."""
    asked = validated(RevealQuerySchema, form_values("reason"))
    return individual(individual_id, revealed=query("contacts", "reveal", individual_id=individual_id, **asked), form="reveal")


@_form("contact-points", "contact-point")
def adding_contact_point(individual_id: str) -> Response:
    """Add a contact point of the user's component."""
    command("contacts", "add_contact_point", individual_id=individual_id, body=validated(ContactPointCreateSchema, form_values("kind", "value")))
    return redirect_to("individual", individual_id=individual_id, done="added")


@_form("corrections", "correction")
def correcting_contact_point(individual_id: str) -> Response:
    """Correct a contact point that the user may not see (T3); the answer is always the same."""
    command("contacts", "correct_contact_point", individual_id=individual_id, body=validated(CorrectionSchema, form_values("kind", "value")))
    return redirect_to("individual", individual_id=individual_id, done="corrected")


@_form("facts", "facts")
def correcting(individual_id: str) -> Response:
    """Correct facts of the directory layer (R111-R113); an emptied field is cleared."""
    return _change(individual_id, {**changed_values(tuple(FACTS)), **form_values("keep_reason")}, done="changed")


@_form("preferences", "preferences")
def stating_preferences(individual_id: str) -> Response:
    """Record the person's use preferences (R169)."""
    return _change(individual_id, {"use_preferences": form_list("use_preferences")}, done="stated")


@_form("notes", "note")
def adding_note(individual_id: str) -> Response:
    """Add a note; text with findings is shown again, to be changed or kept with a reason (T15)."""
    body = validated(NoteCreateSchema, form_values("text", "provenance", "keep_reason"))
    command("contacts", "add_note", individual_id=individual_id, body=body)
    return redirect_to("individual", individual_id=individual_id, done="noted")


@_form("verifications", "verification")
def verifying(individual_id: str) -> Response:
    """Record a verification, with the kinds that the person no longer declines to give (R115, T20)."""
    body = {**form_values("medium"), "withdraw_declined": form_list("withdraw_declined"), "contact_point_ids": form_list("contact_point_ids")}
    if at := instant_from_form("verified_at"):
        body["verified_at"] = at
    command("contacts", "verify_individual", individual_id=individual_id, body=validated(VerificationCreateSchema, body))
    return redirect_to("individual", individual_id=individual_id, done="verified")


@_form("owner", "owner")
def handing_over(individual_id: str) -> Response:
    """Hand the record over (R45)."""
    command("contacts", "hand_over", individual_id=individual_id, **validated(HandOverSchema, form_values("owner")))
    return redirect_to("individual", individual_id=individual_id, done="handed-over")


def _change(individual_id: str, changed: Mapping[str, object], *, done: str) -> Response:
    body = validated(IndividualChangeSchema, changed)
    command("contacts", "change_individual", individual_id=individual_id, if_match=submitted_etag(), body=body)
    return redirect_to("individual", individual_id=individual_id, done=done)


def _request_about(person: IndividualAnswer) -> RequestAnswer | None:
    """Return the request for which a person is frozen, to those who may find frozen people and read it (T21)."""
    try:
        found: Page[FoundFrozen] = query("contacts", "find_frozen", query={"q": f"{person['first_name']} {person['last_name']}"})
        request_id = next((each["request_id"] for each in found["items"] if each["id"] == person["id"]), None)
        asked: RequestAnswer | None = query("retention", "read_no_contact_request", request_id=request_id) if request_id else None
    except Refusal:
        return None
    return asked


def _own_points(revealed: RevealAnswer | None) -> dict[str, str]:
    """Return id → words of the contact points that the user's component can verify."""
    component = current_user()["component"]
    own = [point for point in (revealed["items"] if revealed else []) if point["component"] == component and not point["reported"]]
    return {point["id"]: f"{WORDS['kinds'].get(point['kind'], point['kind'])}: {point['value']}" for point in own}


def _users(person: IndividualAnswer) -> set[str | None]:
    last_contact = person.get("last_contact")
    return {person["owner"]["user"], person.get("deputy"), last_contact["by"] if last_contact else None}
