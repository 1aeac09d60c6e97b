"""Mapping: saying what the columns of a file are, and what holds for every row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, entity_tags, require_match
from services.chassis.validation import UNSET
from services.contacts.contract.answers.imports import ImportAnswer
from services.contacts.contract.imports import ImportChange
from services.contacts.domain.imports import columns
from services.contacts.domain.imports.states import ImportChanges
from services.contacts.storage import links
from services.contacts.storage.imports import imports, outcomes
from services.contacts.storage.vault import Vault
from services.contacts.usecases.imports.representing import as_it_is, layout_of, own, representation, sealed_layout
from services.lexicon.refusals import IssueUnknown


def change_import(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    vault: Vault,
    import_id: str,
    if_match: str | None,
    change: ImportChange,
) -> ImportAnswer:
    """Say what columns are (the whole mapping), and what holds for every row: issues, source.

    What a check said before does not hold any more.

    :raises PreconditionMissing, Stale, ColumnRefused, MappingInvalid, IssueUnknown, ImportStateUnsuitable:
    """
    row = own(work, import_id, by=by, lock=True, states={"uploaded", "mapped", "checked"})
    require_match(if_match, entity_tags(representation(vault, row)))
    layout = layout_of(vault, row)
    fields = []
    if change.mapping is not UNSET:
        layout = replace(layout, mapping=columns.checked(change.mapping, layout.columns, row.refused_columns))
    changes: ImportChanges = {
        "state": "mapped" if columns.is_enough(layout.mapping) else "uploaded",
        "layout": sealed_layout(vault, import_id, layout),
        "position": 0,
    }
    if change.issues is not UNSET:
        fields.append("issues")
        wanted = {(link["issue_id"], link["kind"]): link for link in change.issues}
        if links.unknown_issues(work, [issue_id for issue_id, _ in wanted]):
            raise IssueUnknown(errors={"issues": ["An issue that was deleted."]})
        changes["issues"] = [
            {"issue_id": issue_id, "kind": kind, "since": _day(link.get("since")), "ended_on": _day(link.get("ended_on"))}
            for (issue_id, kind), link in wanted.items()
        ]
    if change.source is not UNSET:
        fields.append("source")
        changes["source"] = change.source
    if change.mapping is not UNSET:
        fields.append("mapping")
    outcomes.drop(work, import_id)
    imports.update(work, import_id, changes, now=now)
    work.record("contacts:import:change", subjects=[import_id], fields=fields)
    return as_it_is(work, vault, import_id)


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
