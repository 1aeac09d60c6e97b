"""Keep the list of erased ids outside the backups, so that a restore can erase these records again.

Each line is JSON with a keyed digest over itself and the line before it, so that a changed or missing line is detected.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

from services.chassis.keyed import keys_for


class ListDamaged(Exception):
    """A line of the list of erased ids was changed, removed or damaged."""


class Line(TypedDict):
    """One erased record, with its keyed digest; the digest is computed over a line without it."""

    at: str
    erasure_id: str
    subject_id: str
    subject_type: str
    mac: NotRequired[str]


class ErasedIds:
    """The list of erased ids in an append-only file."""

    def __init__(self, path: str, keys: str) -> None:
        """Open the list in a file.

        :param keys: the keys that sign lines; the one in use comes first.

        :raises ValueError: there is no key.
        """
        self._path = Path(path)
        self.renew(keys)
        #: The length and hash of what was verified before: only later lines are verified one by one.
        self._length = 0
        self._hash = self._digest(b"")
        self._lines = 0
        self._last = ""
        self._subjects: set[tuple[str, str]] = set()

    def renew(self, keys: str) -> None:
        """Replace the keys: the first one signs, and all of them verify.

        :raises ValueError: there is no key.
        """
        found = keys_for(keys, "erased ids")
        if not found:
            message = "the list of erased ids is signed with a key"
            raise ValueError(message)
        self._keys = found

    def append(self, *, erasure_id: str, subject_type: str, subject_ids: Iterable[str], at: str) -> int:
        """Append a line for each subject that has none for this erasure, flush it to disk, and return the number of new lines.

        :raises ListDamaged: a line is not as it was written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:  # noqa: PTH123 - the mode, from the start
            fcntl.flock(file, fcntl.LOCK_EX)
            raw = file.read() or b""
            whole = raw[: raw.rfind(b"\n") + 1]
            if len(whole) < len(raw):
                # A partial line was never confirmed: the process stopped while it wrote it.
                file.truncate(len(whole))
            self._learn(whole)
            last, lines = self._last, []
            wanted = dict.fromkeys(each for each in subject_ids if (erasure_id, each) not in self._subjects)
            for subject_id in wanted:
                body: Line = {"at": at, "erasure_id": erasure_id, "subject_id": subject_id, "subject_type": subject_type}
                last = _mac(self._keys[0], last, body)
                lines.append(json.dumps({**body, "mac": last}, sort_keys=True, separators=(",", ":")).encode() + b"\n")
            if lines:
                file.write(b"".join(lines))
                os.fsync(file.fileno())
        return len(lines)

    def _learn(self, raw: bytes) -> None:
        """Verify the lines after those that were verified before, or all of them if those changed."""
        if len(raw) < self._length or self._digest(raw[: self._length]) != self._hash:
            self._length, self._lines, self._last, self._subjects = 0, 0, "", set()
        new = list(self._checked(raw[self._length :], after=self._lines, last=self._last))
        self._length, self._hash = len(raw), self._digest(raw)
        self._lines += len(new)
        self._last = new[-1]["mac"] if new else self._last
        self._subjects |= {(line["erasure_id"], line["subject_id"]) for line in new}

    @staticmethod
    def _digest(raw: bytes) -> bytes:
        return hashlib.blake2b(raw).digest()

    def read(self) -> list[Line]:
        """Return all lines.

        :raises ListDamaged: one is not as it was written.
        """
        return list(self._checked(self._path.read_bytes())) if self._path.exists() else []

    def _checked(self, raw: bytes, *, after: int = 0, last: str = "") -> Iterator[Line]:
        for number, text in enumerate(raw.splitlines(), start=after + 1):
            try:
                line: Line = json.loads(text)
                mac = line.pop("mac")
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                message = f"line {number} cannot be read"
                raise ListDamaged(message) from error
            if not any(hmac.compare_digest(str(mac), _mac(key, last, line)) for key in self._keys):
                message = f"line {number} is not as it was written"
                raise ListDamaged(message)
            last = str(mac)
            yield {**line, "mac": last}


def _mac(key: bytes, last: str, body: Line) -> str:
    text = last + json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
