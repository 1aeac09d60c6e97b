"""Issues, with their updates and talking points."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters, created
from services.interactions.contract.answers import IssueAnswer, IssueUpdateAnswer, TalkingPointAnswer
from services.interactions.contract.schemas import (
    IssueChangeSchema,
    IssueCreateSchema,
    IssueListQuerySchema,
    IssueTextListQuerySchema,
    IssueUpdateCreateSchema,
    TalkingPointCreateSchema,
)

blueprint = ApiBlueprint("issues", __name__, url_prefix="/issues", description="Issues under the five priorities (R65-R71)")


@blueprint.endpoint("GET", "", query=IssueListQuerySchema, answers=IssueAnswer, collection=True)
def list_issues(query: Parameters) -> object:
    """List issues by priority, parent, activity or words of the name."""
    return ask("interactions", "list_issues", query=query)


@blueprint.endpoint("POST", "", body=IssueCreateSchema, answers=IssueAnswer, status=201, tagged=True)
def create_issue(body: JsonObject) -> object:
    """Create an issue."""
    return created("issues.read_issue", issue_id=command("interactions", "create_issue", body=body))


@blueprint.endpoint("GET", "/<uuid:issue_id>", answers=IssueAnswer, tagged=True, problems=(404,))
def read_issue(issue_id: str) -> object:
    """Read one issue."""
    return ask("interactions", "read_issue", issue_id=issue_id)


@blueprint.endpoint("PATCH", "/<uuid:issue_id>", body=IssueChangeSchema, answers=IssueAnswer, tagged=True, matched=True, problems=(404,))
def change_issue(issue_id: str, if_match: str, body: JsonObject) -> object:
    """Change the given fields of an issue."""
    return command("interactions", "change_issue", issue_id=issue_id, if_match=if_match, body=body)


@blueprint.endpoint(
    "GET",
    "/<uuid:issue_id>/updates",
    query=IssueTextListQuerySchema,
    answers=IssueUpdateAnswer,
    collection=True,
    problems=(404,),
)
def list_issue_updates(issue_id: str, query: Parameters) -> object:
    """List the updates of an issue, the latest first (R66, R67)."""
    return ask("interactions", "list_issue_updates", issue_id=issue_id, query=query)


@blueprint.endpoint("POST", "/<uuid:issue_id>/updates", body=IssueUpdateCreateSchema, answers=IssueUpdateAnswer, status=201, problems=(404,))
def add_issue_update(issue_id: str, body: JsonObject) -> object:
    """Add an update to an issue."""
    return command("interactions", "add_issue_update", issue_id=issue_id, body=body)


@blueprint.endpoint(
    "GET",
    "/<uuid:issue_id>/talking-points",
    query=IssueTextListQuerySchema,
    answers=TalkingPointAnswer,
    collection=True,
    problems=(404,),
)
def list_talking_points(issue_id: str, query: Parameters) -> object:
    """List the talking points of an issue, in the order in which they were added (R68)."""
    return ask("interactions", "list_talking_points", issue_id=issue_id, query=query)


@blueprint.endpoint(
    "POST",
    "/<uuid:issue_id>/talking-points",
    body=TalkingPointCreateSchema,
    answers=TalkingPointAnswer,
    status=201,
    problems=(404,),
)
def add_talking_point(issue_id: str, body: JsonObject) -> object:
    """Add a talking point to an issue."""
    return command("interactions", "add_talking_point", issue_id=issue_id, body=body)
