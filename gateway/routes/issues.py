"""Issues, with their updates and talking points."""

from __future__ import annotations

from gateway.endpoints import ApiBlueprint
from services.interactions.contract.answers import IssueAnswer, IssueUpdateAnswer, TalkingPointAnswer
from services.interactions.contract.schemas import (
    IssueChangeSchema,
    IssueCreateSchema,
    IssueListQuerySchema,
    IssueUpdateCreateSchema,
    PageQuerySchema,
    TalkingPointCreateSchema,
)

blueprint = ApiBlueprint("issues", "Issues under the five priorities (R65-R71)", service="interactions")


@blueprint.forward("GET", "", query=IssueListQuerySchema, answers=IssueAnswer, collection=True)
def list_issues() -> None:
    """List issues by priority, parent, activity or words of the name."""


@blueprint.forward("POST", "", body=IssueCreateSchema, answers=IssueAnswer, status=201, tagged=True, located=True)
def create_issue() -> None:
    """Create an issue."""


@blueprint.forward("GET", "/<uuid:issue_id>", answers=IssueAnswer, tagged=True)
def read_issue() -> None:
    """Read one issue."""


@blueprint.forward("PATCH", "/<uuid:issue_id>", body=IssueChangeSchema, answers=IssueAnswer, tagged=True, matched=True)
def change_issue() -> None:
    """Change the given fields of an issue."""


@blueprint.forward("GET", "/<uuid:issue_id>/updates", query=PageQuerySchema, answers=IssueUpdateAnswer, collection=True)
def list_issue_updates() -> None:
    """List the updates of an issue, the latest first (R66, R67)."""


@blueprint.forward("POST", "/<uuid:issue_id>/updates", body=IssueUpdateCreateSchema, answers=IssueUpdateAnswer, status=201)
def add_issue_update() -> None:
    """Add an update to an issue."""


@blueprint.forward("GET", "/<uuid:issue_id>/talking-points", query=PageQuerySchema, answers=TalkingPointAnswer, collection=True)
def list_talking_points() -> None:
    """List the talking points of an issue, in the order in which they were added (R68)."""


@blueprint.forward("POST", "/<uuid:issue_id>/talking-points", body=TalkingPointCreateSchema, answers=TalkingPointAnswer, status=201)
def add_talking_point() -> None:
    """Add a talking point to an issue."""
