"""Messages between a process and its child: an 8-byte length, then a pickle."""

from __future__ import annotations

import io
import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("<Q")
#: Bytes; a longer answer can only come from a compromised child.
_LONGEST = 1 << 30


class _Plain(pickle.Unpickler):
    """Unpickles built-in values only, so that an answer cannot name code to call."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")


def send(pipe: socket.socket, message: Any) -> None:
    """Send a message."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.sendall(_LENGTH.pack(len(data)))
    pipe.sendall(data)


def receive(pipe: socket.socket) -> bytes:
    """Return the pickle of the next message.

    :raises EOFError: the other side has closed the socket, or the message is too long.
    """
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _LONGEST:
        raise EOFError
    return _exactly(pipe, length)


def plain(data: bytes) -> Any:
    """Unpickle an answer.

    :raises pickle.UnpicklingError: it contains more than built-in values.
    """
    return _Plain(io.BytesIO(data)).load()


def _exactly(pipe: socket.socket, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = pipe.recv(min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
