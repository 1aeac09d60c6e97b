"""The schemas of access's requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from marshmallow import ValidationError, fields, validate, validates_schema

from services.chassis.instants import Day
from services.chassis.validation import UNSET, Id, Loads, Unset, no_nul
from services.lexicon.vocabulary import LEVELS, ROLES
from services.lexicon.zones import is_zone

TRAININGS = ("privacy", "computer_security")


class _YesOrNo(fields.Boolean):
    """JSON's `true` or `false`, and no other word or number."""

    def _deserialize(self, value: object, attr: str | None, data: object, **_: object) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign in with a password."""

    username: str
    password: str = field(repr=False)


class SignInSchema(Loads[SignIn]):
    """A sign-in with the built-in directory."""

    username = fields.String(required=True, validate=[validate.Length(min=1, max=200), no_nul])
    password = fields.String(required=True, load_only=True, validate=[validate.Length(min=1, max=1000), no_nul])


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Acknowledge the three statements."""

    statements_version: str
    accepted: bool


class AcknowledgementSchema(Loads[Acknowledge]):
    """The positive act of R105: the version that was shown, and `true`."""

    statements_version = fields.String(required=True, validate=validate.Length(min=1, max=40))
    accepted = _YesOrNo(required=True)


_name: list[Callable[[str], object]] = [validate.Length(min=1, max=200), no_nul]
_component = validate.Regexp(r"^[A-Z]{2,10}$", error="A component's code, such as ICE.")


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Create a user."""

    username: str
    name: str
    component: str
    level: str | None = None
    roles: Sequence[str] = ()
    external_id: str | None = None
    contractor: bool = False
    justification: str | None = None


class UserCreateSchema(Loads[CreateUser]):
    """A new user; access takes effect with license, approval, trainings and rules of behavior (N14)."""

    username = fields.String(
        required=True,
        validate=validate.Regexp(r"^[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]$", error="2 to 64 of a-z, 0-9, dot, _ and -."),
    )
    name = fields.String(required=True, validate=_name)
    component = fields.String(required=True, validate=_component)
    level = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(LEVELS))
    roles = fields.List(fields.String(validate=validate.OneOf(sorted(ROLES))), validate=validate.Length(max=len(ROLES)), load_default=list)
    external_id = fields.String(load_default=None, allow_none=True, validate=_name)
    contractor = _YesOrNo(load_default=False)
    justification = fields.String(load_default=None, allow_none=True, validate=[validate.Length(max=500), no_nul])

    @validates_schema
    def _contractors_are_justified(self, user: Mapping[str, object], **_: object) -> None:
        if user.get("contractor") and not str(user.get("justification") or "").strip():
            raise ValidationError({"justification": ["Say why this contractor's work needs the system (R183)."]})


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Change what is given of a user."""

    name: str | Unset = UNSET
    component: str | Unset = UNSET
    level: str | Unset | None = UNSET
    roles: Sequence[str] | Unset = UNSET
    active: bool | Unset = UNSET


class UserChangeSchema(Loads[ChangeUser]):
    """What an administrator may change of a user; only what is given changes."""

    name = fields.String(validate=_name)
    component = fields.String(validate=_component)
    level = fields.String(allow_none=True, validate=validate.OneOf(LEVELS))
    roles = fields.List(fields.String(validate=validate.OneOf(sorted(ROLES))), validate=validate.Length(max=len(ROLES)))
    active = _YesOrNo()


@dataclass(frozen=True, slots=True)
class ListUsers:
    """List employees: those of these ids all at once, or those of an office or a name page by page."""

    ids: Sequence[str] | None = None
    component: str | None = None
    q: str | None = None
    limit: int = 50
    cursor: str | None = None


class UserListSchema(Loads[ListUsers]):
    """Which employees are asked for: by id (all of them at once), office, or the beginnings of names."""

    ids = fields.List(Id(), load_default=None, allow_none=True, validate=validate.Length(max=200))
    component = fields.String(load_default=None, allow_none=True, validate=_component)
    q = fields.String(load_default=None, allow_none=True, validate=[validate.Length(max=100), no_nul])
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class PutComponent:
    """Create an office, or change it."""

    name: str
    parent_id: str | None = None
    active: bool = True


class ComponentChangeSchema(Loads[PutComponent]):
    """An office to be entered, or what changes of one; offices are data (R141), two levels deep (R140)."""

    name = fields.String(required=True, validate=_name)
    parent_id = fields.String(load_default=None, allow_none=True, validate=_component)
    active = _YesOrNo(load_default=True)


@dataclass(frozen=True, slots=True)
class DesignateLicense:
    """Designate a license from today on."""

    expires_on: date | None = None


class LicenseSchema(Loads[DesignateLicense]):
    """The license designated for a user (R178)."""

    expires_on = Day(load_default=None, allow_none=True)


@dataclass(frozen=True, slots=True)
class RecordTraining:
    """Record a training."""

    kind: str
    completed_on: date
    expires_on: date | None = None


class TrainingSchema(Loads[RecordTraining]):
    """A training that a user attended (R184, R185)."""

    kind = fields.String(required=True, validate=validate.OneOf(TRAININGS))
    completed_on = Day(required=True)
    expires_on = Day(load_default=None, allow_none=True)


@dataclass(frozen=True, slots=True)
class AcceptRulesOfBehavior:
    """Record that the rules of behavior were accepted."""

    version: str
    expires_on: date


class RulesOfBehaviorSchema(Loads[AcceptRulesOfBehavior]):
    """The rules of behavior as a user accepted them (R186)."""

    version = fields.String(required=True, validate=validate.Length(min=1, max=40))
    expires_on = Day(required=True)


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Change one's own settings."""

    time_zone: str | None


class ProfileChangeSchema(Loads[ChangeProfile]):
    """What a user changes of their own settings: the time zone of pages, or null for the browser's (T29)."""

    time_zone = fields.String(required=True, allow_none=True, validate=validate.Length(max=64))

    @validates_schema
    def _known(self, data: Mapping[str, object], **_: object) -> None:
        if data.get("time_zone") is not None and not is_zone(str(data["time_zone"])):
            raise ValidationError("Choose a time zone, such as America/New_York.", "time_zone")


@dataclass(frozen=True, slots=True)
class RecordRefusal:
    """Record what the gateway refused."""

    route: str
    code: str
    status: int
    source: str


class GatewayRefusalSchema(Loads[RecordRefusal]):
    """What the gateway refused: the route's name and the code, never path, query or body."""

    route = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9_.:{}/<>-]{1,120}$"))
    code = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9-]{1,60}$"))
    status = fields.Integer(required=True, strict=True, validate=validate.Range(min=400, max=599))
    source = fields.String(required=True, validate=validate.Length(min=1, max=100))
