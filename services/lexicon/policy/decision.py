"""One decision over the policy; a value with its reason and its rule, deny by default (N15)."""

from collections.abc import Callable
from typing import Final

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
        failed = next((name for name in permit.when if not CONDITIONS[name](actor, field, facts)), None)
        if failed is None:
            return Granted(permit.rule)
        # The first permit that nearly held explains best; a remedy explains better still.
        sentence, rule, remedy = _REASONS[failed]
        found = Withheld(sentence, rule, remedy)
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


Condition = Callable[[Actor, str | None, Facts], bool]

CONDITIONS: Final[dict[str, Condition]] = {
    "own_point": lambda a, _, f: _same(a.component, f.point_component),
    "granted_point": lambda a, _, f: _is_granted(a, f),
    "few_reveals": lambda a, _, f: _has_reveals_left(a, f),
    "not_declined": lambda _, field, f: field not in f.declined,
    "is_owner": lambda a, _, f: _same(a.id, f.owner_id),
    "is_deputy": lambda a, _, f: _same(a.id, f.deputy_id),
    "is_recorder": lambda a, _, f: _same(a.id, f.recorded_by),
    "is_requester": lambda a, _, f: _same(a.id, f.requested_by),
    "owner_of_own_office": lambda a, _, f: _same(a.component, f.owner_component),
    "duty_of_owner": lambda _a, _, f: f.duty_of == "owner",
    "duty_of_office_alone": lambda _a, _, f: f.duty_of == "office_administrator",
    "duty_of_office": lambda _a, _, f: f.duty_of in {"office_administrator", "system_owner"},
    "duty_of_system_owner": lambda _a, _, f: f.duty_of == "system_owner",
    "subject_of_own_office": lambda a, _, f: _same(a.component, f.subject_component),
    "subject_with_role": lambda _a, _, f: bool(f.subject_roles),
    "subject_without_role": lambda _a, _, f: f.subject_roles is not None and not f.subject_roles,
    "no_level": lambda a, _, _f: a.level is None,
    "few_rows": lambda _a, _, f: f.rows is not None and f.rows <= rules.ROWS_OF_A_CONTRIBUTOR,
    "rows_are_known": lambda _a, _, f: f.rows is not None,
    "case_open": lambda _a, _, f: f.case_open,
}

_REASONS: Final[dict[str, tuple[str, str, str | None]]] = {
    "own_point": ("contact points belong to the component they were given to", "T5", None),
    "granted_point": ("contact points belong to the component they were given to", "T5", None),
    "few_reveals": (
        "so many people's contact points were shown to you today that a reason is asked, and from the hundredth on the answer is no",
        "T11",
        "reason",
    ),
    "not_declined": ("the person declined to give this", "T20", None),
    "is_owner": ("only the owner of the record may do this", "T2", None),
    "is_deputy": ("only the owner of the record may do this", "T2", None),
    "is_recorder": ("only those whom the request concerns may know of it", "T21", None),
    "is_requester": ("only those whom the request concerns may know of it", "T21", None),
    "owner_of_own_office": ("the owner is of another office", "T10", None),
    "duty_of_owner": ("the duty has passed from the owner", "T10", None),
    "duty_of_office_alone": ("the duty is not the office administrator's", "T10", None),
    "duty_of_office": ("the duty is still the owner's", "T10", None),
    "duty_of_system_owner": ("the duty has not passed to the system owner", "T10", None),
    "subject_of_own_office": ("the account is of another office", "T19", None),
    "subject_with_role": ("a user is approved by the administrator of their own office", "R179", None),
    "subject_without_role": ("system owners and system administrators give roles, and approve whoever has one", "R180", None),
    "no_level": ("the security officer's account is not also a user's", "T14", None),
    "few_rows": ("a contributor imports up to 2,000 rows at a time", "T19", "steward"),
    "rows_are_known": ("the number of rows is not known", "T19", None),
    "case_open": ("the privacy officer needs an open case on this person", "T19", None),
}
