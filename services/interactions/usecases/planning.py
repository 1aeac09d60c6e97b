"""Refuse plans against a stated preference (T33); what has happened is logged all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.database import UnitOfWork
from services.chassis.validation import Unset, given_or
from services.interactions.contract.commands import FollowUpGiven, InteractionChange, InteractionCreate
from services.interactions.domain.records import FollowUp
from services.interactions.domain.texts import Written
from services.interactions.storage import interactions
from services.interactions.usecases.authorization import scope_of
from services.lexicon.refusals import PreferenceStands
from services.lexicon.vocabulary import PREFERENCE_AGAINST

#: What they want, by individual, as contacts says at that moment.
Preferences = Mapping[str, Sequence[str]]
#: How somebody is to be spoken to, and who.
Plan = tuple[str | None, Iterable[str]]


@dataclass(frozen=True, slots=True)
class Promise:
    """A follow-up that is given, and its row before the change; None for a new one."""

    given: FollowUpGiven
    id: str
    before: FollowUp | None = None
    #: Its text, where that is new.
    written: Written | None = None

    @property
    def is_planned_anew(self) -> bool:
        """Whether its mode, date or assignee is new."""
        given, before = self.given, self.before
        return before is None or (given.mode, given.due_on, given.assignee) != (before.mode, before.due_on, before.assignee)


def planned_with(work: UnitOfWork, *, command: InteractionCreate | InteractionChange, interaction_id: str | None = None) -> list[str]:
    """Return the individuals whose preferences a command may go against.

    Nothing is recorded, because nothing is shown.
    """
    modes = [promise.mode for promise in given_or(command.follow_ups, ()) if promise.done_at is None]
    people = list(given_or(command.individual_ids, ()))
    is_planning = not (isinstance(command.follow_ups, Unset) and isinstance(command.individual_ids, Unset))
    if interaction_id is not None and is_planning and interactions.one(work, scope_of(work.caller), interaction_id):
        modes += [promise.mode for promise in interactions.promises(work, [interaction_id]).get(interaction_id, ()) if promise.done_at is None]
        people += interactions.linked(work, interaction_id, "individual_ids")
    return sorted(set(people)) if any(mode in PREFERENCE_AGAINST for mode in modes) else []


def require_wanted(plans: Iterable[Plan], use_preferences: Preferences) -> None:
    """Require that no plan goes against a preference.

    :raises PreferenceStands: one does; `preferences` and `individual_ids` say which and whose.
    """
    stopped: dict[str, set[str]] = {}
    for mode, people in plans:
        preference = PREFERENCE_AGAINST.get(mode or "")
        for one in people:
            if preference is not None and preference in use_preferences.get(one, ()):
                stopped.setdefault(preference, set()).add(one)
    if stopped:
        who = sorted({one for people in stopped.values() for one in people})
        raise PreferenceStands(extra={"preferences": sorted(stopped), "individual_ids": who})


def plans_of(promises: Iterable[Promise], *, people: Sequence[str], added: Sequence[str]) -> Iterator[Plan]:
    """Yield the plans in open promises: new plans for all people, unchanged ones for those who are added."""
    for promise in promises:
        if promise.given.done_at is None:
            yield promise.given.mode, people if promise.is_planned_anew else added
