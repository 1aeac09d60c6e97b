"""An empty call over the bus: `python -m tests.bench.bus URL CLIENTS SECONDS` prints calls per second and their median in ms.

An unknown method is refused when the call arrives, without passport, policy, database or audit.
"""

import services.chassis.green  # isort: skip

import sys
import time
from statistics import median

import eventlet

from services.chassis import logs
from services.chassis.messages import NotFound
from services.chassis.transport.connection import Address
from services.chassis.transport.rpc_client import RpcClient

assert services.chassis.green


def main() -> None:
    """Call, with as many calls at a time as there are clients."""
    logs.configure(level="ERROR")
    url, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    client = RpcClient(Address(url=url), identity="gateway")
    client.start()
    client.wait_up(10)
    times: list[float] = []
    until = time.perf_counter() + seconds

    def call() -> None:
        while (begun := time.perf_counter()) < until:
            try:
                client.call("contacts", "nothing", {})
            except NotFound:
                times.append(time.perf_counter() - begun)

    callers = [eventlet.spawn(call) for _ in range(clients)]
    for caller in callers:
        caller.wait()
    client.stop()
    print(len(times) / seconds, median(times) * 1000)


if __name__ == "__main__":
    main()
