"""Pages for new individuals, organizations and issues, and the page of an organization."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NotRequired, TypedDict

from flask import Response, request

from gateway.clients import command, query
from gateway.endpoints import JsonValue
from gateway.merging import Page
from gateway.naming import is_id, stakeholder_names
from gateway.pages.addresses import values_from_address
from gateway.pages.layout import WORDS, blueprint, form_list, form_values, form_view, issue_names, page, redirect_to, user_names, validated
from gateway.pages.paging import fetch_all, page_links, page_query
from gateway.routes.timeline import timeline
from services.chassis.messages import NotFound, Refusal
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.contacts.contract.answers.shared import Owner
from services.contacts.contract.schemas.individuals import IndividualCreateSchema
from services.contacts.contract.schemas.organizations import OrganizationCreateSchema
from services.interactions.contract.answers import IssueAnswer
from services.interactions.contract.schemas import IssueCreateSchema
from services.lexicon.vocabulary import CONTACT_POINT_KINDS


class Likeness(TypedDict):
    """An existing organization (with a `name`) or individual that a new record may duplicate."""

    id: str
    owner: NotRequired[Owner | None]
    name: NotRequired[str]
    first_name: NotRequired[str | None]
    last_name: NotRequired[str]
    state: NotRequired[str | None]


class LikelyRecord(TypedDict):
    """What the page shows of a possible duplicate."""

    page: str
    name: str
    said: str
    owner: str


@blueprint.get("/individuals/new")
def new_individual() -> Response:
    """Show an empty business card."""
    return _card({name: value for name, value in values_from_address("organization_id").items() if stakeholder_names([value])})


def _card(values: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    """Show the form of a business card, with the name of the organization that it was opened for."""
    at = values.get("organization_id") or ""
    return page(
        "individual_new.html",
        issues=issue_names(),
        values=values,
        at=stakeholder_names([at]) if is_id(at) else {},
        refusal=refusal,
        likely=_likely(refusal) if refusal is not None else [],
    )


def _card_again(refusal: Refusal) -> Response:
    # The form has one field per kind of contact point; the body has a list.
    errors = dict(refusal.errors or {})
    for n, kind in enumerate(_filled_kinds()):
        for said in (f"contact_points.{n}.value", f"contact_points.{n}"):
            if said in errors:
                errors[kind] = errors.pop(said)
    refusal.errors = errors or None
    return _card(request.form, refusal)


@form_view("/individuals/new", _card_again)
def entering_individual() -> Response:
    """Register an individual from a business card (R73)."""
    names = ("salutation", "first_name", "last_name", "title", "organization", "organization_id", "state", "source", "keep_reason")
    body: dict[str, JsonValue] = {**form_values(*names), **_choices()}
    if interests := [part.strip() for part in request.form.get("interests", "").split(",") if part.strip()]:
        body["interests"] = interests
    if kinds := _filled_kinds():
        body["contact_points"] = [{"kind": kind, "value": request.form[kind].strip()} for kind in kinds]
    entered = command("contacts", "register_individual", body=validated(IndividualCreateSchema, body))
    return redirect_to("individual", individual_id=entered["id"], done="entered")


@blueprint.get("/organizations/new")
def new_organization() -> Response:
    """Show an empty form for an organization."""
    return page("organization_new.html", issues=issue_names())


def _organization_again(refusal: Refusal) -> Response:
    errors = {name.removeprefix("address."): said for name, said in (refusal.errors or {}).items()}
    if "address.state" in (refusal.errors or {}):
        errors["address_state"] = errors.pop("state")
    refusal.errors = errors or None
    return page("organization_new.html", issues=issue_names(), values=request.form, refusal=refusal, likely=_likely(refusal))


@form_view("/organizations/new", _organization_again)
def entering_organization() -> Response:
    """Register an organization (R20-R25)."""
    body: dict[str, JsonValue] = {**form_values("name", "sector", "state", "office_phone", "source", "source_url"), **_choices()}
    address = form_values("street", "city", "address_state", "postal_code")
    if address:
        body["address"] = {name.removeprefix("address_"): value for name, value in address.items()}
    entered = command("contacts", "register_organization", body=validated(OrganizationCreateSchema, body))
    return redirect_to("organization", organization_id=entered["id"])


@blueprint.get("/organizations/<uuid:organization_id>")
def organization(organization_id: str) -> Response:
    """Show an organization with its people and its history."""
    shown: OrganizationAnswer = query("contacts", "read_organization", organization_id=organization_id)
    path = f"/organizations/{organization_id}"
    asked = page_query({"organization_id": organization_id}, name="people")
    people: Page[IndividualAnswer] = query("contacts", "list_individuals", query=asked)
    history = timeline("organization_id", organization_id, page_query(name="history"))
    names = user_names({shown["owner"]["user"], *(item.get("user") for item in history["items"])})
    return page(
        "organization.html",
        organization=shown,
        people=people,
        people_part=page_links(people, path=path, name="people"),
        history=history,
        history_part=page_links(history, path=path, name="history"),
        names=names,
        issues=issue_names(),
    )


@blueprint.get("/issues")
def issues(refusal: Refusal | None = None) -> Response:
    """List the issues under their priorities."""
    found: list[IssueAnswer] = fetch_all("interactions", "list_issues", {})
    return page("issues.html", found={"items": found}, values=request.form, refusal=refusal)


@form_view("/issues", issues)
def entering_issue() -> Response:
    """Create an issue."""
    body = validated(IssueCreateSchema, form_values("name", "priority", "parent_id", "summary", "keep_reason"))
    command("interactions", "create_issue", body=body)
    return redirect_to("issues")


def _filled_kinds() -> list[str]:
    return [kind for kind in CONTACT_POINT_KINDS if request.form.get(kind, "").strip()]


def _choices() -> dict[str, JsonValue]:
    """Return the chosen issues, and that a likeness is somebody else, as far as they were given."""
    chosen: dict[str, JsonValue] = {"issue_ids": form_list("issue_ids"), "duplicate_ok": request.form.get("duplicate_ok") == "yes"}
    return {name: value for name, value in chosen.items() if value}


def _likely(refusal: Refusal) -> list[LikelyRecord]:
    """Return the possible duplicates, as far as the user may see them."""
    found: list[Likeness] = refusal.extra.get("possible_duplicates") or []
    names = user_names({owner["user"] for one in found if (owner := one.get("owner"))})
    return [_likely_record(one, names) for one in found]


def _likely_record(one: Likeness, names: dict[str, str]) -> LikelyRecord:
    kind, owner = "organization" if "name" in one else "individual", one.get("owner")
    title, employer, state = None, None, one.get("state")
    if kind == "individual":
        with suppress(NotFound):
            person: IndividualAnswer = query("contacts", "read_individual", individual_id=one["id"])
            title, employer, state = person.get("title"), person.get("organization_name"), person.get("state")
    return {
        "page": f"/{kind}s/{one['id']}",
        "name": one.get("name") or f"{one['first_name'] or ''} {one['last_name']}".strip(),
        "said": ", ".join(filter(None, (title, employer, WORDS["states"].get(state or "")))),
        "owner": f"{names.get(owner['user'], 'unknown')} ({owner['component']})" if owner else "",
    }
