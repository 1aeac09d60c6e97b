"""What somebody said that they do not want stops what is planned with them (T33); what happened is logged all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis.database import UnitOfWork
from services.contacts.contract.refusals import PreferenceStands
from services.interactions.storage import interactions
from services.lexicon.vocabulary import PREFERENCE_AGAINST

#: What they want, by individual, as contacts says at that moment.
Preferences = Mapping[str, Sequence[str]]
#: A promise of which one of these is new was planned anew.
_PLAN = ("mode", "due_on", "assignee")


def planned_with(work: UnitOfWork, *, command: Mapping[str, Any], interaction_id: str | None = None) -> list[str]:
    """Return whose preferences are to be asked for, if the command plans something that a preference may stand against.

    Nothing is recorded, for nothing is told.
    """
    promises: list[Any] = [promise.get("mode") for promise in command.get("follow_ups") or () if promise["done_at"] is None]
    people = list(command.get("individual_ids") or ())
    if interaction_id is not None and ("follow_ups" in command or "individual_ids" in command) and interactions.one(work, interaction_id):
        promises += [promise.mode for promise in interactions.promises(work, [interaction_id]).get(interaction_id, ()) if promise.done_at is None]
        people += interactions.linked(work, interaction_id, "individual_ids")
    return sorted(set(people)) if any(mode in PREFERENCE_AGAINST for mode in promises) else []


def demand_wanted(plans: Iterable[tuple[str | None, Iterable[str]]], use_preferences: Preferences) -> None:
    """Go on only if nobody is planned to be spoken to in a way that they do not want.

    :param plans: how, and with whom.
    :raises PreferenceStands: somebody is; `preferences` and `individual_ids` say which and who.
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


def plans_of(promises: Iterable[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]], *, people: Iterable[str], added: Iterable[str]) -> Any:
    """Give the plans in promises: what is planned anew with everybody, the rest with those who come in only now."""
    everybody, newcomers = list(people), list(added)
    for promise in promises:
        if promise["done_at"] is not None:
            continue
        former = before.get(promise["id"])
        is_anew = former is None or any(_plain(promise.get(name)) != former[name] for name in _PLAN)
        yield promise.get("mode"), everybody if is_anew else newcomers


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
