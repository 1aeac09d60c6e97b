"""Run a service without one safeguard, to show that the comparison of P1 notices it (P2).

`python -m tests.reliability.sabotaged NAME services.contacts` changes the chassis in this process and runs the service.
`sound:NAME` makes the same window and keeps the safeguard: under the same fault nothing may be lost.

A window is a point where the process waits for the test: if the file `armed` is in the folder $SABOTAGE, it is renamed
to `inside`, and the process continues when that is deleted. So the fault occurs exactly there.
"""

from __future__ import annotations

import services.chassis.green  # isort: skip

import os
import runpy
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import eventlet
import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork, note_audited
from services.chassis.database.batching import BatchedReads
from services.chassis.entrypoints.consumers import AnnouncementHandler
from services.chassis.entrypoints.context import process_of
from services.chassis.entrypoints.providers import DatabaseProvider
from services.chassis.entrypoints.retry import RetryHandler
from services.chassis.entrypoints.rpc import RpcEntrypoint
from services.chassis.messages import Announcement, Caller
from services.chassis.outbox.relay import Relay
from services.chassis.outbox.store import Outbox
from services.chassis.transport.publisher import Message, PublishResult
from services.contacts.service.integrations import IntegrationConsumer

assert services.chassis.green

ENVIRONMENT = "SABOTAGE"
LOGGED = "interactions.interaction.logged"
REGISTERED = "contacts.individual.registered"
READ = "contacts:individual:read"
#: The log event of a swallowed failure.
SWALLOWED = "message.swallowed"
_LONGEST = 30.0
_SENT_BY_THEN = 0.3


def window() -> None:
    """Wait here once, if a test has armed the window."""
    folder = Path(os.environ[ENVIRONMENT])
    try:
        (folder / "armed").rename(folder / "entering")
    except FileNotFoundError:
        return
    # Wait until earlier data has left the sockets, because answers and acknowledgements are batched.
    eventlet.sleep(_SENT_BY_THEN)
    (folder / "entering").rename(folder / "inside")
    with eventlet.Timeout(_LONGEST, exception=False):
        while (folder / "inside").exists():
            eventlet.sleep(0.01)


def _nothing() -> None:
    """Do nothing."""


def _around_commit(routing_key: str, *, before: Callable[[], None] = _nothing, after: Callable[[], None] = _nothing) -> None:
    """Call functions before and after the commit of each transaction that has this announcement."""
    commit = UnitOfWork._commit

    def commit_between(work: UnitOfWork, connection: Any) -> None:
        tells = any(row["routing_key"] == routing_key for row in work._announcements)
        if tells:
            before()
        commit(work, connection)
        if tells:
            after()

    UnitOfWork._commit = commit_between


def commit_then_publish(*, sound: bool) -> None:
    """Publish after the commit, without an outbox."""
    start, announce, commit = DatabaseProvider.start, UnitOfWork.announce, UnitOfWork._commit
    publishers: list[Any] = []
    held: dict[int, list[Message]] = {}

    def remember(provider: DatabaseProvider) -> None:
        publishers.append(process_of(provider).publisher)
        start(provider)

    def hold(work: UnitOfWork, announcement: Announcement) -> None:
        announce(work, announcement)
        row = work._announcements.pop()
        held.setdefault(id(work), []).append(Message(row["id"], "announcements", announcement.routing_key(), orjson.dumps(row["body"])))

    def commit_first(work: UnitOfWork, connection: Any) -> None:
        messages = held.pop(id(work), [])
        commit(work, connection)
        if any(message.routing_key == LOGGED for message in messages):
            window()
        if messages:
            publishers[0].publish_confirmed(messages)

    if sound:
        _around_commit(LOGGED, after=window)
    else:
        DatabaseProvider.start, UnitOfWork.announce, UnitOfWork._commit = remember, hold, commit_first


def acknowledge_before_commit(*, sound: bool) -> None:
    """Acknowledge a message before it is handled."""
    perform = AnnouncementHandler.perform

    def acknowledge_first(entrypoint: AnnouncementHandler, worker: Any, method: Callable[..., Any]) -> Any:
        if not sound:
            for pending in worker.data["batch"]:
                pending.message.ack()
        if entrypoint.announcement.routing_key() == LOGGED:
            window()
        return perform(entrypoint, worker, method)

    AnnouncementHandler.perform = acknowledge_first
    if not sound:
        RetryHandler.done = lambda *_: None


