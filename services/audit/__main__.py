"""Audit in a process of its own: `python -m services.audit`."""

import services.chassis.green  # isort: skip

import os

from services.audit.service import AuditService
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.runtime.process import compose, run

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else


def main() -> None:
    """Run until SIGTERM."""

    def read(service: str) -> Settings:
        return Settings.read(os.environ, service=service)

    settings = read(AuditService.name)
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    run([(AuditService, compose(settings))], read=read)


if __name__ == "__main__":
    main()
