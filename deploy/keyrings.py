"""The keys of an installation, and the steps that replace a key in a running system.

First, every process accepts the new key. Then it is used, and the former key stays valid until it is retired. Each step can
be repeated after an interruption, and makes nothing twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy.engine import make_url

from deploy.environment import PROCESSES
from deploy.migrations import SERVICES
from deploy.secrets import PAIRS, SERVICE_PUBLIC_KEYS, WANTED, Secrets, public_key_of, service_key_file
from services.access.domain.secrets import service_secret
from services.chassis.identity import RETIRED, ServiceKey
from services.chassis.keyed import key_id, parts_of, pems_of
from services.chassis.passport import public_key_id

#: A file with the ids of keys: since when each is used, and which one is not used yet. It has no keys.
HISTORY = "key_history"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of replaceable key."""

    purpose: str
    #: How long values made under a key are in use.
    lasts: timedelta
    #: What an earlier retirement costs.
    cost: str


KINDS: dict[str, Kind] = {
    "passport": Kind("signs who is calling", timedelta(minutes=2), "passports are refused that are under way; the gateway asks for new ones"),
    "checkpoint": Kind("signs the trail's checkpoints", timedelta.max, "checkpoints that it signed no longer verify"),
    "cursor_key": Kind("cursors of lists and entity tags", timedelta(hours=12), "a list begins again, and a form that was open asks again"),
    "form_key": Kind("forms, and by what a repeated request is known", timedelta(hours=24), "a request that is repeated is done twice"),
    "service_master_secret": Kind("secrets by which services prove themselves", timedelta(minutes=1), "a service that has not looked is refused"),
    "vault_master_key": Kind("wraps every person's key", timedelta(0), "contact points cannot be read any more"),
    "digest_key": Kind("look-up, likeness and suppression of values", timedelta(0), "people who asked to be left alone are not recognized"),
    "erased_ids_key": Kind("signs the list of erased ids", timedelta.max, "the list no longer verifies"),
    "metrics_token": Kind("reads the counters of /metrics", timedelta(0), "a tool that still shows it is refused"),
    **{
        service_key_file(service): Kind(
            f"certifies what the processes of {service} sign", timedelta(hours=1), "lines of a process are refused whose certificate has not come"
        )
        for service in SERVICES
    },
}
#: Key rings of public keys, with the file of the private key.
PRIVATE = {name: f"{name}_private_key" for name in PAIRS} | {name: name for name in map(service_key_file, SERVICES)}
_SERVICE_OF = {service_key_file(service): service for service in SERVICES}


class TooEarly(Exception):
    """The former key is still in use."""


class NothingFormer(Exception):
    """There is no former key."""


@dataclass(frozen=True, slots=True)
class Held:
    """The id and state of a key, for operators."""

    id: str
    #: `in use`, `coming` or `former`.
    state: str
    since: str


