"""Reports, which contain counts and no names."""

from __future__ import annotations

from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, Parameters
from services.contacts.contract.answers.search import RegionReport
from services.contacts.contract.schemas.search import RegionReportQuerySchema
from services.interactions.contract.answers import CoverageGaps, SpokenTo
from services.interactions.contract.schemas import SpokenToQuerySchema

blueprint = ApiBlueprint("reports", "Regions, drilled to states (T12)", service="interactions")


@blueprint.forward("GET", "/spoken-to", query=SpokenToQuerySchema, answers=SpokenTo, problems=(404,))
def report_spoken_to() -> None:
    """Count stakeholders that DHS has spoken to about an issue, by region and state (R100)."""


@blueprint.forward("GET", "/coverage-gaps", query=SpokenToQuerySchema, answers=CoverageGaps, problems=(404,))
def report_coverage_gaps() -> None:
    """List the states without interactions or without stakeholders (R88)."""


@blueprint.endpoint("GET", "/stakeholders-by-region", query=RegionReportQuerySchema, answers=RegionReport)
def report_stakeholders_by_region(query: Parameters) -> object:
    """Count stakeholders by FEMA region and state (R101, R102)."""
    return ask("contacts", "report_stakeholders_by_region", query=query)
