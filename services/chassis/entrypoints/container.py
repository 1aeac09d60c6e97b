"""nameko's container, with entrypoints that do their own work from beginning to end.

nameko kills a service when anything escapes a worker, and logs the text and arguments of every exception; so our
entrypoints have a `perform` that runs the method, deals with whatever it raises, and lets nothing out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.containers import ServiceContainer
from nameko.extensions import Entrypoint

from services.chassis.logs import Log

_log = Log(__name__)

#: Seconds for the work under way when the service is asked to stop; a call has ended by then, at its own deadline.
LAST_WORK = 10.0


class Performed(Entrypoint):
    """An entrypoint that runs its method itself."""

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Run `method` for one worker and deal with everything it raises; return what it came to."""
        raise NotImplementedError


class Container(ServiceContainer):
    """One service in one process."""

    def stop(self) -> None:
        """Stop in order; work that has not ended within ten seconds is ended: nothing of it is committed, and it is done again."""
        ending = eventlet.spawn_after(LAST_WORK, self._end_work)
        try:
            super().stop()
        finally:
            ending.cancel()

    def _end_work(self) -> None:
        workers = list(self._worker_threads)
        if workers:
            _log.warning("work.ended", service=self.service_name, methods=sorted({worker.entrypoint.method_name for worker in workers}))
            self._kill_worker_threads()

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        entrypoint = worker_ctx.entrypoint
        if not isinstance(entrypoint, Performed):
            super()._run_worker(worker_ctx, handle_result)
            return
        result = None
        try:
            self._inject_dependencies(worker_ctx)
            self._worker_setup(worker_ctx)
            result = entrypoint.perform(worker_ctx, getattr(worker_ctx.service, entrypoint.method_name))
        except Exception:  # noqa: BLE001 - nameko would end the service
            _log.exception("worker.escaped", entrypoint=entrypoint.method_name)
        # nameko's test helpers listen to these two.
        self._worker_result(worker_ctx, result, None)
        self._worker_teardown(worker_ctx)
