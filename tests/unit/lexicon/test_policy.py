"""The field policy: the whole matrix against an oracle written from the sentences of T19."""

import datetime as dt
import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lexicon import policy
from services.lexicon.policy import ACTIONS, CONTACT_LAYER, FIELDS, Facts, Grant, Granted, Withheld, decide, go_together
from services.lexicon.policy.decision import CONDITIONS

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Person:
    kind: str = "user"
    id: str = "amina"
    component: str | None = "ICE"
    level: str | None = "contributor"
    roles: frozenset[str] = frozenset()


AMINA = Person()
BRUNO = Person(id="bruno")
CHLOE = Person(id="chloe", component="PSO")
EDDA = Person(id="edda", component="PRIV", level=None, roles=frozenset({"isso"}))
FARID = Person(id="farid", component="PRIV", level=None, roles=frozenset({"privacy_officer"}))
GRACE = Person(id="grace", level="reader", roles=frozenset({"office_administrator"}))
DOV = Facts(now=NOW, owner_id="amina", owner_component="ICE", point_component="ICE")


# --- the oracle: T19 (with T2, T3, T5, T10, T11, T20, T21), sentence by sentence, and not by table ---

DIRECTORY = {"first_name", "state", "notes", "declined"}
CONTACT = {"cell", "email", "work_address"}
NOT_EDITABLE = {"id", "owner", "created_at"}
CONTACT_ACTIONS = {"reveal", "add_contact_point", "correct_contact_point", "grant", "revoke_grant", "export_contact_layer"}
DIRECTORY_ACTIONS = {"read", "search", "create", "change", "export_directory"}


