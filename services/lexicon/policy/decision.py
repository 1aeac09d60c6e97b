"""One decision over the policy; a value with its reason and its rule, deny by default (N15)."""

from collections.abc import Callable
from typing import Final, NamedTuple

from services.lexicon.policy import rules
from services.lexicon.policy.facts import Actor, Decision, Facts, Granted, Withheld
from services.lexicon.policy.rules import ACTIONS, FIELDS, Action, Permit
from services.lexicon.vocabulary import LEVELS, SYSTEM_OWNER_COMPONENTS


def at_least(level: str | None, wanted: str) -> bool:
    """Return whether an access level is at least the wanted one; an unknown level never is."""
    if level not in LEVELS or wanted not in LEVELS:
        return False
    return LEVELS.index(level) >= LEVELS.index(wanted)


def decide(actor: Actor, action: str, field: str | None = None, facts: Facts | None = None) -> Decision:
    """Decide whether the actor may do this to this field, or to the record when field is None.

    Gives Granted(rule) or Withheld(reason, rule, remedy); never raises. What is unknown (an
    action, a field, a level, a fact) is withheld (T4).
    """
    facts = facts or Facts()
    known = ACTIONS.get(action)
    if known is None:
        return Withheld("this action is not in the policy", "T4")
    for refuses in (_refuse_kind, _refuse_field, _refuse_role, _refuse_oneself, _refuse_frozen):
        refusal = refuses(actor, action, known, field, facts)
        # A refusal is false, so it is asked for by identity.
        if refusal is not None:
            return refusal
    if actor.kind == "integration":
        return _decide_for_integration(known, field, facts)
    if actor.kind == "operator":
        return Granted("T19")
    if action == "read" and facts.frozen:
        # Who may see the rest of a frozen record was decided above; a level adds nothing (T21).
        return Granted("T21")
    return _decide_by_permits(actor, known, field, facts)


def go_together(component: str, level: str | None, roles: frozenset[str]) -> Decision:
    """Decide whether one account may have this level and these roles at this office."""
    if roles & rules.OFFICERS and (level is not None or len(roles) > 1):
        return Withheld("the account of the security or privacy officer is not also a user's", "T14")
    if roles & rules.WITHOUT_CONTACT_LAYER and at_least(level, "contributor"):
        return Withheld("those who run the system see no contact layer: reader at most", "T19")
    if "system_owner" in roles and component not in SYSTEM_OWNER_COMPONENTS:
        return Withheld("system owners belong to White House Liaison, Policy or Intergovernmental Affairs", "R2")
    return Granted("T19")


def _refuse_kind(actor: Actor, _name: str, action: Action, _field: str | None, _facts: Facts) -> Withheld | None:
    if actor.kind == "user":
        return None
    if actor.kind == "integration" and action.integration and actor.component:
        return None
    if actor.kind == "operator" and action.operator:
        return None
    return Withheld("only a person who is signed in may do this", "T13")


def _refuse_field(_actor: Actor, name: str, action: Action, field: str | None, _facts: Facts) -> Withheld | None:
    if field is None:
        # The contact layer is decided point by point; nobody is given "all of it" (T4).
        if action.layers == {"contact"}:
            return Withheld("this is decided for each kind of contact point", "T4")
        return None
    known = FIELDS.get(field)
    if known is None:
        return Withheld("this field is not in the policy", "T4")
    if known.layer not in action.layers:
        if known.layer == "contact":
            rule = {"search": "T17", "read": "T11"}.get(name, "T4")
            return Withheld("contact points are shown only by a reveal of one person", rule)
        return Withheld("this action does not concern this field", "T4")
    if (action.editing or name == "create") and not known.editable:
        return Withheld("nobody edits this field", "T2")
    return None


def _refuse_role(actor: Actor, name: str, action: Action, _field: str | None, _facts: Facts) -> Withheld | None:
    if "isso" in actor.roles and name not in rules.ONLY_THE_TRAIL:
        return Withheld("the security officer's account sees the trail and nothing else", "T14")
    if "contact" in action.layers and actor.roles & rules.WITHOUT_CONTACT_LAYER:
        return Withheld("administrators of the system have no contact layer", "T19")
    return None


def _refuse_oneself(actor: Actor, _name: str, action: Action, _field: str | None, facts: Facts) -> Withheld | None:
    if action.not_oneself and facts.subject_user_id in {None, actor.id}:
        return Withheld("nobody approves or promotes themselves", "T19")
    return None


def _refuse_frozen(actor: Actor, name: str, action: Action, field: str | None, facts: Facts) -> Withheld | None:
    if not facts.frozen:
        return None
    if name == "log_interaction":
        if facts.about_request:
            return None
        return Withheld("only interactions about the request may be logged", "T21")
    if name == "read":
        shown = field is None or field in rules.SHOWN_WHEN_FROZEN
        if shown and facts.by_exact_id and _may_find_frozen(actor, facts):
            return None
        return Withheld("this person asked not to be contacted", "T21")
    if action.when_frozen:
        return None
    return Withheld("this person asked not to be contacted", "T21")


def _may_find_frozen(actor: Actor, facts: Facts) -> bool:
    return (
        actor.id in {facts.owner_id, facts.recorded_by}
        or "privacy_officer" in actor.roles
        or ("office_administrator" in actor.roles and _same(actor.component, facts.owner_component))
        or _must_erase(actor, facts)
    )


