"""Interactions in a process of its own: `python -m services.interactions`."""

import services.chassis.green  # isort: skip

import os

from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.runtime.process import compose, run
from services.interactions.service import InteractionsService

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else


def main() -> None:
    """Run until SIGTERM."""

    def read(service: str) -> Settings:
        return Settings.read(os.environ, service=service)

    settings = read(InteractionsService.name)
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    run([(InteractionsService, compose(settings))], read=read)


if __name__ == "__main__":
    main()