def oracle(who, action, field, f):
    office, system = "office_administrator" in who.roles, bool({"system_administrator", "system_owner"} & who.roles)
    reader = who.level in {"reader", "contributor", "steward"}
    contributor = who.level in {"contributor", "steward"}
    steward = who.level == "steward"
    own = who.component is not None and who.component == f.point_component
    shared = any(g.component == who.component and g.until > NOW for g in f.grants)
    owner = who.id == f.owner_id
    same_office = who.component is not None and who.component == f.owner_component
    same_subject = who.component is not None and who.component == f.subject_component
    # The ISSO: the trail, from an account that is not also a user's.
    if "isso" in who.roles:
        return action in {"read_trail", "sign_review"} and field is None and who.level is None
    if action in {"read_trail", "sign_review"}:
        return False
    # Anything unknown is denied; a field has its layer.
    if action in CONTACT_ACTIONS:
        if field not in CONTACT or system:
            return False
    elif action in DIRECTORY_ACTIONS:
        if field is not None and field not in DIRECTORY | NOT_EDITABLE:
            return False
    elif field is not None:
        return False
    if action in {"create", "change"} and field in NOT_EDITABLE:
        return False
    # Frozen: found by exact id by four kinds of people, the name and no more; little else may be done.
    if f.frozen:
        if action == "read":
            finds = owner or who.id == f.recorded_by or "privacy_officer" in who.roles or who.id == f.deputy_id
            finds = finds or (office and same_office) or (f.duty_of == "system_owner" and "system_owner" in who.roles)
            return f.by_exact_id and finds and field in {None, "first_name", "id", "owner"}
        if action == "log_interaction":
            return contributor and f.about_request
        if action not in {"hand_over", "freeze", "find_frozen", "stand_for_office", "erase", "open_case", "place_hold", "review_text",
                          "list_requests", "follow_request", "answer_request", "read_destructions",
                          "see_frozen", "answer_coordination", "withdraw_coordination",
                          "administer", "manage_users", "change_user", "approve_user", "manage_components", "manage_policy"}:  # fmt: skip
            return False
    match action:
        case "read":  # Reader: the directory layer. Privacy officer: one person, with an open case.
            return reader or ("privacy_officer" in who.roles and f.case_open)
        case "search" | "write_note" | "freeze":  # Reader: directory layer, notes, no-contact requests.
            return reader
        case "create" | "change" | "log_interaction" | "verify":  # Contributor: creates, corrects, logs.
            return contributor
        case "import":  # ... imports up to 2,000 rows at a time; Steward: large imports.
            return f.rows is not None and (steward or (contributor and f.rows <= 2000))
        case "merge" | "restore":  # Steward: merges, restores.
            return steward
        case "reveal":  # Contributor: own component's contact layer; grants; 50 and 100 a day.
            few = owner or f.reveals_today < 50 or (f.reveals_today < 100 and f.reason_given)
            return few and ((contributor and (own or shared)) or ("privacy_officer" in who.roles and f.case_open))
        case "add_contact_point" | "correct_contact_point":  # Declined: refused, whoever enters it.
            return contributor and field not in f.declined
        case "grant" | "revoke_grant":  # Steward: grants, of the component's own.
            return steward and own
        case "export_contact_layer":  # Office administrator: exports of that component's contact layer.
            return office and own
        case "export_directory":
            return "system_administrator" in who.roles
        case "hand_over":
            return (contributor and owner) or (office and same_office)
        case "name_deputy":
            return contributor and owner
        case "erase":  # The owner, or whoever the duty has passed to.
            passed_to_office = f.duty_of in {"office_administrator", "system_owner"}
            return (
                (contributor and (owner or who.id == f.deputy_id))
                or (office and passed_to_office and same_office)
                or ("system_owner" in who.roles and f.duty_of == "system_owner")
            )
        case "contribute" | "own":  # A contributor, about no record in particular; whoever may own one.
            return contributor
        case "look_up_in_bulk":  # A steward looks up more values in the ledger in a day.
            return steward
        case "find_frozen":  # Everybody looks among those whom they may find.
            return True
        case "stand_for_office":  # The administrator of the office.
            return office and same_subject
        case "list_requests":  # Readers record them; the privacy officer and those to whom the duty passes have no need of a level.
            return reader or office or bool({"system_owner", "privacy_officer"} & who.roles)
        case "follow_request":  # Those whom it concerns: the owner, the deputy, who recorded it or asked for the erasure.
            concerned = who.id in {f.owner_id, f.deputy_id, f.recorded_by, f.requested_by}
            return concerned or (office and same_office) or bool({"system_owner", "privacy_officer"} & who.roles)
        case "answer_request":  # On whom the duty lies; a deputy sees to it at any time.
            of_office, of_system = f.duty_of == "office_administrator", f.duty_of == "system_owner"
            on_owner, on_office = owner and f.duty_of == "owner", office and same_office and of_office
            return who.id == f.deputy_id or on_owner or on_office or ("system_owner" in who.roles and of_system)
        case "see_frozen":  # Those who handle the request.
            concerned = who.id in {f.owner_id, f.deputy_id, f.recorded_by}
            return concerned or (office and same_office) or "privacy_officer" in who.roles
        case "answer_coordination":  # The addressee, the deputy, the administrator of their office.
            return who.id in {f.owner_id, f.deputy_id} or (office and same_office)
        case "withdraw_coordination":  # Whoever asked, and the administrator of their office.
            return who.id == f.requested_by or (office and same_subject)
        case "read_destructions":
            return bool({"system_owner", "privacy_officer"} & who.roles)
        case "administer":
            return system or office
        case "manage_users" | "change_user":  # Nobody promotes themselves; whoever has a role is for those above.
            others = action == "change_user" or f.subject_user_id not in {None, who.id}
            return others and (system or (office and same_subject and f.subject_roles == frozenset()))
        case "approve_user":  # Nobody approves themselves.
            others = f.subject_user_id not in {None, who.id}
            return others and ((system and bool(f.subject_roles)) or (office and same_subject and f.subject_roles == frozenset()))
        case "manage_components" | "manage_policy":
            return system
        case "open_case" | "place_hold" | "review_text":
            return "privacy_officer" in who.roles
    return False


def of_account(user, component, *roles):
    return {"subject_user_id": user, "subject_component": component, "subject_roles": frozenset(roles)}


SITUATIONS = [
    DOV,
    replace(DOV, owner_id="someone", owner_component="PSO", point_component="PSO"),
    replace(DOV, owner_id="someone", point_component="POLICY", owner_component="POLICY", deputy_id="amina", rows=2000),
    replace(DOV, point_component="PSO", grants=(Grant("ICE", LATER), Grant("FO", LATER)), case_open=True, rows=2001),
    replace(DOV, owner_id="someone", point_component="PSO", grants=(Grant("ICE", NOW),), reveals_today=50, **of_account("u", "ICE")),
    replace(DOV, owner_id="someone", reveals_today=99, reason_given=True, duty_of="office_administrator", **of_account("amina", "ICE")),
    replace(DOV, owner_id="someone", reveals_today=100, reason_given=True, duty_of="system_owner", declined=frozenset({"cell"})),
    replace(DOV, reveals_today=100, declined=frozenset({"email"}), case_open=True),
    replace(DOV, frozen=True, by_exact_id=True, case_open=True),
    replace(DOV, frozen=True, by_exact_id=True, owner_id="someone", recorded_by="amina", about_request=True, owner_component="PSO", rows=1),
    replace(DOV, frozen=True, by_exact_id=True, owner_id="someone", duty_of="system_owner", deputy_id="x", **of_account("u", "PSO", "isso")),
    replace(DOV, frozen=True, by_exact_id=False, deputy_id="amina", duty_of="office_administrator"),
    replace(DOV, owner_id="someone", owner_component="PSO", requested_by="amina", duty_of="office_administrator"),
    Facts(),
]
ACCOUNT = replace(DOV, **of_account("u", "ICE"))
COMPONENTS = ["ICE", "PSO", "POLICY", "FO", None]
LEVELS = [None, "reader", "contributor", "steward", "root"]
ROLES = ["office_administrator", "system_administrator", "system_owner", "isso", "privacy_officer"]
ROLE_SETS = [frozenset(r for r, on in zip(ROLES, bits, strict=True) if on) for bits in itertools.product((0, 1), repeat=5)]
MATRIX_FIELDS = [None, *sorted(DIRECTORY), *sorted(CONTACT), *sorted(NOT_EDITABLE), "religion"]
#: What is asked of a record alone: whose it is, or whether it is frozen.
WHATEVER_THE_LEVEL = {"find_frozen", "see_frozen", "follow_request", "answer_request", "answer_coordination", "withdraw_coordination"}
MATRIX_ACTIONS = [*ACTIONS, "escalate"]