class Keyrings:
    """The key rings in a folder of secrets."""

    def __init__(self, secrets: Secrets, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open the folder, finishing replacements of an interrupted run."""
        self._secrets = secrets
        self._now = now
        secrets.finish()

    def held(self, name: str) -> list[Held]:
        """Return the keys of a ring, the current one first."""
        history = self._history().get(name, {})
        coming = history.get("coming")
        first, *others = [id_of(name, part) for part in self._parts(name)]
        states = [(first, "in use"), *((each, "coming" if each == coming else "former") for each in others)]
        return [Held(each, state, history.get(each, "")) for each, state in states]

    def accept(self, name: str) -> str:
        """Add a new key that is accepted but not used yet, unless there is one; return its id."""
        coming = next((each.id for each in self.held(name) if each.state == "coming"), None)
        if coming is not None:
            return coming
        if name in PRIVATE:
            if _coming_of(name) in self._secrets and _public_of(name, self._coming(name)) in self._parts(name):
                # It was put into use before the interruption.
                self._secrets.remove(_coming_of(name))
            made = _public_of(name, self._coming(name))
        else:
            made = WANTED[name]()
        new = id_of(name, made)
        # The history is written first, because an unknown key counts as a former one.
        self._note(name, new, coming=new)
        self._write(name, [*self._parts(name), made])
        return new

    def use(self, name: str) -> str:
        """Use the new key; return its id. Former keys are still accepted."""
        held = self._parts(name)
        ids = [id_of(name, part) for part in held]
        coming = self._history().get(name, {}).get("coming")
        if coming not in ids:
            return ids[0]
        # Repeatable after an interruption, in this order: the private key, the public keys, the history.
        if name in PRIVATE:
            self._secrets.replace(PRIVATE[name], self._coming(name))
        made = held[ids.index(coming)]
        self._write(name, [made, *(part for part in held if part != made)])
        self._note(name, coming, next(each for each in ids if each != coming), coming=None)
        if name in PRIVATE:
            self._secrets.remove(_coming_of(name))
        return coming

    def former(self, name: str) -> list[str]:
        """Return the former keys.

        :raises NothingFormer: there are none.
        """
        ids = {each.id for each in self.held(name) if each.state == "former"}
        found = [part for part in self._parts(name) if id_of(name, part) in ids]
        if not found:
            raise NothingFormer(f"{name} has no former key.")
        return found

    def retire(self, name: str, *, at_once: bool = False) -> list[str]:
        """Remove the former keys; return their ids.

        :param at_once: even if they are still in use, for example after a leak.
        :raises TooEarly: they are still in use, and not `at_once`.
        :raises NothingFormer: there are none.
        """
        kind, history = KINDS[name], self._history().get(name, {})
        dropped = [id_of(name, part) for part in self.former(name)]
        for each in dropped:
            since = datetime.fromisoformat(history[each]) if each in history else None
            if not at_once and (kind.lasts == timedelta.max or since is None or self._now() - since < kind.lasts):
                wait = "as long as what it signed is kept" if kind.lasts == timedelta.max else f"for {kind.lasts} after it was replaced"
                raise TooEarly(f"The former {name} {each} is good for something {wait}. Without it {kind.cost}; --at-once drops it all the same.")
        self._write(name, [part for part in self._parts(name) if id_of(name, part) not in dropped])
        return dropped

    def _parts(self, name: str) -> list[str]:
        if name in PAIRS:
            return [part.strip() for part in pems_of(self._secrets[f"{name}_public_key"])]
        if name in _SERVICE_OF:
            return [line for line in self._lines() if _is_of(line, name) and not line.endswith(f" {RETIRED}")]
        return parts_of(self._secrets[name])

    def _lines(self) -> list[str]:
        return self._secrets[SERVICE_PUBLIC_KEYS].splitlines()

    def _write(self, name: str, parts: Iterable[str]) -> None:
        written = list(parts)
        if name in PAIRS:
            self._secrets.replace(f"{name}_public_key", "\n".join(written))
            return
        if name in _SERVICE_OF:
            # The lines of retired keys stay, because their signatures must still be verified.
            retired = [f"{line} {RETIRED}" for line in self._parts(name) if line not in written]
            kept = [line for line in self._lines() if not _is_of(line, name) or line.endswith(f" {RETIRED}")]
            self._secrets.replace(SERVICE_PUBLIC_KEYS, "\n".join([*kept, *written, *retired]))
            return
        self._secrets.replace(name, ",".join(written))
        if name == "service_master_secret":
            for process in PROCESSES:
                # For containers only; a system in one process derives them when needed.
                if (derived := f"service_secret_{process}") in self._secrets:
                    self._secrets.replace(derived, service_secret(written[0], process))

    def _coming(self, name: str) -> str:
        kept = _coming_of(name)
        self._secrets.make_if_missing(kept, WANTED[PRIVATE[name]])
        return self._secrets[kept]

    def _history(self) -> dict[str, dict[str, str]]:
        if HISTORY not in self._secrets:
            return {}
        history: dict[str, dict[str, str]] = json.loads(self._secrets[HISTORY])
        return history

    def _note(self, name: str, *ids: str, coming: str | None) -> None:
        history = self._history()
        kept = history.setdefault(name, {})
        kept |= dict.fromkeys(ids, self._now().isoformat(timespec="seconds"))
        kept.pop("coming", None)
        if coming is not None:
            kept["coming"] = coming
        self._secrets.derive(HISTORY, json.dumps(history))


def id_of(name: str, key: str) -> str:
    """Return the id of a ring's key, as in passports, rows, lines and digests."""
    if name == "passport":
        return public_key_id(load_pem_public_key(key.encode()))
    if name in _SERVICE_OF:
        return key.split()[1]
    if name in {"vault_master_key", "digest_key"}:
        return key_id(base64.b64decode(key))
    return key_id(key.encode())


def _public_of(name: str, private: str) -> str:
    return ServiceKey.parse(_SERVICE_OF[name], private).line if name in _SERVICE_OF else public_key_of(private)


def _is_of(line: str, name: str) -> bool:
    return line.split(maxsplit=1)[:1] == [_SERVICE_OF[name]]


def _coming_of(name: str) -> str:
    return f"{PRIVATE[name]}_coming"


def addresses_with(address: str, passwords: Iterable[str]) -> str:
    """Return a URL with each of these passwords, one per line."""
    first = make_url(address.split(maxsplit=1)[0])
    return "\n".join(first.set(password=each).render_as_string(hide_password=False) for each in passwords)
