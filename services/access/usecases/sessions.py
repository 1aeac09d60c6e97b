"""Sessions: signing in, use, the acknowledgement, and every way in which a session ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.access.contract import (
    AccessSuspended,
    SessionRequired,
    StatementsNotAccepted,
    UserChanged,
)
from services.access.contract.answers import Acknowledged, CheckedSession, OpenedSession, SessionAnswer, SignedIn, UserAnswer
from services.access.domain import sessions as rules
from services.access.domain.passwords import DECOY
from services.access.domain.sessions import Session
from services.access.domain.statements import STATEMENTS, STATEMENTS_VERSION, are_accepted
from services.access.domain.users import Lapse, User, lapses
from services.access.storage import directory, sessions
from services.access.usecases import passports
from services.access.usecases.authorization import is_administrator
from services.access.usecases.passports import Sign
from services.chassis.messages import Caller, Refusal, wire_value
from services.chassis.messages import new_id as make_id

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

SIGN_IN = "access:session:open"
MISMATCH = "access:credentials:mismatch"
USE = "access:session:use"
ACKNOWLEDGE = "access:session:acknowledge"
END = "access:session:end"
READ = "access:session:read"
CHECK = "access:session:check"

#: Users whose access is checked in one transaction.
_PAGE = 200

_WHY_OVER = {
    "idle": "Your session ended after fifteen minutes without a request; sign in again.",
    "expired": "Your session ended after twelve hours; sign in again.",
    "signed-out": "You signed out; sign in again.",
    "newer-sign-in": "Your session was ended by a newer sign-in of yours; sign in again.",
    "rights-changed": "Your rights were changed; sign in again.",
    "access-suspended": "Your access is suspended; sign in to see why.",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The stored password to verify; for an unknown user name a decoy, so that both take the same time."""

    user_id: str | None
    stored: str


def prepare_sign_in(work: UnitOfWork, *, username: str) -> Attempt:
    """Return the stored password of a user name."""
    found = directory.find_credential(work, username.casefold())
    return Attempt(*found) if found else Attempt(None, DECOY)


def sign_in(
    work: UnitOfWork,
    *,
    user_id: str,
    now: datetime,
    new_id: Callable[[], str] = make_id,
    new_token: Callable[[], str] = rules.new_token,
) -> SignedIn | Refusal:
    """Open a session for an authenticated user. A sign-in beyond the limit ends the oldest session.

    :return: the session and its token; or a refusal, which is returned so that its audit entry is committed.
    """
    user = directory.find_user(work, user_id, lock=True)
    if user is None:
        return SessionRequired()
    missing = lapses_of(work, user, now=now)
    if missing:
        work.record(SIGN_IN, subjects=[user.id], outcome="refused", rule=missing[0].rule)
        return _suspended(missing)
    ended = []
    alive = _still_alive(work, user.id, now=now)
    for oldest in rules.beyond_limit(alive, is_administrator=is_administrator(user)):
        end(work, oldest, because="newer-sign-in", now=now)
        ended.append(oldest.id)
    token = new_token()
    session = Session(id=new_id(), user_id=user.id, opened_at=now, last_seen_at=now, expires_at=now + rules.TOTAL)
    digest = rules.token_digest(token)
    if digest is None:
        raise AssertionError  # pragma: no cover - a token of our own making has the form of one
    sessions.insert_session(work, session, digest)
    work.caller = passports.holder(user, session, policy_version=None, trace_id=work.caller.trace_id)
    work.record(SIGN_IN, subjects=[session.id, user.id])
    return {"token": token, "ended_sessions": ended, **describe(user, session)}


def record_mismatch(work: UnitOfWork, *, user_id: str | None) -> None:
    """Record a failed sign-in with the user, if there is one. An unknown user name is stored nowhere."""
    work.record(MISMATCH, subjects=[user_id] if user_id else [], outcome="refused", rule="credentials-wrong")


