"""Settings: one frozen value for one process, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SettingInvalid(Exception):
    """A setting is not what it has to be; the sentence names it, and never quotes its value."""


class SettingMissing(Exception):
    """A setting without a default is not set."""


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def _number(default: T, *, least: float, most: float = 2**31 - 1) -> T:
    """Return a field for a number within limits."""
    return field(default=default, metadata={"least": least, "most": most})


def _word(default: str, *others: str) -> str:
    """Return a field for one of some words, in letters of either case."""
    word: str = field(default=default, metadata={"words": (default, *others)})
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one process is told from outside.

    Every field is read from its upper-case name, or from the file that NAME_FILE points to. Secrets are left out
    of the representation, so that no log shows them.
    """

    service: str
    database_url: str = field(default="", repr=False)
    keys_database_url: str = field(default="", repr=False)
    broker_url: str = field(default="embedded://", repr=False)
    #: File of the certificates by which the broker's is checked, for `amqps://`; the system's own when empty.
    broker_authority_file: str = ""
    #: Ed25519 public keys (PEM, one behind the other) under which passports are checked.
    passport_public_key: str = field(default="", repr=False)
    #: Ed25519 private key (PEM); access alone has it.
    passport_private_key: str = field(default="", repr=False)
    #: What this service shows access to be given its own passport.
    service_secret: str = field(default="", repr=False)
    #: What access derives every service's secret from, several parted by commas; access alone has it.
    service_master_secret: str = field(default="", repr=False)
    #: Ed25519 private key (PEM) by which this service is known: it certifies the keys of its processes.
    service_key: str = field(default="", repr=False)
    #: Everybody's public keys, a line for each (`chassis.identity`); audit has them.
    service_public_keys: str = field(default="", repr=False)
    #: Base64, 32 bytes, several parted by commas; wraps the keys in the key store; contacts alone has it.
    vault_master_key: str = field(default="", repr=False)
    #: The same; keys of the digests for look-up, likeness and suppression; contacts alone has it.
    digest_key: str = field(default="", repr=False)
    #: The same; authenticates cursors and entity tags.
    cursor_key: str = field(default="", repr=False)
    #: The same; seals what forms carry and digests what requests hold; the gateway alone has it.
    form_key: str = field(default="", repr=False)
    #: Ed25519 private key (PEM) that signs checkpoints; audit alone has it.
    checkpoint_private_key: str = field(default="", repr=False)
    #: Its public key, and behind it those of former ones.
    checkpoint_public_key: str = field(default="", repr=False)
    #: Origin line of checkpoints (C2SP tlog-checkpoint).
    checkpoint_origin: str = "liaison/audit"
    #: Append-only file, on another volume, in which checkpoints are witnessed.
    audit_witness_file: str = ""
    #: Base64, 32 bytes, several parted by commas; authenticates the list of erased ids; retention alone has it.
    erased_ids_key: str = field(default="", repr=False)
    #: Signed list of erased ids, outside what a restore brings back.
    erased_ids_file: str = ""
    listen_host: str = "127.0.0.1"
    listen_port: int = _number(8080, least=0, most=65_535)
    #: Files of the gateway's certificate and its key; it speaks nothing but TLS then, and plain HTTP when they are empty.
    listen_certificate_file: str = ""
    listen_key_file: str = ""
    #: Names under which browsers and programs reach the gateway, such as `liaison.example.gov`; loopback always, `*` is any.
    hosts: str = ""
    #: What operators' tools show to read the counters of `/metrics`, several parted by commas; nobody reads them when it is empty.
    metrics_token: str = field(default="", repr=False)
    #: What the names of cookies begin with; browsers keep one jar for all ports of a host.
    cookie_name: str = "liaison"
    #: Addresses and networks of the proxies that are believed when they say for whom they ask, such as `10.0.0.7, 192.0.2.0/28`.
    trusted_proxies: str = ""
    #: The header in which they say it: X-Forwarded-For (with -Proto and -Host), or Forwarded (RFC 7239).
    proxy_header: str = "X-Forwarded-For"
    #: The browser cookie's Secure flag is dropped only on loopback, in the embedded run.
    cookie_secure: bool = True
    ribbon: str = ""
    #: Codes of the components whose own systems send in and are told, such as `ICE,PSO`; contacts alone has it.
    integrations: str = ""
    #: Values that a user may look up in the suppression ledger in a day by entering people (T35): a contributor, and a
    #: steward or a component's system; the privacy officer lets more through. contacts alone reads them.
    lookups_of_contributor: int = _number(10_000, least=0)
    lookups_of_steward: int = _number(400_000, least=0)
    #: Touched every few seconds while the service is connected and its database answers; nothing when empty.
    health_file: str = ""
    log_level: str = _word("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
    log_format: str = _word("json", "console")
    #: Concurrent calls that one process works on.
    workers: int = _number(20, least=1)
    pool_size: int = _number(10, least=1)
    #: Seconds that a call over the bus may take.
    call_deadline: float = _number(10.0, least=0.1, most=3600)
    #: Bytes from which glibc maps a block by itself and returns it once it is free; 0 leaves the allocator as it is. Without
    #: it, checks of passwords left 280 MiB with access; it costs each check 15 ms of CPU.
    malloc_mmap_threshold: int = _number(131_072, least=0, most=32 * 1024 * 1024)
    #: Objects made between two garbage collections once a process is up: an import's block makes 100,000, none of them garbage.
    gc_threshold: int = _number(5_000, least=0)
    #: Seconds after which a computing thread is asked to let the event loop go on: with Python's 0.005, each statement beside
    #: such a thread took eight milliseconds, with this about one.
    switch_interval: float = _number(0.0002, least=0.00001, most=1)

    @classmethod
    def read(cls, environ: Mapping[str, str], **given: object) -> Settings:
        """Read the settings.

        :raises SettingMissing: a field without default is neither given nor in the environment.
        :raises SettingInvalid: one is no number within its limits, or neither true nor false.
        """
        values: dict[str, object] = dict(given)
        for setting in fields(cls):
            if setting.name in values:
                continue
            text = _read(environ, setting.name.upper())
            if text is not None:
                values[setting.name] = _convert(setting, text)
        missing = [f.name for f in fields(cls) if f.name == "service" and f.name not in values]
        if missing:
            message = f"Set {', '.join(name.upper() for name in missing)}."
            raise SettingMissing(message)
        return cls(**values)  # type: ignore[arg-type]  # each value was converted to its field's type


def _read(environ: Mapping[str, str], name: str) -> str | None:
    if name in environ:
        return environ[name]
    path = environ.get(f"{name}_FILE")
    return Path(path).read_text().strip("\n") if path else None


def _convert(setting: Field[Any], text: str) -> object:
    if words := setting.metadata.get("words"):
        meant = next((word for word in words if word.lower() == text.strip().lower()), None)
        if meant is None:
            message = f"Set {setting.name.upper()} to one of {', '.join(words)}."
            raise SettingInvalid(message)
        return meant
    if setting.type == "bool":
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            message = f"Set {setting.name.upper()} to true or false."
            raise SettingInvalid(message)
        return word in _TRUE
    if setting.type not in {"int", "float"}:
        return text
    least, most = setting.metadata["least"], setting.metadata["most"]
    try:
        value = int(text) if setting.type == "int" else float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        kind = "whole number" if setting.type == "int" else "number"
        message = f"Set {setting.name.upper()} to a {kind} from {_written(least)} to {_written(most)}."
        raise SettingInvalid(message)
    return value


def _written(number: float) -> str:
    return f"{number:,.5f}".rstrip("0").rstrip(".")
