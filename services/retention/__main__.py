"""Run retention in its own process: `python -m services.retention`."""

import services.chassis.green  # isort: skip

import os

from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.runtime.process import compose, run
from services.retention.service import RetentionService

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else


def main() -> None:
    """Run until SIGTERM."""

    def read(service: str) -> Settings:
        return Settings.read(os.environ, service=service)

    settings = read(RetentionService.name)
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    run([(RetentionService, compose(settings))], read=read)


if __name__ == "__main__":
    main()
