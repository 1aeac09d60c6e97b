"""One connection to the broker that keeps itself alive: reading, writing, reconnecting.

py-amqp serves one thread. Shared by greenlets it has three traps, and each has its remedy here:

* its `basic_publish` reads from the socket first, in whichever greenlet publishes, and corrupts the stream that the
  reader reads: here publishing only ever writes, and one greenlet reads;
* a greenlet killed in the middle of a write leaves half a frame behind: here one greenlet of the connection's own
  writes, everybody else hands it whole frames (copied, because py-amqp reuses its buffer), and what piles up while
  it writes goes out in one piece;
* a read with a timeout sets the timeout of the socket, which the writer shares: here the reader waits without one,
  over TLS too, and a heartbeat of its own notices a dead peer.

And eventlet has one: a greenlet that waits for a socket which another one closes is never woken. Whoever notices that
the connection is gone ends it without closing the socket; that wakes the reader, who closes it.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import amqp
import eventlet
from amqp.method_framing import frame_handler, frame_writer
from eventlet.event import Event
from kombu.connection import Connection
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport import pyamqp
from kombu.utils.url import parse_url

from services.chassis.backoff import pauses
from services.chassis.logs import Log

_log = Log(__name__)

HEARTBEAT = 10.0
_CONNECT_TIMEOUT = 5.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
#: AMQP's frame that bears a message's properties, and where in it they begin.
_CONTENT_HEADER = 2
_PROPERTIES_AT = 12


class BrokerUnavailable(Exception):
    """There is no connection to the broker just now, or the broker takes nothing in."""


@dataclass(slots=True, kw_only=True)
class Address:
    """Where the broker is, as whom we go there, and whose certificate we believe; its password may change."""

    url: str = field(repr=False)
    #: File of the authority's certificates, for `amqps://`; the system's own when empty.
    authority: str = ""
    #: Whose connection it is where the address names nobody, as in the in-process broker's, which asks for no password.
    known_as: str = ""

    @property
    def account(self) -> str:
        """The account that the broker knows this connection by; empty for none."""
        return str(parse_url(self.url)["userid"] or self.known_as)

    def connection(self, *, heartbeat: float = HEARTBEAT, **options: Any) -> Connection:
        """Return an unopened connection.

        Over TLS the peer must show a certificate of the name that we dialled: kombu by itself verifies the chain only.
        """
        scheme = self.url.partition(":")[0]
        tls: dict[str, Any] | None = None
        if scheme == "amqps":
            tls = {
                "server_hostname": parse_url(self.url)["hostname"] or "localhost",
                "cert_reqs": ssl.CERT_REQUIRED,
                "ca_certs": self.authority or ssl.get_default_verify_paths().cafile,
            }
        return _Connection(
            self.url, userid=self.account or None, ssl=tls, heartbeat=heartbeat, connect_timeout=_CONNECT_TIMEOUT, transport_options=options
        )


class _Connection(Connection):
    """A kombu connection that takes our own AMQP transport."""

    def get_transport_cls(self) -> Any:
        if self.transport_cls in {"amqp", "amqps"}:
            return _Transport
        return super().get_transport_cls()


class _BatchedFrames:
    """A socket's writing side: whole frames in, in the order they came, from one greenlet."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._write = transport.write
        self._waiting: list[bytes] = []
        self._busy = False

    def write(self, frame: bytes | memoryview) -> None:
        if self._transport.sock is None:
            message = "the connection is closed"
            raise ConnectionResetError(message)
        self._waiting.append(bytes(frame))
        if not self._busy:
            self._busy = True
            eventlet.spawn(self._flush)

    def _flush(self) -> None:
        try:
            while self._waiting:
                frames, self._waiting = self._waiting, []
                self._write(b"".join(frames))
        except OSError:
            self._waiting.clear()
            _shut_down(self._transport.sock)
        finally:
            self._busy = False


def _tolerant_frame_handler(connection: Any, callback: Any) -> Any:
    """Read frames; a message whose properties cannot be read arrives without any.

    py-amqp raises, and the reader would lose its connection each time that the broker delivers the message again.
    """
    on_frame = frame_handler(connection, callback)

    def on_any_frame(frame: tuple[int, int, bytes]) -> Any:
        try:
            return on_frame(frame)
        except (ValueError, struct.error, amqp.FrameSyntaxError):
            kind, channel, buffer = frame
            if kind != _CONTENT_HEADER:
                raise
            return on_frame((kind, channel, bytes(buffer[:_PROPERTIES_AT]) + b"\0\0"))

    return on_any_frame


def _batched_frame_writer(connection: Any, transport: Any) -> Any:
    return frame_writer(connection, _BatchedFrames(transport))


class _AmqpChannel(pyamqp.Channel):
    def basic_publish(self, msg: Any, exchange: str = "", routing_key: str = "", mandatory: bool = False, **_: Any) -> Any:
        """Write the message, and nothing else."""
        return self.send_method(amqp.spec.Basic.Publish, "Bssbb", (0, exchange, routing_key, mandatory, False), msg)


