"""Access in a process of its own: `python -m services.access`."""

import services.chassis.green  # isort: skip

import os

from services.access.service import AccessService
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.runtime.process import compose, run

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else


def main() -> None:
    """Run until SIGTERM."""

    def read(service: str) -> Settings:
        return Settings.read(os.environ, service=service)

    settings = read(AccessService.name)
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    run([(AccessService, compose(settings))], read=read)


if __name__ == "__main__":
    main()
