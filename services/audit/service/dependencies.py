"""Leading: of all audit processes one writes the trail; another takes over within seconds when it is gone.

The lead is an advisory lock of PostgreSQL, held by the connection that the trail is written over. Entries are taken
from the queue only by whoever leads, and acknowledged only when they are in the trail.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import eventlet
import orjson
from eventlet.event import Event
from nameko.extensions import DependencyProvider
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from services.audit.domain.lines import digest_under
from services.audit.storage import trail
from services.audit.storage.trail import Finding
from services.audit.storage.witness import WitnessFile
from services.audit.usecases.announcing import announce_checkpoint
from services.audit.usecases.findings import raise_findings
from services.audit.usecases.following import Sent
from services.audit.usecases.sequencing import Sequencer, TrailDisagrees
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.entrypoints.context import Process, process_of
from services.chassis.entrypoints.retry import RetryHandler
from services.chassis.identity import ServiceKeys
from services.chassis.logs import Log
from services.chassis.messages import Caller, Refusal, new_id
from services.chassis.topology import ENTRIES
from services.chassis.translog.checkpoints import SigningKey
from services.chassis.transport.connection import BrokerConnection, Delivery
from services.chassis.transport.origin import origin_of

_log = Log(__name__)

#: How often a process that does not lead asks for the lead: a second one takes over well within ten seconds.
ASK_EVERY = 2.0
#: A checkpoint is signed this long after the last entry, and under load at least this often.
QUIET = 1.0
AT_LEAST_EVERY = 10.0
INSPECT_EVERY = 30.0
#: After a disagreement between what is stored and what was signed, nothing is signed before this much time has passed.
DISAGREED = 60.0
#: Lines that are taken at a time, so that the event loop turns to others in between; a message has up to 500 itself.
MOST = 500
#: Messages that may be under way from the broker.
PREFETCH = 40
#: Seconds for what has arrived when the process is asked to stop, and for the whole end of the lead.
LAST_LINES = 5.0
LAST_WORDS = 10.0
#: The server notices within this many seconds that the leader's machine is gone, and gives the lock to another.
_KEEPALIVE = text(
    "SELECT set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),"
    " set_config('tcp_keepalives_count', '3', false)"
)


class Leading(DependencyProvider):
    """Runs the sequencer in this process, as long as it leads; gives the service whether it does."""

    def __init__(self) -> None:
        """Begin without the lead."""
        self.leads = False
        self._stopping = False
        self._roused = Event()
        self._pile: list[tuple[Delivery, list[Any]]] = []
        self._broker: BrokerConnection | None = None
        self._tag = ""
        self._greenlet: Any = None
        super().__init__()

    def get_dependency(self, _worker: Any) -> bool:
        """Return whether this process leads."""
        return self.leads

    @property
    def process(self) -> Process:
        """The process that it runs in."""
        process: Process = process_of(self)
        return process

    def setup(self) -> None:
        """Read the keys, so that a process without them does not even start.

        :raises CheckpointRefused: there is no key, or it is none.
        :raises IdentityRefused: the services' public keys are malformed.
        """
        self._renew(self.process.settings)
        self.process.renewals.append(self._renew)

    def _renew(self, settings: Settings) -> None:
        private, public = settings.checkpoint_private_key, settings.checkpoint_public_key
        self._key = SigningKey.parse(private, name=settings.checkpoint_origin, public=public)
        digest_under(settings.cursor_key)
        self._services = ServiceKeys.parse(settings.service_public_keys)

    def start(self) -> None:
        """Begin to ask for the lead."""
        self._retry_handler = RetryHandler(self.process.publisher, service=self.process.service, queue=ENTRIES)
        self._greenlet = self.container.spawn_managed_thread(self._run, identifier="sequencer")

    def stop(self) -> None:
        """Take nothing new, write and sign what has arrived, and let go of the lead.

        What is still in the queue, or not written in time, is the next leader's: nothing of it was acknowledged.
        """
        self._stopping = True
        self._cancel()
        self._rouse()
        with eventlet.Timeout(LAST_WORDS, exception=False):
            self._greenlet.wait()
        if not self._greenlet.dead:
            _log.warning("sequencer.unfinished")
            self.kill()

    def kill(self) -> None:
        """Stop at once."""
        self._greenlet.kill()
        self._stop_taking()

    def wait_up(self, seconds: float | None) -> bool:
        """Tell that this process may be used whether or not it leads."""
        return True

    # ------------------------------------------------------------------ the lead

    def _run(self) -> None:
        while not self._stopping:
            pause = ASK_EVERY
            connection: Connection | None = None
            try:
                connection = self._connect()
                if not self._take_lead(connection):
                    # Somebody else leads: what was taken here goes back to the queue.
                    self._stop_taking()
                else:
                    self._lead(connection)
            except TrailDisagrees as disagrees:
                _log.critical("trail.disagrees", sentence=str(disagrees), kind=disagrees.finding.kind)
                self._raise([disagrees.finding])
                pause = DISAGREED
            except (SQLAlchemyError, Refusal, OSError) as error:
                _log.error("sequencer.interrupted", **logs.where(error))
            except Exception as error:  # noqa: BLE001 - the trail must go on being written
                _log.error("sequencer.failed", **logs.where(error))
            finally:
                self.leads = False
                if connection is not None:
                    # The lock belongs to the session: the connection is closed, never given back to the pool.
                    connection.invalidate()
                    connection.close()
            if not self._stopping:
                self._wait(pause, stopping_only=True)
        self._stop_taking()

    def _connect(self) -> Connection:
        connection = self.process.open_database().engine.connect()
        connection.execute(_KEEPALIVE)
        connection.commit()
        return connection

    def _take_lead(self, connection: Connection) -> bool:
        taken = trail.take_lead(connection)
        connection.commit()
        return taken

    def _lead(self, connection: Connection) -> None:
        path = self.process.settings.audit_witness_file
        sequencer = Sequencer(
            connection,
            key=self._key,
            services=self._services,
            witness=WitnessFile(path) if path else None,
            now=self._now(),
            own=self.process.open_database().stream.id,
            account_of=self.process.account_of,
        )
        self.leads = True
        _log.info("sequencer.leads", size=sequencer.size)
        self._announce(sequencer)
        self._start_taking()
        clock = eventlet.hubs.get_hub().clock
        unsigned_since = taken_at = clock() if sequencer.size else None
        inspect_at = clock() + INSPECT_EVERY
        while not self._stopping:
            sequencer.go_on_under(self._key, self._services, own=self.process.open_database().stream.id)
            if self._take(sequencer):
                taken_at = clock()
                unsigned_since = unsigned_since or taken_at
            now = clock()
            if unsigned_since is not None and taken_at is not None and now >= min(taken_at + QUIET, unsigned_since + AT_LEAST_EVERY):
                sequencer.sign(now=self._now())
                self._announce(sequencer)
                unsigned_since = None
            if now >= inspect_at:
                self._raise(sequencer.inspect(now=self._now()))
                inspect_at = now + INSPECT_EVERY
            due = inspect_at
            if unsigned_since is not None and taken_at is not None:
                due = min(due, taken_at + QUIET, unsigned_since + AT_LEAST_EVERY)
            if not self._pile:
                self._wait(max(0.0, due - clock()))
                # A connection that died while nothing arrived holds no lock any more; the next statement finds out.
                with connection.begin():
                    connection.execute(text("SELECT 1"))
        # The consumer is cancelled, so the pile only shrinks: it is written, and everything is signed once.
        until = clock() + LAST_LINES
        while self._pile and clock() < until:
            self._take(sequencer)
        sequencer.sign(now=self._now())
        self._announce(sequencer)

    def _announce(self, sequencer: Sequencer) -> None:
        """Tell the witnesses of the newest checkpoint, with the proofs from those before it."""
        proofs = sequencer.unannounced()
        if proofs is None or sequencer.signed is None:
            return
        with self.process.open_database().work(Caller.service(self.process.service)) as work:
            announce_checkpoint(work, note=sequencer.note, size=sequencer.signed.size, proofs=proofs)

    def _raise(self, found: Iterable[Finding]) -> None:
        findings = list(found)
        if not findings:
            return
        try:
            with self.process.open_database().work(Caller.service(self.process.service)) as work:
                new = raise_findings(work, findings, now=self._now(), new_id=new_id)
        except Refusal as refusal:
            _log.error("finding.unrecorded", code=refusal.code, kinds=sorted({finding.kind for finding in findings}))
            return
        for finding in new:
            _log.error("trail.finding", kind=finding.kind, position=finding.position, service=finding.service, stream=finding.stream, n=finding.n)

    def _now(self) -> datetime:
        return self.process.clock()

    # ------------------------------------------------------------------ the queue

    def _start_taking(self) -> None:
        if self._broker is None:
            self._broker = BrokerConnection(self.process.address, name=f"{self.process.service}-{ENTRIES}", on_connect=self._prepare)
            self._broker.start()

    def _stop_taking(self) -> None:
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
        self._pile.clear()

    def _cancel(self) -> None:
        """Have the broker deliver nothing more; what was delivered is still ours to acknowledge."""
        if self._broker is not None:
            self._broker.cancel(self._tag)

    def _prepare(self, channel: Any) -> None:
        # What came over the former connection comes again over this one.
        self._pile.clear()
        if self._stopping:
            return
        self._tag = f"{self.process.service}-sequencer-{new_id()}"
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(queue=ENTRIES, consumer_tag=self._tag, callback=lambda raw: self._receive(Delivery(raw, channel)))

    def _receive(self, message: Delivery) -> None:
        if self._stopping:
            return  # Not acknowledged: the broker gives it to the next leader.
        lines = _lines(message.body)
        if lines is None:
            eventlet.spawn(self._retry_handler.dead_letter, message, "Undecodable")
            return
        self._pile.append((message, lines))
        self._rouse()

    def _take(self, sequencer: Sequencer) -> bool:
        """Write what has arrived and acknowledge it; tell whether the trail grew."""
        batch: list[tuple[Delivery, list[Any]]] = []
        lines = 0
        while lines < MOST and len(batch) < len(self._pile):
            batch.append(self._pile[len(batch)])
            lines += len(batch[-1][1])
        if not batch:
            return False
        size = sequencer.size
        found = sequencer.take([Sent(line, self._sender(message)) for message, part in batch for line in part], now=self._now())
        taken = {id(message) for message, _ in batch}
        self._pile = [(message, lines) for message, lines in self._pile if id(message) not in taken]
        for message, _ in batch:
            message.ack()
        self._raise(found)
        return sequencer.size > size

    def _sender(self, message: Delivery) -> str:
        return origin_of(message, queue=ENTRIES, own=self.process.address.account).sender

    def _rouse(self) -> None:
        if not self._roused.ready():
            self._roused.send()

    def _wait(self, seconds: float, *, stopping_only: bool = False) -> None:
        deadline = eventlet.hubs.get_hub().clock() + seconds
        while not self._stopping and (left := deadline - eventlet.hubs.get_hub().clock()) > 0:
            with eventlet.Timeout(left, exception=False):
                self._roused.wait()
            if self._roused.ready():
                self._roused = Event()
                if not stopping_only:
                    return


def _lines(body: bytes) -> list[Any] | None:
    try:
        lines = orjson.loads(body)["entries"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return lines if isinstance(lines, list) else None
