"""Preparing: a block of rows is read and normalized, and everything is worked out that the rows alone decide."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Self

import msgspec
import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.imports import ImportUnreadable
from services.contacts.domain.imports.records import FORM, Record
from services.contacts.domain.imports.states import Import
from services.contacts.domain.imports.tables import BLOCK, Row
from services.contacts.domain.suppression import asked_of
from services.contacts.storage import ledger
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.imports import files
from services.contacts.storage.imports.questions import Questions
from services.contacts.storage.ledger import Found
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt
from services.contacts.usecases import looking
from services.contacts.usecases.imports.parsing import Threads, records_of
from services.contacts.usecases.imports.representing import layout_of
from services.lexicon.canonical import canonical_phone, compared_as


@dataclass(frozen=True, slots=True)
class Prepared:
    """A block's records, what they ask of the register, and, as digests, of the suppression ledger."""

    n: int
    records: list[Record]
    questions: Questions
    suppressions: str
    #: What its digests were made with, and those of its values are to be made with.
    under: Digests
    #: The block as it is kept for the commit, encrypted; None if it was read from that.
    sealed: bytes | None = None
    #: Returns its rows as they were staged, for the cells of rows that are kept.
    staged: Callable[[], Sequence[Row]] = list

    @property
    def first(self) -> int:
        """Return the number of its first row."""
        return self.n * BLOCK

    @property
    def end(self) -> int:
        """Return the number behind its last row."""
        return self.first + len(self.records)

    def cells(self, numbers: Iterable[int]) -> list[tuple[int, Mapping[str, str]]]:
        """Return the cells of rows (number within the import); nothing but computing."""
        wanted = list(numbers)
        rows = self.staged() if wanted else ()
        return [(n, rows[n - self.first].cells) for n in wanted]


class Preparing:
    """Prepares an import's blocks; nothing but computing.

    Rows are read in child processes, which have no key; what needs a key is computed here.
    """

    def __init__(self, row: Import, key: bytes, mapping: dict[str, str], digests: Digests) -> None:
        """Take the import, its key, what its columns are, and what digests are made with."""
        self._import_id = row.id
        self._component = row.component
        self._cipher = AESGCM(key)
        self._mapping = mapping
        self._digests = digests

    @classmethod
    def of(cls, vault: Vault, row: Import, digests: Digests) -> Self:
        """Read what is needed.

        :raises ImportUnreadable: the import's key is gone.
        """
        try:
            return cls(row, vault.key(row.id), layout_of(vault, row).mapping, digests)
        except KeyDestroyed as error:
            raise ImportUnreadable from error

    def prepare(self, n: int, staged: bytes, sealed: bytes | None, *, threads: Threads, between: Callable[[], None]) -> Prepared:
        """Return a block from what a check has kept of it, or else from its rows: normalised, and what they ask worked out.

        :param between: called between two steps, if its rows take several.
        """
        if sealed and (block := threads.run(self._unsealed, n, sealed)):
            return replace(block, staged=partial(self._rows, n, staged))
        rows = threads.run(self._rows, n, staged)
        return threads.run(self._asked, n, rows, records_of(rows, self._mapping, threads, between=between))

    def _asked(self, n: int, rows: Sequence[Row], records: list[Record]) -> Prepared:
        block = _block(n, records, self._digests, self._component)
        return replace(block, sealed=self._sealed(block), staged=lambda: rows)

    def _rows(self, n: int, staged: bytes) -> list[Row]:
        return msgspec.json.decode(decrypt(self._cipher, staged, bound_to=f"import block {self._import_id} {n}"), type=list[Row])

    def _sealed(self, block: Prepared) -> bytes:
        written = {
            "form": FORM,
            "keys": self._digests.key_ids,
            "records": block.records,
            "questions": {name: getattr(block.questions, name) for name in _QUESTIONS},
            "digests": [[*value, *(digest.hex() for digest in made)] for value, made in block.questions.digests.items()],
            "suppressions": block.suppressions,
        }
        return encrypt(self._cipher, msgspec.json.encode(written).decode(), bound_to=self._sealed_as(block.n))

    def _unsealed(self, n: int, sealed: bytes) -> Prepared | None:
        block = orjson.loads(decrypt(self._cipher, sealed, bound_to=self._sealed_as(n)))
        if block["form"] != FORM or block["keys"] != self._digests.key_ids:
            return None
        digests = {(family, canonical): [bytes.fromhex(digest) for digest in made] for family, canonical, *made in block["digests"]}
        records = msgspec.convert(block["records"], list[Record])
        return Prepared(n, records, Questions(**block["questions"], digests=digests), block["suppressions"], self._digests)

    def _sealed_as(self, n: int) -> str:
        return f"prepared import block {self._import_id} {n}"


