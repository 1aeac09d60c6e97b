"""What the service may, and what each of its narrow roles."""

GRANTS = """
GRANT USAGE ON SCHEMA public TO liaison_contacts, liaison_contacts_matcher, liaison_contacts_eraser, liaison_contacts_caseworker;
GRANT SELECT, INSERT, UPDATE ON organizations, individuals, erasures TO liaison_contacts;
GRANT SELECT, INSERT, UPDATE, DELETE ON offices, stakeholder_issues, relationships, hand_overs, directory,
    users, components, issues, engagements, engagement_sources, contact_points, notes, reveals, blocked_tries
    TO liaison_contacts;
GRANT SELECT, INSERT ON erased_issues TO liaison_contacts;
GRANT SELECT, INSERT ON verifications, previous_facts TO liaison_contacts;
GRANT INSERT ON reveal_reasons TO liaison_contacts;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON contact_point_grants TO liaison_contacts;
GRANT SELECT, INSERT ON corrections TO liaison_contacts;
GRANT INSERT ON match_digests, match_queue TO liaison_contacts;
GRANT SELECT, UPDATE (settled_at, settled_by) ON likenesses TO liaison_contacts;
GRANT SELECT, UPDATE (held_answer, held_answered_by, held_answered_at, other_answer, other_answered_by, other_answered_at)
    ON merge_proposals TO liaison_contacts;
GRANT SELECT ON suppressions, tombstones TO liaison_contacts;

GRANT SELECT ON match_digests TO liaison_contacts_matcher;
-- UPDATE, for a row that is waited on is locked.
GRANT SELECT, DELETE, UPDATE ON match_queue TO liaison_contacts_matcher;
GRANT SELECT, INSERT, DELETE ON likenesses TO liaison_contacts_matcher;
GRANT SELECT, UPDATE (settled_at, settled_by) ON likenesses TO liaison_contacts_caseworker;
GRANT SELECT, INSERT, UPDATE, DELETE ON merge_proposals TO liaison_contacts_caseworker;

-- A case: freezing with its marks, finding twins, taking back, and what the privacy officer decides.
GRANT SELECT ON individuals, contact_points, contact_point_grants, corrections, notes, organizations, offices, relationships,
    stakeholder_issues, users, verifications, previous_facts,
    former_employers, former_names, match_digests, tombstones TO liaison_contacts_caseworker;
GRANT UPDATE ON individuals TO liaison_contacts_caseworker;
GRANT UPDATE (released_at) ON notes TO liaison_contacts_caseworker;
GRANT SELECT, INSERT, UPDATE, DELETE ON suppressions, twins, directory, freeze_counts, many_freezes TO liaison_contacts_caseworker;
GRANT INSERT ON suppressions TO liaison_contacts;
GRANT SELECT, UPDATE (seen_at) ON many_freezes TO liaison_contacts;
GRANT SELECT ON freeze_counts TO liaison_contacts;
GRANT SELECT, INSERT, UPDATE ON ledger_lookups, ledger_hits TO liaison_contacts;
GRANT SELECT, DELETE ON ledger_hits TO liaison_contacts_caseworker;
GRANT SELECT ON ledger_lookups TO liaison_contacts_caseworker;
GRANT SELECT, UPDATE (dismissed_at, dismissed_by) ON notices TO liaison_contacts;
GRANT SELECT, INSERT, DELETE ON notices TO liaison_contacts_eraser;
GRANT SELECT, DELETE, UPDATE ON twins, many_freezes TO liaison_contacts_eraser;
GRANT UPDATE ON suppressions TO liaison_contacts_eraser;
GRANT SELECT, DELETE ON former_employers TO liaison_contacts_eraser;
GRANT SELECT, DELETE, UPDATE ON previous_facts TO liaison_contacts_eraser;
GRANT UPDATE (replaced_at, replaced_import) ON contact_points TO liaison_contacts_eraser;
-- Whose employer an undo takes back brings their last contact along.
GRANT UPDATE (last_contact_at) ON relationships TO liaison_contacts_eraser;
GRANT SELECT, DELETE ON former_names TO liaison_contacts_eraser;

GRANT SELECT, DELETE ON organizations, offices, individuals, stakeholder_issues, relationships, hand_overs, verifications, directory,
    engagements, contact_points, contact_point_grants, corrections, match_digests, match_queue, likenesses, merge_proposals, notes,
    reveal_reasons TO liaison_contacts_eraser;
-- Whose values an undo takes away is compared anew.
GRANT INSERT ON match_queue TO liaison_contacts_eraser;
GRANT UPDATE ON notes, organizations, offices, individuals, directory, erasures TO liaison_contacts_eraser;
GRANT SELECT, INSERT ON suppressions, tombstones, erasures, directory TO liaison_contacts_eraser;
GRANT SELECT ON users TO liaison_contacts_eraser;
GRANT UPDATE (reason) ON reveal_reasons, contact_point_grants TO liaison_contacts_eraser;
"""
