"""Organizations, and the search over all stakeholders."""

from __future__ import annotations

from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters
from gateway.routes.removal import accepted_erasure, erase
from gateway.routes.timeline import TimelineItem, TimelineQuerySchema, timeline
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.contacts.contract.answers.search import FacetedPage
from services.contacts.contract.schemas.organizations import OrganizationChangeSchema, OrganizationCreateSchema, OrganizationListQuerySchema
from services.contacts.contract.schemas.search import StakeholderQuerySchema
from services.retention.contract import ErasureRequestSchema
from services.retention.contract.answers import AcceptedErasure

blueprint = ApiBlueprint("organizations", "Organizations and their offices", service="contacts")
stakeholders = ApiBlueprint("stakeholders", "Search over individuals and organizations", service="contacts")


@blueprint.forward("GET", "", query=OrganizationListQuerySchema, answers=OrganizationAnswer, collection=True)
def list_organizations() -> None:
    """List organizations by exact fields."""


@blueprint.forward("POST", "", to="register_organization", body=OrganizationCreateSchema, answers=OrganizationAnswer, status=201, located=True)
def create_organization() -> None:
    """Register an organization (R20-R25, R75)."""


@blueprint.forward("GET", "/<uuid:organization_id>", answers=OrganizationAnswer, tagged=True)
def read_organization() -> None:
    """Read one organization."""


@blueprint.forward("PATCH", "/<uuid:organization_id>", body=OrganizationChangeSchema, answers=OrganizationAnswer, tagged=True, matched=True)
def change_organization() -> None:
    """Change the given fields of an organization."""


@blueprint.endpoint("DELETE", "/<uuid:organization_id>", body=ErasureRequestSchema, answers=AcceptedErasure, status=202, matched=True)
def erase_organization(organization_id: str, if_match: str, body: JsonObject) -> object:
    """Erase an organization of your own, with a reason (R131)."""
    return accepted_erasure(erase("organization", organization_id, if_match, body))


@blueprint.endpoint("GET", "/<uuid:organization_id>/history", query=TimelineQuerySchema, answers=TimelineItem, collection=True)
def read_organization_history(organization_id: str, query: Parameters) -> object:
    """Read the timeline of an organization (R57)."""
    return timeline("organization_id", organization_id, query)


@stakeholders.endpoint("POST", "/search", body=StakeholderQuerySchema, answers=FacetedPage)
def search_stakeholders_by_value(body: JsonObject) -> object:
    """Find stakeholders as by GET, or by a telephone number or e-mail address that your component holds (T31)."""
    return ask("contacts", "search_stakeholders", query=body)


@stakeholders.forward("GET", "", query=StakeholderQuerySchema, answers=FacetedPage)
def search_stakeholders() -> None:
    """Find stakeholders by words, issue, place, component, owner and contact, and count them by facets (T31)."""
