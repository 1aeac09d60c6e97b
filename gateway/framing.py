"""Reads requests strictly: a request whose end is ambiguous is refused (RFC 9112).

If a proxy and this server read the same bytes differently, part of one person's request would become another's.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any

import eventlet.wsgi
import h11

from gateway.errors import BrokenFraming

#: Characters that a line must not contain: other readers take some of them for the end of a line.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e]*)?\r\n")
_CHUNK_LINE = 256
_VERSIONS = {b"1.0": "HTTP/1.0", b"1.1": "HTTP/1.1"}


class RequestHead:
    """The request line and headers, as the client sent them."""

    def __init__(self, request_line: bytes, readline: Callable[[], bytes]) -> None:
        """Read up to the empty line; `readline` enforces the limits.

        :raises BrokenFraming:
        """
        lines = [_line(request_line)]
        while line := _line(readline()):
            if line[:1] in b" \t":
                raise BrokenFraming
            lines.append(line)
        request = _parsed(b"".join(line + b"\r\n" for line in [*lines, b""]))
        if request.http_version not in _VERSIONS:
            raise BrokenFraming
        self.line = lines[0].decode("latin-1")
        self.version = _VERSIONS[request.http_version]
        self._require_one_length(lines[1:])
        self.method = request.method.decode("ascii")
        self.headers = http.client.HTTPMessage()
        for name, value in request.headers.raw_items():
            self.headers[name.decode("ascii")] = value.decode("latin-1")
        self.target = _origin_form(request.target.decode("ascii", "replace"), self.headers.get("Host", ""))

    @property
    def closes(self) -> bool:
        """Whether the connection closes after this request."""
        said = {word.strip().lower() for value in self.headers.get_all("Connection", []) for word in value.split(",")}
        return "close" in said or (self.version == "HTTP/1.0" and "keep-alive" not in said)

    def _require_one_length(self, lines: list[bytes]) -> None:
        # h11 accepts equal lengths, and ignores a length beside chunks; other readers do not.
        fields = [(name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]
        lengths = [value for name, value in fields if name == b"content-length"]
        codings = [value for name, value in fields if name == b"transfer-encoding"]
        if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
            raise BrokenFraming
        if codings and (lengths or len(codings) > 1 or self.version == "HTTP/1.0"):
            raise BrokenFraming


class RequestBody(eventlet.wsgi.Input):
    """eventlet's request body with strict chunks: hexadecimal sizes, complete line ends, no trailers."""

    broken = False

    @classmethod
    def of(cls, plain: Any, sock: Any) -> RequestBody:
        """Return the strict body in place of eventlet's own."""
        return cls(plain.rfile, plain.content_length, sock, wfile=plain.wfile, wfile_line=plain.wfile_line, chunked_input=plain.chunked_input)

    def _chunked_read(self, rfile: Any, length: int | None = None, use_readline: bool = False) -> bytes:
        if self.should_send_hundred_continue:
            self.send_hundred_continue_response()
            self.is_hundred_continue_response_sent = True
        read = rfile.readline if use_readline else rfile.read
        left = None if length is None or length < 0 else length
        pieces: list[bytes] = []
        while self.chunk_length != 0 and left != 0:
            if self.position >= self.chunk_length:
                self._begin_chunk(rfile)
                continue
            most = self.chunk_length - self.position
            piece = read(most if left is None else min(most, left))
            self._require(bool(piece))
            pieces.append(piece)
            self.position += len(piece)
            if left is not None:
                left -= len(piece)
            if self.position == self.chunk_length:
                self._require(rfile.read(2) == b"\r\n")
            if use_readline and piece.endswith(b"\n"):
                break
        return b"".join(pieces)

    def _begin_chunk(self, rfile: Any) -> None:
        said = _CHUNK.fullmatch(rfile.readline(_CHUNK_LINE))
        self._require(said is not None and not self.broken)
        self.position, self.chunk_length = 0, int(said[1], 16) if said else 0
        if self.chunk_length == 0:
            self._require(rfile.readline(3) == b"\r\n")

    def _require(self, held: bool) -> None:
        if not held:
            # What follows on this connection could be a body or a request.
            self.broken = True
            self.position, self.chunk_length = 0, -1
            raise BrokenFraming


def _line(raw: bytes) -> bytes:
    if not raw.endswith(b"\r\n") or _CONTROL.search(raw, 0, len(raw) - 2):
        raise BrokenFraming
    return raw[:-2]


def _parsed(head: bytes) -> h11.Request:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(head) + 1)
    connection.receive_data(head)
    try:
        request = connection.next_event()
    except h11.RemoteProtocolError as wrong:
        raise BrokenFraming from wrong
    if not isinstance(request, h11.Request):
        raise BrokenFraming
    return request


def _origin_form(target: str, host: str) -> str:
    # RFC 9112, 3.2.2: the absolute form is accepted, for the host of the request.
    if target.startswith("/"):
        return target
    for scheme in ("http://", "https://"):
        begin = f"{scheme}{host}/"
        if host and target.lower().startswith(begin.lower()):
            return target[len(begin) - 1 :]
    raise BrokenFraming
