"""nameko's container, for entrypoints that run their methods themselves.

nameko kills a service when an exception leaves a worker, and logs every exception with its text and arguments. So our
entrypoints have a `perform` method that runs the service method and handles everything it raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.containers import ServiceContainer
from nameko.extensions import Entrypoint

from services.chassis.logs import Log

_log = Log(__name__)

#: Seconds that running work is given when the service stops.
LAST_WORK = 10.0


class Performed(Entrypoint):
    """An entrypoint that runs its service method in `perform`."""

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Run `method` for one worker, handle everything it raises, and return its result."""
        raise NotImplementedError


class Container(ServiceContainer):
    """Runs one service in one process."""

    def stop(self) -> None:
        """Stop in order, and kill work that is not done within ten seconds; its transaction is rolled back."""
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
        # nameko's test helpers hook into these two methods.
        self._worker_result(worker_ctx, result, None)
        self._worker_teardown(worker_ctx)
