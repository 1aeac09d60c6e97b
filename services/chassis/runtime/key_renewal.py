"""Keys change under a running process: its settings are read again every two seconds, and what follows from them is made anew.

Nobody restarts anything, so no request is lost. A key is replaced in steps, so that processes may differ in when they
look: first everybody accepts the new one, then it is used, and at last the former one is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import eventlet

from services.chassis.config import Settings
from services.chassis.logs import Log, where

_log = Log(__name__)

#: Seconds between two readings. What two of them agree on counts: a file may be read while it is being written.
EVERY = 2.0
#: What may be replaced while a process runs; all else waits for its next start.
RENEWED = (
    "broker_url",
    "checkpoint_private_key",
    "checkpoint_public_key",
    "cursor_key",
    "database_url",
    "digest_key",
    "erased_ids_key",
    "form_key",
    "keys_database_url",
    "metrics_token",
    "passport_private_key",
    "passport_public_key",
    "service_key",
    "service_master_secret",
    "service_public_keys",
    "service_secret",
    "vault_master_key",
)


def differing(one: Settings, other: Settings) -> list[str]:
    """Return the names of the keys in which two settings differ."""
    return [name for name in RENEWED if getattr(one, name) != getattr(other, name)]


class KeyRenewal:
    """Reads the settings of one process again, for as long as it runs."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], renew: Callable[[Settings], object]) -> None:
        """Take what it started with, where it is read again, and whom to tell."""
        self._settings = settings
        self._read = read
        self._renew = renew
        self._seen = settings

    def look(self) -> bool:
        """Read once; tell whether something was renewed. What cannot be read or used changes nothing, and the log says so once."""
        try:
            fresh = self._read()
        except (OSError, ValueError) as error:
            _log.warning("keys.unreadable", error=type(error).__name__)
            return False
        changed = differing(self._settings, fresh)
        again, self._seen = self._seen == fresh, fresh
        if not changed or not again:
            return False
        # Whether or not it can be used: the same is not tried again.
        self._settings = fresh
        try:
            self._renew(fresh)
        except Exception as error:  # noqa: BLE001 - a key that cannot be used must not end a process that has a good one
            _log.error("keys.unusable", names=changed, **where(error))
            return False
        _log.warning("keys.renewed", names=changed)
        return True


def watch_keys(all_of_them: Iterable[KeyRenewal]) -> None:
    """Read the settings of these processes again and again."""
    watched = list(all_of_them)
    while watched:
        eventlet.sleep(EVERY)
        for each in watched:
            each.look()
