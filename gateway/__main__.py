"""The gateway in a process of its own: `python -m gateway`."""

import services.chassis.green  # isort: skip

import os
from contextlib import suppress

import eventlet
from greenlet import GreenletExit

from gateway.app import create_app
from gateway.context import context_of
from gateway.server import listen, serve
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.runtime.clients import address_of, client_and_revocations
from services.chassis.runtime.key_renewal import KeyRenewal, watch_keys
from services.chassis.runtime.memory import settle, tune
from services.chassis.signals import wait_for_signal

assert services.chassis.green  # noqa: S101 - it was imported for what it does, before everything else

#: Requests under way when the process is asked to stop have this long to end.
LAST_REQUESTS = 10.0


def main() -> None:
    """Answer until SIGTERM; then take nothing new, finish what is under way, and go."""

    def read() -> Settings:
        return Settings.read(os.environ, service="gateway")

    settings = read()
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    tune(settings)
    stop = wait_for_signal()
    listener = listen(settings)
    address = address_of(settings)
    client, revocations = client_and_revocations(settings, address)
    client.start()
    app = create_app(client, revocations, settings)

    def renew(fresh: Settings) -> None:
        context_of(app).renew(fresh)
        address.url = fresh.broker_url

    serving = eventlet.spawn(serve, app, listener)
    looking = eventlet.spawn(watch_keys, [KeyRenewal(settings, read, renew)])
    settle(settings)
    stop.wait()
    looking.kill()
    # Killed once, it takes no more connections, closes the idle ones and waits for what is under way; twice, it ends.
    serving.kill()
    with eventlet.Timeout(LAST_REQUESTS, exception=False), suppress(GreenletExit):
        serving.wait()
    serving.kill()
    client.stop()


if __name__ == "__main__":
    main()
