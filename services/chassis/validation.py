"""What comes in: closed schemas, ids, and what is said of wrong fields."""

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

#: What marshmallow says of a field that no schema has.
_UNKNOWN = str(Schema().error_messages["unknown"])
#: Names that no schema has: so many are told one by one, which is more than anybody mistypes.
_MOST_UNKNOWN = 50


class Closed(Schema):
    """Input: a field that is not listed is refused (R13)."""

    class Meta:
        """Nothing is let through unseen."""

        unknown = RAISE

    @pre_load
    def _refuse_floods(self, data: Any, **_: object) -> Any:
        """Refuse what is too long for its field, and a flood of names, before each of their parts is looked at.

        :raises ValidationError: with the sentences that these would get, too.
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
    """Input that loads into the frozen dataclass that its type argument names: `class NoteSchema(Loads[Note])`."""

    _into: ClassVar[Callable[..., object]]

    def __init_subclass__(cls) -> None:
        """Take the dataclass from the type argument."""
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            if get_origin(base) is Loads:
                cls._into = get_args(base)[0]

    def load(self, data: Any, **options: Any) -> Loaded:
        """Return the dataclass with the fields of the input.

        :raises ValidationError: a field is wrong or not listed.
        """
        loaded: Loaded = super().load(data, **options)
        return loaded

    @post_load
    def _make(self, fields_of_input: dict[str, Any], **_: object) -> object:
        return self._into(**fields_of_input)


class Unset(Enum):
    """What a change has for a field that was not given; None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def given_or(value: Value | Unset, otherwise: Value) -> Value:
    """Return the value of a changed field, or the present one where none was given."""
    return otherwise if isinstance(value, Unset) else value


def names_given(change: object) -> KeysView[str]:
    """Return the names of the fields that a change gives, in the order of its class."""
    names = [field.name for field in dataclasses.fields(change)]  # type: ignore[arg-type]  # every change is a dataclass
    return dict.fromkeys(name for name in names if getattr(change, name) is not UNSET).keys()


class Id(fields.UUID):
    """A UUID, kept as the string that everybody else uses."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **kwargs))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


def longest_list(field: fields.Field[Any]) -> int | None:
    """Return how many items a list may have as its field says; None where it says nothing, and of what is no list."""
    if not isinstance(field, fields.List) and not (isinstance(field, fields.Nested) and field.many):
        return None
    said = [most for each in field.validators if isinstance(each, validate.Length) for most in (each.equal, each.max) if most is not None]
    return min(said, default=None)


def invalid(error: ValidationError) -> Invalid:
    """Return marshmallow's refusal as ours: `field.0.part` and the sentences on it, `_` for the whole.

    :return: `UnknownField` where a field is not listed (R13).
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
    """Return an id in its canonical form.

    :raises Refusal: of the class `unknown`: it is no UUID, and so names nothing.
    """
    try:
        return str(UUID(given if isinstance(given, str) else ""))
    except ValueError:
        raise unknown from None


def no_nul(text: str) -> None:
    """Let a text pass that PostgreSQL can hold.

    :raises ValidationError: it has a NUL character.
    """
    if "\x00" in text:
        raise ValidationError("Not a NUL character.")


@functools.cache
def ready(schema: type[S]) -> S:
    """Return the schema, ready for use; using it changes nothing in it."""
    return schema()
