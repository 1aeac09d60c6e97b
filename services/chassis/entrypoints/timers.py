"""`timer`: an entrypoint that runs a method at intervals, as the service itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.event import Event

from services.chassis import logs, metrics
from services.chassis.entrypoints.container import Performed
from services.chassis.entrypoints.context import process_of
from services.chassis.logs import Log
from services.chassis.messages import Caller, Refusal
from services.chassis.signals import reset_stop_check, set_stop_check

_log = Log(__name__)


class Wakeup:
    """Starts a timer's next run early; a wakeup during a run causes another run after it."""

    def __init__(self) -> None:
        """Start without a wakeup."""
        self._woken = Event()

    def wake(self) -> None:
        """Start the next run now."""
        if not self._woken.ready():
            self._woken.send()

    def wait(self, seconds: float) -> None:
        """Wait for a wakeup, at most `seconds`."""
        with eventlet.Timeout(seconds, exception=False):
            self._woken.wait()
        self._woken = Event()


class Timer(Performed):
    """The entrypoint behind `@timer`."""

    def __init__(self, *, seconds: float, action: str, eager: bool = False, wakeup: Wakeup | None = None, **kwargs: Any) -> None:
        """Call the method with (caller) every `seconds`, never twice at a time.

        :param action: the action in logs.
        :param eager: run at start, too.
        :param wakeup: lets other code in this process start the next run early.
        """
        self.seconds = seconds
        self.action = action
        self.eager = eager
        self._wakeup = wakeup or Wakeup()
        self._stopped = False
        self._greenlet: Any = None
        super().__init__(**kwargs)

    def start(self) -> None:
        """Start the interval."""
        self._greenlet = self.container.spawn_managed_thread(self._run, identifier=f"every {self.method_name}")

    def stop(self) -> None:
        """Stop after the current run, which can check `signals.is_asked_to_stop`."""
        self._stopped = True
        self._wakeup.wake()
        self._greenlet.wait()

    def kill(self) -> None:
        """Stop at once."""
        self._greenlet.kill()

    def _run(self) -> None:
        pause = 0.0 if self.eager else self.seconds
        while True:
            self._wakeup.wait(pause)
            if self._stopped:
                return
            begun = eventlet.hubs.get_hub().clock()
            finished = Event()
            self.container.spawn_worker(self, (), {}, context_data={"finished": finished})
            finished.wait()
            pause = max(0.0, self.seconds - (eventlet.hubs.get_hub().clock() - begun))

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Run once; log a failure and keep the interval."""
        service = process_of(self).service
        caller = Caller.service(service)
        token = logs.trace.set(caller.trace_id)
        asked = set_stop_check(lambda: self._stopped)
        outcome = "ok"
        try:
            method(caller)
        except Refusal as error:
            outcome = error.code
            _log.warning("tick.refused", action=self.action, code=error.code)
        except Exception as error:  # noqa: BLE001 - the timer runs again after the interval
            outcome = "internal"
            _log.error("tick.failed", action=self.action, **logs.where(error))
        finally:
            metrics.ticks.labels(service, self.method_name, outcome).inc()
            logs.trace.reset(token)
            reset_stop_check(asked)
            worker.data["finished"].send()


timer = Timer.decorator
