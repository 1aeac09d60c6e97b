"""Checking signatures and chains: a line is genuine if its process signed it, or a genuine line names it by its hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from services.audit.domain.lines import Line
from services.chassis.database.stream import Certificate
from services.chassis.identity import IdentityRefused, ServiceKeys


def certified(line: Line, keys: ServiceKeys) -> Certificate | None:
    """Return the certificate if its service signed it, else None."""
    try:
        return Certificate(line.wire, keys)
    except IdentityRefused:
        return None


def forged(lines: Iterable[Line], certificate: Certificate, others: Callable[[str], Certificate | None]) -> list[Line]:
    """Return those of one stream's lines that its process did not write.

    In a run of consecutive lines only the last one's signature is checked. It names the line before it by a hash, and so on
    down, so a batch costs one or two signatures. A void's hash is that of the entry it replaces, so each void's signature
    is checked, and so is every line that the chain does not reach. `others` returns the certificate of another stream,
    because one process may say of another that it died.
    """
    bad = []
    expected: tuple[int, str] | None = None
    numbered: dict[int, list[Line]] = {}
    for line in lines:
        if line.kind == "mark":
            signer = others(line.by) if line.by else certificate
            if signer is None or signer.service != certificate.service or not signer.signed(line.wire):
                bad.append(line)
        elif line.kind != "certificate":
            numbered.setdefault(line.n, []).append(line)
    for n in sorted(numbered, reverse=True):
        named, expected = expected, None
        for line in numbered[n]:
            reached = named == (n, line.link)
            if line.kind == "malformed" and line.sent is None:
                # What its process signed was not kept: the chain alone can tell, where the next line has come.
                continue
            chained = reached and line.kind == "entry"
            if (line.service or certificate.service) != certificate.service or not (chained or certificate.signed(line.wire)):
                bad.append(line)
            elif line.prev:
                expected = n - 1, line.prev
    return bad


@dataclass(slots=True)
class Chain:
    """Hashes of a stream's lines whose neighbor has not arrived."""

    links: dict[int, str] = field(default_factory=dict)
    claims: dict[int, str] = field(default_factory=dict)

    def copy(self) -> Chain:
        """Return an independent copy."""
        return Chain(dict(self.links), dict(self.claims))

    def fits(self, line: Line) -> bool:
        """Add a line; return False if it contradicts a neighbor that has arrived."""
        fits = True
        if line.n in self.claims:
            fits = self.claims.pop(line.n) == line.link
        else:
            self.links[line.n] = line.link
        if line.kind in {"certificate", "malformed"}:
            return fits
        if line.n - 1 in self.links:
            return self.links.pop(line.n - 1) == line.prev and fits
        self.claims[line.n - 1] = line.prev
        return fits

    def holds(self, mark: Line) -> bool:
        """Return False if the line that a mark names is not the one that arrived."""
        return self.links.get(mark.n, mark.link) == mark.link
