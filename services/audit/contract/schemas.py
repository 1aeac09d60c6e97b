"""The shapes of what audit is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from marshmallow import ValidationError, fields, post_load, validate

from services.chassis.instants import Day, Instant
from services.chassis.validation import Id, Loads

#: Whose trails audit keeps: every service's, its own too.
SERVICES = ("access", "contacts", "interactions", "audit", "retention")
OUTCOMES = ("allowed", "refused", "failed")
#: Numbers that one question about coverage may be about.
COVERED_AT_ONCE = 10_000


def _plain(text: str) -> None:
    if any(ord(character) < 32 for character in text):
        raise ValidationError("No control characters.")


_word: list[Callable[[str], object]] = [validate.Length(min=1, max=200), _plain]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a list: so many, behind where a cursor ends."""

    limit: int = 50
    cursor: str | None = None


class PageQuerySchema(Loads[PageQuery]):
    """Which page of a list, the newest first."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class EntriesQuery(PageQuery):
    """Which entries to list."""

    subject: str | None = None
    user: str | None = None
    component: str | None = None
    action: str | None = None
    outcome: str | None = None
    trace_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class EntriesQuerySchema(Loads[EntriesQuery]):
    """Which entries to list, the newest first."""

    subject = fields.String(validate=_word)
    user = fields.String(validate=_word)
    component = fields.String(validate=_word)
    action = fields.String(validate=_word)
    outcome = fields.String(validate=validate.OneOf(OUTCOMES))
    trace_id = fields.String(validate=_word)
    since = Instant()
    until = Instant()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class InclusionQuery:
    """Prove that a line is in the trail, of that size or of the smallest one signed that has it."""

    position: int
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ConsistencyQuery:
    """Prove that the trail of `second` lines continues that of `first`."""

    first: int
    second: int


class ProofQuerySchema(Loads[InclusionQuery | ConsistencyQuery]):
    """What to prove: that entry `position` is in the trail, or that the trail of `second` entries continues that of `first`."""

    position = fields.Integer(strict=False, validate=validate.Range(min=0))
    size = fields.Integer(strict=False, validate=validate.Range(min=1))
    first = fields.Integer(strict=False, validate=validate.Range(min=1))
    second = fields.Integer(strict=False, validate=validate.Range(min=1))

    @post_load
    def _make(self, fields_of_input: dict[str, int], **_: object) -> InclusionQuery | ConsistencyQuery:
        given = fields_of_input.keys()
        if given == {"first", "second"}:
            return ConsistencyQuery(**fields_of_input)
        if "position" in given and given <= {"position", "size"}:
            return InclusionQuery(**fields_of_input)
        raise ValidationError("Give position (and size), or first and second.")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of one stream from `first` to `last`: of entries, or of commits that failed (`void`)."""

    stream: str
    first: int
    last: int
    void: bool

    def __post_init__(self) -> None:
        """Refuse a range that ends before it begins."""
        if self.last < self.first:
            raise ValidationError({"last": ["Not before the first."]})


class NumberRangeSchema(Loads[NumberRange]):
    """Numbers of one stream without a gap: of entries, or of commits that failed."""

    stream = Id(required=True)
    first = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    last = fields.Integer(required=True, strict=True)
    void = fields.Boolean(required=True)


@dataclass(frozen=True, slots=True)
class CoverageQuery:
    """Which of these ranges the checkpoint of `size` lines covers."""

    size: int
    ranges: Sequence[NumberRange]

    def __post_init__(self) -> None:
        """Refuse more numbers than are counted within a call."""
        if sum(numbers.last - numbers.first + 1 for numbers in self.ranges) > COVERED_AT_ONCE:
            raise ValidationError({"ranges": ["Fewer numbers at a time."]})


class CoverageQuerySchema(Loads[CoverageQuery]):
    """Which numbers a service wants to know covered by the checkpoint of `size` lines; at most 10,000 of them."""

    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    ranges = fields.List(fields.Nested(NumberRangeSchema), required=True, validate=validate.Length(max=1000))


@dataclass(frozen=True, slots=True)
class ReviewSign:
    """The sign-off of a week's review."""

    week: date

    def __post_init__(self) -> None:
        """Refuse a day that is no Monday."""
        if self.week.isoweekday() != 1:
            raise ValidationError({"week": ["Name the week by its Monday."]})


class ReviewSignSchema(Loads[ReviewSign]):
    """The sign-off of one week's review, named by its Monday."""

    week = Day(required=True)
