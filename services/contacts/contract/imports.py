"""Imports: what goes in, and the obstacles they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import ValidationError, fields, validate, validates_schema

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, TooLarge, WrongType
from services.chassis.validation import UNSET, Closed, Id, Loads, Unset
from services.contacts.contract.answers.imports import DECISIONS, OUTCOMES, MappedColumn
from services.contacts.contract.commands import GivenLink
from services.contacts.contract.schemas.fields import Line
from services.contacts.contract.schemas.shared import IssueLinkSchema, ListQuerySchema
from services.lexicon.vocabulary import SOURCES

#: What a column may be mapped to; a closed list, as everything that is held (R13).
IMPORT_FIELDS = (
    "name",
    "salutation",
    "first_name",
    "middle_name",
    "last_name",
    "suffix",
    "title",
    "organization",
    "organization_state",
    "state",
    "interests",
    "notes",
    "cell",
    "personal_phone",
    "work_phone",
    "email",
    "value_kind",
    "work_address",
    "work_street",
    "work_street_2",
    "work_po_box",
    "work_city",
    "work_state",
    "work_postal_code",
    "work_country",
    "office_label",
    "office_address",
    "office_street",
    "office_suite",
    "office_po_box",
    "office_city",
    "office_state",
    "office_postal_code",
    "office_country",
    "office_phone",
)

#: Of these a person or an organization has several (T30): so many columns as there are may be mapped to each. Parts of an
#: address belong together by what their columns are called: "Address 2 - City" goes with "Address 2 - Street".
PLURAL_FIELDS = frozenset(
    {
        "interests",
        "notes",
        "cell",
        "personal_phone",
        "work_phone",
        "email",
        "value_kind",
        *(name for name in IMPORT_FIELDS if name.startswith(("work_", "office_")) and name != "office_label"),
    }
)

#: What the column is called that says, in a file of refused rows, why; an upload of such a file passes over it.
NOT_TAKEN_IN = "Not taken in because"


class ImportUnknown(NotFound):
    """There is no such import, or it is not yours."""


class ImportsForContributors(Forbidden):
    """Your access level lets you read, not import."""


class ImportForStewards(Forbidden):
    """A contributor imports up to 2,000 rows at a time; a steward imports more."""


class ImportStateUnsuitable(Conflict):
    """This is not possible in the present state of the import."""

    code = "import-state"


class ImportUnreadable(Conflict):
    """The staged rows of this file no longer exist."""


class RowUnknown(NotFound):
    """The import has no such row."""

    code = "import-row-unknown"


class DecisionAlreadyMade(Conflict):
    """This was decided already, or another decision is under way."""

    code = "decision-made"


class NothingToDecide(Conflict):
    """This import has no row that waits for a decision."""


class CandidateGone(Conflict):
    """This person can't be chosen any more. Choose another person."""


class NothingToKeep(Conflict):
    """This row has no text that screening stopped and that can be kept for a person."""


class RowNotKept(Conflict):
    """The contents of this row are no longer kept, so it can't be decided any more."""

    code = "import-row-not-kept"


class UploadOutOfOrder(Conflict):
    """A piece of the file is missing or came twice with other bytes."""


class UploadDamaged(Invalid):
    """The received file differs from the one that was sent."""


class UploadInterrupted(Conflict):
    """The upload was interrupted before the file was whole; upload it again."""


class FileTellsOfErased(Conflict):
    """The first row of this file is about a person who was erased. Remove that row, and upload the file again."""


class FileTooLarge(TooLarge):
    """A file to import is at most 10 MiB."""


class FileUnpacksTooLarge(TooLarge):
    """Unpacked, the file would be larger than 100 MiB."""


class TooManyParts(TooLarge):
    """A workbook to import has at most 5,000 parts in its archive."""


class FileTooCostly(TooLarge):
    """Reading this file takes more time or memory than one file may have. Save it anew, or split it."""


class TooManyRows(TooLarge):
    """A file to import has at most 100,000 rows, and 1,048,576 lines; a card at most 200,000 lines."""


class TooManyCells(TooLarge):
    """A file to import has at most 2,000,000 filled cells, and a sheet at most 4,500,000 from its first filled cell to its last."""