def open_session(work: UnitOfWork, *, token: object, now: datetime, sign: Sign, policy_version: str) -> OpenedSession | Refusal:
    """Return the session of a token with its passports, and store that it is in use.

    :return: the session; or a refusal, which is returned so that the end of the session is committed.
    """
    digest = rules.token_digest(token)
    session = sessions.find_by_digest(work, digest) if digest else None
    if session is None:
        return SessionRequired()
    over = rules.why_over(session, now=now)
    user = directory.find_user(work, session.user_id)
    if over is None and user is not None and lapses_of(work, user, now=now):
        over = "access-suspended"
    if over is not None or user is None:
        because = over or "account-closed"
        end(work, session, because=because, now=now)
        work.record(USE, subjects=[session.id], outcome="refused", rule=because)
        return SessionRequired(_WHY_OVER.get(because), extra={"reason": because})
    sessions.touch(work, session.id, at=now)
    session = replace(session, last_seen_at=max(now, session.last_seen_at))
    caller = passports.holder(user, session, policy_version=policy_version, trace_id=work.caller.trace_id)
    issued = passports.issue(work, caller, passports.audiences_of(session), sign=sign, now=now)
    return {"session": describe(user, session), "passports": issued}


def read_session(work: UnitOfWork, *, by: Caller, now: datetime) -> SessionAnswer:
    """Return the caller's own session.

    :raises SessionRequired: it has ended.
    """
    session, user = _own(work, by, now=now)
    work.record(READ, subjects=[session.id])
    return describe(user, session)


def acknowledge(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    statements_version: str,
    accepted: bool,
    rotate: bool = False,
    new_id: Callable[[], str] = make_id,
    new_token: Callable[[], str] = rules.new_token,
) -> Acknowledged:
    """Record that the caller acknowledges the three statements (R103-R110).

    :param rotate: replace the session's token, as browsers need; the old one is no longer valid.
    :return: the new token, if there is one, and the id of the acknowledgement.
    :raises StatementsNotAccepted: the version is another one, or the caller did not accept.
    :raises SessionRequired: the session has ended.
    """
    session, _ = _own(work, by, now=now, lock=True)
    if not are_accepted(statements_version, accepted=accepted):
        field = "accepted" if accepted is not True else "statements_version"
        raise StatementsNotAccepted(errors={field: ["Accept the statements in the version that is shown."]})
    if session.acknowledgement_id is not None:
        work.record(ACKNOWLEDGE, subjects=[session.id, session.acknowledgement_id])
        return {"token": None, "acknowledgement_id": session.acknowledgement_id}
    token = new_token() if rotate else None
    acknowledgement_id = new_id()
    sessions.insert_acknowledgement(
        work,
        acknowledgement_id,
        session=session,
        version=statements_version,
        digest=rules.token_digest(token) if token else None,
        at=now,
    )
    work.caller = replace(by, acknowledgement_id=acknowledgement_id)
    work.record(ACKNOWLEDGE, subjects=[session.id, acknowledgement_id], fields=[f"version:{statements_version}"])
    return {"token": token, "acknowledgement_id": acknowledgement_id}


def sign_out(work: UnitOfWork, *, by: Caller, now: datetime) -> None:
    """End the caller's own session; an ended session is no error."""
    session = sessions.find(work, by.session_id) if by.session_id else None
    if session is None or session.user_id != by.id or not end(work, session, because="signed-out", now=now):
        work.record(END, subjects=[by.session_id] if by.session_id else [], rule="ended-before")


def check_session(work: UnitOfWork, *, session_id: str, now: datetime) -> CheckedSession:
    """Return whether a session lives, for a service that missed the heartbeat."""
    session = sessions.find(work, session_id)
    alive = session is not None and rules.why_over(session, now=now) is None
    if session is not None and alive:
        user = directory.find_user(work, session.user_id)
        alive = user is not None and not lapses_of(work, user, now=now)
    work.record(CHECK, subjects=[session_id])
    return {"session_id": session_id, "lives": alive}


def end(work: UnitOfWork, session: Session, *, because: str, now: datetime) -> bool:
    """End a session and record that; return False if it had already ended."""
    if not sessions.end(work, session.id, because=because, at=now):
        return False
    work.record(END, subjects=[session.id, session.user_id], rule=because)
    return True


def end_all(work: UnitOfWork, user_id: str, *, because: str, now: datetime) -> list[str]:
    """End every session of a user; return their ids."""
    return [s.id for s in sessions.live(work, user_id) if end(work, s, because=because, now=now)]