@pytest.mark.requirement("R152", "R153", "R150", "T19")
@pytest.mark.timeout(60)
@pytest.mark.row("P13")
def test_the_whole_matrix_agrees_with_the_sentences():
    cells = allowed = 0
    for component, level, roles in itertools.product(COMPONENTS, LEVELS, ROLE_SETS):
        who = Person(component=component, level=level, roles=roles)
        for facts in SITUATIONS:
            for action, field in itertools.product(MATRIX_ACTIONS, MATRIX_FIELDS):
                cells += 1
                decision = decide(who, action, field, facts)
                expected = oracle(who, action, field, facts)
                allowed += expected
                assert bool(decision) is bool(expected), (who, action, field, facts, decision)
    assert cells == len(COMPONENTS) * len(LEVELS) * 32 * len(SITUATIONS) * len(MATRIX_ACTIONS) * len(MATRIX_FIELDS)
    assert 0 < allowed < cells / 4


def test_the_matrix_names_every_action_and_the_oracle_s_layers_are_the_policy_s():
    assert {name for name, action in ACTIONS.items() if action.layers == {"contact"}} == CONTACT_ACTIONS
    assert {name for name, action in ACTIONS.items() if action.layers == {"directory"}} == DIRECTORY_ACTIONS
    assert {f for f in DIRECTORY | NOT_EDITABLE if FIELDS[f].layer == "directory"} == DIRECTORY | NOT_EDITABLE
    assert CONTACT < CONTACT_LAYER


@pytest.mark.requirement("R148", "R149", "T4")
def test_the_contact_layer_is_every_phone_every_email_and_the_work_address_of_an_individual():
    assert {"cell", "personal_phone", "work_phone", "email", "work_address"} == CONTACT_LAYER
    assert {name for name, field in FIELDS.items() if field.layer == "contact"} == CONTACT_LAYER


@pytest.mark.requirement("R154", "T5")
def test_chloe_of_another_component_is_not_shown_dov_s_email_and_bruno_is():
    assert decide(BRUNO, "reveal", "email", DOV)
    assert decide(CHLOE, "reveal", "email", DOV) == Withheld("contact points belong to the component they were given to", "T5")


@pytest.mark.requirement("T5")
def test_a_grant_holds_until_its_instant_and_a_parent_component_has_none():
    shared = replace(DOV, grants=(Grant("PSO", LATER),))
    assert decide(CHLOE, "reveal", "email", shared)
    assert not decide(CHLOE, "reveal", "email", replace(shared, now=LATER))
    assert not decide(CHLOE, "reveal", "email", replace(shared, now=None))
    assert not decide(replace(CHLOE, level="reader"), "reveal", "email", shared)
    assert not decide(Person(id="p", component="POLICY", level="steward"), "reveal", "email", replace(DOV, point_component="PSO"))


@pytest.mark.requirement("T11")
def test_contact_points_are_never_part_of_a_record_and_never_searched():
    assert decide(AMINA, "read", "email", DOV).rule == "T11"
    assert decide(AMINA, "search", "cell", DOV).rule == "T17"


@pytest.mark.requirement("T11")
def test_from_the_fiftieth_reveal_a_reason_is_asked_and_the_hundredth_is_refused():
    many = replace(DOV, owner_id="someone", reveals_today=50)
    assert decide(BRUNO, "reveal", "email", replace(many, reveals_today=49))
    assert decide(BRUNO, "reveal", "email", many).remedy == "reason"
    assert decide(BRUNO, "reveal", "email", replace(many, reveals_today=99, reason_given=True))
    assert not decide(BRUNO, "reveal", "email", replace(many, reveals_today=100, reason_given=True))
    assert decide(AMINA, "reveal", "email", replace(DOV, reveals_today=1000))


