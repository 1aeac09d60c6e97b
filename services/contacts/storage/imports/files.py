"""The file of an import: its pieces while it is uploaded, and then its rows, staged in blocks. All of it is encrypted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select, text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.domain.imports.states import Import
from services.contacts.storage.tables.imports import import_blocks, imports


def add_piece(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """Keep one piece of the file; the same piece again changes nothing."""
    work.execute(
        text("INSERT INTO import_pieces (import_id, n, ciphertext) VALUES (:id, :n, :ciphertext) ON CONFLICT DO NOTHING"),
        {"id": import_id, "n": n, "ciphertext": ciphertext},
    )


def pieces(work: UnitOfWork, import_id: str) -> list[tuple[int, bytes]]:
    """Return the pieces of the file in their order."""
    rows = work.execute(text("SELECT n, ciphertext FROM import_pieces WHERE import_id = CAST(:id AS uuid) ORDER BY n"), {"id": import_id})
    return [(row.n, bytes(row.ciphertext)) for row in rows]


def drop_pieces(work: UnitOfWork, import_id: str) -> None:
    """Delete the pieces of the file."""
    work.execute(text("DELETE FROM import_pieces WHERE import_id = CAST(:id AS uuid)"), {"id": import_id})


def add_blocks(work: UnitOfWork, import_id: str, blocks: Sequence[bytes]) -> None:
    """Keep the staged rows, in blocks."""
    work.execute(
        text("INSERT INTO import_blocks (import_id, n, ciphertext) VALUES (:id, :n, :ciphertext)"),
        [{"id": import_id, "n": n, "ciphertext": ciphertext} for n, ciphertext in enumerate(blocks)],
    )


def block(work: UnitOfWork, import_id: str, n: int) -> tuple[bytes, bytes | None] | None:
    """Return one block of staged rows, and what a check has kept of it."""
    row = work.execute(
        text("SELECT ciphertext, prepared FROM import_blocks WHERE import_id = CAST(:id AS uuid) AND n = :n"), {"id": import_id, "n": n}
    ).one_or_none()
    return (bytes(row.ciphertext), row.prepared and bytes(row.prepared)) if row else None


def keep_prepared(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """Keep a block as a check has prepared it, for the commit."""
    work.execute(
        text("UPDATE import_blocks SET prepared = :ciphertext WHERE import_id = CAST(:id AS uuid) AND n = :n"),
        {"id": import_id, "n": n, "ciphertext": ciphertext},
    )


def imports_with_blocks(work: UnitOfWork) -> list[Import]:
    """As the eraser: return the imports of which rows are staged, and hold them."""
    statement = select(imports).where(exists().where(import_blocks.c.import_id == imports.c.id)).order_by(imports.c.id).with_for_update(of=imports)
    return all_typed(Import, work.execute(statement).mappings())


def block_numbers(work: UnitOfWork, import_id: str) -> list[int]:
    """Return the numbers of the blocks that are staged."""
    statement = text("SELECT n FROM import_blocks WHERE import_id = CAST(:id AS uuid) ORDER BY n")
    return list(work.execute(statement, {"id": import_id}).scalars())


def replace_block(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """As the eraser: put other rows in the place of a block's; what a check has kept of it is dropped."""
    work.execute(
        text("UPDATE import_blocks SET ciphertext = :ciphertext, prepared = NULL WHERE import_id = CAST(:id AS uuid) AND n = :n"),
        {"id": import_id, "n": n, "ciphertext": ciphertext},
    )


def drop_staged(work: UnitOfWork, import_id: str) -> None:
    """Delete what is staged of a file."""
    drop_pieces(work, import_id)
    work.execute(text("DELETE FROM import_blocks WHERE import_id = CAST(:id AS uuid)"), {"id": import_id})
