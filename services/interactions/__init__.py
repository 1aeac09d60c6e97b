"""What DHS and its stakeholders did together: issues, interactions, events, coordination.

owns: issues with their updates and talking points; interactions and their follow-ups; events and attendance;
coordination requests; the reports over engagement (`spoken-to`, `coverage-gaps`).

answers: `interactions:issue:*`, `interactions:interaction:*`, `interactions:event:*`,
`interactions:coordination-request:*`, `interactions:history:list`, `interactions:report:*`, `interactions:task:list`,
and for the saga alone `interactions:individual:erase` and `interactions:individual:seek`.

announces: InteractionLogged, InteractionWithdrawn, AttendanceRecorded, IssueRegistered, IssueChanged, IssueErased.

listens to: contacts (IndividualRegistered, IndividualsImported, IndividualChanged, OwnerChanged, PreferencesChanged,
IndividualFrozen, IndividualFrozenFor, IndividualUnfrozen, IndividualErased, IndividualsErased, OrganizationRegistered,
OrganizationsImported, OrganizationChanged, OrganizationErased), access (UserChanged), retention (ErasureCompleted), audit (checkpoints).
"""
