"""Every place where words enter, from the OpenAPI document, and every column that stores them, from the data dictionary.

Nobody lists them by hand. A new field of a body gets the person's words, too, and a column that no place reaches fails
with its name.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import psycopg

from deploy.dictionary import every_column
from services.lexicon.dictionary import ENCRYPTED, PLAIN, STAKEHOLDER
from tests.proofs.erased import Everywhere, writings
from tests.proofs.operations import Operation, Request, allowed, operations
from tests.proofs.world import World
from tests.rows import SOAK

#: Strings of these kinds are no words.
_CLOSED = {"uuid", "date", "date-time", "binary"}
#: What is another person's own, and stays theirs though it reads the same (T26): there a record of its own comes to be.
OWN = {"first_name", "last_name", "value"}
#: The share of the doors behind which nothing is kept.
_SOME = 1.0 if SOAK else 0.2
#: What may be answered otherwise when it is asked anew.
_ANEW = {404, 409, 422}
#: These columns no words are in, and why.
WITHOUT_WORDS: Mapping[str, str] = {
    "contacts.contact_point_grants.reason": "no route takes grants yet (tests/integration/contacts/test_firewall.py)",
    "retention.erasures.reason": "comes with the erasure itself",
    "contacts.import_pieces.ciphertext": "minutes, while a file comes in",
    "contacts.set_aside.ciphertext": "of an import that is taken back while a hold stands (tests/integration/contacts/test_undoing.py)",
    "contacts.erasures.sealed": "made by the erasure",
    "retention.erasures.sealed": "made by the erasure",
    "keys.seal_keys.wrapped": "made by the erasure",
}


@dataclass(frozen=True, slots=True)
class Door:
    """A place for words in one operation's request."""

    operation: Operation
    #: `body` or `query`.
    where: str
    steps: tuple[str | int, ...]

    def __str__(self) -> str:
        """Return its name."""
        return f"{self.operation.name} {self.where} {'.'.join(map(str, self.steps))}"


def doors(document: dict[str, Any], operation: Operation) -> Iterator[Door]:
    """Yield the places of an operation, as its document describes them."""
    schemas = document["components"]["schemas"]
    for content in operation.said.get("requestBody", {}).get("content", {}).values():
        for steps in dict.fromkeys(_texts(schemas, content["schema"])):
            yield Door(operation, "body", steps)
    for parameter in operation.said.get("parameters", ()):
        if parameter.get("in") == "query" and parameter["name"] != "cursor" and any(True for _ in _texts(schemas, parameter["schema"])):
            yield Door(operation, "query", (parameter["name"],))