class _AmqpConnection(pyamqp.Connection):
    Channel = _AmqpChannel

    def connect(self, callback: Any = None) -> Any:
        result = super().connect(callback)
        transport = self.transport
        receive = transport.sock.recv
        # py-amqp keeps what it was given too much, and asks for seven bytes at a time: one call to the system
        # instead of six for every message.
        transport._quick_recv = lambda _: receive(65536)  # noqa: SLF001 - py-amqp has no other place for it
        if isinstance(transport.sock, ssl.SSLSocket):
            # It leaves the handshake's deadline on the socket: the reader would take five quiet seconds for a dead broker.
            transport.sock.settimeout(None)
            # And it would wait for the other side's goodbye from one that is let go because it says nothing any more.
            transport._shutdown_transport = _say_no_goodbye  # noqa: SLF001 - likewise
        return result


class _Transport(pyamqp.Transport):
    Connection = _AmqpConnection


#: What py-amqp and kombu raise when a connection or channel is lost.
LOST: tuple[type[BaseException], ...] = (
    *pyamqp.Transport.connection_errors,
    *pyamqp.Transport.channel_errors,
    OperationalError,
    ChannelError,
    OSError,
    AttributeError,  # py-amqp raises it when a connection goes away under it.
)


class Delivery:
    """One message as it was delivered. Unlike kombu's, it does not unpack what a stranger's header calls compressed."""

    __slots__ = ("_channel", "_tag", "body", "exchange", "headers", "properties", "redelivered", "routing_key", "sender")

    def __init__(self, raw: Any, channel: Any) -> None:
        """Take what a channel's callback or `basic_get` gave."""
        self._channel = channel
        self._tag = raw.delivery_tag
        self.properties: dict[str, Any] = raw.properties
        self.headers: dict[str, Any] = raw.headers or {}
        self.body: bytes = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body or b"")
        self.exchange = str(raw.delivery_info.get("exchange") or "")
        self.routing_key = str(raw.delivery_info.get("routing_key") or "")
        #: The account that published it, as the broker made sure; empty if the sender did not say. Of a message that was moved,
        #: who moved it: `transport.origin` knows from whom it came first.
        self.sender = str(self.properties.get("user_id") or "")
        self.redelivered = bool(raw.delivery_info.get("redelivered"))

    @property
    def is_live(self) -> bool:
        """Whether the connection that it came over is still there; else it comes again over another."""
        return self._channel.connection is not None

    def ack(self) -> None:
        """Acknowledge; when the connection is gone, the broker has it again already."""
        self._settle(self._channel.basic_ack)

    def requeue(self) -> None:
        """Give it back to its queue."""
        self._settle(lambda tag: self._channel.basic_reject(tag, requeue=True))

    def _settle(self, how: Callable[[Any], object]) -> None:
        if self.is_live:
            try:
                how(self._tag)
            except LOST:
                return


