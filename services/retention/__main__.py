"""Run retention in its own process: `python -m services.retention`."""

import services.chassis.green  # isort: skip

from services.chassis.runtime.process import run_service
from services.retention.service import RetentionService

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else

if __name__ == "__main__":
    run_service(RetentionService)
