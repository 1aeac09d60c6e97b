"""Interactions and their promised follow-ups (R48-R57)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Conflict, Forbidden, Invalid, entity_tags, new_id, require_match
from services.chassis.validation import UNSET, Unset, given_or, names_given
from services.interactions.contract.announcements import InteractionLogged, InteractionWithdrawn
from services.interactions.contract.answers import FollowUpAnswer, InteractionAnswer
from services.interactions.contract.commands import FollowUpGiven, InteractionChange, InteractionCreate, InteractionListQuery
from services.interactions.domain.moments import day_somewhere, require_past
from services.interactions.domain.records import FollowUp, Interaction
from services.interactions.domain.texts import review
from services.interactions.storage import directory, events, interactions, issues, texts
from services.interactions.usecases.authorization import require_contributor, require_reader, scope_of
from services.interactions.usecases.listing import Listing
from services.interactions.usecases.planning import Preferences, Promise, plans_of, require_wanted
from services.interactions.usecases.preconditions import (
    require_colleague,
    require_individuals,
    require_issues,
    require_organizations,
    require_own_component,
)
from services.interactions.usecases.writing import answer_of, found, kept_texts, store_text, wire

_LINKS: Final[tuple[Literal["individual_ids", "organization_ids", "issue_ids"], ...]] = ("individual_ids", "organization_ids", "issue_ids")
#: What is announced when it changes; a corrected outcome changes nothing for listeners.
_ANNOUNCED = frozenset({"held_at", "mode", "user", *_LINKS})


def log_interaction(
    work: UnitOfWork,
    *,
    now: datetime,
    command: InteractionCreate,
    use_preferences: Preferences = MappingProxyType({}),
) -> InteractionAnswer:
    """Log an interaction for oneself or a colleague of the same component.

    :param use_preferences: preferences of the people whom a follow-up is planned with, as contacts said.
    :raises PreferenceStands: a follow-up is planned in a way that somebody does not want (T33).
    :raises ContributorsOnly: the caller may only read.
    :raises Invalid: it is in the future, or names somebody or something that does not exist.
    :raises IndividualFrozen: it is with a frozen individual, and not about their request (T21).
    :raises TextNeedsReview: screening found something in outcome or follow-ups (T15).
    """
    own, user_id = require_contributor(work.caller), command.user or work.caller.id
    require_own_component(work, command.component)
    require_past(command.held_at, now=now, field="held_at")
    require_individuals(work, command.individual_ids, request_id=command.no_contact_request_id)
    require_organizations(work, command.organization_ids)
    require_issues(work, command.issue_ids)
    _require_event(work, command.event_id)
    require_colleague(work, user_id)
    interaction = Interaction(
        id=new_id(),
        held_at=command.held_at,
        mode=command.mode,
        initiated_by=command.initiated_by,
        component=own,
        user_id=user_id,
        event_id=command.event_id,
        no_contact_request_id=command.no_contact_request_id,
        outcome=None,
        revision=1,
        created_by=work.caller.id,
        created_at=now,
        updated_at=now,
    )
    if any(given.id for given in command.follow_ups):
        raise Invalid(errors={"follow_ups": ["A new interaction's follow-ups have no ids yet."]})
    promises = [Promise(given, new_id()) for given in command.follow_ups]
    require_wanted(plans_of(promises, people=command.individual_ids, added=()), use_preferences)
    outcome, *worded = review(
        [("outcome", command.outcome), *((f"follow_ups.{n}.text", given.text) for n, given in enumerate(command.follow_ups))],
        keep_reason=command.keep_reason,
    )
    interactions.add(work, replace(interaction, outcome=outcome.shared))
    interactions.link_new(
        work,
        interaction.id,
        individual_ids=command.individual_ids,
        organization_ids=command.organization_ids,
        issue_ids=command.issue_ids,
    )
    store_text(work, outcome, "interaction", interaction.id, now=now, is_new=True)
    promises = [replace(promise, written=text) for promise, text in zip(promises, worded, strict=True)]
    _store_promises(work, interaction, promises, now=now)
    logged = _interaction(work, interaction.id, promises=None if promises else {})
    _announce(work, logged, individual_ids=sorted(set(command.individual_ids)), revision=interaction.revision)
    work.record(
        "interactions:interaction:log",
        subjects=_subjects([logged]),
        fields=["held_at", "mode", "initiated_by", "user", "event_id", "outcome", "follow_ups", *_LINKS],
    )
    return logged


def read_interaction(work: UnitOfWork, interaction_id: str) -> InteractionAnswer:
    """Return an interaction; every user with an access level may read it (R147).

    :raises NotFound: there is none, or the caller may find nobody in it.
    """
    require_reader(work.caller)
    interaction = _interaction(work, interaction_id)
    work.record("interactions:interaction:read", subjects=_subjects([interaction]), fields=interaction)
    return interaction


def list_interactions(work: UnitOfWork, *, cursors: Cursors, query: InteractionListQuery) -> Page[InteractionAnswer]:
    """List interactions, most recent first."""
    require_reader(work.caller)
    listing = Listing(cursors, "interactions", work.caller.id, asdict(query))
    issue_ids = issues.with_all_below(work, query.issue_id) if query.issue_id is not None else None
    page = interactions.matching(work, scope_of(work.caller), query, issue_ids=issue_ids, after=listing.after(query.cursor))
    items = _shown(work, page.rows)
    asked = [one for one in (query.individual_id, query.organization_id) if one is not None]
    work.record("interactions:interaction:list", subjects=_subjects(items, *asked), fields=items[0] if items else ())
    return listing.answer(page, items)


def change_interaction(
    work: UnitOfWork,
    *,
    now: datetime,
    interaction_id: str,
    if_match: str | None,
    command: InteractionChange,
    use_preferences: Preferences = MappingProxyType({}),
) -> InteractionAnswer:
    """Correct an interaction; any contributor may, at once (T2, R113), but only its own component says whose it is.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    :raises Invalid: as for logging.
    :raises IndividualFrozen: it would come to be with a frozen individual.
    :raises PreferenceStands: a promise would be planned in a way that somebody does not want (T33).
    :raises TextNeedsReview: screening found something in what is new.
    """
    require_contributor(work.caller)
    row = found(interactions.one(work, scope_of(work.caller), interaction_id, lock=True))
    promised = interactions.promises(work, [interaction_id])
    (before,) = _shown(work, [row], promises=promised)
    require_match(if_match, entity_tags(before))
    keep_reason = command.keep_reason
    command = _without_what_was_read(command, before)
    given = names_given(command) - {"keep_reason"}
    changed = _checked(work, row, before, command, now=now)
    read = {promise["id"]: promise["text"] for promise in before["follow_ups"]}
    former = [
        Promise(FollowUpGiven(each.id, None, each.due_on, each.mode, each.assignee, each.done_at), each.id, each)
        for each in promised.get(interaction_id, ())
    ]
    promises = former if isinstance(command.follow_ups, Unset) else _merged(former, read, command.follow_ups)
    people = given_or(command.individual_ids, before["individual_ids"])
    require_wanted(plans_of(promises, people=people, added=[one for one in people if one not in before["individual_ids"]]), use_preferences)
    edited = [] if isinstance(command.outcome, Unset) else [("outcome", command.outcome)]
    reworded = [n for n, promise in enumerate(promises) if "follow_ups" in given and promise.given.text != read.get(promise.id)]
    written = review([*edited, *((f"follow_ups.{n}.text", promises[n].given.text) for n in reworded)], keep_reason=keep_reason)
    if edited:
        store_text(work, written[0], "interaction", interaction_id, now=now)
        changed = replace(changed, outcome=written[0].shared)
    is_shared = changed != row
    for field in _LINKS:
        if field in given:
            hidden = set(interactions.linked(work, interaction_id, field)) - set(before[field])
            interactions.link(work, interaction_id, field, getattr(command, field), keeping=hidden)
            is_shared = True
    if "follow_ups" in given:
        interactions.drop_promises(work, interaction_id, but=[promise.id for promise in promises])
        for n, text in zip(reworded, written[len(edited) :], strict=True):
            promises[n] = replace(promises[n], written=text)
        has_changed = _store_promises(work, row, promises, now=now)
        is_shared |= has_changed or len(promises) < len(former)
    if is_shared:
        # What one component kept for itself moves nothing that another can see (T17).
        revision = interactions.change(work, replace(changed, updated_at=now))
        if given & _ANNOUNCED:
            everybody = interactions.linked(work, interaction_id, "individual_ids")
            _announce(work, _interaction(work, interaction_id), individual_ids=everybody, revision=revision)
    answer = _interaction(work, interaction_id)
    work.record("interactions:interaction:change", subjects=_subjects([before, answer]), fields=given)
    return answer


def complete_follow_up(work: UnitOfWork, *, now: datetime, interaction_id: str, follow_up_id: str) -> InteractionAnswer:
    """Record that a promise was kept (R53). A repeated call changes nothing.

    :raises ContributorsOnly: the caller may only read.
    :raises NotFound: there is no such promise.
    """
    require_contributor(work.caller)
    row = found(interactions.one(work, scope_of(work.caller), interaction_id, lock=True))
    promises = interactions.promises(work, [interaction_id]).get(interaction_id, [])
    promise = found(next((one for one in promises if one.id == follow_up_id), None))
    if promise.done_at is None:
        interactions.change_promise(work, replace(promise, done_at=now, done_by=work.caller.id))
        interactions.change(work, replace(row, updated_at=now))
    work.record("interactions:follow-up:complete", subjects=[interaction_id, follow_up_id], fields=["done_at"])
    return _interaction(work, interaction_id)


def withdraw_interaction(work: UnitOfWork, *, interaction_id: str, if_match: str | None) -> None:
    """Withdraw an interaction that was logged by mistake.

    :raises Forbidden: it is another component's.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    """
    require_contributor(work.caller)
    row = found(interactions.one(work, scope_of(work.caller), interaction_id, lock=True))
    if row.component != work.caller.component:
        raise Forbidden("Only the component that logged it takes it back.")
    (before,) = _shown(work, [row])
    require_match(if_match, entity_tags(before))
    if interactions.linked(work, interaction_id, "individual_ids") != before["individual_ids"]:
        raise Conflict("Somebody in it asked not to be contacted; it goes when they are erased.", code="interaction-held")
    for promise in before["follow_ups"]:
        texts.drop(work, promise["id"], "text")
    texts.drop(work, interaction_id, "outcome")
    interactions.remove(work, interaction_id)
    work.announce(InteractionWithdrawn(interaction_id))
    work.record("interactions:interaction:withdraw", subjects=_subjects([before]))


