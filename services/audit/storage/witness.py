"""The witness's file: checkpoints on another volume, append-only, with the leaf hashes beside it.

`<path>` has one JSON object a line, `{"at", "note"}`. `<path>.leaves` has 32 bytes for each line of the trail, in
order. With them the verifier names the first bad entry even if the whole stored tree was recomputed. A line that a
crash cut short is ended with `{"torn": true}`, and is ignored.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from services.chassis.messages import wire_value
from services.chassis.translog.merkle import HASH_SIZE


class WitnessDamaged(Exception):
    """A line of the witness's file cannot be read."""


class WitnessFile:
    """Reads and appends to the file; each append is on the disk when it returns."""

    def __init__(self, path: str | Path) -> None:
        """Take the path; open nothing."""
        self.path = Path(path)
        self.leaves_path = self.path.with_name(self.path.name + ".leaves")

    def notes(self) -> Iterator[tuple[int, str]]:
        """Yield each checkpoint as (line, note); an unreadable line is yielded as its text."""
        if not self.path.exists():
            return
        lines = self.path.read_bytes().split(b"\n")
        parsed = [_parse(line) for line in lines[:-1]]
        for number, (line, found) in enumerate(zip(lines, parsed, strict=False), start=1):
            torn_after = number < len(parsed) and parsed[number] == {"torn": True}
            if found == {"torn": True} or (found is None and torn_after):
                continue
            note = found.get("note") if found else None
            yield number, note if isinstance(note, str) else line.decode(errors="replace")

    def last_note(self) -> str | None:
        """Return the newest checkpoint, if there is one."""
        last = None
        for _, note in self.notes():
            last = note
        return last

    def leaf_count(self) -> int:
        """Return how many leaves are complete in the file."""
        return self.leaves_path.stat().st_size // HASH_SIZE if self.leaves_path.exists() else 0

    def append(self, note: str, at: datetime) -> None:
        """Add a checkpoint, durably."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+", buffering=0) as file:
            line = json.dumps({"at": wire_value(at), "note": note}, ensure_ascii=False).encode() + b"\n"
            if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                line = b'\n{"torn": true}\n' + line
            file.write(line)
            os.fsync(file.fileno())

    def append_leaves(self, first: int, leaves: Sequence[bytes]) -> None:
        """Append the leaves from position `first` on, durably; leaves that the file has already must be the same.

        :raises WitnessDamaged: the file has other leaves, or lacks some before `first`.
        """
        self.leaves_path.parent.mkdir(parents=True, exist_ok=True)
        content = b"".join(leaves)
        with self.leaves_path.open("ab+", buffering=0) as file:
            present = file.seek(0, os.SEEK_END)
            start = first * HASH_SIZE
            if present < start:
                raise WitnessDamaged(f"{self.leaves_path} ends after {present // HASH_SIZE} leaves, {first} were expected.")
            overlap = content[: max(0, present - start)]
            if os.pread(file.fileno(), len(overlap), start) != overlap:
                raise WitnessDamaged(f"{self.leaves_path} has other leaves than the trail from position {first} on.")
            # A crash may have left part of a leaf: the rest of it follows.
            file.write(content[len(overlap) :])
            os.fsync(file.fileno())


class Leaves(Sequence[bytes]):
    """The leaves of a witness's file, read in place within a `with` block."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self._count = path.stat().st_size // HASH_SIZE
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._count else None

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count or self._map is None:
            raise IndexError(index)
        return self._map[index * HASH_SIZE : (index + 1) * HASH_SIZE]

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._map is not None:
            self._map.close()


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
