"""Accounts of invented employees for every level and role, each with its own password."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from deploy.secrets import Secrets
from services.access.domain.passwords import password_hash
from services.access.storage import directory
from services.access.usecases.seeding import Account, seed_accounts
from services.chassis.database import Database
from services.chassis.messages import Caller


@dataclass(frozen=True, slots=True)
class Employee:
    """An invented person at a real office."""

    username: str
    name: str
    component: str
    #: What they do, in a sentence for the sign-in page.
    about: str
    level: str | None
    roles: tuple[str, ...] = ()


EMPLOYEES = (
    Employee("amina", "Amina Farouk", "ICE", "Meets employers and industry for ICE.", "contributor"),
    Employee("bruno", "Bruno Keller", "ICE", "Works beside Amina; sees what ICE knows.", "contributor"),
    Employee("renata", "Renata Silva", "ICE", "Reads ICE's records and changes nothing.", "reader"),
    Employee("grace", "Grace Okafor", "ICE", "Answers for ICE's records when their owners can't.", "steward", ("office_administrator",)),
    Employee("chloe", "Chloé Marchand", "PSO", "Meets the private sector for PSO; never sees ICE's phone numbers.", "contributor"),
    Employee("denis", "Denis Novak", "PSO", "Works beside Chloé; hears who wants no more contact.", "contributor"),
    Employee("paula", "Paula Reyes", "PSO", "Answers for PSO's records when their owners can't.", "steward", ("office_administrator",)),
    Employee("femi", "Femi Adeyemi", "FEMA", "Reads the directory for FEMA.", "reader"),
    Employee("hanna", "Hanna Virtanen", "FEMA", "Meets states and volunteers for FEMA before hurricanes.", "contributor"),
    Employee("ursula", "Ursula Brandt", "USCIS", "Meets growers and hotels for USCIS.", "contributor"),
    Employee("ivan", "Ivan Petrov", "IGA", "Meets governors and tribal governments for IGA.", "contributor"),
    Employee("wanda", "Wanda Liu", "WHL", "Owns the system; steps in where an office has nobody.", "reader", ("system_owner",)),
    Employee("simon", "Simon Archer", "OPA", "Opens and closes accounts.", "reader", ("system_administrator",)),
    Employee("edda", "Edda Lindqvist", "PRIV", "Reviews the audit trail every week; sees no record.", None, ("isso",)),
    Employee("farid", "Farid Haddad", "PRIV", "Decides on held text, erasures and requests for no more contact.", None, ("privacy_officer",)),
)


class DemoAccount(TypedDict):
    """An account in the file of demonstration accounts."""

    username: str
    password: str
    name: str
    component: str
    about: str
    level: str | None
    roles: list[str]


def seed(database: Database, file: Path, *, now: datetime) -> list[DemoAccount]:
    """Create the accounts and write their passwords into `file`; return the accounts.

    The file is written first, because an account with an unknown password could not be removed.
    """
    if not file.exists():
        accounts = [asdict(employee) | {"password": secrets.token_urlsafe(12)} for employee in EMPLOYEES]
        Secrets(file.parent).derive(file.name, json.dumps(accounts, indent=2, ensure_ascii=False))
    given: list[DemoAccount] = json.loads(file.read_text())
    by = Caller.operator("demonstration")
    with database.work(by) as work:
        missing = [account for account in given if directory.find_user_by_name(work, account["username"]) is None]
        work.record("access:user:list", subjects=[])
    # Hashing is slow on purpose, so only new passwords are hashed, and not within a transaction.
    new = [
        Account(
            username=account["username"],
            name=account["name"],
            component=account["component"],
            level=account["level"],
            roles=frozenset(account["roles"]),
            password_hash=password_hash(account["password"]),
        )
        for account in missing
    ]
    if new:
        with database.work(by) as work:
            seed_accounts(work, new, now=now)
    return given
