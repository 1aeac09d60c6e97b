"""The cast: the same seven in every test.

Amina of ICE owns the record of Dov, a stakeholder. Bruno is her colleague. Chloé of the Private Sector Office must see
the directory and nothing else; every new entrypoint is tested as her. Edda is the information system security officer,
Farid the privacy officer, Grace the office administrator of ICE.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from services.chassis.messages import Caller
from services.lexicon.vocabulary import LEVELS, ROLES
from tests.support.callers import a_caller


def _id(n: int) -> str:
    return f"01900000-0000-7000-8000-{n:012d}"


AMINA: Caller = a_caller("ICE", "contributor", id=_id(1))
BRUNO: Caller = a_caller("ICE", "contributor", id=_id(2))
CHLOE: Caller = a_caller("PSO", "contributor", id=_id(3))
EDDA: Caller = a_caller("PRIV", None, id=_id(5), roles=["isso"])
FARID: Caller = a_caller("PRIV", None, id=_id(6), roles=["privacy_officer"])
GRACE: Caller = a_caller("ICE", "steward", id=_id(7), roles=["office_administrator"])
#: A reader of ICE, for what readers may not do.
RENATA: Caller = a_caller("ICE", "reader", id=_id(8))
UNACKNOWLEDGED: Caller = a_caller("ICE", "contributor", id=_id(9), acknowledged=False)
EVERYBODY = (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, RENATA)


@dataclass(frozen=True)
class Stakeholder:
    """Somebody outside, as written on their card."""

    first_name: str
    last_name: str
    title: str
    organization: str
    state: str
    cell: str
    email: str

    def body(self, **more: Any) -> dict[str, Any]:
        """Return the directory layer as `POST /individuals` takes it."""
        return {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "title": self.title,
            "state": self.state,
            "source": "given_by_stakeholder",
            **more,
        }


DOV = Stakeholder("Dov", "Quillfeather", "Director of Government Affairs", "Larkspur Freight", "TX", "956-555-0142", "dov.quillfeather@example.org")


def callers(service: str) -> dict[str, Caller]:
    """Return everybody who may open a transaction of a service: each level and role of each component, and who is no user."""
    users = {
        f"{level} of {component}, {role}": replace(AMINA, component=component, level=level, roles=frozenset({role} - {"none"}))
        for component in ("ICE", "PSO", None)
        for level in (*LEVELS, None, "director")
        for role in ("none", *(ROLES if component == "ICE" else ()))
    }
    others = {kind: replace(AMINA, kind=kind, level=None, roles=frozenset()) for kind in ("integration", "operator", "anonymous")}
    return {**users, **others, "a service": Caller.service(service)}
