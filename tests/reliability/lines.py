"""Make the connections between the parts of a system slow or broken, with a small proxy before broker and databases."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import make_url

from deploy.environment import PROCESSES
from tests.system import Full

#: The faults of a line.
FAULTS = ("delay", "reset", "black hole", "sliced", "half open")
DELAY = 2.0
#: The place where AMQP clients name their connection.
_NAME = b"connection_name"
_CHUNK = 65536


@dataclass(eq=False)
class Connection:
    """A connection through a line, in both directions."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    #: The name that clients of the broker give.
    name: str = ""
    #: Whether one side was closed without the knowledge of the other.
    severed: bool = False
    #: Whether the client has closed it.
    given_up: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Line:
    """The proxy between a process and the broker or its database."""

    process: str
    #: `broker` or `database`.
    to: str
    #: Opens a connection to the real target.
    dial: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
    port: int = 0
    fault: str | None = None
    #: The connections that the fault affects.
    hits: Callable[[str], bool] = lambda _: True
    connections: set[Connection] = field(default_factory=set)
    carried: int = 0
    #: The number of bytes or connections that the fault affected.
    met: int = 0
    healed: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward a connection until it ends."""
        try:
            there, server = await self.dial()
        except OSError:
            writer.close()
            return
        connection = Connection(writer, server)
        self.connections.add(connection)
        try:
            await asyncio.gather(self._carry(reader, server, connection, up=True), self._carry(there, writer, connection, up=False))
        finally:
            self.connections.discard(connection)
            for each in (server, writer):
                each.close()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: Connection, *, up: bool) -> None:
        """Forward one direction. Its end ends the other direction too, unless the fault hides it."""
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                self.carried += len(data)
                if up and _NAME in data:
                    connection.name = _named(data)
                await self._through(data, sink, connection, up=up)
        if up:
            connection.given_up.set()
        elif connection.severed:
            await connection.given_up.wait()
        for each in (connection.client, connection.server):
            each.close()

    async def _through(self, data: bytes, sink: asyncio.StreamWriter, connection: Connection, *, up: bool) -> None:
        if not self._is_hit(connection):
            if not connection.severed:
                sink.write(data)
                await sink.drain()
            return
        self.met += len(data)
        if self.fault == "delay":
            await asyncio.sleep(DELAY)
        elif self.fault == "reset":
            _reset(connection)
            return
        elif self.fault == "half open":
            _sever(connection)
            return
        elif self.fault == "sliced":
            for at in range(0, len(data), 7):
                sink.write(data[at : at + 7])
                await sink.drain()
                await asyncio.sleep(0)
            return
        else:
            await self.healed.wait()
        sink.write(data)
        await sink.drain()

    def _is_hit(self, connection: Connection) -> bool:
        return self.fault is not None and self.hits(connection.name)

    def strike(self, fault: str, hits: Callable[[str], bool]) -> None:
        """Begin a fault. Resets and severed connections affect idle connections too."""
        self.hits, self.fault, self.met = hits, fault, 0
        self.healed.clear()
        for connection in [each for each in self.connections if self.hits(each.name)]:
            if fault == "reset":
                self.met += 1
                _reset(connection)
            elif fault == "half open":
                self.met += 1
                _sever(connection)

    def heal(self) -> None:
        """End the fault; a severed connection stays severed until its client notices."""
        self.fault = None
        self.healed.set()


def _named(data: bytes) -> str:
    at = data.index(_NAME) + len(_NAME)
    (size,) = struct.unpack(">I", data[at + 1 : at + 5])
    return data[at + 5 : at + 5 + size].decode(errors="replace")


def _reset(connection: Connection) -> None:
    for writer in (connection.client, connection.server):
        if (sock := writer.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


def _sever(connection: Connection) -> None:
    """Close the connection to the server, but not to the client."""
    connection.severed = True
    connection.server.transport.abort()


class Lines:
    """The lines of a system, which run in their own thread."""

    def __init__(self) -> None:
        """Start the thread."""
        self.loop = asyncio.new_event_loop()
        self.lines: dict[tuple[str, str], Line] = {}
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="lines")
        self._thread.start()

    def lay(self, process: str, to: str, dial: Callable[[], Awaitable[Any]]) -> int:
        """Create a line, and return its port."""
        line = self.lines[process, to] = Line(process, to, dial)

        async def listen() -> int:
            server = await asyncio.start_server(line.take, "127.0.0.1", 0, family=socket.AF_INET)
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        line.port = self.run(listen())
        return line.port

    def run(self, work: Any) -> Any:
        """Run a coroutine in the thread of the lines, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    @contextmanager
    def broken(self, line: Line, fault: str, hits: Callable[[str], bool]) -> Iterator[Line]:
        """Break a line during the block."""

        async def strike() -> None:
            line.strike(fault, hits)

        async def heal() -> None:
            line.heal()

        self.run(strike())
        try:
            yield line
        finally:
            self.run(heal())

    def close(self) -> None:
        """Stop the thread."""

        async def end() -> None:
            ended = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
            for each in ended:
                each.cancel()
            await asyncio.gather(*ended, return_exceptions=True)

        for server in self._servers:
            self.loop.call_soon_threadsafe(server.close)
        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Lined(Full):
    """The whole system, with separate lines from each process to the broker and its databases."""

    lines: Lines

    def start(self) -> Lined:
        """Start the system."""
        self.lines = Lines()
        super().start()
        return self

    def stop(self) -> None:
        """Stop the system, and then the lines."""
        super().stop()
        self.lines.close()

    def environment_of(self, process: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process with addresses that lead through lines."""
        assert self.broker
        assert self.postgres
        broker, sockets, number = self.broker.port, self.postgres.url.query["host"], self.postgres.url.query["port"]
        port = self.lines.lay(process, "broker", lambda: asyncio.open_connection("127.0.0.1", broker))
        told = {**environment, "BROKER_URL": environment["BROKER_URL"].replace(f":{broker}/", f":{port}/")}
        if "DATABASE_URL" in told:
            port = self.lines.lay(process, "database", lambda: asyncio.open_unix_connection(f"{sockets}/.s.PGSQL.{number}"))
            for name in ("DATABASE_URL", "KEYS_DATABASE_URL"):
                if name in told:
                    url = make_url(told[name]).set(host="127.0.0.1", port=port, query={})
                    told[name] = url.render_as_string(hide_password=False)
        return told


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of parts, and the fault between them."""

    process: str
    to: str
    fault: str
    #: The suffix of the names of the affected connections: those of the relay, or all.
    only: str = ""

    def __str__(self) -> str:
        """Return the name of the cell."""
        return f"{self.fault} between {'the relay of ' if self.only else ''}{self.process} and its {self.to}"

    def hits(self, name: str) -> bool:
        """Return whether the fault affects a connection of that name. If names decide, it spares unnamed connections."""
        return name.endswith(self.only)


def cells(chance: random.Random) -> list[Cell]:
    """Return all pairs with all faults in an order given by the seed; the first ones have different pairs and faults."""
    pairs: dict[str, list[tuple[str, str, str]]] = {"gateway": [("gateway", "broker", "")], "service": [], "database": [], "relay": []}
    for process in PROCESSES:
        if process != "gateway":
            pairs["service"].append((process, "broker", ""))
            pairs["database"].append((process, "database", ""))
            pairs["relay"].append((process, "broker", "-publisher"))
    kinds = chance.sample(sorted(pairs), len(pairs))
    faults = chance.sample(FAULTS, len(FAULTS))
    first = [Cell(*chance.choice(pairs[kind])[:2], fault, pairs[kind][0][2]) for kind, fault in zip(kinds, faults, strict=False)]
    every = [Cell(process, to, fault, only) for kind in kinds for process, to, only in pairs[kind] for fault in FAULTS]
    rest = [cell for cell in every if cell not in first]
    return [*first, *chance.sample(rest, len(rest))]
