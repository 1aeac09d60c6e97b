"""Every column of retention's database (see `services.lexicon.dictionary`)."""

from __future__ import annotations

from typing import Final

from services.lexicon.dictionary import APART, BOOKKEEPING, CLEARED, CODE, ENCRYPTED, PLAIN, STAKEHOLDER, STAYS, Column, table, users

_GOOD: Final = "For good"
_NAMES_SOMEBODY: Final = "Cleared with the person's own erasure, and wherever it names the person: nobody edits it."

TABLES: Final = (
    users(),
    table(
        "individuals",
        "Whose a person's record is",
        kept="As long as the person's record",
        why="R42",
        linked="id",
        ids="id owner_id deputy_id",
        codes="component",
        numbers="revision",
    ),
    table(
        "erasures",
        "Erasures: course and certificate",
        kept=_GOOD,
        why="R166",
        ids="id subject_id owner_id claim requested_by trace_id",
        codes="subject_type cause owner_component requested_component step",
        times="requested_at decide_by looked_at claimed_until next_at completed_at",
        numbers="found_nobody waiting attempts returns",
        others=[
            Column("reason", PLAIN, STAKEHOLDER, APART, "R131", _NAMES_SOMEBODY),
            Column(
                "sealed", ENCRYPTED, STAKEHOLDER, CLEARED, "T27", "The sealed search values; their key is in the key store until the erasure ends."
            ),
            Column("certificate", CODE, STAKEHOLDER, STAYS, "R166", "JSON of ids, counts, codes and names of columns."),
        ],
    ),
    table(
        "no_contact_requests",
        "Requests for no more contact",
        kept=_GOOD,
        why="R164",
        ids="id individual_id recorded_by owner_id erasure_id twin_of proposed_by withdrawn_by",
        codes="medium recorded_by_component owner_component",
        times="received_on recorded_at proposed_at withdrawn_at released_at",
        others=[Column("proposal_reason", PLAIN, STAKEHOLDER, APART, "T36", _NAMES_SOMEBODY)],
        whys={"medium": "R168"},
    ),
    table(
        "recordings",
        "Who recorded a request",
        kept=_GOOD,
        why="R167",
        ids="request_id recorded_by",
        codes="recorded_by_component medium",
        times="received_on recorded_at withdrawn_at",
    ),
    table(
        "receipts",
        "What each service removed",
        kept=_GOOD,
        why="R166",
        ids="erasure_id",
        codes="step store service method",
        times="at",
        numbers="found removed remaining",
    ),
    table(
        "hits",
        "Where a mention was found and what was decided",
        kept=_GOOD,
        why="T27",
        ids="id erasure_id record_id decided_by",
        codes="service store field kinds decision stays_because",
        times="found_at decided_at",
        numbers="sure carried_out",
    ),
    table("holds", "Whose deletion is paused", kept=_GOOD, why="R138", ids="id subject_id placed_by lifted_by", times="until placed_at lifted_at"),
    table(
        "destructions",
        "The register of destruction",
        kept=_GOOD,
        why="R137",
        ids="erasure_id subject_id requested_by",
        codes="subject_type cause requested_component",
        times="destroyed_at",
    ),
    table("tombstones", "Who is gone", kept=_GOOD, why="N3", ids="id"),
    *BOOKKEEPING,
)
