"""Interactions and what was promised in them (R48-R57)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Conflict, Forbidden, Invalid, NotFound, entity_tags, require_match
from services.chassis.messages import new_id as fresh_id
from services.interactions.contract import InteractionLogged, InteractionWithdrawn
from services.interactions.domain.moments import day_somewhere, require_past
from services.interactions.domain.texts import Written, review
from services.interactions.storage import directory, events, interactions, issues, pages, texts
from services.interactions.storage.tables import interactions as table
from services.interactions.usecases.authorization import require_contributor, require_reader
from services.interactions.usecases.planning import Preferences, demand_wanted, plans_of
from services.interactions.usecases.preconditions import (
    require_colleague,
    require_individuals,
    require_issues,
    require_organizations,
    require_own_component,
)
from services.interactions.usecases.writing import Ids, store_text, wire

_LINKS = ("individual_ids", "organization_ids", "issue_ids")
_FILTERS = ("individual_id", "organization_id", "event_id", "component", "user", "since", "until")
#: What listeners reckon with; a corrected outcome changes nothing for them.
_TOLD = frozenset({"held_at", "mode", "user_id", *_LINKS})


def log_interaction(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    held_at: datetime,
    mode: str,
    initiated_by: str | None = None,
    individual_ids: Sequence[str] = (),
    organization_ids: Sequence[str] = (),
    issue_ids: Sequence[str] = (),
    event_id: str | None = None,
    outcome: str | None = None,
    follow_ups: Sequence[Mapping[str, Any]] = (),
    component: str | None = None,
    user: str | None = None,
    keep_reason: str | None = None,
    no_contact_request_id: str | None = None,
    use_preferences: Preferences = MappingProxyType({}),
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Log an interaction for oneself or a colleague of the same component.

    :param use_preferences: what those want of whom something is promised, as contacts said.
    :raises PreferenceStands: a promise is to be kept in a way that somebody does not want (T33).
    :raises ContributorsOnly: the caller reads only.
    :raises Invalid: it was not yet held, or names somebody or something that does not exist.
    :raises IndividualFrozen: it is with a frozen individual, and not about their request (T21).
    :raises TextNeedsReview: screening found something in outcome or follow-ups (T15).
    """
    own = require_contributor(by)
    require_own_component(by, component)
    require_past(held_at, now=now, field="held_at")
    require_individuals(work, individual_ids, request_id=no_contact_request_id)
    require_organizations(work, organization_ids)
    require_issues(work, issue_ids)
    _demand_event(work, event_id)
    require_colleague(work, by, user or by.id)
    interaction_id = new_id()
    promises = [{**promise, "id": new_id(), "is_new": True} for promise in follow_ups if not promise.get("id")]
    if len(promises) != len(follow_ups):
        raise Invalid(errors={"follow_ups": ["A new interaction's follow-ups have no ids yet."]})
    demand_wanted(plans_of(promises, {}, people=individual_ids, added=()), use_preferences)
    written = review(
        [("outcome", outcome), *((f"follow_ups.{n}.text", promise["text"]) for n, promise in enumerate(promises))],
        keep_reason=keep_reason,
    )
    interactions.add(
        work,
        id=interaction_id,
        held_at=held_at,
        mode=mode,
        initiated_by=initiated_by,
        component=own,
        user_id=user or by.id,
        event_id=event_id,
        no_contact_request_id=no_contact_request_id,
        outcome=written[0].shared,
        revision=1,
        created_by=by.id,
        created_at=now,
        updated_at=now,
    )
    interactions.link_new(work, interaction_id, individual_ids=individual_ids, organization_ids=organization_ids, issue_ids=issue_ids)
    store_text(
        work,
        written[0],
        subject_type="interaction",
        subject_id=interaction_id,
        field="outcome",
        keep_reason=keep_reason,
        now=now,
        new_id=new_id,
        is_new=True,
    )
    _put_promises(work, by, interaction_id, promises, written[1:], before={}, keep_reason=keep_reason, now=now, new_id=new_id)
    logged = _interaction(work, interaction_id, is_promised=bool(promises))
    _announce(work, logged, individual_ids=sorted(set(individual_ids)), revision=1)
    work.record(
        "interactions:interaction:log",
        subjects=_subjects([logged]),
        fields=["held_at", "mode", "initiated_by", "user", "event_id", "outcome", "follow_ups", *_LINKS],
    )
    return logged


def read_interaction(work: UnitOfWork, *, by: Caller, interaction_id: str) -> dict[str, Any]:
    """Read an interaction; everybody with an access level may (R147).

    :raises NotFound: there is none, or nobody in it is to be found any more.
    """
    require_reader(by)
    found = _interaction(work, interaction_id)
    work.record("interactions:interaction:read", subjects=_subjects([found]), fields=found)
    return found


