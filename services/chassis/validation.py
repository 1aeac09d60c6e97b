"""Input validation: closed schemas, id fields, and the errors of wrong fields."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, KeysView, Mapping
from enum import Enum
from typing import Any, ClassVar, Final, Generic, TypeVar, get_args, get_origin
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, pre_load, validate
from marshmallow.exceptions import SCHEMA

from services.chassis.messages import Invalid, NotFound, Refusal
from services.chassis.refusals import UnknownField

S = TypeVar("S", bound=Schema)
Loaded = TypeVar("Loaded")
Value = TypeVar("Value")

#: marshmallow's error for an unknown field.
_UNKNOWN = str(Schema().error_messages["unknown"])
#: The number of unknown fields that are reported one by one.
_MOST_UNKNOWN = 50


class Closed(Schema):
    """A base schema for input that rejects unknown fields (R13)."""

    class Meta:
        """Reject unknown fields."""

        unknown = RAISE

    @pre_load
    def _refuse_floods(self, data: Any, **_: object) -> Any:
        """Reject lists that are too long, and too many unknown fields, before their items are validated.

        :raises ValidationError: with the same errors as full validation.
        """
        if not isinstance(data, Mapping):
            return data
        known = {field.data_key or name: field for name, field in self.load_fields.items()}
        problems: dict[str, list[str]] = {}
        for name in data.keys() & known.keys():
            value, most = data[name], longest_list(known[name])
            if most is not None and isinstance(value, list | tuple) and len(value) > most:
                problems[name] = [validate.Length.message_max.format(max=most)]
        if len(data) > len(known) + _MOST_UNKNOWN:
            unknown = [str(name) for name in data if name not in known][:_MOST_UNKNOWN]
            problems |= {name: [str(self.error_messages["unknown"])] for name in unknown}
        if problems:
            raise ValidationError(problems)
        return data


class Loads(Closed, Generic[Loaded]):
    """A closed schema that loads into the dataclass of its type argument: `class NoteSchema(Loads[Note])`."""

    _into: ClassVar[Callable[..., object]]

    def __init_subclass__(cls) -> None:
        """Read the dataclass from the type argument."""
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            if get_origin(base) is Loads:
                cls._into = get_args(base)[0]

    def load(self, data: Any, **options: Any) -> Loaded:
        """Validate the input and return the dataclass.

        :raises ValidationError: a field is wrong or unknown.
        """
        loaded: Loaded = super().load(data, **options)
        return loaded

    @post_load
    def _make(self, fields_of_input: Mapping[str, object], **_: object) -> object:
        return self._into(**fields_of_input)


class Unset(Enum):
    """The value of a field that a change leaves out; None is a value to set."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def given_or(value: Value | Unset, otherwise: Value) -> Value:
    """Return the given value, or `otherwise` if the field was left out."""
    return otherwise if isinstance(value, Unset) else value


def names_given(change: object) -> KeysView[str]:
    """Return the names of the fields that a change gives, in the order of its class."""
    names = [field.name for field in dataclasses.fields(change)]  # type: ignore[arg-type]  # every change is a dataclass
    return dict.fromkeys(name for name in names if getattr(change, name) is not UNSET).keys()


class Id(fields.UUID):
    """A UUID field with string values."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **kwargs))


def longest_list(field: fields.Field[Any]) -> int | None:
    """Return the maximum length of a list field, or None if it has none or is not a list."""
    if not isinstance(field, fields.List) and not (isinstance(field, fields.Nested) and field.many):
        return None
    said = [most for each in field.validators if isinstance(each, validate.Length) for most in (each.equal, each.max) if most is not None]
    return min(said, default=None)


def invalid(error: ValidationError) -> Invalid:
    """Convert marshmallow's error: `field.0.part` maps to its messages, `_` to those on the whole input.

    :return: `UnknownField` if a field is unknown (R13).
    """
    errors: dict[str, list[str]] = {}
    for path, sentence in _said(error.normalized_messages()):  # type: ignore[no-untyped-call]  # marshmallow has not said
        errors.setdefault(path or "_", []).append(sentence)
    return (UnknownField if any(_UNKNOWN in sentences for sentences in errors.values()) else Invalid)(errors=errors)


def _said(messages: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _said(inner, path if name == SCHEMA else f"{path}.{name}" if path else str(name))
    else:
        yield from ((path, str(each)) for each in (messages if isinstance(messages, list) else [messages]))


def as_id(given: object, unknown: type[Refusal] = NotFound) -> str:
    """Return a UUID in canonical form.

    :raises Refusal: of the class `unknown`, if it is not a UUID.
    """
    try:
        return str(UUID(given if isinstance(given, str) else ""))
    except ValueError:
        raise unknown from None


def no_nul(text: str) -> None:
    """Validate that a text has no NUL character, which PostgreSQL cannot store.

    :raises ValidationError: it has one.
    """
    if "\x00" in text:
        raise ValidationError("Not a NUL character.")


@functools.cache
def ready(schema: type[S]) -> S:
    """Return the shared instance of a schema; loading does not change it."""
    return schema()
