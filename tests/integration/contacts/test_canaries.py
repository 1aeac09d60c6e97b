"""Unique values go through every place of entry of contacts, and are found only where they may be (P10, P28)."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from deploy.postgres import embedded_programs, local_programs
from services.chassis.messages import Refusal
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.vault import KeyDestroyed, Keyring, Vault
from services.lexicon.mentions import FormerValues
from services.lexicon.seal import open_seal, seal
from tests.cast import AMINA, BRUNO, CHLOE, GRACE
from tests.integration.contacts.conftest import Desk


@dataclasses.dataclass
class Canaries:
    """Makes unique values and remembers them: of the contact layer, and of the directory."""

    hidden: list[str] = dataclasses.field(default_factory=list)
    directory: list[str] = dataclasses.field(default_factory=list)
    _words: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    def word(self) -> str:
        """Return a name that occurs nowhere else."""
        found = f"Zq{next(self._words):04d}xanthous"
        self.directory.append(found)
        return found

    def cell(self) -> str:
        """Return a telephone number that occurs nowhere else."""
        found = f"956-555-{7000 + len(self.hidden):04d}"
        self.hidden.append(found)
        return found

    def email(self) -> str:
        """Return an e-mail address that occurs nowhere else."""
        found = f"canary{len(self.hidden):05d}@nest.example.org"
        self.hidden.append(found)
        return found

    def spellings(self) -> Iterator[tuple[str, str]]:
        """Yield every hidden value in the forms in which it may leak."""
        for value in self.hidden:
            bare = value.replace("-", "")
            for form in {value, bare, f"+1{bare}", value.upper(), value.encode().hex(), bare.encode().hex()}:
                yield value, form.lower()


@pytest.fixture
def canaries() -> Canaries:
    """None yet."""
    return Canaries()


def live_through(desk: Desk, canaries: Canaries, people: int) -> list[str]:
    """Register, correct, reveal, search and freeze many people, with malformed input in between."""
    ids = []
    for n in range(people):
        person = desk.register(
            AMINA,
            first_name=canaries.word(),
            last_name=canaries.word(),
            title=canaries.word(),
            interests=[canaries.word()],
            organization=f"{canaries.word()} Works",
            contact_points=[
                {"kind": "cell", "value": canaries.cell()},
                {"kind": "email", "value": canaries.email()},
                {"kind": "work_address", "value": f"{canaries.word()} Street 5, Austin, TX 78701"},
            ],
        )["id"]
        ids.append(person)
        canaries.hidden.append(canaries.directory.pop())
        attempts: list[Callable[[], Any]] = [
            lambda person=person: desk.correct(CHLOE, person, "email", canaries.email()),
            lambda person=person: desk.add(BRUNO, person, "personal_phone", canaries.cell()),
            lambda person=person: desk.reveal(BRUNO, person),
            lambda person=person: desk.reveal(CHLOE, person),
            lambda: desk.search(CHLOE, q=canaries.hidden[-1]),
            lambda person=person: desk.add(AMINA, person, "cell", f"{canaries.email()} is no cell"),
            lambda person=person: desk.note(CHLOE, person, f"On {canaries.cell()}."),
            lambda person=person: desk.change(GRACE, person, title=canaries.word()),
        ]
        for attempt in attempts:
            try:
                attempt()
            except Refusal as refused:
                said = str(refused.to_wire()).lower()
                assert not [value for value, form in canaries.spellings() if form in said]
        if n % 10 == 9:
            desk.freeze(CHLOE, person)
    return ids


@pytest.mark.requirement("T8", "T14", "R148", "R149")
@pytest.mark.timeout(300)
@pytest.mark.row("P10")
def test_no_canary_is_in_audit_outbox_or_logs(desk: Desk, canaries: Canaries, caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    caplog.set_level("DEBUG")
    people = int(os.environ.get("CANARY_PEOPLE", "40"))
    live_through(desk, canaries, people)
    assert len(canaries.hidden) + len(canaries.directory) >= people * 10
    kept = str(desk.entries()).lower() + str([row.body for row in desk.rows("SELECT body FROM outbox")]).lower()
    told = (caplog.text + "".join(capsys.readouterr())).lower()
    assert len(kept) > 10_000
    assert not [value for value, form in canaries.spellings() if form in kept or form in told]
    assert not [word for word in canaries.directory if word.lower() in kept or word.lower() in told]
    operations = str(desk.rows("SELECT * FROM operations")) + str(desk.rows("SELECT * FROM reveals"))
    assert not [value for value, form in canaries.spellings() if form in operations.lower()]


@pytest.mark.requirement("N17", "R148", "R149")
@pytest.mark.timeout(300)
@pytest.mark.row("P28")
def test_a_superusers_dump_without_the_key_store_holds_no_value_of_the_contact_layer(desk: Desk, canaries: Canaries) -> None:
    (first, *_) = live_through(desk, canaries, 20)
    dump = dumped(desk.addresses.superuser)
    assert canaries.directory[0].lower() in dump, "the directory is in it"
    assert not [value for value, form in canaries.spellings() if form in dump]
    keys = dumped(desk.keys.superuser)
    assert first in keys
    for row in superuser(desk.keys.superuser, "SELECT subject_id FROM subject_keys"):
        key = desk.layer.vault.key(str(row.subject_id))
        assert key.hex() not in dump
        assert key.hex() not in keys, "keys are wrapped under a key that is in no database"


@pytest.mark.requirement("N17", "N3")
@pytest.mark.row("P28")
def test_what_an_older_copy_holds_of_an_erased_person_is_not_readable_any_more(desk: Desk, canaries: Canaries) -> None:
    (person,) = live_through(desk, canaries, 1)
    copy = superuser(desk.addresses.superuser, "SELECT * FROM contact_points")
    assert copy
    desk.erase(person)
    assert superuser(desk.addresses.superuser, "SELECT * FROM contact_points") == []
    assert superuser(desk.keys.superuser, "SELECT * FROM subject_keys") == []
    with pytest.raises(KeyDestroyed):
        desk.layer.vault.key(person)


@pytest.mark.requirement("N17")
def test_another_master_key_opens_nothing_and_a_retired_one_is_replaced(desk: Desk) -> None:
    dov = desk.dov()
    old = os.urandom(32)
    with_old = Vault(desk.keys.runtime, Keyring([old]))
    key = with_old.keys_for(["01900000-0000-7000-8000-0000000000aa"])["01900000-0000-7000-8000-0000000000aa"]
    sealed = with_old.seal_key("01900000-0000-7000-8000-0000000000ee")
    with pytest.raises(KeyDestroyed):
        with_old.key(dov)
    fresh = os.urandom(32)
    turning = Vault(desk.keys.runtime, Keyring([fresh, old]))
    assert turning.key("01900000-0000-7000-8000-0000000000aa") == key
    superuser(desk.keys.superuser, "DELETE FROM subject_keys WHERE subject_id = CAST(:dov AS uuid) RETURNING 1", dov=dov)
    former = next(iter(Keyring([old])))
    assert turning.under(former) == 2
    assert turning.rotate() == 2, "the keys of people, and those of seals"
    assert (turning.rotate(), turning.under(former)) == (0, 0)
    only_fresh = Vault(desk.keys.runtime, Keyring([fresh]))
    assert only_fresh.key("01900000-0000-7000-8000-0000000000aa") == key
    assert only_fresh.unseal_key("01900000-0000-7000-8000-0000000000ee") == sealed
    only_fresh.break_seal("01900000-0000-7000-8000-0000000000ee")
    for vault in (with_old, turning, only_fresh):
        vault.close()


@pytest.mark.requirement("N3")
def test_a_seal_opens_with_its_own_key_for_its_own_erasure_only(desk: Desk) -> None:
    values = FormerValues("Dov", "Quillfeather", phones=("+19565550142",), held=("+19565550100",))
    key = desk.layer.vault.seal_key("01900000-0000-7000-8000-0000000000ee")
    sealed = seal(values, key, erasure_id="01900000-0000-7000-8000-0000000000ee")
    assert open_seal(sealed, key, erasure_id="01900000-0000-7000-8000-0000000000ee") == values
    for wrong_key, erasure in ((os.urandom(32), "01900000-0000-7000-8000-0000000000ee"), (key, "01900000-0000-7000-8000-0000000000ef")):
        with pytest.raises(InvalidTag):
            open_seal(sealed, wrong_key, erasure_id=erasure)
    assert isinstance(desk.layer, ContactLayer)


def superuser(url: str, statement: str, **parameters: Any) -> list[Any]:
    """Query as a superuser, whom no row-level policy binds."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        return list(connection.execute(text(statement), parameters))


def dumped(url: str) -> str:
    """Return what `pg_dump` writes of a database, as a superuser."""
    programs = embedded_programs() or local_programs()
    if programs is None:
        pytest.skip("there is no pg_dump here")
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    done = subprocess.run([programs["pg_dump"], plain], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.lower()