def relay_by_id(*, sound: bool) -> None:
    """Ship messages with higher ids than the last one, as if commits became visible in the order of their ids."""
    last: list[Any] = []

    def ship(outbox: Outbox, publish: Any, limit: int) -> int:
        with outbox._database.system_transaction() as connection:
            if not last:
                last.append(connection.execute(text("SELECT id FROM outbox WHERE done ORDER BY id DESC LIMIT 1")).scalar_one())
            rows = connection.execute(
                text("SELECT id, routing_key, body::text AS body FROM outbox WHERE id > :last ORDER BY id LIMIT :limit"),
                {"last": last[0], "limit": limit},
            ).all()
            if rows and all(publish([Message(str(r.id), "announcements", r.routing_key, r.body.encode()) for r in rows])):
                last[0] = rows[-1].id
            connection.execute(text("UPDATE outbox SET done = true WHERE NOT done AND id <= :last"), {"last": last[0]})
        return len(rows)

    _around_commit(LOGGED, before=window)
    if not sound:
        Outbox._ship_announcements = ship


def no_inbox(*, sound: bool) -> None:
    """Handle a message each time that it is delivered."""
    work_off = IntegrationConsumer.work_off

    def stop_before_acknowledging(consumer: IntegrationConsumer, message: Any, act: Callable[[], None]) -> None:
        def act_and_stop() -> None:
            act()
            window()

        work_off(consumer, message, act_and_stop)

    IntegrationConsumer.work_off = stop_before_acknowledging
    if not sound:
        UnitOfWork.mark_processed = lambda *_: True


def exception_swallowed(*, sound: bool) -> None:
    """Acknowledge a message even if its handler failed."""

    def swallow(_retry_handler: RetryHandler, message: Any, *_: Any) -> None:
        message.ack()
        # The test kills this process when it reads this line; by then the broker has the acknowledgement.
        eventlet.sleep(_SENT_BY_THEN)
        print(SWALLOWED, file=sys.stderr, flush=True)

    if not sound:
        RetryHandler.failed = RetryHandler.postponed = swallow


def audit_after_the_answer(*, sound: bool) -> None:
    """Answer before the audit entry is recorded."""
    perform, commit = RpcEntrypoint.perform, UnitOfWork._commit
    held: ContextVar[list[Any] | None] = ContextVar("held", default=None)

    def commit_without_entries(work: UnitOfWork, connection: Any) -> None:
        later = held.get()
        entries, work._entries = (work._entries, []) if later is not None else ([], work._entries)
        commit(work, connection)
        if later is not None:
            later.extend(entries)
            work.audited = True
            note_audited()

    def answer_first(entrypoint: RpcEntrypoint, worker: Any, method: Callable[..., Any]) -> Any:
        later: list[Any] = []
        token = None if sound else held.set(later)
        result = perform(entrypoint, worker, method)
        if token is not None:
            held.reset(token)
        if entrypoint.action == READ:
            window()
        if later:
            with entrypoint.consumer.process.open_database().work(Caller.service("contacts")) as work:
                work._entries.extend(later)
        return result

    RpcEntrypoint.perform = answer_first
    UnitOfWork._commit = commit_without_entries
    if not sound:
        # Batched reads record in the same statement, so they are disabled.
        BatchedReads.read = lambda *_: None


def unroutable_ignored(*, sound: bool) -> None:
    """Accept an unroutable message as published."""

    def publish(relay: Relay, messages: Any) -> list[bool]:
        results = relay._publisher.publish_confirmed(messages)
        return [result in {PublishResult.CONFIRMED, PublishResult.NO_ROUTE} for result in results]

    if not sound:
        Relay._publish = publish


def key_forgotten(*, sound: bool) -> None:
    """Run a repeated command with the same Idempotency-Key again."""
    _around_commit(REGISTERED, after=window)
    if not sound:
        UnitOfWork.idempotent_result = lambda _: None
        UnitOfWork.store_idempotent_result = lambda *_, **__: None


SABOTAGES: dict[str, Callable[..., None]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        commit_then_publish,
        acknowledge_before_commit,
        relay_by_id,
        no_inbox,
        exception_swallowed,
        audit_after_the_answer,
        unroutable_ignored,
        key_forgotten,
    )
}


def main() -> None:
    """Remove the safeguard and run the module."""
    _, name, module = sys.argv
    SABOTAGES[name.removeprefix("sound:")](sound=name.startswith("sound:"))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
