"""Stakeholders: who they are, how they are reached, and who in the department knows them.

*owns*: organizations and their offices, individuals, contact points behind their firewall, corrections, notes,
relationships, ownership, declined and frozen marks, imports, the suppression ledger, search, and the reports over them.

*answers*: registering, reading, changing and finding stakeholders; the reveal of contact points and write-blind
corrections; notes; hand-overs; freezing, taking it back, and what the privacy officer decides of it; imports;
stakeholders by region; what waits for its user; for retention alone
sealing, erasing and seeking.

*announces*: IndividualRegistered, IndividualsImported, OrganizationsImported,
IndividualChanged, IndividualFrozen, IndividualFrozenFor, IndividualUnfrozen, IndividualErased, IndividualsErased,
OrganizationRegistered, OrganizationChanged, OrganizationErased, RelationshipEstablished, OwnerChanged, PreferencesChanged.

*listens to*: interactions (logged, withdrawn, attendance; issues), access (users, components), audit (checkpoints); to
components' own systems, where there are any (`docs/asyncapi.yaml`).
"""