def _without_what_was_read(command: InteractionChange, read: InteractionAnswer) -> InteractionChange:
    """Return a change without the fields that have the values that the caller read."""
    shown: Mapping[str, object] = read
    names = names_given(command) - {"follow_ups", "keep_reason"}
    same = dict.fromkeys((name for name in names if _is_as_read(getattr(command, name), shown[name])), UNSET)
    return replace(command, keep_reason=command.keep_reason, **same)


def _is_as_read(given: object, read: object) -> bool:
    if isinstance(given, Collection) and isinstance(read, list):
        return set(given) == set(read)
    return (wire(given) if isinstance(given, datetime) else given) == read


def _checked(work: UnitOfWork, row: Interaction, before: InteractionAnswer, command: InteractionChange, *, now: datetime) -> Interaction:
    """Check everything that a change names, and return the changed interaction, without its text."""
    if not isinstance(command.held_at, Unset):
        require_past(command.held_at, now=now, field="held_at")
    _require_event(work, given_or(command.event_id, None))
    added = set(given_or(command.individual_ids, ())) - set(before["individual_ids"])
    require_individuals(work, added, request_id=row.no_contact_request_id)
    require_organizations(work, given_or(command.organization_ids, ()))
    require_issues(work, given_or(command.issue_ids, ()))
    if not given_or(command.individual_ids, row.individual_ids) and not given_or(command.organization_ids, row.organization_ids):
        raise Invalid(errors={"individual_ids": ["Name at least one individual or organization."]})
    if not isinstance(command.user, Unset):
        if row.component != work.caller.component:
            raise Forbidden("Who had it is for the component that logged it to say.")
        require_colleague(work, command.user)
    changed = {name: getattr(command, name) for name in names_given(command) & {"held_at", "mode", "initiated_by", "event_id"}}
    return replace(row, user_id=given_or(command.user, row.user_id), **changed)


