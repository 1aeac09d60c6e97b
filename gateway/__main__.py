"""The gateway in a process of its own: `python -m gateway`."""

import services.chassis.green  # isort: skip

import os
from contextlib import suppress

import eventlet
from greenlet import GreenletExit

from gateway.app import create_app
from gateway.server import listen, serve
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.process import compose, wait_for_signal

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else

#: Requests under way when the process is asked to stop have this long to end.
LAST_REQUESTS = 10.0


def main() -> None:
    """Answer until SIGTERM; then take nothing new, finish what is under way, and go."""
    settings = Settings.read(os.environ, service="gateway")
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    stop = wait_for_signal()
    listener = listen(settings)
    process = compose(settings)
    process.start()
    serving = eventlet.spawn(serve, create_app(process.client, process.revocations, settings), listener)
    stop.wait()
    # Killed once, it takes no more connections, closes the idle ones and waits for what is under way; twice, it ends.
    serving.kill()
    with eventlet.Timeout(LAST_REQUESTS, exception=False), suppress(GreenletExit):
        serving.wait()
    serving.kill()
    process.stop()


if __name__ == "__main__":
    main()
