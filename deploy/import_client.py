"""A client of the HTTP API, for `liaison import` and the demonstration data."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    # The client stands for one on another machine: it knows the shapes of answers, and nothing else of the services.
    from services.access.contract.answers import SignedIn
    from services.contacts.contract.answers.imports import ImportAnswer

_PIECE = 64 << 10
_TIMEOUT = 60.0
#: Seconds for which repeatable requests are retried while a part of the system is unavailable.
_PATIENCE = 60.0
_PAUSE = 1.0
_OK = 300
_AWAY = 503


class Refused(Exception):
    """The system refused the request; the message is its explanation."""

    def __init__(self, sentence: str, *, code: str = "", status: int = 0) -> None:
        """Set the message, the refusal's code and the HTTP status: 0 without an answer, -1 for a final failure."""
        self.code = code
        self.status = status
        super().__init__(sentence)


class Gateway:
    """One session with the HTTP API."""

    def __init__(self, address: str) -> None:
        """Set the address; connect to nothing.

        :raises Refused: the address is malformed.
        """
        parts = urlsplit(address if "://" in address else f"http://{address}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Refused(f"{address} is not the address of a system: give it as https://liaison.example.gov.")
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._parts = parts
        self._token = ""
        #: The last response's ETag.
        self._tag = ""

    def sign_in(self, username: str, password: str) -> SignedIn:
        """Sign in; return the session with its statements.

        :raises Refused: the name or password is wrong, or access is suspended.
        """
        said: SignedIn = self.ask("POST", "/sessions", {"username": username, "password": password})
        self._token = said["token"]
        return said

    def acknowledge(self, version: str) -> None:
        """Acknowledge the statements of this session."""
        self.ask("POST", "/sessions/current/acknowledgement", {"statements_version": version, "accepted": True})

    def sign_out(self) -> None:
        """End the session."""
        if self._token:
            self.ask("DELETE", "/sessions/current")
            self._token = ""

    def ask(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        """Send a request and return the decoded answer; retry it for a minute if it is repeatable.

        :raises Refused: the answer is not a success.
        """
        content = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        if method == "POST" and self._token:
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._once(method, path, content, sent)
            except Refused as refused:
                # With an Idempotency-Key, a command may be repeated, too.
                repeatable = method == "GET" or "Idempotency-Key" in sent
                if refused.status not in {0, _AWAY} or not repeatable or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)

    def tag(self, path: str) -> str:
        """Return the current ETag of a record."""
        self.ask("GET", path)
        return self._tag

    def upload(self, path: Path, *, tell: Callable[[int, int], None]) -> ImportAnswer:
        """Upload a file in pieces and return the import.

        :param tell: called with (bytes sent, bytes in total).
        :raises Refused: the upload was refused.
        :raises OSError: the file cannot be read.
        """
        mark = secrets.token_hex(16)
        name = path.name.replace('"', "%22").replace("\r", "").replace("\n", "")
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()
        tail = f"\r\n--{mark}--\r\n".encode()
        size = path.stat().st_size

        def pieces() -> Iterator[bytes]:
            sent = 0
            yield head
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
                    sent += len(piece)
                    tell(sent, size)
            yield tail

        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Content-Length": str(len(head) + size + len(tail)),
            "Idempotency-Key": str(uuid.uuid4()),
        }
        uploaded: ImportAnswer = self._once("POST", "/imports", pieces(), headers)
        return uploaded

    def _once(self, method: str, path: str, content: Any, headers: dict[str, str]) -> Any:
        if self._token:
            headers = {**headers, "Authorization": f"Bearer {self._token}"}
        connection = self._connection()
        try:
            connection.request(method, f"/api/v1{path}", content, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
            self._tag = answer.headers.get("ETag", "")
        except ssl.SSLCertVerificationError as failed:
            raise Refused(f"{self.address} does not show a certificate that is trusted here: {failed.verify_message}.", status=-1) from failed
        except (OSError, http.client.HTTPException) as failed:
            raise Refused(f"There is no answer from {self.address}: {getattr(failed, 'strerror', None) or type(failed).__name__}.") from failed
        finally:
            connection.close()
        if status >= _OK:
            raise _refused(status, text)
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise Refused(f"{self.address} does not answer as Liaison does.", status=-1) from None

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(self._parts.netloc, timeout=_TIMEOUT)


def _refused(status: int, text: bytes) -> Refused:
    try:
        problem = json.loads(text)
        said = [problem.get("detail") or problem.get("title") or f"Status {status}."]
        said += [f"{name}: {' '.join(sentences)}" for name, sentences in (problem.get("errors") or {}).items()]
        return Refused(" ".join(said), code=str(problem.get("code") or ""), status=status)
    except (ValueError, AttributeError, TypeError):
        return Refused(f"The system answered {status}.", status=status)
