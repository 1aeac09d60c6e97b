"""The `read_operation` call, which returns the result of a command whose answer was lost."""

from __future__ import annotations

from typing import TypedDict

from services.chassis.database import Database
from services.chassis.entrypoints.rpc import rpc
from services.chassis.messages import Caller, NotFound
from services.chassis.validation import as_id


class OperationResult(TypedDict):
    """The HTTP status of a command, and the id of the record that it changed or created."""

    operation_id: str
    status: int
    subject_id: str | None


class OperationMethods:
    """A base class that lets a service answer for its commands."""

    name: str
    database: Database

    @rpc("{service}:operation:read", subject="operation_id")
    def read_operation(self, caller: Caller, operation_id: str) -> OperationResult:
        """Return the stored result of the caller's own operation.

        :raises NotFound: this service has no result for it.
        """
        with self.database.work(caller) as work:
            done = work.find_operation(as_id(operation_id))
            if done is None:
                raise NotFound
            work.record(f"{self.name}:operation:read", subjects=[done.operation_id])
            return {"operation_id": done.operation_id, "status": done.status, "subject_id": done.subject_id}
