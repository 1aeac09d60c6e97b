"""The host names of this system. A request for another name is refused, so that no other site can serve these pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

#: A name or an address, with an optional port.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z](?:[0-9A-Za-z._-]{0,252})))(?::\d{1,5})?", re.ASCII)
ANY = "*"


@dataclass(frozen=True, slots=True)
class Hosts:
    """The configured names. Loopback is always allowed, because no other machine's browser reaches it."""

    names: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Hosts:
        """Read the setting: names without ports, separated by commas; `*` allows any."""
        return cls(frozenset(name.strip("[]").rstrip(".").lower() for name in text.replace(",", " ").split()))

    def allow(self, host: str) -> bool:
        """Tell whether this system answers under this host name."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = (match[1] or match[2]).rstrip(".").lower()
        return ANY in self.names or name in self.names or _is_loopback(name)


def is_this_machine(host: str) -> bool:
    """Tell whether a host, with an optional port, is the browser's own machine."""
    match = _HOST.fullmatch(host)
    return match is not None and _is_loopback((match[1] or match[2]).rstrip(".").lower())


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
