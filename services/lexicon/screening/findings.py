"""The result of screening."""

from dataclasses import dataclass
from typing import Final

#: The reason for holding a term about a person.
SAYS: Final = "This says a person's {klass}, which the system does not document."


@dataclass(frozen=True, slots=True)
class Finding:
    """A span of the text with its class, its verdict and the reason.

    ``klass``: ``phone``, ``email``, ``race``, ``ethnicity``, ``religion``, ``health``, ``politics``, ``union membership``,
    ``orientation``, ``immigration status``, ``government number`` or ``date of birth``. ``verdict``: ``ask``
    (a term was found; the writer says whether it is meant) or ``hold`` (it is about a person, or it is a contact value).
    Offsets refer to the original text. A finding never contains the words.
    """

    start: int
    end: int
    klass: str
    verdict: str
    why: str
