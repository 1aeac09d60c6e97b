"""Interactions in a process of its own: `python -m services.interactions`."""

import services.chassis.green  # isort: skip

from services.chassis.runtime.process import run_service
from services.interactions.service import InteractionsService

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else

if __name__ == "__main__":
    run_service(InteractionsService)