def staged_block(work: UnitOfWork, import_id: str, n: int) -> tuple[bytes, bytes | None]:
    """Return a block as it is staged, and what a check has kept of it.

    :raises ImportUnreadable: it is not there any more.
    """
    found = files.block(work, import_id, n)
    if found is None:
        raise ImportUnreadable
    return found


def of_rows(rows: Sequence[Row], mapping: Mapping[str, str], digests: Digests, component: str, *, threads: Threads) -> Prepared:
    """Return rows that were kept, as a block that is prepared."""
    return threads.run(_block, 0, records_of(rows, mapping, threads), digests, component)


def _block(n: int, records: list[Record], digests: Digests, component: str) -> Prepared:
    return Prepared(n, records, Questions.of(records, digests, component), array_of_bytes(_asking(digests, records)), digests)


#: But for the digests, they are texts.
_QUESTIONS = tuple(each.name for each in fields(Questions) if each.name != "digests")


def blocked(work: UnitOfWork, layer: ContactLayer, block: Prepared, *, by: Caller, now: datetime, threads: Threads) -> Collection[int]:
    """Return which records the ledger knows: by their values first, and of those that it has by the words of the name too.

    :raises LookupsExhausted, ImportsStopped: roll back; nothing of the block may be told (T35).
    """
    return looking.look(
        work,
        layer,
        by=by,
        now=now,
        digests=block.suppressions,
        values=_looked_up(block.records),
        answer=lambda found: threads.run(_known, layer.digests, block.records, found),
        in_bulk=True,
    )


def _looked_up(records: Sequence[Record]) -> int:
    """Count what the ledger is asked for: each value once, and each person's name with whatever organizations stand beside it."""
    values = {(compared_as(kind), canonical) for record in records for kind, _, canonical in record.points if kind != "work_address"}
    phones = {("phone", office.phone) for record in records for office in record.offices if office.phone}
    return len(values) + len(phones) + sum(record.is_person for record in records)


def _known(digests: Digests, records: Sequence[Record], found: Sequence[Found]) -> dict[int, list[Found]]:
    asking = _asking(digests, records)
    names = {at: (records[at].name.first_name, records[at].name.last_name) for mark in found for at in asking[mark.digest]}
    return ledger.answers(digests, ((at, digest) for digest, suspects in asking.items() for at in suspects), found, names)


def _asking(digests: Digests, records: Sequence[Record]) -> dict[bytes, list[int]]:
    """Return the digests of which the ledger is asked, and which records ask for each."""
    asking: dict[bytes, list[int]] = {}
    for at, record in enumerate(records):
        # An office's telephone may be somebody's own (T25).
        for phone in {canonical for office in record.offices if office.phone and (canonical := canonical_phone(office.phone))}:
            for digest in digests.suppressions("work_phone", phone):
                asking.setdefault(digest, []).append(at)
        if record.is_person:
            texts = (record.organization, record.title, *record.interests, record.name.first_name, record.name.last_name)
            points = ((kind, canonical) for kind, _, canonical in record.points)
            for kind, compared in asked_of(texts=[written for written in texts if written], points=points):
                for digest in digests.suppressions(kind, compared):
                    asking.setdefault(digest, []).append(at)
    return asking
