"""What crosses between a process and its child: a length, and so many bytes."""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any, Protocol

_LENGTH = struct.Struct("<Q")
#: An answer that is longer comes from a child that is not ours any more.
_LONGEST = 1 << 30


class Pipe(Protocol):
    """A socket: the system's, or one that waits cooperatively."""

    def recv(self, size: int, /) -> bytes:
        """Return some bytes, or none at the end."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""


class _Plain(pickle.Unpickler):
    """Reads numbers, texts, bytes, lists, tuples and dictionaries: an answer can't name anything to be called."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")


def send(pipe: Pipe, message: Any) -> None:
    """Send a message."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.sendall(_LENGTH.pack(len(data)))
    pipe.sendall(data)


def receive(pipe: Pipe) -> bytes:
    """Return a message as it came.

    :raises EOFError: the other side has ended.
    """
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _LONGEST:
        raise EOFError
    return _exactly(pipe, length)


def plain(data: bytes) -> Any:
    """Return what an answer says.

    :raises pickle.UnpicklingError: it says more than plain values.
    """
    return _Plain(io.BytesIO(data)).load()


def _exactly(pipe: Pipe, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = pipe.recv(min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
