"""Setting aside: people on whom a hold stands when an undo takes them away (R138, T24).

To everybody the undo took them away: no other row of theirs is left anywhere, and nobody's answer, list or number is another
than if it had. A copy of their rows is kept under their own key for the privacy officer, until the hold ends; then copy and
key go. A unit of work here has the role `eraser`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import orjson

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.contacts.contract.refusals import IndividualUnknown
from services.contacts.domain import representations
from services.contacts.domain.encryption import decrypt, encrypt
from services.contacts.storage import individuals
from services.contacts.storage.imports import set_aside
from services.contacts.storage.vault import KeyDestroyed, Vault
from services.lexicon.policy import Facts, decide

RULE = "R138"


def set_people_aside(work: UnitOfWork, individual_ids: Sequence[str], *, vault: Vault, import_id: str, now: datetime) -> None:
    """Keep a copy of everything of these people that the undo is about to delete; their keys stay."""
    if not individual_ids:
        return
    keys = vault.keys_for(individual_ids)
    shown = individuals.find_many(work, individual_ids)
    copies = {}
    for individual_id, rows in set_aside.rows_of(work, individual_ids).items():
        copy = {"shown": representations.individual(shown[individual_id]), "rows": rows}
        copies[individual_id] = encrypt(keys[individual_id], orjson.dumps(copy).decode(), bound_to=_place(individual_id))
    # No entry of its own: the undo's is in the importer's name, and which holds it found retention's says.
    set_aside.keep(work, copies, import_id=import_id, now=now)


def may_know(by: Caller) -> bool:
    """Whether the caller may know of holds, and so of whom they keep (T24)."""
    return bool(decide(by, "place_hold", None, Facts()))


def read(work: UnitOfWork, *, vault: Vault, individual_id: str) -> IndividualAnswer:
    """Return what everybody saw of somebody who is set aside, marked as that; the caller may know of holds.

    :raises IndividualUnknown: there is no such person.
    """
    kept = set_aside.find(work, individual_id)
    if kept is None:
        raise IndividualUnknown
    try:
        copy = orjson.loads(decrypt(vault.key(individual_id), kept, bound_to=_place(individual_id)))
    except KeyDestroyed as error:
        raise IndividualUnknown from error
    shown: IndividualAnswer = copy["shown"]
    shown["set_aside"] = True
    work.record("contacts:individual:read", subjects=[individual_id], fields=shown, rule=RULE)
    return shown


def everybody(work: UnitOfWork) -> list[str]:
    """Return who is set aside."""
    return set_aside.everybody(work)


def let_go(work: UnitOfWork, individual_ids: Collection[str]) -> None:
    """Delete the copies of people on whom no hold stands any more; their keys were destroyed before."""
    set_aside.drop(work, individual_ids)
    work.record("contacts:individual:erase", subjects=sorted(individual_ids), rule="hold-ended")


def _place(individual_id: str) -> str:
    return f"set aside {individual_id}"
