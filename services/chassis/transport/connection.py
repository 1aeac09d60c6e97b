"""A broker connection that reads, writes and reconnects by itself.

py-amqp expects one thread. With greenlets it has three problems, which are solved here:

* Its `basic_publish` first reads from the socket, in the greenlet that publishes, and so corrupts the reader's stream.
  Here, publishing only writes, and one greenlet reads.
* A greenlet that is killed during a write leaves half a frame behind. Here, one greenlet per connection writes whole
  frames that the others hand to it (copied, because py-amqp reuses its buffer), and joins what waits into one write.
* A read with a timeout sets the socket's timeout, which the writer shares. Here, the reader has no timeout, not even
  over TLS, and a heartbeat greenlet detects a dead peer.

eventlet never wakes a greenlet that waits for a socket which another greenlet closes. So whoever finds the connection
dead only shuts it down; that wakes the reader, which closes the socket.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypedDict

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

#: Seconds.
HEARTBEAT = 10.0
_CONNECT_TIMEOUT = 5.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
#: AMQP's content header frame, and the offset of the message properties in it.
_CONTENT_HEADER = 2
_PROPERTIES_AT = 12


class BrokerUnavailable(Exception):
    """There is no connection to the broker, or the broker blocks publishers."""


class TlsOptions(TypedDict):
    """Options of an AMQP connection over TLS."""

    server_hostname: str
    cert_reqs: ssl.VerifyMode
    ca_certs: str | None


@dataclass(slots=True, kw_only=True)
class Address:
    """Broker URL with credentials, and trusted CA file; the URL may change at run time."""

    url: str = field(repr=False)
    #: File of CA certificates for `amqps://`; the system's own when empty.
    authority: str = ""
    #: The account if the URL has none, as for the in-process broker, which has no passwords.
    known_as: str = ""

    @property
    def account(self) -> str:
        """The broker account of the connection; empty for none."""
        return str(parse_url(self.url)["userid"] or self.known_as)

    def connection(self, *, heartbeat: float = HEARTBEAT, **options: Any) -> Connection:
        """Return an unopened connection.

        Over TLS, the certificate must be for the host name of the URL; by default kombu verifies only the chain.
        """
        scheme = self.url.partition(":")[0]
        tls: TlsOptions | None = None
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
    """A kombu connection that uses our AMQP transport."""

    def get_transport_cls(self) -> Any:
        if self.transport_cls in {"amqp", "amqps"}:
            return _Transport
        return super().get_transport_cls()


class _BatchedFrames:
    """Writes whole frames to the transport in order, from one greenlet."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._write = transport.write
        self._waiting: list[bytes] = []
        self._busy = False

    def write(self, frame: bytes | memoryview) -> None:
        if self._transport.sock is None:
            raise ConnectionResetError("the connection is closed")
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
    """Return a frame handler that delivers a message with unreadable properties without any.

    py-amqp raises instead, and the reader would lose its connection at every redelivery of the message.
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
        """Write the message without reading from the socket."""
        return self.send_method(amqp.spec.Basic.Publish, "Bssbb", (0, exchange, routing_key, mandatory, False), msg)


class _AmqpConnection(pyamqp.Connection):
    Channel = _AmqpChannel

    def connect(self, callback: Any = None) -> Any:
        result = super().connect(callback)
        transport = self.transport
        receive = transport.sock.recv
        # py-amqp asks for seven bytes at a time and keeps the rest that it is given: one system call per message
        # instead of six.
        transport._quick_recv = lambda _: receive(65536)  # noqa: SLF001 - py-amqp has no public hook
        if isinstance(transport.sock, ssl.SSLSocket):
            # py-amqp leaves the handshake's timeout on the socket, and the reader would fail after five idle seconds.
            transport.sock.settimeout(None)
            # py-amqp's TLS shutdown waits for the peer, which may be dead.
            transport._shutdown_transport = _skip_tls_shutdown  # noqa: SLF001 - likewise
        return result


class _Transport(pyamqp.Transport):
    Connection = _AmqpConnection


#: Exceptions of py-amqp and kombu for a lost connection or channel.
LOST: tuple[type[BaseException], ...] = (
    *pyamqp.Transport.connection_errors,
    *pyamqp.Transport.channel_errors,
    OperationalError,
    ChannelError,
    OSError,
    AttributeError,  # py-amqp raises it when the connection is closed during a call.
)


class Delivery:
    """A delivered message. Unlike kombu's, it does not decompress bodies, because anybody can set that header."""

    __slots__ = ("_channel", "_tag", "body", "exchange", "headers", "properties", "redelivered", "routing_key", "sender")

    def __init__(self, raw: Any, channel: Any) -> None:
        """Wrap a message from a channel's callback or `basic_get`."""
        self._channel = channel
        self._tag = raw.delivery_tag
        # A sender may put anything into them.
        self.properties: Mapping[str, object] = raw.properties
        self.headers: Mapping[str, object] = raw.headers or {}
        self.body: bytes = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body or b"")
        self.exchange = str(raw.delivery_info.get("exchange") or "")
        self.routing_key = str(raw.delivery_info.get("routing_key") or "")
        #: The account that published it, verified by the broker; empty if not set. For a moved message, the account that
        #: moved it; `transport.origin` finds the original sender.
        self.sender = str(self.properties.get("user_id") or "")
        self.redelivered = bool(raw.delivery_info.get("redelivered"))

    @property
    def is_live(self) -> bool:
        """Whether its connection is still open; otherwise the broker delivers it again."""
        return self._channel.connection is not None

    def ack(self) -> None:
        """Acknowledge; do nothing if the connection is closed."""
        self._settle(self._channel.basic_ack)

    def requeue(self) -> None:
        """Return it to its queue."""
        self._settle(lambda tag: self._channel.basic_reject(tag, requeue=True))

    def _settle(self, how: Callable[[Any], object]) -> None:
        if self.is_live:
            try:
                how(self._tag)
            except LOST:
                return