@pytest.mark.requirement("T21", "R170")
def test_a_frozen_person_s_contact_points_are_revealed_to_nobody():
    frozen = replace(DOV, frozen=True, by_exact_id=True, case_open=True, recorded_by="chloe")
    for who in (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE):
        assert decide(who, "reveal", "email", frozen) == Withheld("this person asked not to be contacted", "T21") or who is EDDA
        assert not decide(who, "search", None, frozen)
    assert [bool(decide(who, "read", "last_name", frozen)) for who in (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE)] == [
        True, False, True, False, True, True,
    ]  # fmt: skip
    assert not decide(AMINA, "read", "title", frozen)


@pytest.mark.requirement("R165", "T2", "T10")
def test_only_the_owner_erases_until_the_duty_passes():
    assert decide(AMINA, "erase", None, DOV).rule == "R165"
    assert not decide(BRUNO, "erase", None, DOV)
    assert not decide(GRACE, "erase", None, DOV)
    assert decide(GRACE, "erase", None, replace(DOV, duty_of="office_administrator"))


@pytest.mark.requirement("T13")
@pytest.mark.parametrize("kind", ["service", "anonymous", "", "USER"])
def test_only_people_who_are_signed_in_are_decided_for(kind):
    nobody = Person(kind=kind, level="steward", roles=frozenset({"system_owner", "privacy_officer"}))
    assert not any(decide(nobody, action, field, ACCOUNT) for action in ACTIONS for field in (None, *FIELDS))


@pytest.mark.requirement("R180", "T19")
def test_an_operator_sets_up_accounts_and_offices_and_sees_no_record():
    operator = Person(kind="operator", id="set-up", component=None, level=None)
    allowed = {(action, field) for action in ACTIONS for field in (None, *FIELDS) if decide(operator, action, field, ACCOUNT)}
    assert allowed == {(action, None) for action in ("manage_users", "change_user", "approve_user", "set_password", "manage_components")}


@pytest.mark.requirement("T13", "T20")
def test_an_integration_sends_records_in_and_reads_nothing():
    system = Person(kind="integration", id="ice-crm", level=None)
    granted = {(a, f) for a in ACTIONS for f in (None, *FIELDS) if decide(system, a, f, replace(DOV, declined=frozenset({"cell"})))}
    assert {a for a, _ in granted} == {"create", "add_contact_point"}
    assert ("add_contact_point", "cell") not in granted
    assert ("create", "owner") not in granted


@pytest.mark.parametrize(
    ("component", "level", "roles", "fits"),
    [
        ("ICE", "contributor", [], True),
        ("ICE", "steward", ["office_administrator"], True),
        ("PRIV", None, ["privacy_officer"], True),
        ("PRIV", "reader", ["privacy_officer"], False),
        ("PRIV", None, ["isso", "privacy_officer"], False),
        ("WHL", None, ["system_owner"], True),
        ("ICE", None, ["system_owner"], False),
        ("WHL", "contributor", ["system_administrator"], False),
        ("WHL", "reader", ["system_administrator"], True),
    ],
)
def test_which_level_goes_with_which_roles(component, level, roles, fits):
    assert bool(go_together(component, level, frozenset(roles))) is fits


def test_every_answer_has_a_rule_and_every_no_a_reason():
    for action, field in itertools.product(MATRIX_ACTIONS, MATRIX_FIELDS):
        decision = decide(CHLOE, action, field, DOV)
        assert decision.rule
        assert isinstance(decision, Granted) or decision.reason


def test_every_condition_that_the_policy_names_exists_and_explains_itself():
    named = {name for action in ACTIONS.values() for permit in action.permits for name in permit.when}
    assert named == set(CONDITIONS)


@given(st.text(max_size=20), st.one_of(st.none(), st.text(max_size=20)), st.text(max_size=20), st.frozensets(st.text(max_size=8)))
@pytest.mark.row("P13")
def test_anything_unknown_is_withheld(action, field, level, roles):
    stranger = Person(level=level, roles=roles)
    if level not in {"reader", "contributor", "steward"} and not roles & set(ROLES) and action not in WHATEVER_THE_LEVEL:
        assert not decide(stranger, action, field, DOV)
    if action not in ACTIONS or (field is not None and field not in FIELDS):
        assert not decide(AMINA, action, field, DOV)


def test_the_caller_of_the_chassis_fits_as_an_actor():
    from services.chassis.messages import Caller

    assert policy.decide(Caller(kind="user", id="amina", component="ICE", level="contributor"), "reveal", "email", DOV)