def _texts(schemas: dict[str, Any], schema: dict[str, Any], at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for one in itertools.chain(*(schema.get(several, ()) for several in ("oneOf", "anyOf", "allOf"))):
        yield from _texts(schemas, one, at)
    kinds = schema.get("type", ())
    if "object" in kinds:
        for name, inner in schema.get("properties", {}).items():
            yield from _texts(schemas, inner, (*at, name))
    elif "array" in kinds:
        yield from _texts(schemas, schema["items"], (*at, 0))
    elif "string" in kinds and "enum" not in schema and schema.get("format") not in _CLOSED:
        yield at


def walk_through(world: World, person: Everywhere, seed: int) -> Counter[str]:
    """Send the person's words through every place, one at a time, with values where they may be stored; count the answers.

    Places of stored words, in bodies, are always all tried. Of queries and headers some are, and all in `make soak`.
    """
    statuses: Counter[str] = Counter()
    chance = random.Random(seed)
    spellings, refused = itertools.cycle(person.named), []
    for operation in operations(world.document):
        if chance.random() < _SOME:
            statuses[str(_at_the_threshold(world, operation, person))] += 1
        entries = [door for door in doors(world.document, operation) if door.steps[-1] not in OWN]
        entries = [door for door in entries if door.where == "body" or chance.random() < _SOME]
        if not entries:
            continue
        request = allowed(world, operation)
        keeps = any(door.steps == ("keep_reason",) for door in entries)
        for door in entries:
            words = [next(spellings)]
            if door.where == "body" and keeps and door.steps != ("keep_reason",):
                words.append(f"{words[0]} agreed at {person.cell} or {person.mail}.")
            for said in words:
                reason = f"{person.name} gave it to us" if said is not words[0] else None
                answer = _sent(request, door, said, reason)
                if answer in _ANEW and door.where == "body":
                    # What was there is used up, or another field of the same request is in the way.
                    request = allowed(world, operation)
                    bare = replace(request, given={**request.given, "json": {}}) if operation.method == "PATCH" else request
                    answer = _sent(bare, door, said, reason)
                statuses[str(answer)] += 1
                if answer >= 500:
                    refused.append(f"{door}: {answer}")
    assert refused == []
    return statuses


def _sent(request: Request, door: Door, said: str, reason: str | None) -> int:
    given = copy.deepcopy(request.given)
    if door.where == "query":
        given["params"] = {**given.get("params", {}), door.steps[0]: said}
    elif "files" not in given:
        body = given.setdefault("json", {})
        _put(body, door.steps, said)
        if reason:
            body["keep_reason"] = reason
    if "If-Match" in given.get("headers", {}):
        given["headers"]["If-Match"] = request.by.ask("GET", request.path).headers.get("ETag", "*")
    return replace(request, given=given).send().status_code


def _put(body: Any, steps: tuple[str | int, ...], value: str) -> None:
    for step, following in itertools.pairwise(steps):
        if isinstance(step, int):
            body = body[step]
        else:
            empty: Any = [{}] if following == 0 else {}
            body = body.setdefault(step, empty)
            if isinstance(body, list) and not body:
                body.append({})
    if steps[-1] == 0:
        body[:] = [value]
    else:
        body[steps[-1]] = value


def _at_the_threshold(world: World, operation: Operation, person: Everywhere) -> int:
    """Send the words where only ids, cursors and keys may stand: every path, query and header."""
    by = world.edda if operation.path.startswith("/audit/") else world.amina
    if operation.name in {"DELETE /sessions/current", "PATCH /profile"}:
        by = world.nobody
    path = operation.path.format(**dict.fromkeys(operation.parameters, quote(person.name)))
    headers = {"Idempotency-Key": person.mail, "If-Match": f'"{person.cell}"', "X-Request-Id": person.cell, "User-Agent": person.mail}
    given: dict[str, Any] = {} if operation.method == "GET" else {"data": person.name.encode(), "headers": {"Content-Type": person.mail}}
    headers |= given.pop("headers", {})
    return by.ask(operation.method, path, headers=headers, params={"cursor": person.name, person.name: person.cell}, **given).status_code


def columns_without(world: World, person: Everywhere) -> list[str]:
    """Return the word columns of the data dictionary without this person's words; an encrypted column counts if it is empty."""
    needles = [needle for needle in person.needles if len(needle) < 40]
    missing = []
    for store, columns in itertools.groupby(every_column(), key=lambda each: each[0].partition(".")[0]):
        with psycopg.connect(world.address(store)) as connection:
            for name, column in columns:
                if column.whose != STAKEHOLDER or column.holds not in {PLAIN, ENCRYPTED} or name in WITHOUT_WORDS:
                    continue
                _, table, field = name.split(".")
                rows = connection.execute(f"SELECT {field}::text FROM {table} WHERE {field} IS NOT NULL".encode()).fetchall()
                if not (rows if column.holds == ENCRYPTED else _any_in("\n".join(row[0] for row in rows), needles)):
                    missing.append(name)
    return missing


def _any_in(text: str, needles: Iterable[str]) -> bool:
    return any(needle in writing for writing in writings(text) for needle in needles)