class WorkbookTooComplex(TooLarge):
    """A workbook to import has at most 200,000 styles, merged cells, names and sheets together."""


class TooManyColumns(Invalid):
    """A file to import has at most 100 columns."""


class CellTooLong(Invalid):
    """A cell holds at most 64 KiB."""


class NestedTooDeep(Invalid):
    """The cards are nested deeper than 20."""


class FileTypeUnknown(WrongType):
    """Import an .xlsx, .csv or .vcf file."""


class NotAWorkbook(Invalid):
    """The file is called a workbook, but can't be read as one."""


class OldWorkbook(WrongType):
    """This is an old workbook (.xls), or one with a password. Save it as .xlsx without a password, and import that."""


class NotText(Invalid):
    """The file is called a table of text, but can't be read as one."""


class NotCards(Invalid):
    """The file is called a file of cards, but has no card in it that can be read."""


class FileEmpty(Invalid):
    """There is no row in this file."""


class HeaderDuplicate(Invalid):
    """Two columns of the file have the same name."""

    code = "duplicate-header"


class MappingIncomplete(Invalid):
    """The mapping needs a column with a person's name or an organization."""


class MappingInvalid(Invalid):
    """The mapping has an unknown column or field, or the same field twice."""


class ColumnRefused(Invalid):
    """The system must not store the contents of this column."""


class ColumnMappingSchema(Closed):
    """What one column is, or null when it is left out."""

    column = fields.String(required=True, validate=validate.Length(min=1, max=200))
    field = fields.String(required=True, allow_none=True, validate=validate.OneOf(IMPORT_FIELDS))


@dataclass(frozen=True, slots=True)
class ImportChange:
    """The mapping, and what holds for every row; only what is given changes."""

    mapping: Sequence[MappedColumn] | Unset = UNSET
    issues: Sequence[GivenLink] | Unset = UNSET
    source: str | Unset | None = UNSET


class ImportChangeSchema(Loads[ImportChange]):
    """The mapping, and what holds for every row; only what is given changes."""

    mapping = fields.List(fields.Nested(ColumnMappingSchema), validate=validate.Length(max=100))
    issues = fields.List(fields.Nested(IssueLinkSchema), validate=validate.Length(max=20))
    source = fields.String(allow_none=True, validate=validate.OneOf(list(SOURCES)))

    @validates_schema
    def _something(self, change: dict[str, object], **_: object) -> None:
        if not change:
            raise ValidationError("Nothing to change.")


@dataclass(frozen=True, slots=True)
class ImportStart:
    """A file's name, type and size."""

    filename: str
    content_type: str | None
    size: int | None


class ImportStartSchema(Loads[ImportStart]):
    """A file's name, type and size."""

    filename = Line(required=True, most=255)
    content_type = Line(most=200, allow_none=True, load_default=None)
    size = fields.Integer(allow_none=True, load_default=None, validate=validate.Range(min=0))


class ImportRowsQuerySchema(ListQuerySchema):
    """Which rows of an import."""

    outcome = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(OUTCOMES))


@dataclass(frozen=True, slots=True)
class RowDecision:
    """Whom a row is about, or why something that screening stopped is kept."""

    decision: str
    keep_reason: str | None
    individual_id: str | None


class RowDecisionSchema(Loads[RowDecision]):
    """Whom a row is about: the same person, another one, or nobody to be taken in.

    *keep* is of a row that was taken in: what screening stopped in it becomes notes that contributors of your component alone see, with a reason.
    """

    decision = fields.String(required=True, validate=validate.OneOf((*DECISIONS, "keep")))
    keep_reason = Line(most=500, allow_none=True, load_default=None)
    #: Of *same*: who it is; may be left out where there is one candidate.
    individual_id = Id(allow_none=True, load_default=None)

    @validates_schema
    def _only_of_the_same(self, given: dict[str, object], **_: object) -> None:
        if given.get("individual_id") and given.get("decision") != "same":
            raise ValidationError("Only the same person has an id.", "individual_id")
        if (given.get("decision") == "keep") is not bool(given.get("keep_reason")):
            raise ValidationError("Say why, of what is kept, and of nothing else.", "keep_reason")


class AllDecisionsSchema(Closed):
    """What all rows are that wait to be decided."""

    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))
