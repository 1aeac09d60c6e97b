"""What became of a command whose answer was lost."""

from __future__ import annotations

from typing import Any

from services.chassis.database import Database
from services.chassis.entrypoints.rpc import rpc
from services.chassis.messages import Caller, NotFound
from services.chassis.validation import as_id


class OperationMethods:
    """Makes a service answer for the commands that it has run; a service class inherits from it."""

    name: str
    database: Database

    @rpc("{service}:operation:read", subject="operation_id")
    def read_operation(self, caller: Caller, operation_id: str) -> dict[str, Any]:
        """Return what the caller's own operation came to.

        :raises NotFound: nothing is known of it here.
        """
        with self.database.work(caller) as work:
            done = work.find_operation(as_id(operation_id))
            if done is None:
                raise NotFound
            work.record(f"{self.name}:operation:read", subjects=[done.operation_id])
            return {"operation_id": done.operation_id, "status": done.status, "subject_id": done.subject_id}
