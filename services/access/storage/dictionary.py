"""Every column of access's database (see `services.lexicon.dictionary`): of users and not of stakeholders, so no erasure searches it."""

from __future__ import annotations

from typing import Final

from services.lexicon.dictionary import BOOKKEEPING, NOBODY, USER, table

_GOOD: Final = "For good"

TABLES: Final = (
    table(
        "components", "The offices", kept=_GOOD, why="R139", whose=NOBODY, codes="code parent_code", numbers="position active revision", own="name"
    ),
    table(
        "users",
        "Accounts",
        kept=_GOOD,
        why="R181",
        whose=USER,
        ids="id created_by external_id",
        codes="component level time_zone",
        times="created_at",
        numbers="active contractor told_active revision",
        own="username name justification",
        whys={"contractor": "R183", "justification": "R183"},
    ),
    table("user_roles", "Roles", kept=_GOOD, why="R188", whose=USER, ids="user_id", codes="role"),
    table(
        "credentials",
        "Passwords, as argon2id hashes",
        kept="As long as the account",
        why="R156",
        whose=USER,
        ids="user_id",
        times="changed_at",
        digests="password_hash",
    ),
    table("licenses", "Licenses", kept=_GOOD, why="R178", whose=USER, ids="user_id designated_by", times="since until"),
    table(
        "approvals",
        "Approvals",
        kept=_GOOD,
        why="R179",
        whose=USER,
        ids="id user_id approved_by withdrawn_by",
        codes="component",
        times="approved_at withdrawn_at",
    ),
    table(
        "trainings",
        "Trainings",
        kept=_GOOD,
        why="R184",
        whose=USER,
        ids="id user_id recorded_by",
        codes="kind",
        times="completed_on expires_on recorded_at",
    ),
    table(
        "rules_of_behavior",
        "Rules that were accepted",
        kept=_GOOD,
        why="R186",
        whose=USER,
        ids="id user_id recorded_by",
        codes="version",
        times="accepted_on expires_on",
    ),
    table(
        "sessions",
        "Sessions",
        kept=_GOOD,
        why="R118",
        whose=USER,
        ids="id user_id acknowledgement_id",
        codes="ended_because",
        times="opened_at last_seen_at expires_at ended_at",
        digests="token_digest",
    ),
    table(
        "acknowledgements",
        "Acknowledgements",
        kept=_GOOD,
        why="R109",
        whose=USER,
        ids="id user_id session_id",
        codes="statements_version",
        times="acknowledged_at",
    ),
    table(
        "gateway_refusals",
        "How many strangers were refused",
        kept="Until it is in the trail",
        why="R118",
        whose=USER,
        codes="code",
        times="minute recorded_at",
        numbers="further",
        digests="source_digest",
    ),
    table(
        "integration_accounts",
        "Accounts of components' systems",
        kept=_GOOD,
        why="T13",
        whose=USER,
        ids="account",
        codes="component",
        times="created_at",
        numbers="active",
        own="description",
    ),
    *BOOKKEEPING,
)
