"""What is too long is refused before each of its parts is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from marshmallow import ValidationError, fields, validate

import gateway
import services
from services.chassis.messages import Invalid, NotFound, Unauthenticated, new_id
from services.chassis.refusals import UnknownField
from services.chassis.validation import UNSET, Closed, Loads, Unset, as_id, given_or, invalid, longest_list, names_given, no_nul
from tests.proofs.growing import modules, schemas_of_requests


class Counted(fields.String):
    """A text that says how often it was looked at."""

    seen: ClassVar[list[Any]] = []

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        self.seen.append(value)
        return super()._deserialize(value, *args, **kwargs)


class Inner(Closed):
    """A part of a request."""

    name = Counted()


class Outer(Closed):
    """A request."""

    names = fields.List(Counted(), data_key="known-as", validate=validate.Length(max=3))
    pair = fields.List(Counted(), validate=validate.Length(equal=2))
    parts = fields.List(fields.Nested(Inner), validate=validate.Length(max=3))
    many = fields.Nested(Inner, many=True, validate=validate.Length(max=3))


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    Counted.seen.clear()


@pytest.mark.row("P19")
@pytest.mark.parametrize(
    ("name", "value", "most"),
    [("known-as", ["a"] * 4, 3), ("pair", ["a"] * 3, 2), ("parts", [{"name": "a"}] * 4, 3), ("many", [{"name": "a"}] * 4, 3)],
)
def test_of_a_list_that_is_too_long_no_item_is_looked_at(name: str, value: list[Any], most: int) -> None:
    with pytest.raises(ValidationError) as refused:
        Outer().load({name: value})
    assert refused.value.normalized_messages() == {name: [f"Longer than maximum length {most}."]}
    assert Counted.seen == []


@pytest.mark.row("P19")
def test_of_a_flood_of_unknown_names_fifty_are_told() -> None:
    with pytest.raises(ValidationError) as refused:
        Outer().load({f"a{n}": 1 for n in range(100_000)})
    told = refused.value.normalized_messages()
    assert len(told) == 50
    assert {tuple(sentences) for sentences in told.values()} == {("Unknown field.",)}


def test_what_is_as_long_as_it_may_be_is_taken() -> None:
    body = {"known-as": ["a"] * 3, "pair": ["a", "b"], "parts": [{"name": "a"}] * 3, "many": [{"name": "a"}] * 3}
    assert Outer().load(body) == {"names": ["a"] * 3, **{name: body[name] for name in ("pair", "parts", "many")}}
    with pytest.raises(ValidationError, match="Invalid input type|Not a valid list|Unknown"):
        Outer().load({"known-as": "a" * 10, "x": 1})


@pytest.mark.row("P19")
def test_every_list_of_every_request_says_how_long_it_may_be() -> None:
    list(modules(services, gateway))
    unlimited = [
        f"{schema.__module__}.{schema.__name__}.{name}"
        for schema in schemas_of_requests()
        for name, field in schema().load_fields.items()
        if (isinstance(field, fields.List) or (isinstance(field, fields.Nested) and field.many)) and longest_list(field) is None
    ]
    assert unlimited == []


def _refusal(body: object) -> Invalid:
    with pytest.raises(ValidationError) as refused:
        Outer().load(body)  # type: ignore[arg-type]  # a wrong shape is one of the cases
    return invalid(refused.value)


def test_what_a_schema_refuses_is_told_by_the_path_to_each_part() -> None:
    said = _refusal({"known-as": ["a", 3], "parts": [{"name": "a"}, {"name": 3}], "pair": ["a"]})
    assert (said.code, said.errors) == (
        "invalid",
        {"known-as.1": ["Not a valid string."], "parts.1.name": ["Not a valid string."], "pair": ["Length must be 2."]},
    )
    assert _refusal({"parts": [{"name": "a", "more": 1}]}).to_wire() == UnknownField(errors={"parts.0.more": ["Unknown field."]}).to_wire()
    assert _refusal([1]).errors == {"_": ["Invalid input type."]}
    assert invalid(ValidationError("Give one or the other.")).errors == {"_": ["Give one or the other."]}
    assert invalid(ValidationError({"a": {"_schema": ["Of the part."], "b": ["Of its field."]}})).errors == {
        "a": ["Of the part."],
        "a.b": ["Of its field."],
    }


def test_what_is_no_id_names_nothing() -> None:
    given = new_id()
    assert as_id(given.upper()) == given
    for wrong in ("x", "", None, 3, ["a"]):
        with pytest.raises(NotFound):
            as_id(wrong)
    with pytest.raises(Unauthenticated):
        as_id("x", Unauthenticated)


def test_a_text_has_no_nul_character() -> None:
    no_nul("a text")
    with pytest.raises(ValidationError):
        no_nul("a\x00")


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a change loads into."""

    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a change loads into."""

    title: str | Unset | None = UNSET
    parts: tuple[Part, ...] | Unset = UNSET


class PartSchema(Loads[Part]):
    """A part of a change."""

    name = fields.String(required=True)


class ChangeSchema(Loads[Change]):
    """A change."""

    title = fields.String(allow_none=True)
    parts = fields.List(fields.Nested(PartSchema))


def test_a_schema_loads_a_dataclass_that_tells_what_was_given():
    assert ChangeSchema().load({"parts": [{"name": "a"}]}) == Change(parts=[Part("a")])
    assert names_given(ChangeSchema().load({"title": None})) == {"title"}
    assert given_or(ChangeSchema().load({}).title, "before") == "before"
    assert given_or(ChangeSchema().load({"title": None}).title, "before") is None
    with pytest.raises(ValidationError):
        ChangeSchema().load({"level": "reader"})