def list_interactions(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """List interactions, the most recent first."""
    require_reader(by)
    after = cursors.open(query.get("cursor"), of="interactions", user_id=by.id, query=query)
    issue_ids = issues.with_all_below(work, query["issue_id"]) if "issue_id" in query else None
    wanted = interactions.matching(by, issue_ids=issue_ids, **{name: query[name] for name in _FILTERS if name in query})
    page = pages.page(work, wanted, keys=[table.c.held_at, table.c.id], after=after, limit=query["limit"])
    items = _shown(work, page.rows)
    last = page.rows[-1] if page.has_more else None
    asked = [query[name] for name in ("individual_id", "organization_id") if name in query]
    work.record("interactions:interaction:list", subjects=_subjects(items, *asked), fields=items[0] if items else ())
    return {
        "items": items,
        "next": cursors.seal([last.held_at.isoformat(), last.id], of="interactions", user_id=by.id, query=query) if last else None,
        "total": page.total,
    }


def change_interaction(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    interaction_id: str,
    if_match: str | None,
    keep_reason: str | None = None,
    use_preferences: Preferences = MappingProxyType({}),
    new_id: Ids = fresh_id,
    **changes: Any,
) -> dict[str, Any]:
    """Correct an interaction; any contributor may, at once (T2, R113), but whose it is only its own component says.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    :raises Invalid: as for logging.
    :raises IndividualFrozen: it would come to be with a frozen individual.
    :raises PreferenceStands: a promise would be planned in a way that somebody does not want (T33).
    :raises TextNeedsReview: screening found something in what is new.
    """
    require_contributor(by)
    row = interactions.one(work, interaction_id, lock=True)
    if row is None:
        raise NotFound
    (before,) = _shown(work, [row])
    require_match(if_match, entity_tags(before))
    changes = {name: value for name, value in changes.items() if name == "follow_ups" or _differs(before[name], value)}
    values = _checked(work, by, row, before, changes, now=now)
    edited = [("outcome", changes["outcome"])] if "outcome" in changes else []
    promises = _merged(before["follow_ups"], changes["follow_ups"], new_id) if "follow_ups" in changes else []
    known = {promise["id"]: promise for promise in before["follow_ups"]}
    people = changes.get("individual_ids", before["individual_ids"])
    added = set(people) - set(before["individual_ids"])
    demand_wanted(plans_of(promises if "follow_ups" in changes else before["follow_ups"], known, people=people, added=added), use_preferences)
    reworded = [promise for promise in promises if promise["text"] != known.get(promise["id"], {}).get("text")]
    written = review(
        [*edited, *((f"follow_ups.{promises.index(promise)}.text", promise["text"]) for promise in reworded)],
        keep_reason=keep_reason,
    )
    if edited:
        store_text(
            work,
            written[0],
            subject_type="interaction",
            subject_id=interaction_id,
            field="outcome",
            keep_reason=keep_reason,
            now=now,
            new_id=new_id,
        )
        if written[0].shared != row.outcome:
            values["outcome"] = written[0].shared
    is_shared = bool(values)
    for field in _LINKS:
        if field in changes:
            hidden = set(interactions.linked(work, interaction_id, field)) - set(before[field])
            interactions.link(work, interaction_id, field, changes[field], keeping=hidden)
            is_shared = True
    if "follow_ups" in changes:
        texts_of = dict(zip((promise["id"] for promise in reworded), written[len(edited) :], strict=True))
        interactions.drop_promises(work, interaction_id, but=[promise["id"] for promise in promises])
        for promise in promises:
            promise["written"] = texts_of.get(promise["id"])
        is_shared |= _put_promises(work, by, interaction_id, promises, (), before=known, keep_reason=keep_reason, now=now, new_id=new_id) or len(
            promises
        ) < len(known)
    if is_shared:
        # What one component kept for itself moves nothing that another can see (T17).
        revision = interactions.change(work, interaction_id, {**values, "updated_at": now})
        if values.keys() & _TOLD or changes.keys() & _TOLD:
            everybody = interactions.linked(work, interaction_id, "individual_ids")
            _announce(work, _interaction(work, interaction_id), individual_ids=everybody, revision=revision)
    changed = _interaction(work, interaction_id)
    work.record("interactions:interaction:change", subjects=_subjects([before, changed]), fields=changes)
    return changed


def complete_follow_up(work: UnitOfWork, *, by: Caller, now: datetime, interaction_id: str, follow_up_id: str) -> dict[str, Any]:
    """Say that a promise was kept (R53); saying it twice changes nothing.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is no such promise.
    """
    require_contributor(by)
    row = interactions.one(work, interaction_id, lock=True)
    if row is None:
        raise NotFound
    promises = interactions.promises(work, [interaction_id]).get(interaction_id, [])
    promise = next((one for one in promises if one.id == follow_up_id), None)
    if promise is None:
        raise NotFound
    if promise.done_at is None:
        interactions.put_promise(work, is_new=False, id=follow_up_id, done_at=now, done_by=by.id)
        interactions.change(work, interaction_id, {"updated_at": now})
    work.record("interactions:follow-up:complete", subjects=[interaction_id, follow_up_id], fields=["done_at"])
    return _interaction(work, interaction_id)


def withdraw_interaction(work: UnitOfWork, *, by: Caller, interaction_id: str, if_match: str | None) -> None:
    """Take back an interaction that was logged by mistake.

    :raises Forbidden: it is another component's.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    """
    require_contributor(by)
    row = interactions.one(work, interaction_id, lock=True)
    if row is None:
        raise NotFound
    if row.component != by.component:
        raise Forbidden("Only the component that logged it takes it back.")
    (before,) = _shown(work, [row])
    require_match(if_match, entity_tags(before))
    if interactions.linked(work, interaction_id, "individual_ids") != before["individual_ids"]:
        raise Conflict("Somebody in it asked not to be contacted; it goes when they are erased.", code="interaction-held")
    for promise in before["follow_ups"]:
        texts.drop(work, promise["id"], "text")
    texts.drop(work, interaction_id, "outcome")
    interactions.remove(work, [interaction_id])
    work.announce(InteractionWithdrawn(interaction_id))
    work.record("interactions:interaction:withdraw", subjects=_subjects([before]))


def _differs(before: Any, after: Any) -> bool:
    if isinstance(after, list):
        return sorted(before) != sorted(set(after))
    return bool(before != (wire(after) if isinstance(after, datetime) else after))


def _checked(work: UnitOfWork, by: Caller, row: Any, before: Mapping[str, Any], changes: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return the columns that change, once everything named exists."""
    values: dict[str, Any] = {name: changes[name] for name in ("held_at", "mode", "initiated_by", "event_id") if name in changes}
    if "held_at" in changes:
        require_past(changes["held_at"], now=now, field="held_at")
    if changes.get("event_id"):
        _demand_event(work, changes["event_id"])
    if "individual_ids" in changes:
        added = set(changes["individual_ids"]) - set(before["individual_ids"])
        require_individuals(work, added, request_id=row.no_contact_request_id)
    require_organizations(work, changes.get("organization_ids", ()))
    require_issues(work, changes.get("issue_ids", ()))
    if not changes.get("individual_ids", row.individual_ids) and not changes.get("organization_ids", row.organization_ids):
        raise Invalid(errors={"individual_ids": ["Name at least one individual or organization."]})
    if "user" in changes:
        if row.component != by.component:
            raise Forbidden("Who had it is for the component that logged it to say.")
        require_colleague(work, by, changes["user"])
        values["user_id"] = changes["user"]
    return values


def _demand_event(work: UnitOfWork, event_id: str | None) -> None:
    if event_id is not None and events.one(work, event_id) is None:
        raise Invalid(errors={"event_id": ["There is no such event."]})


def _merged(before: Iterable[Mapping[str, Any]], given: Iterable[Mapping[str, Any]], new_id: Ids) -> list[dict[str, Any]]:
    """Return the follow-ups as they shall be: known ones keep their text when none is given."""
    known = {promise["id"]: promise for promise in before}
    merged = []
    for promise in given:
        former = known.get(promise.get("id") or "")
        if promise.get("id") and former is None:
            raise Invalid(errors={"follow_ups": [f"There is no follow-up {promise['id']} in this interaction."]})
        # Text that the caller cannot see comes back as null, and stays.
        text = promise["text"] if promise["text"] is not None else (former or {}).get("text")
        merged.append({**promise, "id": promise.get("id") or new_id(), "is_new": former is None, "text": text})
    if len({promise["id"] for promise in merged}) != len(merged):
        raise Invalid(errors={"follow_ups": ["Name each once."]})
    return merged


def _put_promises(
    work: UnitOfWork,
    by: Caller,
    interaction_id: str,
    promises: Sequence[Mapping[str, Any]],
    written: Sequence[Written],
    *,
    before: Mapping[str, Mapping[str, Any]],
    keep_reason: str | None,
    now: datetime,
    new_id: Ids,
) -> bool:
    """Write follow-ups in their order; return whether anything changed that every component sees."""
    if not promises:
        return False
    held = interactions.held(work, interaction_id)
    _demand_assignees(work, by, promises, before, component=held.component)
    for promise in promises:
        former = before.get(promise["id"])
        is_new_day = promise["due_on"] is not None and (former or {}).get("due_on") != wire(promise["due_on"])
        if is_new_day and promise["due_on"] < day_somewhere(held.held_at):
            raise Invalid(errors={"follow_ups": ["A promise is not due before it was made."]})
    is_shared = False
    for position, promise in enumerate(promises):
        text: Written | None = written[position] if written else promise.get("written")
        former = before.get(promise["id"])
        done_at = promise["done_at"]
        values = {"position": position, "due_on": promise["due_on"], "mode": promise.get("mode"), "assignee": promise["assignee"], "done_at": done_at}
        if done_at is not None and (former is None or former["done_at"] is None):
            require_past(done_at, now=now, field="follow_ups")
            values["done_by"] = by.id
        elif done_at is None:
            values["done_by"] = None
        if text is not None:
            values["text"] = text.shared
        shown = {"due_on": wire(promise["due_on"]), "mode": promise.get("mode"), "assignee": promise["assignee"], "done_at": wire(done_at)}
        if former is not None and text is None and all(former[name] == value for name, value in shown.items()):
            values = {"position": position}
        else:
            is_shared = True
        if promise["is_new"]:
            values |= {"interaction_id": interaction_id, "created_by": by.id}
        interactions.put_promise(work, is_new=promise["is_new"], id=promise["id"], **values)
        if text is not None:
            store_text(
                work,
                text,
                subject_type="follow_up",
                subject_id=promise["id"],
                field="text",
                keep_reason=keep_reason,
                now=now,
                new_id=new_id,
            )
    return is_shared


def _demand_assignees(
    work: UnitOfWork, by: Caller, promises: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]], *, component: str
) -> None:
    """Give promises to active users of the component that spoke, or of the caller's own; who had one before keeps it."""
    new = {p["assignee"] for p in promises if p["assignee"] and p["assignee"] != (before.get(p["id"]) or {}).get("assignee")}
    known = directory.known_users(work, new) if new else {}
    for one in new:
        of, active = known.get(one, (by.component, True) if one == by.id else (None, False))
        if not active or of not in {component, by.component}:
            raise Invalid(errors={"follow_ups": ["An active colleague of the component that had the conversation, or of your own."]})


def _announce(work: UnitOfWork, interaction: Mapping[str, Any], *, individual_ids: list[str], revision: int) -> None:
    work.announce(
        InteractionLogged(
            interaction_id=interaction["id"],
            individual_ids=individual_ids,
            organization_ids=interaction["organization_ids"],
            issue_ids=interaction["issue_ids"],
            component=interaction["component"],
            user_id=interaction["user"],
            held_at=interaction["held_at"],
            mode=interaction["mode"],
            revision=revision,
        )
    )


def _subjects(shown: Iterable[Mapping[str, Any]], *others: str) -> list[str]:
    """Name the interactions and everybody in them: reading of a talk is reading of its people."""
    items = list(shown)
    people = (one for item in items for field in ("individual_ids", "organization_ids") for one in item[field])
    return list(dict.fromkeys([*(item["id"] for item in items), *people, *others]))


def _interaction(work: UnitOfWork, interaction_id: str, *, is_promised: bool = True) -> dict[str, Any]:
    row = interactions.one(work, interaction_id)
    if row is None:
        raise NotFound
    return _shown(work, [row], is_promised=is_promised)[0]


def _shown(work: UnitOfWork, rows: Sequence[Any], *, is_promised: bool = True) -> list[dict[str, Any]]:
    promises = interactions.promises(work, [row.id for row in rows]) if rows and is_promised else {}
    # What everybody reads stands in the place of what one component kept.
    unread = [*(row.id for row in rows if row.outcome is None), *(p.id for found in promises.values() for p in found if p.text is None)]
    kept = texts.read(work, unread)
    return [
        {
            "id": row.id,
            "held_at": wire(row.held_at),
            "mode": row.mode,
            "initiated_by": row.initiated_by,
            "component": row.component,
            "user": row.user_id,
            "individual_ids": list(row.individual_ids),
            "organization_ids": list(row.organization_ids),
            "issue_ids": list(row.issue_ids),
            "event_id": row.event_id,
            "outcome": row.outcome if row.outcome is not None else kept.get((row.id, "outcome")),
            "follow_ups": [
                {
                    "id": promise.id,
                    "text": promise.text if promise.text is not None else kept.get((promise.id, "text")),
                    "due_on": wire(promise.due_on),
                    "mode": promise.mode,
                    "assignee": promise.assignee,
                    "created_by": promise.created_by,
                    "done_at": wire(promise.done_at),
                    "done_by": promise.done_by,
                }
                for promise in promises.get(row.id, [])
            ],
            "no_contact_request_id": row.no_contact_request_id,
            "created_by": row.created_by,
            "created_at": wire(row.created_at),
            "updated_at": wire(row.updated_at),
        }
        for row in rows
    ]
