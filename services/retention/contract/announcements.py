"""Define what retention announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.messages import Announcement


@dataclass(frozen=True, slots=True)
class ErasureCompleted(Announcement):
    """An individual was erased from every service, and the certificate was written."""

    name: ClassVar[str] = "retention:erasure:completed"

    erasure_id: str
    individual_id: str
    cause: str
