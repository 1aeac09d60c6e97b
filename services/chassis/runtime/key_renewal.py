"""Replace keys in a running process: read its settings every two seconds, and apply changed keys.

No process restarts, so no request is lost. Keys are replaced in steps, because processes read at different times: all
accept the new key, then it is used, and finally the former one is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import eventlet

from services.chassis.config import Settings
from services.chassis.logs import Log, where

_log = Log(__name__)

#: Seconds between two reads. A change counts if two reads agree, because a file may be read while it is written.
EVERY = 2.0
#: The settings that are replaced at run time; all others need a restart.
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
    """Return the names of the renewable settings that differ."""
    return [name for name in RENEWED if getattr(one, name) != getattr(other, name)]


class KeyRenewal:
    """Watches the settings of one process for changed keys."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], renew: Callable[[Settings], object]) -> None:
        """Prepare.

        :param settings: the settings at start.
        :param read: reads them again; may raise OSError or ValueError.
        :param renew: applies changed settings; may raise anything.
        """
        self._settings = settings
        self._read = read
        self._renew = renew
        self._seen = settings

    def look(self) -> bool:
        """Read once; return whether keys were renewed. Unreadable or unusable settings are logged and change nothing."""
        try:
            fresh = self._read()
        except (OSError, ValueError) as error:
            _log.warning("keys.unreadable", error=type(error).__name__)
            return False
        changed = differing(self._settings, fresh)
        again, self._seen = self._seen == fresh, fresh
        if not changed or not again:
            return False
        # Set before the renewal, so that unusable settings are not tried again.
        self._settings = fresh
        try:
            self._renew(fresh)
        except Exception as error:  # noqa: BLE001 - an unusable key must not end a process with a good one
            _log.error("keys.unusable", names=changed, **where(error))
            return False
        _log.warning("keys.renewed", names=changed)
        return True


def watch_keys(renewals: Iterable[KeyRenewal]) -> None:
    """Watch the settings of these processes forever."""
    watched = list(renewals)
    while watched:
        eventlet.sleep(EVERY)
        for each in watched:
            each.look()
