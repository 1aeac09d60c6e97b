"""Every limit in the code has a reason: none stands before a filter, and none cuts in silence what a person sees."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: In a statement, in a query that is built, in a call, or in a query to a service.
LIMITED = re.compile(r"\bLIMIT\s+[\d:{]|\.limit\(|\bfetchmany\(|\blimit: int = \d|\blimit=[\dA-Z]|[\"']limit[\"']: [\"']?\d")
PAGE = "a page, which says where it goes on"
ONE = "the one that is asked for"
COUNT = "counts no further than is counted exactly, and says so"
OLDEST = "the oldest of a queue beside its total; what is decided makes room"
WORK = "a portion of work, of which the next comes after it"
#: File below services/ or gateway/ → the reason of every limit in it, in any order.
REASONS: dict[str, tuple[str, ...]] = {
    "services/access/storage/directory.py": (ONE, PAGE, PAGE, COUNT),
    "services/access/storage/sessions.py": (WORK, WORK, WORK, WORK),
    "services/access/usecases/directory.py": (PAGE,),
    "services/audit/storage/reading.py": (PAGE, PAGE, PAGE, COUNT, COUNT, COUNT, ONE, ONE, "those who looked at most, and it says so"),
    "services/audit/storage/trail.py": (WORK, ONE, "checkpoints before one, of which some are enough", WORK),
    "services/audit/usecases/reading.py": (ONE,),
    "services/contacts/storage/contact_layer.py": (WORK, WORK),
    "services/contacts/storage/import_register.py": ("values that very many share tell nobody apart",),
    "services/contacts/storage/import_undoing.py": (WORK,),
    "services/contacts/storage/imports.py": (PAGE, PAGE, PAGE, ONE, *(WORK,) * 7),
    "services/contacts/storage/projections.py": (ONE,),
    "services/contacts/storage/ledger.py": (OLDEST,),
    "services/contacts/storage/twins.py": (OLDEST,),
    "services/contacts/storage/registration.py": (ONE, ONE, "holders of one number: a line that more share is nobody's"),
    "services/contacts/storage/search.py": (PAGE, COUNT),
    "services/contacts/storage/vault.py": (WORK, WORK),
    "services/contacts/usecases/imports/deciding.py": (WORK,),
    "services/contacts/usecases/imports/undoing.py": (WORK, WORK),
    "services/interactions/service.py": (PAGE,),
    "services/interactions/storage/pages.py": (PAGE, COUNT),
    "services/retention/storage/erasures.py": (WORK, WORK, ONE, PAGE, PAGE, COUNT, "the register has no door yet"),
    "services/retention/storage/requests.py": (ONE, PAGE, COUNT, WORK, WORK),
    "services/retention/usecases/erasing.py": ("the register has no door yet",),
    "gateway/pages/coordination.py": (PAGE,),
    "gateway/pages/desk.py": (PAGE,),
    "gateway/pages/engagement.py": (PAGE, PAGE),
    "gateway/pages/entry.py": (PAGE, PAGE),
    "gateway/pages/erasing.py": (PAGE, PAGE),
    "gateway/pages/imports.py": (PAGE, PAGE),
    "gateway/pages/paging.py": ("goes on to the end",),
    "gateway/pages/preferences.py": (PAGE,),
    "gateway/pages/record.py": (PAGE,),
    "gateway/pages/removal.py": (PAGE,),
    "gateway/pages/trail.py": (PAGE, ONE),
    "gateway/routes/imports.py": ("goes on to the end",),
    "gateway/routes/tasks.py": (PAGE,),
}


def test_every_limit_has_its_reason() -> None:
    found = {}
    parts = [*ROOT.glob("services/*/storage"), *ROOT.glob("services/*/usecases"), *ROOT.glob("services/*/service*"), *ROOT.glob("gateway/*s")]
    for part in parts:
        for path in [part] if part.suffix == ".py" else sorted(part.rglob("*.py")):
            many = len(LIMITED.findall(path.read_text()))
            if many:
                found[str(path.relative_to(ROOT))] = many
    said = {name: len(reasons) for name, reasons in REASONS.items()}
    changed = {name: (found.get(name, 0), said.get(name, 0)) for name in found.keys() | said.keys() if found.get(name, 0) != said.get(name, 0)}
    assert changed == {}, "(there are, reasons): filter in the statement, page it, or say here why it hides nothing"