class BrokerConnection:
    """One broker connection that reconnects with growing pauses until it is stopped.

    `on_connect` is called with the new channel after every connect, to declare and consume, before anything is
    published. `on_disconnect` is called after every disconnect; `on_blocked` when the broker blocks or unblocks publishers.
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
        """Prepare; `start` connects."""
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

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._channel is not None

    @property
    def channel(self) -> Any:
        """The open channel, after `on_connect`.

        :raises BrokerUnavailable: there is no connection.
        """
        if self._channel is None:
            raise BrokerUnavailable(f"{self._name}: no connection to the broker")
        return self._channel

    def start(self) -> None:
        """Start to connect in the background."""
        if self._reader is None:
            self._reader = eventlet.spawn(self._run)

    def wait_up(self, seconds: float | None = None) -> bool:
        """Wait until there is a connection, at most `seconds`; return whether there is."""
        with eventlet.Timeout(seconds, exception=False):
            while not self.is_up:
                self._up.wait()
        return self.is_up

    def stop(self) -> None:
        """Close the connection and do not reconnect."""
        self._stopping = True
        if not self._pause.ready():
            self._pause.send()
        self._channel = None
        if self._connection is not None and self._inner is not None:
            _close(self._connection.transport, self._inner)
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
        headers: Mapping[str, object] | None = None,
        mandatory: bool = False,
        **properties: Any,
    ) -> None:
        """Publish one JSON message.

        :raises BrokerUnavailable: there is no connection, or the broker blocks publishers (memory or disk alarm).
        """
        channel = self.channel
        if self.blocked:
            raise BrokerUnavailable(f"{self._name}: the broker takes nothing in")
        if self._account:
            # The broker rejects another account's name, and receivers reject a message without one.
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
                if not self._stopping:
                    _log.warning("broker.lost", link=self._name, error=type(error).__name__, pause=pause)
            except Exception:  # noqa: BLE001 - an error in a callback must not end the connection's only reader
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
            # kombu's `connection` property reconnects on access, so it is read once.
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


def _skip_tls_shutdown() -> None:
    """Do nothing: AMQP has its own closing handshake."""


def _shut_down(sock: Any) -> None:
    """Shut a socket down, which wakes its reader; do nothing if it was reset."""
    if sock is not None:
        # On a duplicate, because an SSLSocket drops its TLS state when it is shut down.
        with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)


def _hang_up(transport: Any, inner: Any) -> None:
    """Shut a connection down from another greenlet; the reader wakes up and reconnects."""
    if isinstance(inner, amqp.Connection):
        # Not `inner.transport`: that property reconnects a closed connection.
        _shut_down(getattr(inner._transport, "sock", None))  # noqa: SLF001 - there is no public access
    else:
        _drop(transport, inner)


def _close(transport: Any, inner: Any) -> None:
    """Close a connection in order, so that the broker requeues unacknowledged messages at once."""
    try:
        if isinstance(inner, amqp.Connection):
            # The reader receives the answer; only one greenlet may read from a socket.
            inner.send_method(amqp.spec.Connection.Close, "BsBB", (0, "", 0, 0))
        else:
            transport.close_connection(inner)
    except LOST:
        _hang_up(transport, inner)


def _drop(transport: Any, inner: Any) -> None:
    """Close the socket without AMQP's closing handshake."""
    try:
        if isinstance(inner, amqp.Connection):
            inner.collect()
        else:
            transport.close_connection(inner)
    except LOST:
        return