def _must_erase(actor: Actor, facts: Facts) -> bool:
    # Whom the duty to erase has reached must be able to see what they erase (T10).
    return actor.id == facts.deputy_id or (facts.duty_of == "system_owner" and "system_owner" in actor.roles)


def _decide_for_integration(action: Action, field: str | None, facts: Facts) -> Decision:
    if field in facts.declined:
        return Withheld("the person declined to give this", "T20")
    return Granted("T13") if action.integration else Withheld("not for integrations", "T13")


def _decide_by_permits(actor: Actor, action: Action, field: str | None, facts: Facts) -> Decision:
    refusal: Withheld | None = None
    for permit in action.permits:
        if not _applies(actor, permit):
            continue
        failed = next((CONDITIONS[name] for name in permit.when if not CONDITIONS[name].holds(actor, field, facts)), None)
        if failed is None:
            return Granted(permit.rule)
        # The first permit that nearly held explains best; a remedy explains better still.
        found = Withheld(failed.reason, failed.rule, failed.remedy)
        if refusal is None or (found.remedy and not refusal.remedy):
            refusal = found
    if refusal is not None:
        return refusal
    return Withheld("your access level and roles do not allow this", "T19")


def _applies(actor: Actor, permit: Permit) -> bool:
    if permit.level is not None:
        return at_least(actor.level, permit.level)
    return permit.role is None or permit.role in actor.roles


def _same(one: str | None, other: str | None) -> bool:
    # A component is a leaf: a parent is another component (T5). None equals nothing.
    return one is not None and one == other


def _is_granted(actor: Actor, facts: Facts) -> bool:
    return facts.now is not None and any(_same(actor.component, grant.component) and facts.now < grant.until for grant in facts.grants)


def _has_reveals_left(actor: Actor, facts: Facts) -> bool:
    if _same(actor.id, facts.owner_id):
        return True
    if facts.reveals_today >= rules.REFUSED_FROM:
        return False
    return facts.reveals_today < rules.REASON_FROM or facts.reason_given


class Condition(NamedTuple):
    """When a permit holds, and what is said where it does not: the reason, the rule, and a remedy if there is one."""

    holds: Callable[[Actor, str | None, Facts], bool]
    reason: str
    rule: str
    remedy: str | None = None


_OF_ITS_COMPONENT: Final = "contact points belong to the component they were given to"
_OF_ITS_OWNER: Final = "only the owner of the record may do this"
_OF_THOSE_CONCERNED: Final = "only those whom the request concerns may know of it"

CONDITIONS: Final = {
    "own_point": Condition(lambda a, _, f: _same(a.component, f.point_component), _OF_ITS_COMPONENT, "T5"),
    "granted_point": Condition(lambda a, _, f: _is_granted(a, f), _OF_ITS_COMPONENT, "T5"),
    "few_reveals": Condition(
        lambda a, _, f: _has_reveals_left(a, f),
        "so many people's contact points were shown to you today that a reason is asked, and from the hundredth on the answer is no",
        "T11",
        "reason",
    ),
    "not_declined": Condition(lambda _, field, f: field not in f.declined, "the person declined to give this", "T20"),
    "is_owner": Condition(lambda a, _, f: _same(a.id, f.owner_id), _OF_ITS_OWNER, "T2"),
    "is_deputy": Condition(lambda a, _, f: _same(a.id, f.deputy_id), _OF_ITS_OWNER, "T2"),
    "is_recorder": Condition(lambda a, _, f: _same(a.id, f.recorded_by), _OF_THOSE_CONCERNED, "T21"),
    "is_requester": Condition(lambda a, _, f: _same(a.id, f.requested_by), _OF_THOSE_CONCERNED, "T21"),
    "owner_of_own_office": Condition(lambda a, _, f: _same(a.component, f.owner_component), "the owner is of another office", "T10"),
    "duty_of_owner": Condition(lambda _a, _, f: f.duty_of == "owner", "the duty has passed from the owner", "T10"),
    "duty_of_office_alone": Condition(lambda _a, _, f: f.duty_of == "office_administrator", "the duty is not the office administrator's", "T10"),
    "duty_of_office": Condition(lambda _a, _, f: f.duty_of in {"office_administrator", "system_owner"}, "the duty is still the owner's", "T10"),
    "duty_of_system_owner": Condition(lambda _a, _, f: f.duty_of == "system_owner", "the duty has not passed to the system owner", "T10"),
    "subject_of_own_office": Condition(lambda a, _, f: _same(a.component, f.subject_component), "the account is of another office", "T19"),
    "subject_with_role": Condition(lambda _a, _, f: bool(f.subject_roles), "a user is approved by the administrator of their own office", "R179"),
    "subject_without_role": Condition(
        lambda _a, _, f: f.subject_roles is not None and not f.subject_roles,
        "system owners and system administrators give roles, and approve whoever has one",
        "R180",
    ),
    "no_level": Condition(lambda a, _, _f: a.level is None, "the security officer's account is not also a user's", "T14"),
    "few_rows": Condition(
        lambda _a, _, f: f.rows is not None and f.rows <= rules.ROWS_OF_A_CONTRIBUTOR,
        "a contributor imports up to 2,000 rows at a time",
        "T19",
        "steward",
    ),
    "rows_are_known": Condition(lambda _a, _, f: f.rows is not None, "the number of rows is not known", "T19"),
    "case_open": Condition(lambda _a, _, f: f.case_open, "the privacy officer needs an open case on this person", "T19"),
}
