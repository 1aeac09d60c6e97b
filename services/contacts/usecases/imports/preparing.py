"""A block of rows before the database is asked: read, normalised, and everything worked out that its rows alone decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol, Self, TypeVar

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.database import UnitOfWork
from services.contacts.contract.imports import ImportUnreadable
from services.contacts.domain.imports.kept import FORM, kept, record_of_kept
from services.contacts.domain.imports.records import Record, record_of
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.suppression import known_by, marks_of
from services.contacts.storage import imports, ledger
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.import_register import Questions
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt
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
    """A block's records, what they ask of the register, and, as digests, of the suppression ledger."""

    n: int
    records: list[Record]
    questions: Questions
    suppressions: str
    #: Where it was not read from that: all of it, encrypted; and the cells of rows that cannot be taken in as they are.
    sealed: bytes | None = None
    cells: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """Return the number of its first row."""
        return self.n * imports.BLOCK

    @property
    def end(self) -> int:
        """Return the number behind its last row."""
        return self.first + len(self.records)


class Preparing:
    """Prepares an import's blocks; nothing but computing, and the more of it the better here."""

    def __init__(self, row: Mapping[str, Any], key: bytes, mapping: dict[str, str], digests: Digests) -> None:
        """Take the import, its key, what its columns are, and what digests are made with."""
        self._import_id = row["id"]
        self._component = row["component"]
        self._cipher = AESGCM(key)
        self._mapping = mapping
        self._digests = digests

    @classmethod
    def of(cls, vault: Vault, row: Mapping[str, Any], digests: Digests) -> Self:
        """Read what is needed.

        :raises ImportUnreadable: the import's key is gone.
        """
        try:
            return cls(row, vault.key(row["id"]), layout_of(vault, row)["mapping"], digests)
        except KeyDestroyed as error:
            raise ImportUnreadable from error

    def prepare(self, n: int, staged: bytes, sealed: bytes | None) -> Prepared:
        """Return a block from what a check has kept of it, or else from its rows: normalised, and what they ask worked out."""
        block = self._unsealed(n, sealed) if sealed else None
        if block is None:
            rows = self._rows(n, staged)
            records = [record_of(row, self._mapping) for row in rows]
            questions = Questions.of(records, self._digests, self._component)
            block = Prepared(n, records, questions, array_of_bytes(_asking(self._digests, records)))
            cells = {block.first + at: rows[at].cells for at, record in enumerate(records) if record.problems}
            block = replace(block, sealed=self._sealed(block), cells=cells)
        return block

    def _rows(self, n: int, staged: bytes) -> list[Row]:
        rows = orjson.loads(decrypt(self._cipher, staged, bound_to=f"import block {self._import_id} {n}"))
        return [Row(sheet, number, cells, too_long=too_long) for sheet, number, cells, too_long in rows]

    def _sealed(self, block: Prepared) -> bytes:
        written = {
            "form": FORM,
            "keys": self._digests.key_ids,
            "records": [kept(record) for record in block.records],
            "questions": {name: getattr(block.questions, name) for name in _QUESTIONS},
            "digests": [[*value, *(digest.hex() for digest in made)] for value, made in block.questions.digests.items()],
            "suppressions": block.suppressions,
        }
        return encrypt(self._cipher, orjson.dumps(written).decode(), bound_to=self._sealed_as(block.n))

    def _unsealed(self, n: int, sealed: bytes) -> Prepared | None:
        block = orjson.loads(decrypt(self._cipher, sealed, bound_to=self._sealed_as(n)))
        if block["form"] != FORM or block["keys"] != self._digests.key_ids:
            return None
        digests = {(family, canonical): [bytes.fromhex(digest) for digest in made] for family, canonical, *made in block["digests"]}
        records = [record_of_kept(written) for written in block["records"]]
        return Prepared(n, records, Questions(**block["questions"], digests=digests), block["suppressions"])

    def _sealed_as(self, n: int) -> str:
        return f"prepared import block {self._import_id} {n}"


#: But for the digests, they are texts.
_QUESTIONS = tuple(each.name for each in fields(Questions) if each.name != "digests")


def blocked(work: UnitOfWork, layer: ContactLayer, block: Prepared, *, beside: Beside) -> set[int]:
    """Return which records the ledger knows: by their values first, and of those that it has by the words of the name too."""
    found = ledger.written(work, block.suppressions)
    return beside(_known, layer.digests, block.records, found) if found else set()


def _known(digests: Digests, records: Sequence[Record], found: Sequence[tuple[bytes, bool, list[bytes]]]) -> set[int]:
    asking = _asking(digests, records)
    suspects = sorted({at for digest, _, _ in found for at in asking[digest]})
    candidates = []
    for record in (records[at] for at in suspects):
        marks = marks_of(organization=record.organization, contact_points=((kind, value) for kind, value, _ in record.points))
        candidates.append((record.name.first_name, record.name.last_name, marks))
    return {suspects[at] for at in ledger.answers(ledger.questions(digests, candidates), found)}


def _asking(digests: Digests, records: Sequence[Record]) -> dict[bytes, list[int]]:
    """Return the digests of which the ledger is asked, and which records ask for each."""
    asking: dict[bytes, list[int]] = {}
    for at, record in enumerate(records):
        if record.is_person:
            for kind, canonical in known_by(record.signs.organization, ((kind, canonical) for kind, _, canonical in record.points)):
                for digest in digests.suppressions(kind, canonical):
                    asking.setdefault(digest, []).append(at)
    return asking
