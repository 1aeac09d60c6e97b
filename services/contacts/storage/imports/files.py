"""The file of an import: its pieces while it is uploaded, and then its rows, staged in blocks. All of it is encrypted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.domain.imports.states import Import
from services.contacts.storage.tables.imports import import_blocks, import_pieces, imports


def add_piece(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """Keep one piece of the file; the same piece again changes nothing."""
    work.execute(insert(import_pieces).on_conflict_do_nothing(), {"import_id": import_id, "n": n, "ciphertext": ciphertext})


def pieces(work: UnitOfWork, import_id: str) -> list[tuple[int, bytes]]:
    """Return the pieces of the file in their order."""
    statement = select(import_pieces.c.n, import_pieces.c.ciphertext).where(import_pieces.c.import_id == import_id)
    return [(row.n, row.ciphertext) for row in work.execute(statement.order_by(import_pieces.c.n))]


def drop_pieces(work: UnitOfWork, import_id: str) -> None:
    """Delete the pieces of the file."""
    work.execute(delete(import_pieces).where(import_pieces.c.import_id == import_id))


def add_blocks(work: UnitOfWork, import_id: str, blocks: Sequence[bytes]) -> None:
    """Keep the staged rows, in blocks."""
    work.execute(insert(import_blocks), [{"import_id": import_id, "n": n, "ciphertext": ciphertext} for n, ciphertext in enumerate(blocks)])


def block(work: UnitOfWork, import_id: str, n: int) -> tuple[bytes, bytes | None] | None:
    """Return one block of staged rows, and what a check has kept of it."""
    statement = select(import_blocks.c.ciphertext, import_blocks.c.prepared).where(import_blocks.c.import_id == import_id, import_blocks.c.n == n)
    row = work.execute(statement).one_or_none()
    return (row.ciphertext, row.prepared) if row else None


def keep_prepared(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """Keep a block as a check has prepared it, for the commit."""
    work.execute(update(import_blocks).where(import_blocks.c.import_id == import_id, import_blocks.c.n == n).values(prepared=ciphertext))


def imports_with_blocks(work: UnitOfWork) -> list[Import]:
    """As the eraser: return the imports of which rows are staged, and hold them."""
    statement = select(imports).where(exists().where(import_blocks.c.import_id == imports.c.id)).order_by(imports.c.id).with_for_update(of=imports)
    return all_typed(Import, work.execute(statement).mappings())


def block_numbers(work: UnitOfWork, import_id: str) -> list[int]:
    """Return the numbers of the blocks that are staged."""
    statement = select(import_blocks.c.n).where(import_blocks.c.import_id == import_id).order_by(import_blocks.c.n)
    return list(work.execute(statement).scalars())


def replace_block(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """As the eraser: put other rows in the place of a block's; what a check has kept of it is dropped."""
    changed = update(import_blocks).where(import_blocks.c.import_id == import_id, import_blocks.c.n == n)
    work.execute(changed.values(ciphertext=ciphertext, prepared=None))


def drop_staged(work: UnitOfWork, import_id: str) -> None:
    """Delete what is staged of a file."""
    drop_pieces(work, import_id)
    work.execute(delete(import_blocks).where(import_blocks.c.import_id == import_id))
