"""Run a command without a route out, and record what it sends beyond the loopback.

`unshare --net python -m tests.proofs.cut_off FILE COMMAND...`: the namespace has only the loopback, and every address
leads to it. So a packet for anywhere else, also a name look-up, ends here and is seen.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

#: The address of the loopback that the last packet goes to.
_LAST = "127.9.9.9"
_EVERY_PROTOCOL, _IPV4, _IPV6 = 3, 0x0800, 0x86DD


class Watch(threading.Thread):
    """Records destinations of packets: a count for the loopback, and each address beyond it."""

    def __init__(self) -> None:
        """Listen from now on; needs root in the namespace."""
        super().__init__(daemon=True)
        self._packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL))
        self._read = threading.Event()
        self.local = 0
        self.beyond: set[str] = set()

    def read_on(self) -> None:
        """Wait until every packet sent so far is read."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (_LAST, 9))
        if not self._read.wait(60):
            raise TimeoutError

    def run(self) -> None:
        """Read every packet."""
        while True:
            packet, (_, protocol, *_) = self._packets.recvfrom(64)
            if protocol == _IPV4:
                address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv4Address(packet[16:20])
            elif protocol == _IPV6:
                address = ipaddress.IPv6Address(packet[24:40])
            else:
                continue
            if str(address) == _LAST:
                self._read.set()
            elif address.is_loopback or address in ipaddress.ip_network("ff02::/16"):
                self.local += 1
            else:
                self.beyond.add(str(address))


def main(told: Path, command: list[str]) -> int:
    """Run the command; write {local, beyond} to the file; return the command's status."""
    for arguments in ("link set lo up", "route add local default dev lo", "-6 route add local default dev lo"):
        subprocess.run(["ip", *arguments.split()], check=True)
    watch = Watch()
    watch.start()
    status = subprocess.run(command, check=False).returncode
    watch.read_on()
    told.write_text(json.dumps({"local": watch.local, "beyond": sorted(watch.beyond)}))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
