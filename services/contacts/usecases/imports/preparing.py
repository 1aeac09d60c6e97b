"""A block of rows before the database is asked: read, normalised, and everything worked out that its rows alone decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import orjson

from services.chassis.database import UnitOfWork
from services.contacts.contract.imports import ImportUnreadable
from services.contacts.domain.imports.records import Record, record_of
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.suppression import known_by, marks_of
from services.contacts.storage import imports, ledger
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.import_register import Questions
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt
from services.contacts.usecases.imports.representing import layout_of

T = TypeVar("T")
Made = TypeVar("Made")


class Beside(Protocol):
    """Runs what is nothing but computing beside the loop."""

    def __call__(self, function: Callable[..., Made], *args: Any, **kwargs: Any) -> Made:
        """Run it, and wait for it."""

    def ahead(self, function: Callable[[T], Made], of: Iterable[T]) -> Iterator[Made]:
        """Give what it makes of each; while one is used, the next is being made."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A block's records, what they ask of the register, and of the suppression ledger."""

    n: int
    records: list[Record]
    questions: Questions
    #: Which records ask for a digest, and all the digests as an array.
    by_digest: dict[bytes, list[int]]
    suppressions: str

    @property
    def first(self) -> int:
        """Return the number of its first row."""
        return self.n * imports.BLOCK

    @property
    def end(self) -> int:
        """Return the number behind its last row."""
        return self.first + len(self.records)


def staged(work: UnitOfWork, vault: Vault, row: dict[str, Any], n: int) -> tuple[list[Row], dict[str, str]]:
    """Return a block's rows as they were staged, and the mapping.

    :raises ImportUnreadable: what was staged is gone.
    """
    ciphertext = imports.block(work, row["id"], n)
    try:
        if ciphertext is None:
            raise ImportUnreadable
        rows = orjson.loads(decrypt(vault.key(row["id"]), ciphertext, bound_to=f"import block {row['id']} {n}"))
    except KeyDestroyed as error:
        raise ImportUnreadable from error
    mapping: dict[str, str] = layout_of(vault, row)["mapping"]
    return [Row(sheet, number, cells, too_long=too_long) for sheet, number, cells, too_long in rows], mapping


def prepared(n: int, rows: Sequence[Row], mapping: dict[str, str], *, digests: Digests, component: str) -> Prepared:
    """Normalise a block's rows and work out what they ask; nothing but computing, and the more of it the better here."""
    records = [record_of(row, mapping) for row in rows]
    by_digest: dict[bytes, list[int]] = {}
    for at, record in enumerate(records):
        if record.is_person:
            for kind, canonical in known_by(record.signs.organization, ((kind, canonical) for kind, _, canonical in record.points)):
                for digest in digests.suppressions(kind, canonical):
                    by_digest.setdefault(digest, []).append(at)
    return Prepared(n, records, Questions.of(records, digests, component), by_digest, array_of_bytes(by_digest))


def blocked(work: UnitOfWork, layer: ContactLayer, block: Prepared, *, beside: Beside) -> set[int]:
    """Return which records the ledger knows: by their values first, and of those that it has by the words of the name too."""
    found = ledger.written(work, block.suppressions)
    if not found:
        return set()
    suspects = sorted({at for digest, _, _ in found for at in block.by_digest[digest]})
    known = ledger.answers(beside(_asked, layer.digests, [block.records[at] for at in suspects]), found)
    return {suspects[at] for at in known}


def _asked(digests: Digests, records: Sequence[Record]) -> list[ledger.Question]:
    candidates = []
    for record in records:
        marks = marks_of(organization=record.organization, contact_points=((kind, value) for kind, value, _ in record.points))
        candidates.append((record.name.first_name, record.name.last_name, marks))
    return ledger.questions(digests, candidates)
