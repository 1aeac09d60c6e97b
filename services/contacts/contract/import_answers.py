"""The shapes of what contacts answers about imports, as use cases make them; `imports` documents the same for the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from services.contacts.contract.answers import FrozenIndividualAnswer, IndividualAnswer, LinkedIssue, Owner


class MappedColumn(TypedDict):
    """What one column is, or None when it is left out."""

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


class Problem(TypedDict):
    """Why an import failed."""

    code: str
    detail: str | None


class ImportAnswer(TypedDict):
    """An import as its owner sees it."""

    id: str
    filename: str
    format: str | None
    state: str
    stopped: str | None
    deciding: str | None
    progress: Progress
    counts: Mapping[str, int]
    rows: int
    mapping: list[MappedColumn]
    refused_columns: Sequence[RefusedColumnAnswer]
    hidden: Hidden
    issues: Sequence[LinkedIssue]
    source: str | None
    owner: Owner
    problem: Problem | None
    refused_rows_until: str | None
    created_at: str | None
    finished_at: str | None


class PageOfImports(TypedDict):
    """A user's imports, with the cursor of the next page."""

    items: list[ImportAnswer]
    next: str | None
    total: int


class PieceAnswer(TypedDict):
    """A piece of a file that was taken."""

    id: str
    n: int


class RefusedCell(TypedDict):
    """What of a row is not taken in though the row is (T30)."""

    column: str
    reason: str


class ImportRowAnswer(TypedDict):
    """What becomes, or became, of one row."""

    row: int
    n: int
    sheet: str | None
    outcome: str
    reason: str | None
    individual_id: str | None
    organization_id: str | None
    candidates: Sequence[str]
    decided: str | None
    refused: Sequence[RefusedCell]


class AtLeast(TypedDict):
    """A number that is not counted any further."""

    at_least: int


class PageOfImportRows(TypedDict):
    """What becomes, or became, of rows, with the cursor of the next page."""

    items: list[ImportRowAnswer]
    next: str | None
    total: int | AtLeast


class ImportCell(TypedDict):
    """One cell of a row, and what its column is."""

    column: str
    field: str | None
    value: str


class Candidate(TypedDict):
    """Somebody whom a row may be about, and what of it agrees and differs."""

    individual: IndividualAnswer | FrozenIndividualAnswer
    agrees: list[str]
    differs: list[str]
    held_kinds: list[str]


class ImportRowDetailAnswer(ImportRowAnswer):
    """A row with its cells, as long as they are kept, and beside it whoever it may be about."""

    cells: list[ImportCell]
    people: list[Candidate]
    keepable: list[str]


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
