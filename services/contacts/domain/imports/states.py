"""An import, what becomes of its rows, and what it did, as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from services.contacts.contract.answers.imports import Hidden, RefusedCell, RefusedColumnAnswer
from services.contacts.contract.answers.shared import LinkedIssue

#: A value of a column of an individual.
FieldValue = str | Sequence[str] | None


class Acting(TypedDict):
    """In whose session something was asked for, for the work in the background."""

    level: str | None
    roles: list[str]
    session_id: str | None
    acknowledgement_id: str | None
    jti: str | None
    policy_version: str | None
    trace_id: str | None


class Deciding(TypedDict):
    """What is being decided of all rows that wait for it, and behind which row that goes on."""

    decision: str
    after: int


@dataclass(frozen=True, slots=True)
class Import:
    """An import: whose it is, how far it has come, and who works on it."""

    id: str
    owner_id: str
    component: str
    filename: str
    format: str | None
    state: str
    size: int
    digest: str | None
    #: A `FileLayout`, encrypted.
    layout: bytes | None
    refused_columns: Sequence[RefusedColumnAnswer]
    issues: Sequence[LinkedIssue]
    source: str | None
    rows: int
    position: int
    total: int
    acting: Acting | None
    stopped: str | None
    deciding: Deciding | None
    lease_until: datetime | None
    problem_code: str | None
    problem_detail: str | None
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    #: The layout of refused rows that are kept, encrypted.
    refused_layout: bytes | None
    refused_until: datetime | None


class ImportChanges(TypedDict, total=False):
    """Columns of an import that a step sets; the others stay."""

    filename: str
    format: str
    state: str | None
    size: int
    digest: str
    layout: bytes
    refused_columns: Sequence[RefusedColumnAnswer]
    issues: Sequence[LinkedIssue]
    source: str | None
    rows: int
    position: int
    total: int
    acting: Acting | None
    stopped: str | None
    deciding: Deciding | None
    lease_until: datetime | None
    problem_code: str | None
    problem_detail: str | None
    finished_at: datetime
    counts: Mapping[str, int]
    refused_layout: bytes | None
    refused_until: datetime | None


@dataclass(frozen=True, slots=True)
class FileLayout:
    """The columns of a file, what they are (column → field), and what the file hides."""

    columns: list[str] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    hidden: Hidden = field(default_factory=lambda: Hidden(sheets=[], rows=0))


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What becomes, or became, of one row: `n` is its number within the import, `number` that within its sheet."""

    n: int
    sheet: str | None
    number: int
    outcome: str
    reason: str | None
    refused: Sequence[RefusedCell] | None
    individual_id: str | None
    organization_id: str | None
    candidates: Sequence[str]
    decided: str | None = None


#: What undoing needs to know of an effect; `from` is no name that a class may use.
EffectDetail = TypedDict(
    "EffectDetail",
    {
        "office": str,
        "from": Mapping[str, FieldValue],
        "to": Mapping[str, FieldValue],
        "point": str,
        "retired": list[str],
        "revived": list[str],
        "state": str,
        "note": str,
        "issues": list[tuple[str, str]],
    },
    total=False,
)


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that an import did, numbered in the order of doing."""

    n: int
    kind: str
    subject_id: str
    detail: EffectDetail


#: An effect that is not kept yet: kind, subject id, detail.
NewEffect = tuple[str, str, EffectDetail | None]
