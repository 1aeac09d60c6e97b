"""Leader election among audit's processes: one writes the trail, and another takes over within seconds when it is gone.

The lead is an advisory lock of PostgreSQL, held by the connection over which the trail is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import eventlet
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from services.audit.domain.lines import digest_under
from services.audit.domain.records import Finding
from services.audit.service.entries_consumer import EntriesConsumer
from services.audit.storage import leadership
from services.audit.storage.witness import WitnessFile
from services.audit.usecases.announcing import announce_checkpoint
from services.audit.usecases.findings import raise_findings
from services.audit.usecases.sequencing import Sequencer, TrailDisagrees
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.entrypoints.context import Process
from services.chassis.entrypoints.timers import Wakeup
from services.chassis.identity import ServiceKeys
from services.chassis.logs import Log
from services.chassis.messages import Caller, Refusal, new_id
from services.chassis.translog.checkpoints import SigningKey

_log = Log(__name__)

#: How often a process that does not lead asks for the lead: a second one takes over well within ten seconds.
ASK_EVERY = 2.0
#: A checkpoint is signed this long after the last entry, and under load at least this often.
QUIET = 1.0
AT_LEAST_EVERY = 10.0
INSPECT_EVERY = 30.0
#: After a disagreement between what is stored and what was signed, nothing is signed before this much time has passed.
DISAGREED = 60.0
#: Seconds for what has arrived when the process is asked to stop.
LAST_LINES = 5.0


class Leader:
    """Asks for the lead, and writes and signs the trail while this process has it."""

    def __init__(self, process: Process, entries: EntriesConsumer) -> None:
        """Read the keys, so that a process without them does not even start.

        :raises CheckpointRefused: there is no checkpoint key, or it is malformed.
        :raises IdentityRefused: the services' public keys are malformed.
        """
        self._process = process
        self._entries = entries
        self._stopping = Wakeup()
        #: Whether this process leads.
        self.leads = False
        self.renew(process.settings)

    def renew(self, settings: Settings) -> None:
        """Use other keys from the next line and the next checkpoint on."""
        private, public = settings.checkpoint_private_key, settings.checkpoint_public_key
        self._key = SigningKey.parse(private, name=settings.checkpoint_origin, public=public)
        digest_under(settings.cursor_key)
        self._services = ServiceKeys.parse(settings.service_public_keys)

    def stop(self) -> None:
        """Ask `run` to take nothing new, write and sign what has arrived, and return."""
        self._entries.cancel()
        self._stopping.wake()

    def run(self) -> None:
        """Ask for the lead, and lead, until `stop`."""
        while not self._entries.is_cancelled:
            self._stopping.wait(self._ask())
        self._entries.stop()

    def _ask(self) -> float:
        """Ask for the lead once, and lead as long as it lasts; return the seconds until the next time."""
        connection: Connection | None = None
        try:
            connection = self._process.open_database().engine.connect()
            if leadership.take_lead(connection):
                self._lead(connection)
            else:
                # Another process leads: what was taken here goes back to the queue.
                self._entries.stop()
        except TrailDisagrees as disagrees:
            _log.critical("trail.disagrees", sentence=str(disagrees), kind=disagrees.finding.kind)
            self._raise([disagrees.finding])
            return DISAGREED
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
        return ASK_EVERY

    def _lead(self, connection: Connection) -> None:
        path = self._process.settings.audit_witness_file
        sequencer = Sequencer(
            connection,
            key=self._key,
            services=self._services,
            witness=WitnessFile(path) if path else None,
            now=self._now(),
            own=self._own_stream(),
            account_of=self._process.account_of,
        )
        self.leads = True
        _log.info("sequencer.leads", size=sequencer.size)
        self._announce(sequencer)
        self._entries.start()
        clock = eventlet.hubs.get_hub().clock
        unsigned_since = taken_at = clock() if sequencer.size else None
        inspect_at = clock() + INSPECT_EVERY
        while not self._entries.is_cancelled:
            sequencer.go_on_under(self._key, self._services, own=self._own_stream())
            if self._take(sequencer):
                taken_at = clock()
                unsigned_since = unsigned_since or taken_at
            now = clock()
            if unsigned_since is not None and taken_at is not None and now >= min(taken_at + QUIET, unsigned_since + AT_LEAST_EVERY):
                self._sign(sequencer)
                unsigned_since = None
            if now >= inspect_at:
                self._raise(sequencer.inspect(now=self._now()))
                inspect_at = now + INSPECT_EVERY
            due = inspect_at
            if unsigned_since is not None and taken_at is not None:
                due = min(due, taken_at + QUIET, unsigned_since + AT_LEAST_EVERY)
            if not self._entries.has_waiting:
                self._entries.wait(max(0.0, due - clock()))
                # A connection that died while nothing arrived holds no lock any more; this finds out.
                leadership.check(connection)
        # The consumer is cancelled, so what waits only gets less: it is written, and everything is signed once.
        until = clock() + LAST_LINES
        while self._entries.has_waiting and clock() < until:
            self._take(sequencer)
        self._sign(sequencer)

    def _take(self, sequencer: Sequencer) -> bool:
        """Write what has arrived and acknowledge it; tell whether the trail grew."""
        batch = self._entries.next_batch()
        if not batch:
            return False
        size = sequencer.size
        found = sequencer.take([line for received in batch for line in received.lines], now=self._now())
        self._entries.acknowledge(batch)
        self._raise(found)
        return sequencer.size > size

    def _sign(self, sequencer: Sequencer) -> None:
        sequencer.sign(now=self._now())
        self._announce(sequencer)

    def _announce(self, sequencer: Sequencer) -> None:
        """Tell the witnesses of the newest checkpoint, with the proofs from those before it."""
        proofs = sequencer.unannounced()
        if proofs is None or sequencer.signed is None:
            return
        with self._process.open_database().work(Caller.service(self._process.service)) as work:
            announce_checkpoint(work, note=sequencer.note, size=sequencer.signed.size, proofs=proofs)

    def _raise(self, found: Iterable[Finding]) -> None:
        findings = list(found)
        if not findings:
            return
        try:
            with self._process.open_database().work(Caller.service(self._process.service)) as work:
                new = raise_findings(work, findings, now=self._now(), new_id=new_id)
        except Refusal as refusal:
            _log.error("finding.unrecorded", code=refusal.code, kinds=sorted({finding.kind for finding in findings}))
            return
        for finding in new:
            _log.error("trail.finding", kind=finding.kind, position=finding.position, service=finding.service, stream=finding.stream, n=finding.n)

    def _now(self) -> datetime:
        return self._process.clock()

    def _own_stream(self) -> str:
        return self._process.open_database().stream.id
