"""Every limit in the code has a reason. None comes before a filter, and none cuts silently what a user sees."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: In a statement, in a query that is built, in a call, or in a query to a service.
LIMITED = re.compile(r"\bLIMIT\s+[\d:{]|\.limit\(|\bfetchmany\(|\blimit: int = \d|\blimit=[\dA-Z]|[\"']limit[\"']: [\"']?\d")
PAGE = "a page, which says where it goes on"
ONE = "the one that is asked for"
COUNT = "counts no further than is counted exactly, and says so"
WORK = "a portion of work, of which the next comes after it"
BYTES = "bytes of a seal"
WORDS = "a part of one text"
TOLD = "a name in a sentence"
TOO_LONG = "longer than any field may be, and refused for that"
SAMPLE = "a sample to tell what the whole is"
#: File below services/ or gateway/ → the reason of every limit in it, in any order.
REASONS: dict[str, tuple[str, ...]] = {
    "services/access/storage/directory.py": (ONE, PAGE, PAGE, COUNT),
    "services/access/storage/gateway_refusals.py": (WORK, WORK),
    "services/access/storage/sessions.py": (WORK, WORK),
    "services/audit/storage/reading.py": (PAGE, PAGE, PAGE, COUNT, COUNT, ONE, ONE, "those who looked at most, and it says so"),
    "services/audit/storage/trail.py": (WORK, ONE, "checkpoints before one, of which some are enough", WORK),
    "services/audit/usecases/reading.py": (ONE,),
    "services/contacts/storage/likenesses.py": (WORK, WORK, "holders of one value: one that more share is nobody's"),
    "services/contacts/storage/tasks.py": (PAGE, COUNT),
    "services/contacts/storage/imports/questions.py": (
        "values that very many share tell nobody apart",
        "given names that very many colleagues share tell nobody apart",
    ),
    "services/contacts/storage/imports/undoing.py": (WORK,),
    "services/contacts/storage/notes.py": (PAGE, PAGE),
    "services/contacts/usecases/individuals.py": (PAGE,),
    "services/contacts/usecases/notes.py": (PAGE,),
    "services/contacts/storage/imports/imports.py": (PAGE, ONE, WORK),
    "services/contacts/storage/imports/outcomes.py": (PAGE,),
    "services/contacts/storage/imports/refused.py": (ONE, WORK, WORK),
    "services/contacts/storage/projections.py": (ONE,),
    "services/contacts/storage/notices.py": (PAGE, PAGE),
    "services/contacts/storage/lookups.py": (PAGE,),
    "services/contacts/usecases/hits.py": (PAGE, PAGE, "none: tasks are all of them"),
    "services/contacts/usecases/suppressing.py": (PAGE, PAGE),
    "services/contacts/usecases/freezing.py": (PAGE, PAGE, PAGE),
    "services/contacts/storage/ledger.py": (PAGE,),
    "services/contacts/storage/twins.py": (PAGE,),
    "services/contacts/storage/registration.py": (ONE, ONE, "holders of one number: a line that more share is nobody's"),
    "services/contacts/storage/search.py": (PAGE, COUNT),
    "services/contacts/storage/vault.py": (WORK, WORK),
    "services/contacts/usecases/imports/deciding.py": (WORK,),
    "services/contacts/usecases/imports/undoing.py": (WORK,),
    "services/interactions/storage/pages.py": (PAGE, COUNT),
    "services/interactions/usecases/events.py": (PAGE,),
    "services/retention/storage/erasures.py": (WORK, WORK, ONE, PAGE, PAGE, PAGE, COUNT),
    "services/retention/storage/requests.py": (ONE, PAGE, COUNT, WORK, WORK),
    "gateway/pages/tasks.py": (PAGE,),
    "gateway/pages/erasing.py": (PAGE,),
    "gateway/pages/imports.py": (PAGE,),
    "gateway/pages/paging.py": ("goes on to the end",),
    "gateway/pages/kept_texts.py": (PAGE,),
    "gateway/pages/trail.py": (PAGE, ONE),
    "gateway/routes/imports.py": ("goes on to the end",),
}


#: Slices that keep the head of a list or a text.
HEADS: dict[str, tuple[str, ...]] = {
    "services/access/domain/sessions.py": ("the oldest of too many sessions, which are ended",),
    "services/access/domain/secrets.py": (BYTES,),
    "services/access/domain/throttle.py": (BYTES,),
    "services/access/service/__init__.py": ("an address of the network is shorter",),
    "services/access/usecases/directory.py": (PAGE,),
    "services/audit/storage/witness.py": ("what is not written yet",),
    "services/audit/usecases/reading.py": (PAGE,),
    "services/audit/usecases/sequencing.py": ("the leaves of a tree of a size",),
    "services/contacts/domain/encryption.py": (BYTES,),
    "services/contacts/domain/likeness.py": (WORDS, WORDS),
    "services/contacts/domain/suppression.py": ("more words than any field has",),
    "services/contacts/domain/imports/addresses.py": ("offices before the one that takes a number", WORDS),
    "services/contacts/domain/imports/cards.py": (WORDS, WORDS, TOLD, TOO_LONG),
    "services/contacts/domain/imports/columns.py": (TOLD,),
    "services/contacts/domain/imports/comparing.py": (WORDS, WORDS, WORDS),
    "services/contacts/domain/imports/encodings.py": (SAMPLE, SAMPLE),
    "services/contacts/domain/imports/forbidden.py": (SAMPLE,),
    "services/contacts/domain/imports/layouts.py": (WORDS, WORDS, WORDS),
    "services/contacts/domain/imports/matching.py": ("more who may be meant are nobody that a person can tell apart", ONE),
    "services/contacts/domain/imports/offices.py": (WORDS,),
    "services/contacts/domain/imports/archives.py": (BYTES,),
    "services/contacts/domain/imports/reading.py": ("wider is refused", SAMPLE, SAMPLE, TOLD, TOLD),
    "services/contacts/domain/imports/register.py": ("goes on where it ended before",),
    "services/contacts/domain/imports/tables.py": (TOO_LONG, SAMPLE, SAMPLE, SAMPLE, WORDS, TOLD, "cells below a heading"),
    "services/contacts/storage/vault.py": (BYTES,),
    "services/contacts/usecases/authorization.py": (WORDS,),
    "services/contacts/usecases/search.py": (PAGE,),
    "services/contacts/usecases/freezing.py": (PAGE, PAGE, PAGE),
    "services/contacts/usecases/hits.py": (PAGE, PAGE),
    "services/contacts/usecases/suppressing.py": (PAGE, PAGE),
    "services/contacts/usecases/tasks.py": ("the first id of a pair",),
    "services/contacts/usecases/individuals.py": (PAGE,),
    "services/contacts/usecases/notes.py": (PAGE,),
    "services/contacts/usecases/releasing.py": (PAGE,),
    "services/contacts/usecases/imports/refused_rows.py": (PAGE,),
    "services/contacts/usecases/imports/reading.py": (PAGE, PAGE),
    "services/contacts/usecases/imports/uploading.py": (WORDS,),
    "services/interactions/storage/pages.py": (PAGE,),
    "services/lexicon/tasks.py": (PAGE,),
    "services/retention/storage/erased_ids.py": ("whole lines of a file", "the part of a file that was read before"),
    "services/retention/usecases/erasing.py": (PAGE, PAGE, PAGE),
    "services/retention/usecases/requests.py": (PAGE,),
    "gateway/framing.py": ("a line without its end",),
    "gateway/sealer.py": (BYTES,),
    "gateway/pages/assets.py": (BYTES,),
    "gateway/pages/sentences.py": ("the first letter of a label",),
    "gateway/pages/times.py": ("the day of an instant",),
    "gateway/routes/kept_texts.py": (PAGE,),
    "gateway/routes/tasks.py": (PAGE, "names beside the number of the others"),
    "gateway/routes/timeline.py": (PAGE,),
    "gateway/uploads.py": (WORK,),
}
#: Numbers of the pages at which they stop; each is said on the page beside the way to the rest.
NUMBERS: dict[str, tuple[str, ...]] = {
    "gateway/naming.py": (WORK,),
    "gateway/pages/engagement.py": ("the latest to choose from, and the page says how to an older one",),
    "gateway/pages/layout.py": (WORK,),
    "gateway/pages/paging.py": (PAGE,),
    "gateway/pages/picking.py": ("to be ticked, and the page says that there are more", "another letter finds others"),
    "gateway/routes/tasks.py": ("names beside the number of the others",),
}
NUMBER = re.compile(
    r"^(?:[A-Z_]+, )*(?:SHOWN|RECENT|TICKED|NAMED|AT_A_TIME|USERS_AT_A_TIME|MOST\w*|\w*_SHOWN|\w*_MOST)(?:, [A-Z_]+)* = ", re.MULTILINE
)
#: What cuts short in a template.
CUT = re.compile(r"\[\s*:\s*\w|\|\s*(?:truncate|batch|slice|first)\b|loop\.index0?\s*[<>]")

#: The beginning of a text, as the link to the whole of it.
LEADS_TO_THE_WHOLE = {"coordination_list.html", "tasks.html"}


def _heads(path: Path) -> int:
    """Count the slices that keep a head, and other ways to take only the first items."""
    many = 0
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
            many += node.slice.lower is None and node.slice.upper is not None and not isinstance(node.slice.upper, ast.UnaryOp)
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
            many += name in {"islice", "nlargest", "nsmallest", "most_common"}
    return many


def _differences(parts: Iterable[Path], count: Callable[[Path], int], reasons: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[int, int]]:
    found = {}
    for part in parts:
        for path in [part] if part.is_file() else sorted(part.rglob("*.py")):
            if many := count(path):
                found[str(path.relative_to(ROOT))] = many
    names = found.keys() | reasons.keys()
    return {name: (found.get(name, 0), len(reasons.get(name, ()))) for name in names if found.get(name, 0) != len(reasons.get(name, ()))}


SAID = "(there are, reasons): filter in the statement, page it, or say here why it hides nothing"


def test_every_limit_has_its_reason() -> None:
    parts = [*ROOT.glob("services/*/storage"), *ROOT.glob("services/*/usecases"), *ROOT.glob("services/*/service*"), *ROOT.glob("gateway/*s")]
    assert _differences(parts, lambda path: len(LIMITED.findall(path.read_text())), REASONS) == {}, SAID


def test_every_list_that_is_cut_has_its_reason() -> None:
    parts = [*(part for name in ("storage", "usecases", "service*", "domain") for part in ROOT.glob(f"services/*/{name}"))]
    parts += [ROOT / "services/lexicon/tasks.py", ROOT / "gateway"]
    assert _differences(parts, _heads, HEADS) == {}, SAID


def test_every_number_of_a_page_has_its_reason() -> None:
    def count(path: Path) -> int:
        return sum(len(line[0].rstrip(" =").split(", ")) for line in NUMBER.finditer(path.read_text()))

    assert _differences([ROOT / "gateway"], count, NUMBERS) == {}, SAID


def test_no_template_cuts_what_it_was_given() -> None:
    cut = {path.name: CUT.findall(path.read_text()) for path in (ROOT / "gateway/pages/templates").glob("*.html")}
    assert {name: len(found) for name, found in cut.items() if found} == dict.fromkeys(LEADS_TO_THE_WHOLE, 1)


@pytest.mark.parametrize("code", ["people[:50]", "list(islice(people, 50))", "nlargest(5, people)"])
def test_a_list_that_is_cut_is_seen(tmp_path: Path, code: str) -> None:
    module = tmp_path / "page.py"
    module.write_text(f"shown = {code}")
    assert _heads(module) == 1
