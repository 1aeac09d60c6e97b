"""Answers about imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypedDict

from msgspec import Meta

from services.chassis.answers import IdText, InstantText
from services.contacts.contract.answers.individuals import KnownIndividual
from services.contacts.contract.answers.shared import LinkedIssue, Owner

STATES = (
    "uploading",
    "uploaded",
    "mapped",
    "checking",
    "checked",
    "committing",
    "committed",
    "undoing",
    "undone",
    "stopped",
    "cancelled",
    "failed",
)
#: An *undecided* row may be about somebody who is registered, and waits until its importer says who; it is *skipped* if
#: they leave it out, and *lapsed* if they do not say in time.
OUTCOMES = ("create", "update", "duplicate", "blocked", "invalid", "undecided", "skipped", "lapsed")
DECISIONS = ("same", "another", "skip")

Outcome = Annotated[str, Meta(extra_json_schema={"enum": OUTCOMES})]
Decision = Annotated[str, Meta(extra_json_schema={"enum": DECISIONS})]


class MappedColumn(TypedDict):
    """What one column is, or null when it is left out."""

    column: str
    field: str | None


class RefusedColumnAnswer(TypedDict):
    """A column that the system must not hold (R13)."""

    column: str
    reason: str
    requirement: str


class Hidden(TypedDict):
    """What a workbook hides from whoever looks at it: sheets by name, and filled rows."""

    sheets: list[str]
    rows: int


class Progress(TypedDict):
    """How far a check, a commit or an undo has come, in rows."""

    done: int
    of: int


class ImportProblem(TypedDict):
    """Why an import failed."""

    code: str
    detail: str | None


class ImportAnswer(TypedDict):
    """An import as its owner sees it."""

    id: IdText
    filename: str
    format: str | None
    state: Annotated[str, Meta(extra_json_schema={"enum": STATES})]
    stopped: Annotated[str | None, Meta(description="The check, commit or undo that was stopped and can be resumed.")]
    deciding: Annotated[Decision | None, Meta(description="The decision that is being made on all undecided rows.")]
    progress: Progress
    counts: Mapping[str, int]
    rows: int
    mapping: list[MappedColumn]
    refused_columns: Sequence[RefusedColumnAnswer]
    hidden: Annotated[Hidden, Meta(description="Until the import has ended.")]
    issues: Sequence[LinkedIssue]
    source: str | None
    owner: Owner
    problem: ImportProblem | None
    refused_rows_until: Annotated[
        InstantText | None,
        Meta(description="Until then, undecided rows can be decided and `rows.csv` has the cells of refused rows; null when none are kept."),
    ]
    created_at: InstantText | None
    finished_at: InstantText | None


class PieceAnswer(TypedDict):
    """A piece of a file that was taken."""

    id: str
    n: int


class RefusedCell(TypedDict):
    """A column, or a field of a card, that is not taken in though its row is, without the value (T30)."""

    column: str
    reason: str


class ImportRowAnswer(TypedDict):
    """What becomes, or became, of one row."""

    row: Annotated[int, Meta(description="Its number within its sheet.")]
    n: Annotated[int, Meta(description="Its number within the import.")]
    sheet: str | None
    outcome: Outcome
    reason: str | None
    individual_id: IdText | None
    organization_id: IdText | None
    candidates: Annotated[Sequence[IdText], Meta(description="Whom an undecided row may be about, the likeliest first.")]
    decided: Decision | None
    refused: Sequence[RefusedCell]


class ImportCell(TypedDict):
    """One cell of a row, and what its column is."""

    column: str
    field: str | None
    value: str


class Candidate(TypedDict):
    """Somebody whom a row may be about, and what of it agrees and differs; values of other components play no part."""

    individual: KnownIndividual
    agrees: list[str]
    differs: list[str]
    held_kinds: Annotated[list[str], Meta(description="The kinds of which your component holds values.")]


class ImportRowDetailAnswer(ImportRowAnswer):
    """A row with its cells, as long as they are kept, and beside it whoever it may be about."""

    cells: list[ImportCell]
    people: list[Candidate]
    keepable: Annotated[list[str], Meta(description="Columns of which screening stopped something that the decision `keep` keeps.")]


class RefusedRow(TypedDict):
    """A refused row, with its cells as long as these are kept."""

    row: int
    sheet: str | None
    reason: str | None
    refused: Sequence[RefusedCell]
    cells: Mapping[str, str] | None


class PageOfRefusedRows(TypedDict):
    """Refused rows under their columns, with the cursor of the next page."""

    columns: list[str]
    items: list[RefusedRow]
    next: str | None
