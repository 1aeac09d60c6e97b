"""Organizations, and the search over all stakeholders."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters, created
from gateway.routes.removal import accepted_erasure, erase
from gateway.routes.timeline import TimelineItem, TimelineQuerySchema, timeline
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.contacts.contract.answers.search import FacetedPage
from services.contacts.contract.schemas.organizations import OrganizationChangeSchema, OrganizationCreateSchema, OrganizationListQuerySchema
from services.contacts.contract.schemas.search import StakeholderQuerySchema
from services.retention.contract import ErasureRequestSchema
from services.retention.contract.answers import AcceptedErasure

blueprint = ApiBlueprint("organizations", __name__, url_prefix="/organizations", description="Organizations and their offices")
stakeholders = ApiBlueprint("stakeholders", __name__, url_prefix="/stakeholders", description="Search over individuals and organizations")


@blueprint.endpoint("GET", "", query=OrganizationListQuerySchema, answers=OrganizationAnswer, collection=True)
def list_organizations(query: Parameters) -> object:
    """List organizations by exact fields."""
    return ask("contacts", "list_organizations", query=query)


@blueprint.endpoint("POST", "", body=OrganizationCreateSchema, answers=OrganizationAnswer, status=201)
def create_organization(body: JsonObject) -> object:
    """Register an organization (R20-R25, R75)."""
    organization = command("contacts", "register_organization", body=body)
    return created("organizations.read_organization", organization_id=organization)


@blueprint.endpoint("GET", "/<uuid:organization_id>", answers=OrganizationAnswer, tagged=True, problems=(404,))
def read_organization(organization_id: str) -> object:
    """Read one organization."""
    return ask("contacts", "read_organization", organization_id=organization_id)


@blueprint.endpoint(
    "PATCH",
    "/<uuid:organization_id>",
    body=OrganizationChangeSchema,
    answers=OrganizationAnswer,
    tagged=True,
    matched=True,
    problems=(404,),
)
def change_organization(organization_id: str, if_match: str, body: JsonObject) -> object:
    """Change the given fields of an organization."""
    return command("contacts", "change_organization", organization_id=organization_id, if_match=if_match, body=body)


@blueprint.endpoint(
    "DELETE",
    "/<uuid:organization_id>",
    body=ErasureRequestSchema,
    answers=AcceptedErasure,
    status=202,
    matched=True,
    problems=(404,),
)
def erase_organization(organization_id: str, if_match: str, body: JsonObject) -> object:
    """Erase an organization of your own, with a reason (R131)."""
    return accepted_erasure(erase("organization", organization_id, if_match, body))


@blueprint.endpoint(
    "GET",
    "/<uuid:organization_id>/history",
    query=TimelineQuerySchema,
    answers=TimelineItem,
    collection=True,
    problems=(404,),
)
def read_organization_history(organization_id: str, query: Parameters) -> object:
    """Read the timeline of an organization (R57)."""
    return timeline("organization_id", organization_id, query)


@stakeholders.endpoint("POST", "/search", body=StakeholderQuerySchema, answers=FacetedPage)
def search_stakeholders_by_value(body: JsonObject) -> object:
    """Find stakeholders as by GET, or by a telephone number or e-mail address that your component holds (T31)."""
    return ask("contacts", "search_stakeholders", query=body)


@stakeholders.endpoint("GET", "", query=StakeholderQuerySchema, answers=FacetedPage)
def search_stakeholders(query: Parameters) -> object:
    """Find stakeholders by words, issue, place, component, owner and contact, and count them by facets (T31)."""
    return ask("contacts", "search_stakeholders", query=query)
