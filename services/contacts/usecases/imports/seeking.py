"""Taking an erased person out of the names of files and sheets that imports keep: people name them after people (N3).

A name of a file or a sheet is nobody else's record, so nothing is left to decide: what bears the person goes.
"""

from __future__ import annotations

from typing import Any

from services.chassis.database import UnitOfWork
from services.contacts.domain.imports.reading import nameless
from services.contacts.storage import imports
from services.lexicon.folding import fold
from services.lexicon.mentions import FormerValues, Sought
from services.lexicon.names import family_key


def seek_in_names(work: UnitOfWork, values: FormerValues, _individual_id: str) -> list[dict[str, Any]]:
    """Clear the names of files, sheets and columns that bear the person's family name, a phone or an e-mail of theirs; return receipts."""
    sought = Sought(values)
    files = {name: nameless(name) for name in imports.filenames(work) if bears(name, sought)}
    sheets = [name for name in imports.sheets(work) if bears(name, sought)]
    columns = [name for name in imports.refused_names(work) if bears(name, sought)]
    whole = [name for name in imports.refused_columns(work) if bears(name, sought)]
    counts = {
        "contacts.imports.filename": imports.rename_files(work, files),
        "contacts.import_rows.sheet": imports.clear_sheets(work, sheets),
        "contacts.import_rows.refused": imports.clear_refused_names(work, columns),
        "contacts.imports.refused_columns": imports.clear_refused_columns(work, whole),
    }
    return [{"store": store, "found": count, "removed": count, "left": 0, "method": "cleared"} for store, count in counts.items()]


def bears(name: str, sought: Sought) -> bool:
    """Whether the name of a file, a sheet or a column bears the person's family name, or tells of them otherwise."""
    family = family_key(sought.values.last_name)
    return bool(sought.find(name)) or (bool(family) and family in fold(name).split())