class BrokerConnection:
    """One connection of one process: reconnects by itself, with growing pauses, for as long as it is wanted.

    `on_connect` is called with the new channel after every connect, before anybody publishes; there it declares and
    consumes. `on_disconnect` is called after every loss.
    """

    def __init__(
        self,
        address: Address,
        *,
        name: str,
        on_connect: Callable[[Any], object] = lambda _: None,
        on_disconnect: Callable[[], object] = lambda: None,
        on_blocked: Callable[[bool], object] = lambda _: None,
    ) -> None:
        """Describe the link; `start` opens it."""
        self._address = address
        self._account = address.account
        self._name = name
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._on_blocked = on_blocked
        self._connection: Connection | None = None
        self._inner: Any = None
        self._channel: Any = None
        self._up = Event()
        self._stopping = False
        self._pause = Event()
        self._reader: Any = None
        self._heart: Any = None
        self.blocked = False
        #: Why the last connection was lost or refused.
        self.last_error: BaseException | None = None

    @property
    def is_up(self) -> bool:
        """Whether there is a connection just now."""
        return self._channel is not None

    @property
    def channel(self) -> Any:
        """The prepared channel.

        :raises BrokerUnavailable: there is no connection just now.
        """
        if self._channel is None:
            message = f"{self._name}: no connection to the broker"
            raise BrokerUnavailable(message)
        return self._channel

    def start(self) -> None:
        """Begin to connect, in the background."""
        if self._reader is None:
            self._reader = eventlet.spawn(self._run)

    def wait_up(self, seconds: float | None = None) -> bool:
        """Wait until there is a connection; tell whether there is."""
        with eventlet.Timeout(seconds, exception=False):
            while not self.is_up:
                self._up.wait()
        return self.is_up

    def stop(self) -> None:
        """Close the connection, and stay closed."""
        self._stopping = True
        if not self._pause.ready():
            self._pause.send()
        self._channel = None
        if self._connection is not None and self._inner is not None:
            _part(self._connection.transport, self._inner)
        if self._reader is not None:
            with eventlet.Timeout(5, exception=False):
                self._reader.wait()
            self._reader.kill()
            self._reader = None

    def cancel(self, *tags: str) -> None:
        """Ask the broker to deliver nothing more to these consumers; do nothing without a connection."""
        if self.is_up:
            try:
                for tag in tags:
                    self.channel.basic_cancel(tag, nowait=True)
            except LOST:
                return

    def publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        headers: Mapping[str, Any] | None = None,
        mandatory: bool = False,
        **properties: Any,
    ) -> None:
        """Hand one JSON message to the connection.

        :raises BrokerUnavailable: there is no connection, or the broker refuses to take anything in (memory or disk alarm).
        """
        channel = self.channel
        if self.blocked:
            message = f"{self._name}: the broker takes nothing in"
            raise BrokerUnavailable(message)
        if self._account:
            # The broker refuses the name of anybody else, and receivers refuse a message without one.
            properties["user_id"] = self._account
        message = channel.prepare_message(
            body,
            content_type="application/json",
            content_encoding="utf-8",
            headers=dict(headers or {}),
            properties=properties,
        )
        try:
            channel.basic_publish(message, exchange=exchange, routing_key=routing_key, mandatory=mandatory)
        except LOST as error:
            raise BrokerUnavailable(str(error)) from error

    def _run(self) -> None:
        waits = pauses(first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        while not self._stopping:
            pause = next(waits)
            try:
                inner = self._connect()
                waits = pauses(first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
                pause = next(waits)
                while not self._stopping:
                    self._connection.transport.drain_events(inner)  # type: ignore[union-attr]  # just connected
            except LOST as error:
                self.last_error = error
                if not self._stopping:
                    _log.warning("broker.lost", link=self._name, error=type(error).__name__, pause=pause)
            except Exception:  # noqa: BLE001 - a callback's mistake must not end this process's only reader
                _log.exception("broker.reader", link=self._name)
            finally:
                self._disconnect()
            if not self._stopping:
                with eventlet.Timeout(pause, exception=False):
                    self._pause.wait()

    def _connect(self) -> Any:
        self._connection = self._address.connection(
            on_blocked=lambda _reason: self._set_blocked(True),
            on_unblocked=lambda: self._set_blocked(False),
            client_properties={"connection_name": self._name},
            frame_writer=_batched_frame_writer,
            frame_handler=_tolerant_frame_handler,
        )
        with eventlet.Timeout(_CONNECT_TIMEOUT * 2, TimeoutError("the broker did not answer")):
            # kombu's `connection` reconnects on its own when it is asked for; so it is asked once.
            inner = self._inner = self._connection.connection
            channel = self._connection.transport.create_channel(inner)
            self._on_connect(channel)
        self._channel = channel
        self._heart = eventlet.spawn(self._beat, self._connection.transport, inner)
        self._up.send()
        _log.info("broker.connected", link=self._name)
        return inner

    def _beat(self, transport: Any, inner: Any) -> None:
        while True:
            eventlet.sleep(HEARTBEAT / 4)
            try:
                transport.heartbeat_check(inner)
            except LOST:
                _hang_up(transport, inner)
                return

    def _set_blocked(self, blocked: bool) -> None:
        self.blocked = blocked
        _log.warning("broker.blocked" if blocked else "broker.unblocked", link=self._name)
        self._on_blocked(blocked)

    def _disconnect(self) -> None:
        was_up = self._channel is not None
        self._channel = None
        self.blocked = False
        if self._up.ready():
            self._up = Event()
        if self._heart is not None:
            self._heart.kill()
            self._heart = None
        if self._connection is not None and self._inner is not None:
            _drop(self._connection.transport, self._inner)
        self._connection = self._inner = None
        if was_up or self._stopping:
            self._on_disconnect()


def _say_no_goodbye() -> None:
    """Leave TLS to the end of the connection: what AMQP had to say of it is said."""


def _shut_down(sock: Any) -> None:
    """End a socket's connection for whoever reads from it; one that was reset has woken its reader already."""
    if sock is not None:
        # A twin, for TLS takes itself apart when its own socket is shut down.
        with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)


def _hang_up(transport: Any, inner: Any) -> None:
    """End a connection from elsewhere than its reader, who wakes up and reconnects."""
    if isinstance(inner, amqp.Connection):
        # Not its `transport`: asked for that, a connection that is closed connects again.
        _shut_down(getattr(inner._transport, "sock", None))  # noqa: SLF001 - there is no other way to it
    else:
        _drop(transport, inner)


def _part(transport: Any, inner: Any) -> None:
    """Say goodbye in order: the broker gives back at once what was not acknowledged."""
    try:
        if isinstance(inner, amqp.Connection):
            # The reader reads the answer; a second reader on one socket is an error.
            inner.send_method(amqp.spec.Connection.Close, "BsBB", (0, "", 0, 0))
        else:
            transport.close_connection(inner)
    except LOST:
        _hang_up(transport, inner)


def _drop(transport: Any, inner: Any) -> None:
    """Let go of the socket without a word."""
    try:
        if isinstance(inner, amqp.Connection):
            inner.collect()
        else:
            transport.close_connection(inner)
    except LOST:
        return
