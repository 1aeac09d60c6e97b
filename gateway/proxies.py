"""The client behind trusted proxies: its address, its network for rate limits, and the scheme and host that it used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from wsgiref.types import WSGIEnvironment

from services.chassis.config import SettingInvalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: The headers in which a proxy names its client. Only the configured one is trusted, because a proxy passes the other on
#: as the client wrote it.
X_FORWARDED_FOR, FORWARDED = "x-forwarded-for", "forwarded"
#: Headers that are always removed, so that nothing else trusts them.
_FORWARDING = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
#: Providers give each customer an IPv6 network of this prefix length, which counts as one source.
_CUSTOMER = 64
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?", re.ASCII)
_WITH_PORT = re.compile(r"([\d.]{7,15}):\d{1,5}", re.ASCII)
_PAIR = re.compile(r'([A-Za-z]{1,20})=(?:"([^"\\]*)"|([^"\\]*))', re.ASCII)


class ProxiesMisnamed(SettingInvalid):
    """TRUSTED_PROXIES lists addresses and networks; PROXY_HEADER is X-Forwarded-For or Forwarded."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a request's way, as the next proxy described it."""

    address: Address | None
    scheme: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The trusted proxies, and the header that they set."""

    networks: tuple[Network, ...] = ()
    header: str = X_FORWARDED_FOR

    @classmethod
    def parse(cls, networks: str, header: str) -> Proxies:
        """Read the settings.

        :raises ProxiesMisnamed: a setting is invalid.
        """
        if header.lower() not in {X_FORWARDED_FOR, FORWARDED}:
            raise ProxiesMisnamed(ProxiesMisnamed.__doc__)
        try:
            return cls(tuple(ip_network(word) for word in networks.replace(",", " ").split()), header.lower())
        except ValueError as wrong:
            raise ProxiesMisnamed(ProxiesMisnamed.__doc__) from wrong

    def apply(self, environ: WSGIEnvironment) -> None:
        """Put the client into the WSGI environment, and remove the headers that anybody could have written."""
        said = {name: str(environ.pop(name, "")) for name in _FORWARDING}
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
            # The nearest proxy wrote the only value, or added the last one of a list.
            hop = Hop(hop.address, _last(said["HTTP_X_FORWARDED_PROTO"]), _last(said["HTTP_X_FORWARDED_HOST"]))
        if hop.scheme.lower() in {"http", "https"}:
            environ["wsgi.url_scheme"] = hop.scheme.lower()
        if hop.host:
            environ["HTTP_HOST"] = hop.host

    def _client(self, last: Hop, hops: Iterator[Hop]) -> Hop:
        # From the right, each step is believed while the proxy that described it is trusted.
        for hop in hops:
            if last.address is None or not self._trusts(last.address) or hop.address is None:
                break
            last = hop
        return last

    def _trusts(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)


def address_of(text: str) -> Address | None:
    """Return the address in a text, with or without a port; None for any other text."""
    text = text.strip()
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(match[1] if match else text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(text: str) -> str:
    """Return the source that an address counts for: the IPv4 address, or the customer's IPv6 network."""
    address = address_of(text)
    if address is None:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, _CUSTOMER), strict=False))


def _hops(said: dict[str, str], header: str) -> Iterator[Hop]:
    # Split at every comma: a quotation mark that a client left open must not hide what a proxy added.
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
