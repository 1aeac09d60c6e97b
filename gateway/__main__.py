"""Runs the gateway in its own process: `python -m gateway`."""

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

assert services.chassis.green  # noqa: S101 - the import patches the process before all others

#: Seconds that running requests have to end when the process stops.
LAST_REQUESTS = 10.0


def main() -> None:
    """Serve until SIGTERM, then finish the running requests and end."""

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
    # The first kill stops accepting, closes idle connections and waits for running requests; the second one ends it.
    serving.kill()
    with eventlet.Timeout(LAST_REQUESTS, exception=False), suppress(GreenletExit):
        serving.wait()
    serving.kill()
    client.stop()


if __name__ == "__main__":
    main()
