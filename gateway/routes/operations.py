"""The outcome of commands whose answer did not come in time."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from gateway.clients import query
from gateway.endpoints import ApiBlueprint
from services.chassis.messages import NotFound, Unavailable

blueprint = ApiBlueprint("operations", "Commands whose outcome was unknown")

#: Services that take commands; each stores its own operations.
REMEMBER = ("contacts", "interactions", "retention", "access", "audit")


class OperationUnknown(NotFound):
    """No service has done this operation; send the request again, with the same Idempotency-Key."""


class OperationAnswer(TypedDict):
    """A command that was carried out."""

    operation_id: str
    status: Annotated[int, Meta(description="The status that it was, or would have been, answered with.")]
    subject_id: str | None


@blueprint.endpoint("GET", "/<uuid:operation_id>", answers=OperationAnswer)
def read_operation(operation_id: str) -> object:
    """Read the outcome of a command."""
    away: Unavailable | None = None
    for service in REMEMBER:
        try:
            return query(service, "read_operation", operation_id=operation_id)
        except NotFound:
            continue
        except Unavailable as refusal:
            # Another service may know the operation. It is unknown only when all services have answered.
            away = refusal
    raise away or OperationUnknown
