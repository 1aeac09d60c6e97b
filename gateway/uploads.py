"""Streams uploaded files to contacts; nothing of them is stored here."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import g, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from gateway.clients import command
from gateway.endpoints import operation
from gateway.errors import BodyTooLarge, MultipartRequired, UnreadableBody
from services.contacts.contract.answers.imports import ImportAnswer

#: Bytes that are read from the socket at a time, and that one message to contacts carries at most.
PIECE = 64 << 10
CHUNK = 256 << 10
MAX_FIELD = 64 << 10
MAX_PARTS = 16
FILE_PART = "file"


@dataclass(slots=True)
class Upload:
    """The fields before the file, its name and type, and its bytes as they arrive."""

    fields: dict[str, str]
    filename: str
    content_type: str
    content: Iterator[bytes]


def read_upload() -> Upload:
    """Read a multipart body up to its file.

    :raises MultipartRequired: the body is not multipart, or has no part called `file`.
    :raises BodyTooLarge, BodyTooSlow, UnreadableBody:
    """
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    boundary = options.get("boundary")
    if kind != "multipart/form-data" or not boundary:
        raise MultipartRequired
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_form_memory_size=4 * PIECE, max_parts=MAX_PARTS)
    events = _events(decoder)
    fields: dict[str, str] = {}
    name, value = "", b""
    for event in events:
        if isinstance(event, File):
            if event.name != FILE_PART or not event.filename:
                raise MultipartRequired
            declared = event.headers.get("Content-Type") or "application/octet-stream"
            return Upload(fields, event.filename, declared, _content(events))
        if isinstance(event, Field):
            name, value = event.name, b""
        elif isinstance(event, Data):
            value += event.data
            if len(value) > MAX_FIELD:
                raise BodyTooLarge
            if not event.more_data:
                fields[name] = value.decode("utf-8", "replace")
    raise MultipartRequired


def send_import(file: Upload, *, key: str | None) -> ImportAnswer:
    """Send a file to contacts in pieces, and return the import.

    A repeated key returns the first import, if the file is the same.

    :raises IdempotencyMismatch: the key was used for another file.
    """
    g.client.operation = operation(key=key, body=f"{file.filename}\n{file.content_type}\n{request.content_length}".encode())
    started: ImportAnswer = command(
        "contacts",
        "create_import",
        filename=file.filename,
        content_type=file.content_type,
        size=None,
    )
    digest = hashlib.sha256()
    fresh = started["state"] == "uploading"
    n = 0
    for n, chunk in enumerate(_chunks(file.content)):
        digest.update(chunk)
        if fresh:
            command("contacts", "append_import", import_id=started["id"], n=n, chunk=base64.b64encode(chunk).decode())
    # For a repeated key, contacts compares the digest with that of the first file.
    finished: ImportAnswer = command("contacts", "finish_import_upload", import_id=started["id"], sha256=digest.hexdigest())
    return finished


def _chunks(content: Iterator[bytes]) -> Iterator[bytes]:
    gathered = bytearray()
    for piece in content:
        gathered += piece
        while len(gathered) >= CHUNK:
            yield bytes(gathered[:CHUNK])
            del gathered[:CHUNK]
    if gathered:
        yield bytes(gathered)


def _content(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, Data):
            # No part may follow the file.
            raise UnreadableBody
        yield event.data
        if not event.more_data:
            break
    for event in events:
        if not isinstance(event, Epilogue):
            raise UnreadableBody


def _events(decoder: MultipartDecoder) -> Iterator[Event]:
    read = _reader()
    while True:
        try:
            event = decoder.next_event()
            if isinstance(event, NeedData):
                decoder.receive_data(read() or None)
                continue
        except (ValueError, HTTPException) as error:
            if isinstance(error, HTTPException) and error.code == 413:
                raise BodyTooLarge from error
            raise UnreadableBody from error
        yield event
        if isinstance(event, Epilogue):
            return


def _reader() -> Callable[[], bytes]:
    limit = request.max_content_length
    if limit is not None and (request.content_length or 0) > limit:
        raise BodyTooLarge
    stream = request.stream

    return functools.partial(stream.read, PIECE)
