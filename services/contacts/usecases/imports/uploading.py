"""Uploading: a file is taken piece by piece, read, and staged in blocks of rows; all of it is encrypted.

The pieces have a key of their own, destroyed as soon as the file was read: columns that the system must not hold leave
nothing that could be decrypted later (R13). The staged rows have the import's key, destroyed when it ends.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID, uuid5

from services.chassis.database import UnitOfWork
from services.chassis.keyed import Keyed
from services.chassis.messages import Caller, IdempotencyMismatch, Refusal, new_id
from services.contacts.contract.answers.imports import ImportAnswer, PieceAnswer
from services.contacts.contract.imports import (
    FileTooLarge,
    ImportForStewards,
    ImportsForContributors,
    UploadDamaged,
    UploadOutOfOrder,
)
from services.contacts.domain.imports import columns
from services.contacts.domain.imports.staging import Staged, piece_of
from services.contacts.domain.imports.states import FileLayout, Import, ImportChanges
from services.contacts.domain.imports.tables import MAX_FILE
from services.contacts.storage.imports import files, imports, refused
from services.contacts.storage.vault import Vault, decrypt, encrypt
from services.contacts.usecases.imports.representing import ended, own, representation, sealed_layout
from services.lexicon.policy import Facts, decide
from services.lexicon.screening import screen

#: What a request's size may have beside the file: the seams of its multipart body.
_SEAMS = 64 << 10


def require_may_import(by: Caller, *, rows: int) -> None:
    """Go on only if the caller may import so many rows (T19).

    :raises ImportForStewards, ImportsForContributors:
    """
    decision = decide(by, "import", None, Facts(rows=rows))
    if not decision:
        raise ImportForStewards if getattr(decision, "remedy", None) == "steward" else ImportsForContributors
    if by.component is None:
        raise ImportsForContributors


def start_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, filename: str, size: int | None = None) -> ImportAnswer:
    """Begin an import; its pieces follow.

    :raises ImportsForContributors, FileTooLarge:
    """
    require_may_import(by, rows=0)
    if size is not None and size > MAX_FILE + _SEAMS:
        raise FileTooLarge
    import_id = new_id()
    imports.insert(work, import_id, owner_id=by.id, component=str(by.component), filename=_harmless(filename), now=now)
    work.record("contacts:import:create", subjects=[import_id])
    row = imports.find(work, import_id)
    assert row is not None  # noqa: S101 - it was inserted above
    return representation(vault, row)


def append_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str, n: int, chunk: str) -> PieceAnswer:
    """Take one piece of the file, in its order; the same piece again is taken as the answer that got lost.

    :raises UploadOutOfOrder, UploadDamaged, FileTooLarge, ImportUnknown, ImportStateUnsuitable:
    """
    row = own(work, import_id, by=by, lock=True, states={"uploading"})
    try:
        piece = base64.b64decode(chunk, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UploadDamaged from error
    key_id = _upload_key(import_id)
    key = vault.keys_for([key_id])[key_id]
    if n < row.position:
        known = dict(files.pieces(work, import_id))[n]
        if decrypt(key, known, bound_to=piece_of(import_id, n)) != chunk:
            raise UploadOutOfOrder
    elif n > row.position:
        raise UploadOutOfOrder
    else:
        if row.size + len(piece) > MAX_FILE:
            raise FileTooLarge
        files.add_piece(work, import_id, n, encrypt(key, chunk, bound_to=piece_of(import_id, n)))
        imports.update(work, import_id, {"position": n + 1, "size": row.size + len(piece)}, now=now)
    work.record("contacts:import:append", subjects=[import_id])
    return {"id": import_id, "n": n}


def gathered(work: UnitOfWork, *, by: Caller, vault: Vault, import_id: str) -> tuple[str, list[tuple[int, bytes]], bytes]:
    """Return the file's name, its pieces as they are kept, and their key."""
    row = own(work, import_id, by=by, states={"uploading"})
    key_id = _upload_key(import_id)
    pieces = files.pieces(work, import_id)
    work.record("contacts:import:finish-upload", subjects=[import_id])
    return row.filename, pieces, vault.keys_for([key_id])[key_id] if pieces else b""


def sent_again(work: UnitOfWork, *, by: Caller, vault: Vault, keyed: Keyed, import_id: str, sha256: str) -> ImportAnswer | None:
    """Return an import whose file has come before, if it has.

    :raises IdempotencyMismatch: that was another file.
    """
    row = own(work, import_id, by=by)
    if row.state == "uploading":
        return None
    if row.digest is not None and not keyed.is_of(row.digest, sha256):
        raise IdempotencyMismatch
    work.record("contacts:import:finish-upload", subjects=[import_id], rule="replayed")
    return representation(vault, row)


def stage(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str, digest: str, staged: Staged) -> ImportAnswer:
    """Stage a file's rows.

    :raises ImportForStewards: it has more rows than a contributor may import.
    """
    own(work, import_id, by=by, lock=True, states={"uploading"})
    require_may_import(by, rows=staged.rows)
    files.drop_pieces(work, import_id)
    files.add_blocks(work, import_id, staged.blocks)
    imports.update(
        work,
        import_id,
        {
            "state": "mapped" if columns.is_enough(staged.mapping) else "uploaded",
            "format": staged.format,
            "digest": digest,
            "layout": sealed_layout(vault, import_id, FileLayout(staged.kept, staged.mapping, staged.hidden)),
            "refused_columns": [{**refusal, "column": _harmless(refusal["column"])} for refusal in staged.refused],
            "rows": staged.rows,
            "position": 0,
            "total": staged.rows,
        },
        now=now,
    )
    work.record("contacts:import:stage", subjects=[import_id])
    row = imports.find(work, import_id)
    assert row is not None  # noqa: S101 - it is locked
    return representation(vault, row)


def fail(work: UnitOfWork, row: Import, *, now: datetime, refusal: Refusal) -> None:
    """Say why an import came to nothing, and drop what was staged of it."""
    files.drop_staged(work, row.id)
    refused.drop(work, row.id)
    ending: ImportChanges = {**ended(row, "failed", now=now), "problem_code": refusal.code, "problem_detail": str(refusal)}
    imports.update(work, row.id, ending, now=now)
    work.record("contacts:import:fail", subjects=[row.id], rule=refusal.code)


def fail_own(work: UnitOfWork, *, by: Caller, now: datetime, import_id: str, refusal: Refusal) -> bool:
    """Fail an import of the caller's that has not ended; return whether it was one."""
    row = imports.find(work, import_id, lock=True)
    if row is None or row.owner_id != by.id:
        return False
    if row.finished_at is not None:
        # It is committed; what cannot be decided any more waits no longer for a worker.
        imports.update(work, import_id, {"deciding": None, "acting": None, "lease_until": None}, now=now)
        return False
    fail(work, row, now=now, refusal=refusal)
    return True


def forget_upload(vault: Vault, import_id: str) -> None:
    """Destroy the key of the pieces."""
    vault.destroy(_upload_key(import_id))


def forget(vault: Vault, import_id: str) -> None:
    """Destroy both keys of an import that has ended."""
    forget_upload(vault, import_id)
    vault.destroy(import_id)


def _upload_key(import_id: str) -> str:
    return str(uuid5(UUID(import_id), "upload"))


def _harmless(name: str) -> str:
    # A file or a column may be called by somebody's number.
    for found in reversed(screen(name)):
        if found.klass in {"phone", "email"}:
            name = f"{name[: found.start]}…{name[found.end :]}"
    return name
