"""The HTTP server: eventlet.wsgi with limits on lines, headers, bodies, slow clients and their number."""

from __future__ import annotations

import logging
import socket
import ssl
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

#: Seconds in which a connection has to agree on its keys, where there is TLS.
HANDSHAKE_DEADLINE = 10.0
#: Seconds in which a request's line and headers have to be here, however busily a client drips them.
HEADER_DEADLINE = 10.0
#: Seconds in which a body has to be here: 10 MiB over a slow line are possible, a drip is not.
BODY_DEADLINE = 60.0
SOCKET_TIMEOUT = 15.0
KEEP_ALIVE = 60.0
MAX_LINE = 8192
MAX_HEADERS = 16384
MAX_CONNECTIONS = 1000
MAX_DISCARDED = 32 << 20

log = logging.getLogger("gateway.server")


class Protocol(eventlet.wsgi.HttpProtocol):
    """eventlet's protocol, with a deadline for headers and no word about itself."""

    server_version = "liaison"
    sys_version = ""
    #: Whether it has waited for a request before.
    _was_asked = False

    def handle(self) -> None:
        """Agree on keys first, where there is TLS: here, and not where connections are taken, which would hold up all others."""
        if isinstance(self.connection, ssl.SSLSocket):
            try:
                with eventlet.Timeout(HANDSHAKE_DEADLINE):
                    self.connection.do_handshake()
            except (eventlet.Timeout, OSError):
                # Nobody can be told anything: they may speak no TLS at all.
                self.conn_state[2] = eventlet.wsgi.STATE_CLOSE
                return
        super().handle()

    @property
    def _place(self) -> TrackedConnection:
        place: TrackedConnection = self.conn_state[3]
        return place

    def handle_one_request(self) -> None:
        """Read a request and answer it; until it is here, the connection gives way to others."""
        self._place.enter(Phase.WAITING)
        super().handle_one_request()

    def _read_request_line(self) -> Any:
        # A connection is opened for a request; between two it may rest. What has begun has to come.
        self.connection.settimeout(KEEP_ALIVE if self._was_asked else HEADER_DEADLINE)
        self._was_asked = True
        with suppress(OSError):
            self.rfile.peek(1)
            with eventlet.Timeout(HEADER_DEADLINE, False):
                return super()._read_request_line()
        return b""

    def parse_request(self) -> bool:
        """Read the headers within the deadline, and to the letter."""
        deadline = eventlet.Timeout(HEADER_DEADLINE)
        try:
            # An empty line before a request is what some clients send after the last one.
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
        self._place.enter(Phase.ANSWERED)
        return True

    def finish(self) -> None:
        """Close both ways: what a client that is gone will not take keeps its socket open otherwise."""
        for close in (super().finish, self.wfile.close, self.rfile.close):
            with suppress(OSError):
                close()

    def get_environ(self) -> WSGIEnvironment:
        """Wrap the body so that it is read within its deadline, and to the letter."""
        environ: WSGIEnvironment = super().get_environ()
        environ["wsgi.input"] = environ["eventlet.input"] = DeadlineInput(RequestBody.of(environ["wsgi.input"], self.connection), self._place)
        if "HTTP_TRANSFER_ENCODING" in environ:
            # A body without a length ends with its last chunk. Who is not told so takes it for empty, however long it is.
            environ["wsgi.input_terminated"] = True
        return environ


class DeadlineInput:
    """A request's body: all of it has to be here within the deadline, however it is dripped.

    :raises BodyTooSlow: from every way to read it.
    """

    def __init__(self, stream: Any, place: TrackedConnection) -> None:
        self._stream = stream
        self._place = place
        self._left = BODY_DEADLINE

    def read(self, length: int | None = None) -> bytes:
        """Read, on the time that is left."""
        return self._hurry(self._stream.read, length)

    def readline(self, length: int | None = None) -> bytes:
        """Read a line, on the time that is left."""
        return self._hurry(self._stream.readline, length)

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
        """Be the stream in everything else: eventlet discards what an application has not read."""
        return getattr(self._stream, name)

    def discard(self) -> None:
        """Read away what an application left, so that its answer arrives; a flood is cut off instead."""
        left = MAX_DISCARDED
        try:
            while left > 0 and (chunk := self.read(1 << 16)):
                left -= len(chunk)
        except (BodyTooSlow, BrokenFraming) as cut:
            raise ConnectionAbortedError from cut
        if left <= 0:
            raise ConnectionAbortedError

    def _hurry(self, read: Any, length: int | None) -> bytes:
        begun = eventlet.hubs.get_hub().clock()
        self._place.enter(Phase.SENDING)
        with eventlet.Timeout(max(self._left, 0.001), BodyTooSlow()):
            chunk: bytes = read(length) if length is not None else read()
        self._place.enter(Phase.ANSWERED)
        self._left -= eventlet.hubs.get_hub().clock() - begun
        return chunk


def listen(settings: Settings) -> Any:
    """Open the listening socket; a taken port fails here, before anything is started."""
    listener = eventlet.listen((settings.listen_host, settings.listen_port), reuse_port=False)
    # Accepted sockets inherit it. An answer beyond one buffer goes out in two writes, and the second would wait for the
    # client's acknowledgement of the first, which clients delay by 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if settings.listen_certificate_file:
        return wrap_tls(listener, settings)
    return listener


def wrap_tls(listener: Any, settings: Settings) -> Any:
    """Speak nothing but TLS on a listening socket, with the certificate that is set."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.listen_certificate_file, settings.listen_key_file or None)
    return context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)


def serve(app: Flask, listener: Any) -> None:
    """Answer requests until the listener is closed or the greenlet is killed."""
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