def sweep(work: UnitOfWork, *, now: datetime) -> int:
    """End the sessions whose time has passed; return their number."""
    over = sessions.over_but_not_ended(work, now=now)
    for session in over:
        end(work, session, because=rules.why_over(session, now=now) or "expired", now=now)
    return len(over)


def recently_ended(work: UnitOfWork, *, now: datetime) -> list[str]:
    """Return the sessions that a heartbeat names: those that ended while one of their passports may still be valid."""
    return sessions.ended_since(work, now - rules.TOLD_FOR)


def suspend_lapsed(work: UnitOfWork, *, now: datetime, after: str | None = None) -> tuple[list[str], str | None]:
    """End the sessions of users whose access lapsed, and announce that; announce also access that came back.

    :param after: the user name after which the page of users begins.
    :return: the users whose access changed, and the user name after which the next page begins; None after the last one.
    """
    checked = directory.list_users(work, after=after, limit=_PAGE)
    grounds = directory.read_grounds(work, [user.id for user in checked])
    moved = []
    for seen in checked:
        active = not lapses(seen, grounds[seen.id], today=now.date())
        if active == seen.told_active:
            continue
        # Lock the user before the sessions, as everywhere. Another process may have announced the change meanwhile.
        user = directory.find_user(work, seen.id, lock=True)
        if user is None or user.told_active == active or bool(lapses_of(work, user, now=now)) == active:
            continue
        moved.append(user.id)
        if not active:
            end_all(work, user.id, because="access-suspended", now=now)
        tell(work, user, active=active)
        work.record("access:user:resume" if active else "access:user:suspend", subjects=[user.id])
    return moved, checked[-1].username if len(checked) == _PAGE else None


def tell(work: UnitOfWork, user: User, *, active: bool) -> None:
    """Announce the present state of a user."""
    revision = directory.tell(work, user.id, active=active)
    work.announce(
        UserChanged(
            user_id=user.id,
            component=user.component,
            level=user.level,
            roles=tuple(sorted(user.roles)),
            active=active,
            revision=revision,
        )
    )


def lapses_of(work: UnitOfWork, user: User, *, now: datetime) -> list[Lapse]:
    """Return the reasons why a user's access is not in effect."""
    return lapses(user, directory.read_grounds(work, [user.id])[user.id], today=now.date())


def describe(user: User, session: Session) -> SessionAnswer:
    """Return a session as its user sees it."""
    return {
        "session_id": session.id,
        "user": describe_user(user),
        "component": user.component,
        "level": user.level,
        "roles": sorted(user.roles),
        "acknowledged": session.acknowledgement_id is not None,
        "acknowledgement_id": session.acknowledgement_id,
        "statements": list(STATEMENTS[STATEMENTS_VERSION]),
        "statements_version": STATEMENTS_VERSION,
        "expires_at": str(wire_value(session.expires_at)),
        "idle_expires_at": str(wire_value(session.idle_expires_at)),
        "time_zone": user.time_zone,
    }


def describe_user(user: User) -> UserAnswer:
    """Return an employee as every acknowledged user sees them."""
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "component": user.component,
        "level": user.level,
        "roles": sorted(user.roles),
        "active": user.active and user.told_active,
    }


def _own(work: UnitOfWork, by: Caller, *, now: datetime, lock: bool = False) -> tuple[Session, User]:
    session = sessions.find(work, by.session_id, lock=lock) if by.session_id else None
    if session is None or session.user_id != by.id or rules.why_over(session, now=now) is not None:
        raise SessionRequired
    user = directory.find_user(work, session.user_id)
    if user is None:
        raise SessionRequired
    return session, user


def _still_alive(work: UnitOfWork, user_id: str, *, now: datetime) -> list[Session]:
    alive = []
    for session in sessions.live(work, user_id):
        over = rules.why_over(session, now=now)
        if over is None:
            alive.append(session)
        else:
            end(work, session, because=over, now=now)
    return alive


def _suspended(missing: list[Lapse]) -> AccessSuspended:
    sentence = " ".join(lapse.sentence for lapse in missing)
    return AccessSuspended(
        f"Your access is suspended. {sentence}",
        extra={"lapses": [{"code": lapse.code, "rule": lapse.rule} for lapse in missing]},
    )
