"""Audit in a process of its own: `python -m services.audit`."""

import services.chassis.green  # isort: skip

from services.audit.service import AuditService
from services.chassis.runtime.process import run_service

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else

if __name__ == "__main__":
    run_service(AuditService)
