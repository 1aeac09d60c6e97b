"""Turn the encrypted pieces of a file into encrypted rows, in one call in a separate process without I/O.

The results are plain values, because they cross the process boundary.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import msgspec
from msgspec.structs import replace

from services.contacts.contract.answers.imports import Hidden, RefusedColumnAnswer
from services.contacts.contract.imports import UploadDamaged
from services.contacts.domain.encryption import decrypt, encrypt
from services.contacts.domain.imports import columns
from services.contacts.domain.imports.reading import read
from services.contacts.domain.imports.tables import BLOCK, Table


@dataclass(frozen=True, slots=True)
class Staged:
    """A file in encrypted blocks of rows, without forbidden columns (R13)."""

    format: str
    rows: int
    kept: list[str]
    mapping: dict[str, str]
    refused: list[RefusedColumnAnswer]
    #: Hidden sheets and filled rows; they are imported like the others.
    hidden: Hidden
    blocks: list[bytes]


def staged(import_id: str, filename: str, pieces: Iterable[tuple[int, bytes]], pieces_key: bytes, sha256: str, key: bytes) -> tuple[object, ...]:
    """Read a file of encrypted pieces, and return the fields of `Staged`.

    :raises Refusal: whatever `put_together` and `read` raise.
    """
    return astuple(laid_out(import_id, read(filename, put_together(import_id, pieces, pieces_key, sha256=sha256)), key))


def put_together(import_id: str, pieces: Iterable[tuple[int, bytes]], key: bytes, *, sha256: str) -> bytes:
    """Return the decrypted file.

    :raises UploadDamaged: the file differs from what was sent.
    """
    content = b"".join(base64.b64decode(decrypt(key, piece, bound_to=piece_of(import_id, n))) for n, piece in pieces)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UploadDamaged
    return content


def piece_of(import_id: str, n: int) -> str:
    """Return the place to which the encryption binds a piece."""
    return f"import piece {import_id} {n}"


def laid_out(import_id: str, table: Table, key: bytes) -> Staged:
    """Return the staged rows of a table, with the proposed fields of its columns."""
    refused = columns.refused(table.columns, table.rows)
    names = {refusal["column"] for refusal in refused}
    kept = [column for column in table.columns if column not in names]
    blocks = []
    for n, first in enumerate(range(0, len(table.rows), BLOCK)):
        rows = [
            replace(row, cells={column: text for column, text in row.cells.items() if column not in names})
            for row in table.rows[first : first + BLOCK]
        ]
        blocks.append(encrypt(key, msgspec.json.encode(rows).decode(), bound_to=f"import block {import_id} {n}"))
    hidden: Hidden = {"sheets": table.hidden_sheets, "rows": table.hidden_rows}
    return Staged(table.format, len(table.rows), kept, columns.propose(kept, table.rows), refused, hidden, blocks)
