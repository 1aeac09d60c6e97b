"""What many greenlets write over one connection arrives whole, even if some are killed."""

from __future__ import annotations

import amqp
import eventlet
import pytest
from amqp.method_framing import frame_handler

from services.chassis.transport.connection import Address, _batched_frame_writer, _tolerant_frame_handler


class SlowTransport:
    """Accepts ten bytes at a time and lets others run in between, as a socket with a full buffer does."""

    def __init__(self) -> None:
        self.sock = object()
        self.written = b""

    def write(self, frames: bytes | memoryview) -> None:
        for start in range(0, len(frames), 10):
            self.written += bytes(frames[start : start + 10])
            eventlet.sleep(0)

    def close(self) -> None:
        self.sock = None  # type: ignore[assignment]  # as py-amqp does


class FakeConnection:
    """As much of a connection as the writer and reader of frames need."""

    frame_max = 131072
    bytes_sent = 0
    bytes_recv = 0


def _bodies(written: bytes) -> list[bytes]:
    """Read frames back with py-amqp's own reader."""
    bodies: list[bytes] = []
    on_frame = frame_handler(FakeConnection(), lambda _channel, _method, _args, message: bodies.append(bytes(message.body)))
    position = 0
    while position < len(written):
        kind = written[position]
        channel = int.from_bytes(written[position + 1 : position + 3])
        size = int.from_bytes(written[position + 3 : position + 7])
        payload = written[position + 7 : position + 7 + size]
        assert written[position + 7 + size] == 0xCE, "a frame ends with its mark"
        on_frame((kind, channel, payload))
        position += size + 8
    return bodies


def test_a_greenlet_killed_while_it_writes_leaves_no_half_frame_behind() -> None:
    transport = SlowTransport()
    write_frame = _batched_frame_writer(FakeConnection(), transport)

    def publish(n: int) -> None:
        message = amqp.Message(f"{n}:".encode() + b"x" * 300)
        write_frame(1, 1, amqp.spec.Basic.Deliver, b"", message)
        eventlet.sleep(60)

    greenlets = [eventlet.spawn(publish, n) for n in range(30)]
    for n, greenlet in enumerate(greenlets):
        eventlet.sleep(0)
        if n % 2:
            greenlet.kill()
    while transport.written.count(b"x" * 10) < 30 * 30 - 60:
        eventlet.sleep(0)
    for _ in range(200):
        eventlet.sleep(0)
    for greenlet in greenlets:
        greenlet.kill()
    bodies = _bodies(transport.written)
    assert [int(body.split(b":")[0]) for body in bodies] == list(range(30))
    assert {len(body.split(b":")[1]) for body in bodies} == {300}


def test_nothing_is_written_to_a_connection_that_is_closed() -> None:
    transport = SlowTransport()
    write_frame = _batched_frame_writer(FakeConnection(), transport)
    transport.close()
    with pytest.raises(ConnectionResetError):
        write_frame(8, 0, None, None, None)


def test_a_message_whose_properties_cannot_be_read_arrives_without_any() -> None:
    taken: list[amqp.Message] = []
    on_frame = _tolerant_frame_handler(FakeConnection(), lambda _channel, _method, _args, message: taken.append(message))
    on_frame((1, 1, b"\x00\x3c\x00\x3c"))
    on_frame((2, 1, b"\x00\x3c\x00\x00" + (4).to_bytes(8) + b"\x80\x00" + b"\x02\xff\xfe"))
    on_frame((3, 1, b"body"))
    assert [(message.properties, bytes(message.body)) for message in taken] == [({}, b"body")]


def test_an_address_shows_no_password() -> None:
    assert "secret" not in repr(Address(url="amqp://user:secret@host//"))
