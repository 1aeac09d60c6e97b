"""Access in a process of its own: `python -m services.access`."""

import services.chassis.green  # isort: skip

from services.access.service import AccessService
from services.chassis.runtime.process import run_service

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else

if __name__ == "__main__":
    run_service(AccessService)
