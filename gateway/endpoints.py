"""Declares routes of the API: their input is validated by a service's schema, and OpenAPI describes them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from flask import Response, g, request
from flask_smorest import Blueprint
from marshmallow import INCLUDE, Schema, ValidationError, fields

from gateway.clients import command
from gateway.clients import query as ask
from gateway.context import app_context
from gateway.errors import PROBLEM, BodyTooLarge, JsonRequired, UnreadableBody
from services.chassis.answers import AtLeast
from services.chassis.answers import document as answer_schema
from services.chassis.keyed import join_digests
from services.chassis.messages import Invalid, Operation, PreconditionMissing, entity_tag, is_any_match, new_id
from services.chassis.refusals import UnknownField
from services.chassis.validation import invalid, ready

JSON = "application/json"
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY_LENGTH = 200

View = Callable[..., object]
#: A query's parameters as they were sent; those that a schema declares as lists are lists.
Parameters: TypeAlias = Mapping[str, str | list[str]]
JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
#: A JSON object as it was sent.
JsonObject: TypeAlias = Mapping[str, JsonValue]


class ProblemSchema(Schema):
    """A problem document of RFC 9457 with a stable code and the trace id; some refusals add fields."""

    class Meta:
        """Clients ignore fields that they do not know (RFC 9457, 3.2)."""

        unknown = INCLUDE

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "A stable slug; see the table of refusals."})
    trace_id = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Field → sentences, with 422."},
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A representation with its status and headers."""

    representation: object
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The declaration of a route, from which the OpenAPI document is made."""

    method: str
    rule: str
    #: The type of the answer, as the service's contract declares it; a collection's is that of its items.
    answers: Any = None
    status: int = 200
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    #: The answer is a single record with a strong ETag.
    tagged: bool = False
    #: If-Match is required (428).
    matched: bool = False
    #: The answer is `{"items", "next", "total"}`.
    collection: bool = False
    #: OpenAPI says that no session is needed; `app.PUBLIC_ENDPOINTS` decides it.
    public: bool = False
    #: The view reads the body itself, as a stream.
    streamed: bool = False
    #: The answer is a new record of this collection; `Location` is its address.
    located: bool = False
    #: Statuses of refusals, besides those that follow from the rest.
    problems: tuple[int, ...] = ()
    media: str = JSON
    #: The service and the method that get the request as it is.
    forwards: tuple[str, str] | None = None


class ApiBlueprint(Blueprint):
    """A blueprint whose routes follow the conventions of the API; `service` is the one to which they forward."""

    def __init__(self, name: str, description: str, *, service: str = "") -> None:
        super().__init__(name, __name__, url_prefix=f"/{name}", description=description)
        self.service = service

    def forward(self, method: str, rule: str, *, to: str | None = None, **declared: Any) -> Callable[[View], View]:
        """Declare a route that hands its request to the service, and answers with what the service answers.

        The view has no body: its name is the name of the service's method, and its docstring describes the route.

        :param to: the method, where it has another name.
        :param declared: fields of `Endpoint`.
        """

        def declare(view: View) -> View:
            name = to or view.__name__
            send = command if method in CHANGING else ask

            @functools.wraps(view)
            def forwarding(**given: object) -> object:
                return send(self.service, name, **given)

            return self.endpoint(method, rule, **declared, forwards=(self.service, name))(forwarding)

        return declare

    def endpoint(self, method: str, rule: str, **declared: Any) -> Callable[[View], View]:
        """Declare a route.

        The view gets the ids of the path as strings, the validated `query` and `body` as they were sent, and `if_match`
        where `matched`. It returns a representation, an `Answer` or a response.

        :param declared: fields of `Endpoint`.
        """
        endpoint = Endpoint(method=method, rule=rule, **declared)

        def declare(view: View) -> View:
            @functools.wraps(view)
            def answer(**path: str) -> Response:
                given: dict[str, object] = {**path}
                parameters = parse_query(endpoint.query)
                if endpoint.query is not None:
                    given["query"] = parameters
                if endpoint.matched:
                    given["if_match"] = require_if_match()
                if endpoint.body is not None:
                    given["body"] = parse_body(endpoint.body)
                if method in CHANGING and not endpoint.streamed:
                    g.client.operation = operation()
                return make_response(view(**given), endpoint)

            answer._apidoc = {"manual_doc": openapi_operation(endpoint)}  # type: ignore[attr-defined]  # noqa: SLF001 - where flask-smorest looks for it
            answer.endpoint_declared = endpoint  # type: ignore[attr-defined]  # read by the shape tests
            self.route(rule, methods=[method], endpoint=view.__name__)(answer)
            return view

        return declare


def parse_query(schema: type[Schema] | None) -> Parameters:
    """Validate the parameters of the query, and return them as they were sent.

    :raises UnknownField: the route has no such parameter.
    :raises Invalid: a parameter has a wrong value.
    """
    known = ready(schema).load_fields if schema is not None else {}
    by_key = {known_field.data_key or name: known_field for name, known_field in known.items()}
    raw: dict[str, str | list[str]] = {}
    for name, values in request.args.lists():
        parameter = by_key.get(name)
        if isinstance(parameter, fields.List):
            raw[name] = [part for value in values for part in value.split(",") if part]
        elif len(values) > 1:
            raise Invalid(errors={name: ["Give it once."]})
        else:
            raw[name] = values[0]
    if schema is None:
        if raw:
            raise UnknownField(errors={name: ["There is no such parameter."] for name in raw})
        return raw
    validate(schema, raw)
    return raw


def parse_body(schema: type[Schema]) -> JsonObject:
    """Validate the JSON object in the body by the service's schema, and return it as it was sent.

    :raises JsonRequired: the body has another type.
    :raises UnreadableBody: the body is not a JSON object.
    :raises UnknownField, Invalid: the schema refuses a field.
    """
    payload = raw_body()
    known = ready(schema).load_fields
    if not payload and not any(known_field.required for known_field in known.values()):
        return {}
    if request.mimetype != JSON:
        raise JsonRequired
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise UnreadableBody from error
    if not isinstance(body, dict):
        raise UnreadableBody
    validate(schema, body)
    return body


def raw_body() -> bytes:
    """Return the bytes of the body.

    :raises BodyTooLarge: the body exceeds the limit.
    :raises BodyTooSlow: the body did not arrive before its deadline.
    """
    limit = request.max_content_length
    if limit is not None and (request.content_length or 0) > limit:
        raise BodyTooLarge
    payload = request.get_data(cache=True)
    if limit is not None and len(payload) >= limit and request.content_length is None:
        # A chunked body is read up to its limit and no further.
        raise BodyTooLarge
    return payload


def validate(schema: type[Schema], raw: Mapping[str, object]) -> None:
    """Validate input by a schema; the service loads it again.

    :raises UnknownField, Invalid: with the messages of each field.
    """
    try:
        ready(schema).load(raw)
    except ValidationError as error:
        raise invalid(error) from error


def require_if_match() -> str:
    """Return the If-Match header.

    :raises PreconditionMissing: it is missing, or is `*`, which names no version.
    """
    tag = request.headers.get("If-Match", "").strip()
    if not tag or tag == "*":
        raise PreconditionMissing
    return tag


def operation(*, key: str | None = None, body: bytes | None = None) -> Operation:
    """Return the operation that lets a service recognize the repetition of this request.

    The key and the body leave as keyed digests, because services store them for a day (R2).

    :raises Invalid: the Idempotency-Key is empty or too long.
    """
    key = key or request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise Invalid(errors={"Idempotency-Key": [f"Give it 1 to {MAX_KEY_LENGTH} characters."]})
    keyed = app_context().keyed
    body_hash = join_digests(keyed.each(b"body\0" + (raw_body() if body is None else body)))
    key_digest = key if key is None else join_digests(keyed.each(f"key\0{key}"))
    return Operation(id=new_id(), method=request.method, path=request.path, key=key_digest, body_hash=body_hash)


def make_response(result: object, endpoint: Endpoint) -> Response:
    """Return the response of a view's result, with an ETag where the route declares one."""
    if isinstance(result, Response):
        return result
    made = result if isinstance(result, Answer) else Answer(result)
    status = made.status or endpoint.status
    if status == 204:
        response = Response(status=204)
        response.headers.extend(made.headers)
        return response
    headers = dict(made.headers)
    if endpoint.located and isinstance(made.representation, dict):
        headers["Location"] = f"{request.path.rstrip('/')}/{made.representation['id']}"
    if endpoint.tagged and isinstance(made.representation, dict):
        tag = entity_tag(made.representation)
        headers["ETag"] = tag
        if request.method == "GET" and _knows(tag):
            return Response(status=304, headers=headers)
    return Response(orjson.dumps(made.representation), status=status, headers=headers, content_type=JSON)


