"""Every column of audit's database (see `services.lexicon.dictionary`): ids, codes and names of fields, never a value."""

from __future__ import annotations

from typing import Final

from services.lexicon.dictionary import BOOKKEEPING, CODE, NOBODY, STAYS, USER, Column, table

_GOOD: Final = "For good"

TABLES: Final = (
    table(
        "trail",
        "The trail: who did what to which record, and when",
        kept=_GOOD,
        why="R123",
        whose=USER,
        ids="stream actor trace_id jti",
        codes="kind service component action outcome",
        numbers="position n",
        digests="leaf",
        others=[
            Column("body", CODE, USER, STAYS, "R123", "JSON of ids, codes and names of fields; never a value (T8)."),
            Column("at", CODE, USER, STAYS, "R123", "An instant, as it stands in the entry."),
            Column("subjects", CODE, USER, STAYS, "R123", "JSON of ids: of an erased person they lead nowhere."),
        ],
    ),
    table("trail_nodes", "The tree over it", kept=_GOOD, why="R124", whose=NOBODY, numbers="level index", digests="hash"),
    table("checkpoints", "Signed checkpoints", kept=_GOOD, why="R124", whose=NOBODY, codes="note", times="signed_at", numbers="size", digests="root"),
    table(
        "trail_streams",
        "How far each process's numbers came",
        kept=_GOOD,
        why="R126",
        whose=NOBODY,
        ids="stream",
        times="marked_at",
        numbers="contiguous mark crashed closed beat",
    ),
    table("issued_passports", "To whom a passport was issued", kept=_GOOD, why="T37", whose=USER, ids="jti holder", numbers="position"),
    table(
        "findings",
        "What is wrong with the trail",
        kept=_GOOD,
        why="R127",
        whose=NOBODY,
        ids="id stream",
        codes="kind key service",
        times="found_at",
        numbers="position n",
    ),
    table("reviews", "Weekly reviews", kept=_GOOD, why="R127", whose=USER, ids="id reviewer", times="week signed_at", numbers="size", digests="root"),
    table("progress", "How far something was worked through", kept=_GOOD, why="R127", whose=NOBODY, codes="name", numbers="position"),
    *BOOKKEEPING,
)