def _require_event(work: UnitOfWork, event_id: str | None) -> None:
    if event_id is not None and events.one(work, event_id) is None:
        raise Invalid(errors={"event_id": ["There is no such event."]})


def _merged(former: Iterable[Promise], read: Mapping[str, str | None], given: Iterable[FollowUpGiven]) -> list[Promise]:
    """Return the follow-ups that a change gives; known ones keep their text when none is given."""
    known = {promise.id: promise.before for promise in former}
    merged = []
    for each in given:
        if each.id and each.id not in known:
            raise Invalid(errors={"follow_ups": [f"There is no follow-up {each.id} in this interaction."]})
        follow_up_id = each.id or new_id()
        # Text that the caller cannot see comes back as null, and stays.
        text = each.text if each.text is not None else read.get(follow_up_id)
        merged.append(Promise(replace(each, text=text), follow_up_id, known.get(follow_up_id)))
    if len({promise.id for promise in merged}) != len(merged):
        raise Invalid(errors={"follow_ups": ["Name each once."]})
    return merged


def _store_promises(work: UnitOfWork, interaction: Interaction, promises: Sequence[Promise], *, now: datetime) -> bool:
    """Store follow-ups in their order; return whether a shared field changed."""
    _require_assignees(work, promises, component=interaction.component)
    for promise in promises:
        due_on, before = promise.given.due_on, promise.before
        is_new_day = due_on is not None and (before is None or before.due_on != due_on)
        if due_on is not None and is_new_day and due_on < day_somewhere(interaction.held_at):
            raise Invalid(errors={"follow_ups": ["A promise is not due before it was made."]})
    is_shared = False
    for position, promise in enumerate(promises):
        stored = _stored(promise, interaction.id, position, by=work.caller, now=now)
        if promise.before is None:
            interactions.add_promise(work, stored)
        else:
            interactions.change_promise(work, stored)
        is_shared |= stored != (promise.before and replace(promise.before, position=position)) or promise.written is not None
        if promise.written is not None:
            store_text(work, promise.written, "follow_up", promise.id, now=now)
    return is_shared


