"""The end of a request is read strictly. A request that could be read in two ways is refused, and nothing after it is read."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator

import eventlet
import pytest

from gateway import server
from gateway.app import create_app
from services.access.contract import CredentialsWrong
from services.chassis.config import Settings
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened

HOST = "Host: localhost\r\n"
JSON = "Content-Type: application/json\r\n"
NEXT = f"GET /health/live HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode()
Say = Callable[[bytes], list[bytes]]


@pytest.fixture(scope="module")
def say() -> Iterator[Say]:
    """Send bytes; return the statuses of all answers until the server closes."""
    bus = FakeBus({("access", "open_session"): opened(), ("access", "sign_in"): CredentialsWrong(), ("contacts", "register_individual"): {"id": "a"}})
    app = create_app(bus, heard(), Settings(service="gateway", cookie_secure=False))
    listener = eventlet.listen(("127.0.0.1", 0))
    serving = eventlet.spawn(server.serve, app, listener)

    def send(data: bytes) -> list[bytes]:
        with socket.create_connection(listener.getsockname(), timeout=5) as connection:
            connection.sendall(data)
            said = b""
            try:
                while more := connection.recv(65536):
                    said += more
            except ConnectionError:
                pass
        return re.findall(rb"HTTP/1\.[01] (\d{3}) [A-Z]", said)

    yield send
    serving.kill()
    listener.close()


def posted(headers: str, body: bytes, *, path: str = "/api/v1/sessions") -> bytes:
    """Return a request with these headers."""
    return f"POST {path} HTTP/1.1\r\n{HOST}{JSON}{headers}\r\n".encode("latin-1") + body


#: 22 bytes of body that can be read, when its end can.
BODY = b'{"username":"a","password":"b"}'
CHUNKED = "Transfer-Encoding: chunked\r\n"
LENGTHS = {
    "two": "Content-Length: 2\r\nContent-Length: 3\r\n",
    "two that are the same": "Content-Length: 2\r\nContent-Length: 2\r\n",
    "two in capitals and not": "Content-Length: 2\r\ncontent-length: 2\r\n",
    "a list": "Content-Length: 2, 2\r\n",
    "a list of one": "Content-Length: 2,\r\n",
    "a plus": "Content-Length: +2\r\n",
    "a minus": "Content-Length: -2\r\n",
    "an underscore": "Content-Length: 0_2\r\n",
    "hexadecimal": "Content-Length: 0x2\r\n",
    "a fraction": "Content-Length: 2.0\r\n",
    "a superscript": "Content-Length: \xb2\r\n",
    "nothing": "Content-Length: \r\n",
    "digits apart": "Content-Length: 1 2\r\n",
    "more digits than a number has": f"Content-Length: {'9' * 400}\r\n",
    "chunks beside it": f"Content-Length: 2\r\n{CHUNKED}",
    "chunks before it": f"{CHUNKED}Content-Length: 2\r\n",
}
CODINGS = {
    "twice": CHUNKED * 2,
    "in a list": "Transfer-Encoding: chunked, chunked\r\n",
    "identity": "Transfer-Encoding: identity\r\n",
    "gzip": "Transfer-Encoding: gzip, chunked\r\n",
    "an unknown one": "Transfer-Encoding: xchunked\r\n",
    "with a tab of another kind": "Transfer-Encoding: \x0bchunked\r\n",
    "in quotation marks": 'Transfer-Encoding: "chunked"\r\n',
    "empty": "Transfer-Encoding: \r\n",
    "with a parameter": "Transfer-Encoding: chunked;q=1\r\n",
}
CHUNKS = {
    "0x": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a minus": b"-2\r\n{}\r\n0\r\n\r\n",
    "a plus": b"+2\r\n{}\r\n0\r\n\r\n",
    "an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "a blank before": b" 2\r\n{}\r\n0\r\n\r\n",
    "a blank behind": b"2 \r\n{}\r\n0\r\n\r\n",
    "no digit": b"g\r\n{}\r\n0\r\n\r\n",
    "nothing": b"\r\n{}\r\n0\r\n\r\n",
    "more digits than a number has": b"0" * 30 + b"2\r\n{}\r\n0\r\n\r\n",
    "a line feed alone": b"2\n{}\r\n0\r\n\r\n",
    "a line feed alone behind the data": b"2\r\n{}\n0\r\n\r\n",
    "a line feed alone at the end": b"2\r\n{}\r\n0\n\r\n",
    "a line feed alone at the very end": b"2\r\n{}\r\n0\r\n\n",
    "no end of line behind the data": b"2\r\n{}XX0\r\n\r\n",
    "a line feed in an extension": b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a carriage return in an extension": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "an extension without end": b"2;" + b"a" * 5000 + b"\r\n{}\r\n0\r\n\r\n",
    "a trailer": b"2\r\n{}\r\n0\r\nHost: evil.example\r\n\r\n",
    "digits of another script": "\N{FULLWIDTH DIGIT TWO}\r\n{}\r\n0\r\n\r\n".encode(),
}
FIELDS = {
    "a blank before the colon": "X-A : b\r\n",
    "a tab before the colon": "X-A\t: b\r\n",
    "a folded line": "X-A: b\r\n c\r\n",
    "a line folded by a tab": "X-A: b\r\n\tc\r\n",
    "a blank in the name": "X A: b\r\n",
    "no name": ": b\r\n",
    "no colon": "X-A\r\n",
    "a name of another script": "X-\xc4: b\r\n",
    "a NUL": "X-A: b\x00c\r\n",
    "a carriage return alone": "X-A: b\rX-B: 1\r\n",
    "a line feed alone": "X-A: b\nX-B: 1\r\n",
    "a control character": "X-A: b\x01c\r\n",
    "a vertical tab": "X-A: b\x0bc\r\n",
    "two hosts": "Host: evil.example\r\n",
    "the same host twice": HOST,
}
LINES = {
    "no host": b"GET /sign-in HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a folded first header": b"GET /sign-in HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "two blanks": f"GET  /sign-in HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a tab": f"GET\t/sign-in HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a line feed alone": b"GET /sign-in HTTP/1.1\nHost: localhost\r\n\r\n",
    "no version": f"GET /sign-in\r\n{HOST}\r\n".encode(),
    "a version to come": f"GET /sign-in HTTP/9.9\r\n{HOST}\r\n".encode(),
    "a version of another protocol": f"GET /sign-in HTTP/2.0\r\n{HOST}\r\n".encode(),
    "a version in small letters": f"GET /sign-in http/1.1\r\n{HOST}\r\n".encode(),
    "a blank in the address": f"GET /sign in HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a NUL in the address": f"GET /\x00 HTTP/1.1\r\n{HOST}\r\n".encode(),
    "letters of another script": f"GET /é HTTP/1.1\r\n{HOST}\r\n".encode(),
    "an address of another host": f"GET http://evil.example/ HTTP/1.1\r\n{HOST}\r\n".encode(),
    "an address of a host that begins so": f"GET http://localhost.evil.example/ HTTP/1.1\r\n{HOST}\r\n".encode(),
    "no address": f"GET sign-in HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a tunnel": f"CONNECT localhost:443 HTTP/1.1\r\n{HOST}\r\n".encode(),
    "no method": f" /sign-in HTTP/1.1\r\n{HOST}\r\n".encode(),
    "chunks in the older version": f"POST /api/v1/sessions HTTP/1.0\r\n{HOST}{JSON}{CHUNKED}\r\n0\r\n\r\n".encode(),
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"\r\n\r\n",
    "three empty lines": b"\r\n\r\n\r\n",
}


def _all() -> Iterator[tuple[str, bytes]]:
    yield from ((f"length: {name}", posted(headers, b"{}")) for name, headers in LENGTHS.items())
    yield from ((f"coding: {name}", posted(headers, b"2\r\n{}\r\n0\r\n\r\n")) for name, headers in CODINGS.items())
    yield from ((f"chunk: {name}", posted(CHUNKED, body)) for name, body in CHUNKS.items())
    yield from ((f"field: {name}", posted(f"{field}Content-Length: 2\r\n", b"{}")) for name, field in FIELDS.items())
    yield from ((f"line: {name}", request) for name, request in LINES.items())


def test_what_could_be_read_in_two_ways_is_refused_once_and_nothing_after_it_is_answered(say: Say) -> None:
    wrong = {}
    for name, request in _all():
        statuses = say(request + NEXT)
        if statuses != [b"400"]:
            wrong[name] = statuses
    assert wrong == {}


def test_what_is_not_read_is_not_taken_for_the_next_request(say: Say) -> None:
    # Nobody asks for the body of what nobody may do; the connection ends with it all the same.
    for body in CHUNKS.values():
        assert len(say(posted(CHUNKED, body, path="/api/v1/no-such-address") + NEXT)) == 1


@pytest.mark.parametrize(
    "request_",
    [
        posted(f"Content-Length: {len(BODY)}\r\n", BODY),
        posted(f"Content-Length:{len(BODY)}\t \r\n", BODY),
        posted(f"Content-Length: 00{len(BODY)}\r\n", BODY),
        posted(CHUNKED, b"1f\r\n" + BODY + b"\r\n0\r\n\r\n"),
        posted(CHUNKED.lower(), b"001F\r\n" + BODY + b"\r\n000\r\n\r\n"),
        posted(CHUNKED, b"1F;name=value\r\n" + BODY + b"\r\n0;last\r\n\r\n"),
        posted(CHUNKED, b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"),
        b"\r\n" + posted(f"Content-Length: {len(BODY)}\r\n", BODY),
        posted(f"X-A: \xe9 b\tc\r\nContent-Length: {len(BODY)}\r\n", BODY),
        posted(f"Content_Length: 7\r\nContent-Length: {len(BODY)}\r\n", BODY),
        posted(f"Content-Length: {len(BODY)}\r\n", BODY, path="http://localhost/api/v1/sessions"),
    ],
)
def test_what_says_its_end_once_is_read_and_so_is_the_next(say: Say, request_: bytes) -> None:
    assert say(request_ + NEXT) == [b"401", b"200"]


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", True),
        ("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: TE, Close\r\n\r\n", False),
        ("GET /health/live HTTP/1.0\r\n\r\n", False),
        ("GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_ends_when_its_client_says_so(say: Say, head: str, kept: bool) -> None:
    assert len(say(head.encode() + NEXT)) == 1 + kept


def test_a_file_in_chunks_that_breaks_off_is_refused_as_such(say: Say) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nabc'
    head = f"POST /api/v1/imports HTTP/1.1\r\n{HOST}Authorization: Bearer {TOKEN}\r\nContent-Type: multipart/form-data; boundary=b\r\n{CHUNKED}\r\n"
    assert say(head.encode() + b"%x\r\n%s\r\nzz\r\n" % (len(part), part) + NEXT) == [b"400"]