def _knows(tag: str) -> bool:
    return is_any_match(request.headers.get("If-None-Match", ""), tag)


def openapi_operation(endpoint: Endpoint) -> dict[str, Any]:
    """Return the OpenAPI operation of a route; flask-smorest resolves the schemas."""
    statuses = {400, 401, 403, 421, 422, 429, 503, *endpoint.problems}
    if endpoint.public:
        statuses -= {403}
    if endpoint.body is not None or endpoint.streamed:
        statuses |= {413, 415}
    if endpoint.method in CHANGING:
        statuses |= {409}
    if "<" in endpoint.rule:
        statuses |= {404}
    if endpoint.matched:
        statuses |= {412, 428}
    responses: dict[str, Any] = {
        str(status): {"description": DESCRIPTIONS[status], "content": {PROBLEM: {"schema": ProblemSchema}}} for status in sorted(statuses)
    }
    success: dict[str, Any] = {"description": DESCRIPTIONS[endpoint.status], "headers": {**HEADERS}}
    if endpoint.answers is not None:
        success["content"] = {endpoint.media: {"schema": _answer_schema(endpoint)}}
    if endpoint.tagged:
        success["headers"]["ETag"] = {"schema": {"type": "string"}, "description": "A hash of what you see."}
        if endpoint.method == "GET":
            responses["304"] = {"description": DESCRIPTIONS[304]}
    responses[str(endpoint.status)] = success
    described: dict[str, Any] = {"responses": responses}
    parameters: list[dict[str, Any]] = []
    if endpoint.query is not None:
        parameters.append({"in": "query", "schema": endpoint.query})
    if endpoint.matched:
        parameters.append(_header("If-Match", "The ETag of the version you mean.", required=True))
    if endpoint.method == "POST":
        parameters.append(_header("Idempotency-Key", "The same key and body: the same record, for 24 hours."))
    if parameters:
        described["parameters"] = parameters
    if endpoint.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": endpoint.body}}}
    if endpoint.streamed:
        file = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": file}}}
    if endpoint.public:
        described["security"] = []
    return described


def _answer_schema(endpoint: Endpoint) -> dict[str, Any]:
    schema: dict[str, Any] = endpoint.answers if isinstance(endpoint.answers, dict) else answer_schema(endpoint.answers)
    if not endpoint.collection:
        return schema
    total = {"oneOf": [{"type": "integer"}, answer_schema(AtLeast)]}
    properties = {"items": {"type": "array", "items": schema}, "next": {"type": ["string", "null"]}, "total": total}
    return {"type": "object", "required": list(properties), "properties": properties}


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


HEADERS = {"X-Request-Id": {"schema": {"type": "string"}, "description": "The trace id, in logs and in the trail."}}
DESCRIPTIONS = {
    200: "As asked",
    201: "Created",
    202: "Accepted; it goes on",
    204: "Done",
    304: "As you know it",
    400: "Where the request ends cannot be told",
    401: "Not signed in",
    403: "Not allowed, or the statements are not acknowledged",
    404: "Not found, or not yours to know of",
    409: "The present state forbids it",
    412: "It changed since you read it",
    413: "Too large",
    415: "Wrong type of content",
    421: "Asked by a name that is not this system's",
    422: "Wrong input, field by field",
    428: "Say which version you mean",
    429: "Too often",
    503: "A part of the system is away",
}