def _stored(promise: Promise, interaction_id: str, position: int, *, by: Caller, now: datetime) -> FollowUp:
    """Return the row to store for a follow-up."""
    given, before = promise.given, promise.before
    is_newly_done = given.done_at is not None and (before is None or before.done_at is None)
    if given.done_at is not None and is_newly_done:
        require_past(given.done_at, now=now, field="follow_ups")
    # An instant that the caller sends back as it was read has lost its microseconds.
    is_same_moment = before is not None and wire(given.done_at) == wire(before.done_at)
    text = promise.written.shared if promise.written is not None else before.text if before is not None else None
    return FollowUp(
        id=promise.id,
        interaction_id=interaction_id,
        position=position,
        text=text,
        due_on=given.due_on,
        mode=given.mode,
        assignee=given.assignee,
        created_by=by.id if before is None else before.created_by,
        done_at=before.done_at if before is not None and is_same_moment else given.done_at,
        done_by=by.id if is_newly_done else None if given.done_at is None or before is None else before.done_by,
    )


def _require_assignees(work: UnitOfWork, promises: Sequence[Promise], *, component: str) -> None:
    """Require that new assignees are active users of the interaction's component, or of the caller's own."""
    by = work.caller
    new = {p.given.assignee for p in promises if p.given.assignee and p.given.assignee != (p.before.assignee if p.before else None)}
    known = directory.known_users(work, new) if new else {}
    for one in new:
        of, active = known.get(one, (by.component, True) if one == by.id else (None, False))
        if not active or of not in {component, by.component}:
            raise Invalid(errors={"follow_ups": ["An active colleague of the component that had the conversation, or of your own."]})


def _announce(work: UnitOfWork, interaction: InteractionAnswer, *, individual_ids: list[str], revision: int) -> None:
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


def _subjects(shown: Sequence[InteractionAnswer], *others: str) -> list[str]:
    """Return the ids of interactions and of everybody in them: reading an interaction is reading about its people."""
    people = (one for item in shown for one in (*item["individual_ids"], *item["organization_ids"]))
    return list(dict.fromkeys([*(item["id"] for item in shown), *people, *others]))


def _interaction(work: UnitOfWork, interaction_id: str, *, promises: Mapping[str, Sequence[FollowUp]] | None = None) -> InteractionAnswer:
    row = found(interactions.one(work, scope_of(work.caller), interaction_id))
    return _shown(work, [row], promises=promises)[0]


def _shown(work: UnitOfWork, rows: Sequence[Interaction], *, promises: Mapping[str, Sequence[FollowUp]] | None = None) -> list[InteractionAnswer]:
    """Return interactions as the caller sees them.

    :param promises: their follow-ups by interaction, where they are known.
    """
    if promises is None:
        promises = interactions.promises(work, [row.id for row in rows]) if rows else {}
    # What everybody reads stands in the place of what one component kept.
    unread = [*(row.id for row in rows if row.outcome is None), *(p.id for found in promises.values() for p in found if p.text is None)]
    kept = kept_texts(work, unread)
    answers = []
    for row in rows:
        follow_ups = [answer_of(FollowUpAnswer, promise, kept) for promise in promises.get(row.id, ())]
        answers.append(answer_of(InteractionAnswer, row, kept, user=row.user_id, follow_ups=follow_ups))
    return answers
