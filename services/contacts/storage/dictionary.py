"""Every column of contacts' database and of the key store (see `services.lexicon.dictionary`).

Ids, instants and numbers are told from the types of the tables; a column that can hold words is declared here, or a test fails.
Tables with rows about one individual stand in the order in which an erasure deletes them.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from services.contacts.storage import key_tables
from services.contacts.storage.tables import metadata
from services.lexicon.dictionary import (
    APART,
    AS_THE_ACCOUNT,
    BOOKKEEPING,
    CLEARED,
    CODE,
    ENCRYPTED,
    NOBODY,
    PLAIN,
    STAKEHOLDER,
    USER,
    Column,
    typed_table,
    users,
)

_RECORD: Final = "As long as the person's record"
_OFFICE: Final = "As long as the organization's record"
_GOOD: Final = "For good"
_WEEK: Final = "Until the import ends; cells of refused rows one week longer"
_LOOKS_LIKE_A_NAME: Final = "Whatever bears the person's name or values goes at once: it is nobody's record."


_table = partial(typed_table, metadata)
_key_table = partial(typed_table, key_tables.metadata)
_of_person = partial(_table, kept=_RECORD, linked="individual_id")
#: A name that nobody reads, kept for comparing it with a request.
_FORMER_NAME: Final = Column("name", PLAIN, STAKEHOLDER, APART, "T25", _LOOKS_LIKE_A_NAME)

LINKED: Final = (
    _of_person("match_queue", "People to be compared with others", kept="Seconds", why="R82"),
    _of_person(
        "match_digests", "Digests of contact values, for comparing across components", why="R82", codes="component kind key_id", digests="digest"
    ),
    _of_person("corrections", "Values that somebody reported", why="R171", codes="kind component", encrypted="ciphertext"),
    _of_person(
        "contact_point_grants", "To whom a component lent contact values, and why", why="R154", codes="from_component to_component", whole="reason"
    ),
    _of_person(
        "contact_points",
        "Phones, e-mails and work addresses, under a key of the person's own",
        why="R148",
        codes="component kind key_id source",
        encrypted="ciphertext",
        digests="lookup",
        whys={"ciphertext": "R30 R31 R32 R33 R34", "source": "R81", "verified_at": "R115"},
        notes={"ciphertext": "In another person's record it is that person's own value, and is not searched."},
    ),
    _of_person("likenesses", "Records that may be of one person", why="R82", linked="held_id other_id", codes="holder_component"),
    _of_person(
        "merge_proposals",
        "Records that the privacy officer asks their owners about",
        why="T34",
        linked="held_id other_id",
        codes="held_answer other_answer",
    ),
    _of_person("reveal_reasons", "Why somebody looked at contact values beyond the usual number", why="R191", whole="reason"),
    _of_person(
        "notes",
        "Notes on a person",
        why="R37",
        codes="component",
        searched="text provenance keep_reason",
        whys={"provenance": "R40", "keep_reason": "T15"},
    ),
    _of_person("hand_overs", "Who handed a record over to whom", why="R45", codes="by_component from_component to_component"),
    _of_person("verifications", "Talks in which details were verified", why="R115", codes="medium by_component withdrawn"),
    _of_person("former_employers", "Whom a person worked for before, for the marks of a request", why="T25", others=[_FORMER_NAME]),
    _of_person("previous_facts", "Title and employer before an import changed them", why="R46", searched="title"),
    _of_person("twins", "Records that may be of the person in a case", why="T26", codes="because components decision"),
    _of_person("stakeholder_issues", "Issues that somebody engages on", why="R35", linked="stakeholder_id", codes="kind state"),
    _of_person("relationships", "Components with a relationship", why="R43", linked="stakeholder_id", codes="component"),
    _of_person("engagements", "Interactions and events, as interactions told of them", why="R55", linked="stakeholder_id", codes="component mode"),
    _of_person(
        "directory",
        "One line for each stakeholder who may be found: the search's table",
        why="R142",
        linked="stakeholder_id",
        codes="type sector state owner_component frozen_for",
        remade="name sort_name first_name last_name title organization_name interests words letters",
        whys={"words": "R83", "letters": "R83"},
    ),
    _of_person(
        "individuals",
        "People",
        why="R130",
        linked="id",
        codes="state source declined use_preferences owner_component created_component last_contact_component last_contact_mode"
        " frozen_medium frozen_by_component frozen_for",
        own="first_name last_name canonical_name family_key",
        searched="salutation title interests[]",
        others=[Column("preference_spans", CODE, STAKEHOLDER, "deleted", "R169", "JSON of codes and days.")],
        whys={
            "first_name": "R27",
            "last_name": "R27",
            "canonical_name": "R82",
            "family_key": "R82",
            "salutation": "R26",
            "title": "R28",
            "interests": "R36",
            "organization_id": "R29",
            "state": "T18",
            "source": "R81",
            "declined": "R163",
            "use_preferences": "R169",
            "owner_id": "R42",
            "deputy_id": "T10",
            "verified_at": "R114",
            "frozen_at": "R164",
            "frozen_medium": "R168",
        },
        notes={"first_name": "Names of other records are not searched: a second record of the same person is a record of its own (T26)."},
    ),
)

ORGANIZATIONS: Final = (
    _table(
        "offices",
        "Offices of an organization",
        kept=_OFFICE,
        why="R21",
        codes="state",
        searched="label street city postal_code country phone",
        whys={"phone": "R22"},
    ),
    _table(
        "organizations",
        "Organizations",
        kept=_OFFICE,
        why="R20",
        codes="sector state source owner_component created_component last_contact_component last_contact_mode",
        searched="name source_url",
        remade="canonical_name",
        whys={"sector": "R8", "source": "R81", "source_url": "R75", "group_ids": "R24", "owner_id": "R42"},
    ),
    _table(
        "former_names",
        "What an organization was called before, for the marks of a request",
        kept=_OFFICE,
        why="T25",
        others=[_FORMER_NAME],
    ),
)

IMPORTS: Final = (
    _table(
        "imports",
        "Files that were sent in",
        kept="For good, without the file and its name",
        why="R77",
        whose=USER,
        codes="component format state source stopped problem_code problem_detail issues acting deciding counts",
        encrypted="layout refused_layout",
        digests="digest",
        others=[
            Column("filename", PLAIN, STAKEHOLDER, APART, "R77", f"{_LOOKS_LIKE_A_NAME} When the import ends, its ending alone is kept."),
            Column("refused_columns", PLAIN, STAKEHOLDER, APART, "R13", f"Names of columns that the system must not hold. {_LOOKS_LIKE_A_NAME}"),
        ],
        notes={
            "problem_detail": "A sentence of the product's own.",
            "acting": "JSON of ids and codes.",
            "layout": "Names of columns, under the import's key, which ends with the import.",
            "refused_layout": "Names of columns, under the key of its refused rows; searched with them.",
        },
    ),
    _table("import_pieces", "The file on its way in, under a key of its own", kept="Minutes", why="R77", encrypted="ciphertext"),
    _table(
        "import_blocks",
        "The rows of a file, under the import's key",
        kept="Until the import ends, at most a day after the last step",
        why="R77",
        others=[
            Column("ciphertext", ENCRYPTED, STAKEHOLDER, APART, "R77", "A row that tells of the person is emptied."),
            Column("prepared", ENCRYPTED, STAKEHOLDER, APART, "R77", "Dropped where a row of the block was emptied; made anew."),
        ],
    ),
    _table(
        "import_refused",
        "Rows that were not taken in, for whoever sent them, under a key of their own",
        kept=_WEEK,
        why="R80",
        others=[Column("ciphertext", ENCRYPTED, STAKEHOLDER, APART, "R80", "A row that tells of the person is deleted.")],
    ),
    _table(
        "import_rows",
        "What became of each row",
        kept=_GOOD,
        why="R77",
        codes="outcome reason decided",
        others=[
            Column("individual_id", "id", STAKEHOLDER, CLEARED, "R77"),
            Column("sheet", PLAIN, STAKEHOLDER, APART, "R77", _LOOKS_LIKE_A_NAME),
            Column("refused", PLAIN, STAKEHOLDER, APART, "R13", f"Names of columns with a sentence of the product's own. {_LOOKS_LIKE_A_NAME}"),
        ],
        notes={"reason": "A sentence of the product's own."},
    ),
    _table(
        "import_effects",
        "What a field held before an import changed it, for taking it back",
        kept=_GOOD,
        why="N16",
        codes="kind",
        searched="detail{}",
        notes={"detail": "Of the person's own record the rows are deleted."},
        key="import_id",
        part="n",
    ),
    _table(
        "set_aside",
        "People whom taking an import back took away while a hold stands on them, for the privacy officer",
        kept="Until the hold ends",
        why="R138",
        others=[Column("ciphertext", ENCRYPTED, STAKEHOLDER, APART, "R138", "Under the person's own key, which ends with the hold.")],
    ),
)

OTHERS: Final = (
    users(times="known_at"),
    _table("components", "The offices", kept=AS_THE_ACCOUNT, why="R139", whose=NOBODY, codes="code parent_code"),
    _table("issues", "Issues, without their names", kept="As long as the issue", why="R65", whose=NOBODY, codes="priority"),
    _table("erased_issues", "Issues that are gone", kept=_GOOD, why="R133", whose=NOBODY),
    _table("engagement_sources", "The latest that was told of an interaction", kept=_GOOD, why="R55", whose=NOBODY),
    _table("directory_tallies", "How many there are in each state", kept=_GOOD, why="R88", whose=NOBODY, codes="state type"),
    _table("reveals", "How many people's contact values a user looked at", kept=_GOOD, why="R191", whose=USER),
    _table("blocked_tries", "How many of a user's entries were blocked", kept=_GOOD, why="T9", whose=USER),
    _table("freeze_counts", "How many people a user had frozen", kept=_GOOD, why="T36", whose=USER),
    _table(
        "many_freezes",
        "The same from the tenth of a day on, with the reason",
        kept=_GOOD,
        why="T36",
        whose=USER,
        codes="component",
        whole="reason",
        others=[Column("individual_id", "id", STAKEHOLDER, CLEARED, "T36", "With it the reason.")],
    ),
    _table(
        "ledger_lookups",
        "How many values an account looked up in the suppression ledger",
        kept=_GOOD,
        why="T35",
        whose=USER,
        codes="account component",
    ),
    _table(
        "ledger_hits",
        "Which marks of the suppression ledger an account's entries hit",
        kept="Until the case is taken back",
        why="T35",
        whose=USER,
        codes="account component kind",
    ),
    _table("notices", "That somebody with a relationship was erased", kept="Until it is dismissed", why="T16", whose=USER, codes="component"),
    _table(
        "suppressions",
        "The ledger: keyed digests of whoever asked not to be contacted",
        kept="For good, so that nobody enters them again",
        why="T9",
        codes="kind key_id because component",
        digests="digest likenesses",
        others=[Column("individual_id", "id", STAKEHOLDER, CLEARED, "T9"), Column("contact_point_id", "id", STAKEHOLDER, CLEARED, "T9")],
        notes={"digest": "Only of a request for no more contact, or of what was declined."},
    ),
    _table("tombstones", "Who is gone, so that a late message brings nobody back", kept=_GOOD, why="N3"),
    _table(
        "erasures",
        "The course of an erasure",
        kept=_GOOD,
        why="R166",
        codes="look receipts",
        others=[
            Column("sealed", ENCRYPTED, STAKEHOLDER, CLEARED, "T27", "The sealed search values; their key is destroyed when the erasure ends."),
            Column("sought", CODE, STAKEHOLDER, CLEARED, "T27", "JSON of ids, counts and names of columns."),
        ],
    ),
    _table(
        "submissions",
        "Messages of components' systems: what tells one from another, and what came of it",
        kept=_GOOD,
        why="T13",
        codes="component code fields",
        digests="event_digest digest",
        notes={"fields": "Names of fields of the product's own."},
    ),
    _table("integration_audiences", "Components that hear of a person", kept="Until they heard of the erasure", why="T13", codes="component"),
)

TABLES: Final = (*LINKED, *ORGANIZATIONS, *IMPORTS, *OTHERS, *BOOKKEEPING)

#: The key store, beside contacts' database.
KEYS: Final = (
    _key_table(
        "subject_keys",
        "One key for each person and each file, wrapped under the master key",
        kept="Destroyed with the person",
        why="N17",
        linked="subject_id",
        codes="key_id",
        encrypted="wrapped",
    ),
    _key_table(
        "seal_keys",
        "One key for each seal on an erased person's values",
        kept="Destroyed when the erasure ends, at most five federal working days later",
        why="T27",
        codes="key_id",
        others=[Column("wrapped", ENCRYPTED, STAKEHOLDER, "deleted", "T27")],
    ),
    next(each for each in BOOKKEEPING if each.name == "alembic_version"),
)
