"""Every regular expression in the product's source, and texts that make a bad one slow.

Expressions in the source are found there. Those built at run time are named in ``PUT_TOGETHER``. A test fails on an
expression that is neither.
"""

from __future__ import annotations

import ast
import importlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_CALLS = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
_SEARCHING = {"search", "sub", "subn", "split", "findall", "finditer"}

#: Expressions that are put together when they are used: where, and the whole of what they are made of.
PUT_TOGETHER = {
    "services/chassis/transport/embedded.py": "a binding of the topology, which is the product's own; no input has a part in it",
    "services/lexicon/mailboxes.py": "an address, escaped",
    "services/lexicon/mentions.py": "the digits of one telephone, with at most four signs between them",
}


@dataclass(frozen=True)
class Expression:
    """An expression, and how it is used: whether it may match anywhere."""

    where: str
    pattern: re.Pattern[Any]
    searches: bool


def sources() -> list[Path]:
    return sorted(path for part in ("services", "gateway", "deploy") for path in (ROOT / part).rglob("*.py"))


def found() -> tuple[list[Expression], list[str]]:
    """Return all expressions, and the places of those that cannot be read from the source."""
    expressions: list[Expression] = []
    unread: list[str] = []
    for path in sources():
        tree = ast.parse(path.read_text())
        if not any(isinstance(node, ast.Name) and node.id == "re" for node in ast.walk(tree)):
            continue
        where = str(path.relative_to(ROOT))
        module = importlib.import_module(where.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
        methods = _methods(tree)
        for name, value in _compiled(vars(module)):
            used = methods.get(name, set())
            expressions.append(Expression(f"{where}:{name}", value, searches=not used or bool(used & _SEARCHING)))
        known = {expression.pattern for expression in expressions}
        for call in (node for node in ast.walk(tree) if _is_of_re(node)):
            assert isinstance(call, ast.Call)
            assert isinstance(call.func, ast.Attribute)
            try:
                written = eval(compile(ast.Expression(call.args[0]), where, "eval"), vars(module))
                flags = (
                    [*call.args[1:], *(each.value for each in call.keywords if each.arg == "flags")]
                    if call.func.attr == "compile"
                    else [each.value for each in call.keywords if each.arg == "flags"]
                    + ([call.args[2]] if call.func.attr in {"match", "search", "fullmatch"} and len(call.args) > 2 else [])
                )
                flag = eval(compile(ast.Expression(flags[0]), where, "eval"), vars(module)) if flags else 0
            except NameError:
                if not any(where.startswith(known_as) for known_as in PUT_TOGETHER):
                    unread.append(f"{where}:{call.lineno}")
                continue
            pattern = re.compile(written, flag)
            if pattern not in known:
                expressions.append(Expression(f"{where}:{call.lineno}", pattern, searches=call.func.attr in _SEARCHING | {"compile"}))
    return expressions, unread


def _compiled(names: dict[str, Any]) -> Iterator[tuple[str, re.Pattern[Any]]]:
    def within(value: object) -> Iterator[re.Pattern[Any]]:
        if isinstance(value, re.Pattern):
            yield value
        elif isinstance(value, tuple | list):
            for each in value:
                yield from within(each)

    for name, value in names.items():
        yield from ((name, pattern) for pattern in within(value))


def _methods(tree: ast.AST) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    return used


def _is_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in _CALLS
    )


# --- texts against them -------------------------------------------------------------------------------------------------

_IN_CATEGORY = {
    constants.CATEGORY_DIGIT: "7",
    constants.CATEGORY_SPACE: " \n\t",
    constants.CATEGORY_WORD: "a7_",
    constants.CATEGORY_NOT_DIGIT: "a-",
    constants.CATEGORY_NOT_SPACE: "a@",
    constants.CATEGORY_NOT_WORD: " -.",
}


def _sampled(items: Any, rng: random.Random, most: int = 3) -> str:
    """Return a text that the parsed expression matches, without regard to lookarounds."""
    out = ""
    for op, argument in items:
        if op is constants.LITERAL:
            out += chr(argument)
        elif op is constants.NOT_LITERAL:
            out += "a" if argument != ord("a") else "b"
        elif op is constants.ANY:
            out += rng.choice("a 7")
        elif op is constants.IN:
            out += _of_set(argument, rng)
        elif op is constants.BRANCH:
            out += _sampled(rng.choice(argument[1]), rng, most)
        elif op is constants.SUBPATTERN:
            out += _sampled(argument[3], rng, most)
        elif op is constants.ATOMIC_GROUP:
            out += _sampled(argument, rng, most)
        elif op in {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}:
            low, high, inner = argument
            for _ in range(rng.randint(low, max(low, min(int(high), low + most)))):
                out += _sampled(inner, rng, most)
    return out


def _of_set(argument: Any, rng: random.Random) -> str:
    if argument[0][0] is constants.NEGATE:
        taken = {value for op, value in argument if op is constants.LITERAL}
        categories = {value for op, value in argument if op is constants.CATEGORY}
        choices = [c for c in "aA7 -.@é" if ord(c) not in taken and not any(c in _IN_CATEGORY.get(each, "") for each in categories)]
        return rng.choice(choices or ["x"])
    op, value = rng.choice(argument)
    if op is constants.LITERAL:
        return chr(value)
    if op is constants.RANGE:
        return chr(rng.choice(value))
    if op is constants.CATEGORY:
        return rng.choice(_IN_CATEGORY.get(value, "a"))
    return "a"


#: One letter or sign of each kind that people and attackers write.
ALPHABETS = (
    "a",
    "A",
    "é",
    "7",
    " ",
    "\n",
    "-",
    ".",
    "@",
    "(",
    '"',
    "'",
    "a.",
    "a ",
    "7-",
    "7 ",
    "a@",
    "e\u0301",
    "李",
    "😀",
    "\u200b",
    "\u0661",
    "<",
    ";",
    "\\",
)


def against(pattern: re.Pattern[Any], *, samples: int = 12, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Yield prefixes and what is repeated after them: alphabets, and near misses of the expression itself."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    rng = random.Random(f"{seed} {text!a}")
    parsed = parser.parse(text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    seen = set()
    for each in ALPHABETS:
        yield "", each
    for _ in range(samples):
        whole = _sampled(parsed, rng)
        if not whole or whole in seen:
            continue
        seen.add(whole)
        yield "", whole
        at = rng.randrange(len(whole))
        yield "", whole[: at + 1]
        yield whole[:at], whole[at]
        yield whole[:at], " "
        start = rng.randrange(at + 1)
        yield whole[:start], whole[start : at + 1]


def worked(pattern: re.Pattern[Any], text: str, *, searches: bool) -> None:
    content: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "surrogatepass")
    if searches:
        for _ in pattern.finditer(content):
            pass
    else:
        pattern.fullmatch(content)
        pattern.match(content)
