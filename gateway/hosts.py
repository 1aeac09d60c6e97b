"""By which names this system answers: another site's name that leads here must not make it a site of theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

#: A name or an address, and perhaps a port.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z](?:[0-9A-Za-z._-]{0,252})))(?::\d{1,5})?", re.ASCII)
ANY = "*"


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names that are set; this machine's loopback beside them, where nobody else's browser gets."""

    names: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Hosts:
        """Read the setting: names with commas, without ports; `*` is any."""
        return cls(frozenset(name.strip("[]").rstrip(".").lower() for name in text.replace(",", " ").split()))

    def allow(self, host: str) -> bool:
        """Tell whether a request for this host is one for us."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = (match[1] or match[2]).rstrip(".").lower()
        return ANY in self.names or name in self.names or _is_loopback(name)


def is_this_machine(host: str) -> bool:
    """Tell whether a request's host is the browser's own machine, with or without a port."""
    match = _HOST.fullmatch(host)
    return match is not None and _is_loopback((match[1] or match[2]).rstrip(".").lower())


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
