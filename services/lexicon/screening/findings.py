"""What screening finds."""

from dataclasses import dataclass
from typing import Final

#: Why what is said of a person is held.
SAYS: Final = "This says a person's {klass}, which the system does not document."


@dataclass(frozen=True, slots=True)
class Finding:
    """A span of the text with its class, its verdict and a sentence that says why.

    ``klass``: ``phone``, ``email``, ``race``, ``ethnicity``, ``religion``, ``health``, ``politics``, ``union membership``,
    ``orientation``, ``immigration status``, ``government number`` or ``date of birth``. ``verdict``: ``ask``
    (the word is there; the writer says whether it is meant) or ``hold`` (it is said of a person,
    or it is a contact value). Offsets are of the text as given. A finding never carries the words.
    """

    start: int
    end: int
    klass: str
    verdict: str
    why: str
