"""The HTTP server: eventlet.wsgi with limits for lines, headers, bodies, slow clients and connections."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from wsgiref.types import WSGIEnvironment

import eventlet
import eventlet.wsgi
from flask import Flask

from gateway.connections import Connections, Listener, Phase, TrackedConnection, connection_limit
from gateway.errors import BodyTooSlow, BrokenFraming, framing_error_response
from gateway.framing import RequestBody, RequestHead
from services.chassis.config import Settings

#: Seconds for the TLS handshake.
HANDSHAKE_DEADLINE = 10.0
#: Seconds for the request line and headers, even when a client keeps sending.
HEADER_DEADLINE = 10.0
#: Seconds for the body: enough for 10 MiB over a slow line.
BODY_DEADLINE = 60.0
SOCKET_TIMEOUT = 15.0
KEEP_ALIVE = 60.0
MAX_LINE = 8192
MAX_HEADERS = 16384
MAX_CONNECTIONS = 1000
MAX_DISCARDED = 32 << 20

log = logging.getLogger("gateway.server")


class Protocol(eventlet.wsgi.HttpProtocol):
    """eventlet's protocol with deadlines; it does not name its software."""

    server_version = "liaison"
    sys_version = ""
    #: Whether the connection has waited for a request before.
    _served_before = False

    def handle(self) -> None:
        """Do the TLS handshake in the connection's own greenlet: when accepting, it would delay all others."""
        if isinstance(self.connection, ssl.SSLSocket):
            try:
                with eventlet.Timeout(HANDSHAKE_DEADLINE):
                    self.connection.do_handshake()
            except (eventlet.Timeout, OSError):
                # The client may not speak TLS, so no answer would reach it.
                self.conn_state[2] = eventlet.wsgi.STATE_CLOSE
                return
        super().handle()

    @property
    def _tracked(self) -> TrackedConnection:
        tracked: TrackedConnection = self.conn_state[3]
        return tracked

    def handle_one_request(self) -> None:
        """Read a request and answer it; while it waits, the connection may be closed for another one."""
        self._tracked.enter(Phase.WAITING)
        super().handle_one_request()

    def _read_request_line(self) -> Any:
        # The first request has to come soon; between requests a connection may be idle.
        self.connection.settimeout(KEEP_ALIVE if self._served_before else HEADER_DEADLINE)
        self._served_before = True
        with suppress(OSError):
            self.rfile.peek(1)
            with eventlet.Timeout(HEADER_DEADLINE, False):
                return super()._read_request_line()
        return b""

    def parse_request(self) -> bool:
        """Read the headers strictly and before their deadline."""
        deadline = eventlet.Timeout(HEADER_DEADLINE)
        try:
            # Some clients send an empty line after a body.
            line = self.rfile.readline() if self.raw_requestline == b"\r\n" else self.raw_requestline
            head = RequestHead(line, self.rfile.readline)
        except BrokenFraming:
            self.wfile.write(framing_error_response())
            self.close_connection = 1
            return False
        except eventlet.Timeout as timeout:
            if timeout is not deadline:
                raise
            self.close_connection = 1
            return False
        finally:
            deadline.cancel()
        self.requestline, self.command, self.path, self.request_version = head.line, head.method, head.target, head.version
        self.headers = head.headers
        self.close_connection = int(head.closes)
        self._tracked.enter(Phase.ANSWERED)
        return True

    def finish(self) -> None:
        """Close the socket even when the client is gone and the last write fails."""
        for close in (super().finish, self.wfile.close, self.rfile.close):
            with suppress(OSError):
                close()

    def get_environ(self) -> WSGIEnvironment:
        """Wrap the body so that it is read strictly and before its deadline."""
        environ: WSGIEnvironment = super().get_environ()
        environ["wsgi.input"] = environ["eventlet.input"] = DeadlineInput(RequestBody.of(environ["wsgi.input"], self.connection), self._tracked)
        if "HTTP_TRANSFER_ENCODING" in environ:
            # Without this, Werkzeug takes a chunked body for an empty one.
            environ["wsgi.input_terminated"] = True
        return environ


class DeadlineInput:
    """A request body that has to arrive before its deadline.

    :raises BodyTooSlow: from every way to read it.
    """

    def __init__(self, stream: Any, tracked: TrackedConnection) -> None:
        self._stream = stream
        self._tracked = tracked
        self._remaining = BODY_DEADLINE

    def read(self, length: int | None = None) -> bytes:
        """Read bytes in the remaining time."""
        return self._read_in_time(self._stream.read, length)

    def readline(self, length: int | None = None) -> bytes:
        """Read a line in the remaining time."""
        return self._read_in_time(self._stream.readline, length)

    def __iter__(self) -> DeadlineInput:
        """Iterate over lines."""
        return self

    def __next__(self) -> bytes:
        """Return the next line."""
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the stream, which eventlet uses."""
        return getattr(self._stream, name)

    def discard(self) -> None:
        """Read what the application left, so that the client reads the answer; abort after too many bytes."""
        left = MAX_DISCARDED
        try:
            while left > 0 and (chunk := self.read(1 << 16)):
                left -= len(chunk)
        except (BodyTooSlow, BrokenFraming) as cut:
            raise ConnectionAbortedError from cut
        if left <= 0:
            raise ConnectionAbortedError

    def _read_in_time(self, read: Callable[..., bytes], length: int | None) -> bytes:
        begun = eventlet.hubs.get_hub().clock()
        self._tracked.enter(Phase.SENDING)
        with eventlet.Timeout(max(self._remaining, 0.001), BodyTooSlow()):
            chunk = read(length) if length is not None else read()
        self._tracked.enter(Phase.ANSWERED)
        self._remaining -= eventlet.hubs.get_hub().clock() - begun
        return chunk


def listen(settings: Settings) -> Any:
    """Open the listening socket, before anything else starts, because the port may be taken."""
    listener = eventlet.listen((settings.listen_host, settings.listen_port), reuse_port=False)
    # Accepted sockets inherit it. Without it, the second write of a long answer waits for the client's delayed
    # acknowledgement of the first, about 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if settings.listen_certificate_file:
        return wrap_tls(listener, settings)
    return listener


def wrap_tls(listener: Any, settings: Settings) -> Any:
    """Return the listening socket wrapped in TLS, with the configured certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.listen_certificate_file, settings.listen_key_file or None)
    return context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)


def serve(app: Flask, listener: Any) -> None:
    """Serve requests until the listener closes or the greenlet is killed."""
    eventlet.wsgi.MAX_HEADER_LINE = MAX_LINE
    eventlet.wsgi.MAX_TOTAL_HEADER_SIZE = MAX_HEADERS
    connections = Connections(connection_limit(MAX_CONNECTIONS))
    eventlet.wsgi.server(
        Listener(listener, connections),
        app,
        protocol=Protocol,
        custom_pool=connections,
        keepalive=KEEP_ALIVE,
        socket_timeout=SOCKET_TIMEOUT,
        url_length_limit=MAX_LINE,
        log_output=False,
        debug=False,
    )
