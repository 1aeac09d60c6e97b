"""Who asks, behind proxies that are trusted: their address, the network it counts for, and the scheme and host they used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from wsgiref.types import WSGIEnvironment

from services.chassis.config import SettingInvalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: The headers in which a proxy may say for whom it asks. One of them is believed: a proxy that sets the one passes the
#: other on as the client wrote it.
X_FORWARDED_FOR, FORWARDED = "x-forwarded-for", "forwarded"
#: What is never left for anybody to read behind this module.
_SAID = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
#: One provider gives one customer this much of IPv6, and so it counts as one.
_CUSTOMER = 64
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?", re.ASCII)
_WITH_PORT = re.compile(r"([\d.]{7,15}):\d{1,5}", re.ASCII)
_PAIR = re.compile(r'([A-Za-z]{1,20})=(?:"([^"\\]*)"|([^"\\]*))', re.ASCII)


class ProxiesMisnamed(SettingInvalid):
    """TRUSTED_PROXIES lists addresses and networks; PROXY_HEADER is X-Forwarded-For or Forwarded."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a request's way, as the proxy behind it told."""

    address: Address | None
    scheme: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that are believed, and the header in which they speak."""

    networks: tuple[Network, ...] = ()
    header: str = X_FORWARDED_FOR

    @classmethod
    def parse(cls, networks: str, header: str) -> Proxies:
        """Read the settings.

        :raises ProxiesMisnamed: one of them is not what it should be; nobody is believed by mistake.
        """
        if header.lower() not in {X_FORWARDED_FOR, FORWARDED}:
            raise ProxiesMisnamed(ProxiesMisnamed.__doc__)
        try:
            return cls(tuple(ip_network(word) for word in networks.replace(",", " ").split()), header.lower())
        except ValueError as wrong:
            raise ProxiesMisnamed(ProxiesMisnamed.__doc__) from wrong

    def apply(self, environ: WSGIEnvironment) -> None:
        """Put the client that is believed into a WSGI environment, and take out what anybody could have written."""
        said = {name: str(environ.pop(name, "")) for name in _SAID}
        peer = address_of(str(environ.get("REMOTE_ADDR", "")))
        if peer is None:
            return
        environ["REMOTE_ADDR"] = str(peer)
        if not self._trusts(peer):
            return
        hop = self._client(Hop(peer), _hops(said, self.header))
        if hop.address is not None:
            environ["REMOTE_ADDR"] = str(hop.address)
        if self.header == X_FORWARDED_FOR:
            # One value that the nearest proxy wrote, or the last of a list to which it added.
            hop = Hop(hop.address, _last(said["HTTP_X_FORWARDED_PROTO"]), _last(said["HTTP_X_FORWARDED_HOST"]))
        if hop.scheme.lower() in {"http", "https"}:
            environ["wsgi.url_scheme"] = hop.scheme.lower()
        if hop.host:
            environ["HTTP_HOST"] = hop.host

    def _client(self, last: Hop, hops: Iterator[Hop]) -> Hop:
        # From the right: each step is believed as long as the one that told of it is trusted.
        for hop in hops:
            if last.address is None or not self._trusts(last.address) or hop.address is None:
                break
            last = hop
        return last

    def _trusts(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)


def address_of(text: str) -> Address | None:
    """Return the address that a peer or a header names, with or without a port; None for what is none."""
    text = text.strip()
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(match[1] if match else text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(text: str) -> str:
    """Return what an address is counted as: an IPv4 address itself, of IPv6 the network of a customer."""
    address = address_of(text)
    if address is None:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, _CUSTOMER), strict=False))


def _hops(said: dict[str, str], header: str) -> Iterator[Hop]:
    # Split at every comma, quoted or not: a quotation mark that a client left open must not swallow what a proxy added.
    if header == X_FORWARDED_FOR:
        return (Hop(address_of(word)) for word in reversed(said["HTTP_X_FORWARDED_FOR"].split(",")))
    return (_element(element) for element in reversed(said["HTTP_FORWARDED"].split(",")))


def _element(text: str) -> Hop:
    found: dict[str, str] = {}
    for part in text.split(";"):
        pair = _PAIR.fullmatch(part.strip())
        if pair is None or pair[1].lower() in found:
            return Hop(None)
        found[pair[1].lower()] = (pair[2] if pair[2] is not None else pair[3]).strip()
    return Hop(address_of(found.get("for", "")), found.get("proto", ""), found.get("host", ""))


def _last(text: str) -> str:
    return text.rpartition(",")[2].strip()
