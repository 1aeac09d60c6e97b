"""The checks of every registration, from whichever side it comes: form, declined, suppressed, duplicate (T9, T20, T23)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from services.chassis.database import Lock, UnitOfWork
from services.chassis.messages import Caller, Refusal, new_id
from services.contacts.contract.announcements import IndividualRegistered, PreferencesChanged, RelationshipEstablished
from services.contacts.contract.answers.individuals import IndividualAnswer, LikenessAnswer
from services.contacts.contract.commands import GivenContactPoint, GivenIndividual, GivenLink
from services.contacts.contract.refusals import (
    BlockedTooOften,
    ContactPointInvalid,
    IndividualBlocked,
    IndividualDuplicate,
    KindDeclined,
    OrganizationUnknown,
    OwnerUnsuitable,
    TooManyContactPoints,
)
from services.contacts.domain import representations
from services.contacts.domain.preferences import spans_of
from services.contacts.domain.stakeholders import Compared, Employer, Individual
from services.contacts.domain.suppression import asked_of
from services.contacts.storage import ledger, organizations, registration
from services.contacts.storage.contact_layer import ContactLayer, ContactPoint
from services.contacts.usecases import looking
from services.contacts.usecases.authorization import require_contributor
from services.contacts.usecases.keeping import kept_apart, notes_of
from services.contacts.usecases.preconditions import BLOCKED_A_DAY
from services.lexicon.canonical import canonical_contact_point, canonical_name, canonical_organization
from services.lexicon.display import display_name, tidy
from services.lexicon.mailboxes import mailbox, why_no_mailbox
from services.lexicon.names import are_names_alike, family_key
from services.lexicon.places import propose_state
from services.lexicon.refusals import IssueUnknown
from services.lexicon.splitting import PersonName
from services.lexicon.telephones import telephone
from services.lexicon.vocabulary import CONTACT_POINT_KINDS, VALUES_OF_A_KIND

Outcome = IndividualAnswer | Refusal | None


def standardized(kind: str, value: str, *, field: str) -> str:
    """Return a contact point's value in its stored form, without what surrounds it (R80, T30).

    :raises ContactPointInvalid: it is no value of that kind; the message does not repeat it.
    """
    why: str | None = None
    kept = tidy(value)
    if kind == "email":
        why, kept = why_no_mailbox(value), mailbox(value) or kept
    elif kind != "work_address":
        read = telephone(value)
        if isinstance(read, str):
            why = read
        elif read.kind not in {None, kind}:
            why = f"This says that it is of another kind: {CONTACT_POINT_KINDS[str(read.kind)].lower()}."
        else:
            kept = read.shown
    if why is None and canonical_contact_point(kind, kept) is None:
        why = {"email": "Not an e-mail address.", "work_address": "Not an address."}.get(kind, "Not a telephone number.")
    if why:
        raise ContactPointInvalid(errors={field: [why]})
    return kept


def standardized_points(points: Iterable[GivenContactPoint], *, declined: Iterable[str]) -> list[GivenContactPoint]:
    """Return new contact points in their stored form, each once.

    :raises KindDeclined: the person declined to give one of these kinds (T20).
    :raises ContactPointInvalid: a value is none of its kind.
    """
    refused = set(declined)
    kept: dict[tuple[str, str], GivenContactPoint] = {}
    for at, point in enumerate(points):
        if point["kind"] in refused:
            raise KindDeclined
        value = standardized(point["kind"], point["value"], field=f"contact_points.{at}.value")
        kept.setdefault((point["kind"], value), {"kind": point["kind"], "value": value, "source": point.get("source")})
    crowded = {kind for kind, many in Counter(kind for kind, _ in kept).items() if many > VALUES_OF_A_KIND}
    if crowded:
        names = [f"contact_points.{at}.value" for at, (kind, _) in enumerate(kept) if kind in crowded][VALUES_OF_A_KIND:]
        raise TooManyContactPoints(errors={name: [f"More than {VALUES_OF_A_KIND} of one kind."] for name in names})
    return list(kept.values())


@dataclass(frozen=True, slots=True)
class Registration:
    """An individual to be registered, in stored form, before any check."""

    by: Caller
    given: GivenIndividual
    individual_id: str
    owner_id: str
    component: str
    first_name: str
    last_name: str
    state: str | None
    issues: list[GivenLink]
    contact_points: list[GivenContactPoint]
    #: What screening found and its writer keeps for their component: (field, text).
    kept: list[tuple[str, str]] = field(default_factory=list)
    keep_reason: str | None = None

    @property
    def lock(self) -> Lock:
        """The lock of the name."""
        return registration.lock_of_name(self.first_name, self.last_name)

    @property
    def values(self) -> list[tuple[str, str]]:
        """Kinds and values of the contact points."""
        return [(point["kind"], point["value"]) for point in self.contact_points]

    @property
    def looked_up(self) -> int:
        """How many values are looked up in the ledger: each contact point, and the name with its organizations (T35)."""
        return len(self.contact_points) + 1

    @property
    def texts(self) -> list[str]:
        """Every field that may contain the words of an organization (T25)."""
        given = self.given
        shared = (given.get("title"), *(given.get("interests") or ()), self.first_name, self.last_name)
        return [written for written in (*shared, *(text for _, text in self.kept)) if written]


def registration_of(given: GivenIndividual, *, by: Caller, owner_id: str | None = None, individual_id: str | None = None) -> Registration:
    """Return the registration in stored form.

    :param owner_id: another owner of the same component, where a component's system registers for its people (T13).
    :raises ContributorsOnly, OwnerUnsuitable, TextNeedsReview, KindDeclined, ContactPointInvalid: see there.
    """
    require_contributor(by, "create")
    if by.component is None:
        raise OwnerUnsuitable
    shared, kept = kept_apart(given)
    reason, given = given.get("keep_reason"), shared
    points = standardized_points(given.get("contact_points") or [], declined=given.get("declined") or [])
    # Proposed once; from then on the field stands by itself (T18).
    proposed = (propose_state(point["value"]) for point in points if point["kind"] == "work_address")
    engaged = [GivenLink(issue_id=issue_id, kind="engaged", since=None, ended_on=None) for issue_id in given.get("issue_ids") or []]
    return Registration(
        by=by,
        given=given,
        individual_id=individual_id or new_id(),
        owner_id=owner_id or by.id,
        component=by.component,
        first_name=display_name(given.get("first_name") or ""),
        last_name=display_name(given["last_name"], given=not given.get("first_name")),
        state=given.get("state") or next((state for state in proposed if state), None),
        issues=unique_links([*(given.get("issues") or []), *engaged]),
        contact_points=points,
        kept=kept,
        keep_reason=reason,
    )


def unique_links(wanted: Iterable[GivenLink]) -> list[GivenLink]:
    """Return links to issues, each issue and kind once; the later one counts."""
    return list({(link["issue_id"], link["kind"]): link for link in wanted}.values())


def register_together(work: UnitOfWork, layer: ContactLayer, entries: Sequence[Registration], *, now: datetime) -> list[Outcome]:
    """Register individuals of one component at once, each registered or refused by itself. Their names are held.

    :returns: a representation or a refusal for each; None for one whose organization must be registered first.
    """
    wanted = {str(entry.given["organization_id"]) for entry in entries if entry.given.get("organization_id")}
    found = organizations.find_many(work, wanted) if wanted else {}
    known = {each.id: Employer(each.id, each.name, each.sector, each.group_ids) for each in found.values()}
    return register(work, layer, [(entry, known.get(str(entry.given.get("organization_id")))) for entry in entries], now=now)


def register(work: UnitOfWork, layer: ContactLayer, entries: Sequence[tuple[Registration, Employer | None]], *, now: datetime) -> list[Outcome]:
    """Register individuals, each with the organization if it exists; as `register_together`."""
    asked = [_Asked.of(entry, organization, layer) for entry, organization in entries]
    ledger.hold_shared(work)
    component = str(work.caller.component)
    known = looking.look_together(work, [each.question for each in asked], component=component, now=now)
    looked: Counter[str] = Counter()
    outcomes: list[Outcome] = []
    accepted: list[tuple[int, Registration, Employer | None, list[LikenessAnswer]]] = []
    for at, ((entry, organization), each, found) in enumerate(zip(entries, asked, known, strict=True)):
        outcomes.append(None)
        theirs = organization or found.organization
        if theirs is None and entry.given.get("organization_id"):
            outcomes[at] = OrganizationUnknown(errors={"organization_id": ["There is no such organization."]})
        elif theirs is not None or not entry.given.get("organization"):
            try:
                accepted.append((at, entry, theirs, _likenesses(work, entry, theirs, each, found, layer, now=now, before=looked[entry.by.id])))
            except Refusal as refusal:
                outcomes[at] = refusal
            looked[entry.by.id] += entry.looked_up
    # Without a value, too: else whoever adds the first would wait for a key, and learn that nobody holds any (T17).
    keys = layer.vault.new_keys(entry.individual_id for _, entry, _, _ in accepted)
    newcomers = [_newcomer(entry, organization, layer, keys, now=now) for _, entry, organization, _ in accepted]
    if newcomers:
        for (at, entry, _, likely), row in zip(accepted, registration.register(work, newcomers, now=now), strict=True):
            representation = representations.open_individual(row)
            if likely:
                representation["possible_duplicates"] = likely
            outcomes[at] = representation
            _tell(work.on_behalf_of(entry.by), entry, row, now=now)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Asked:
    """The questions of one registration, and how their answers are read."""

    question: registration.Question
    suppressions: list[ledger.Question]
    #: Digests of the values as the caller's component would hold them, with their kinds.
    lookups: dict[bytes, str]

    @classmethod
    def of(cls, entry: Registration, organization: Employer | None, layer: ContactLayer) -> Self:
        named = organization.name if organization else entry.given.get("organization")
        points = [(kind, canonical_contact_point(kind, value)) for kind, value in entry.values]
        values = asked_of(texts=[named, *entry.texts] if named else entry.texts, points=points)
        suppressions = ledger.questions(layer.digests, [(entry.first_name, entry.last_name, values)])
        lookups = layer.lookups_of(entry.component, entry.values)
        question = registration.Question(
            canonical_name=canonical_name(entry.first_name, entry.last_name),
            family_key=family_key(entry.last_name),
            organization=canonical_organization(named) if named and organization is None else None,
            organization_id=organization.id if organization else None,
            state=entry.state,
            user_id=entry.by.id if entry.by.kind == "user" else None,
            account=entry.by.id,
            suppressions=list({digest for _, digest in suppressions}),
            lookups=list(lookups),
            issue_ids=[link["issue_id"] for link in entry.issues],
        )
        return cls(question, suppressions, lookups)


def _likenesses(
    work: UnitOfWork,
    entry: Registration,
    organization: Employer | None,
    asked: _Asked,
    known: registration.Known,
    layer: ContactLayer,
    *,
    now: datetime,
    before: int,
) -> list[LikenessAnswer]:
    """Return who this may be (T23), if nothing forbids registering them.

    Other components' values change nothing in the answer. The matcher finds those later, for their holder.

    :param before: values that the caller looked up in the ledger with entries beside this one.
    :raises BlockedTooOften: too many of the caller's entries were blocked today (T9).
    :raises IssueUnknown: one of the issues was deleted.
    :raises LookupsExhausted: the caller has used all look-ups of today (T35).
    :raises IndividualBlocked: the suppression ledger knows this person since their request (T9, T25). The answer is the
        same for every caller, whatever the reason and whichever component holds what.
    :raises IndividualDuplicate: this organization already has somebody of this name.
    """
    if known.blocked_today >= BLOCKED_A_DAY:
        raise BlockedTooOften
    if known.erased_issues:
        raise IssueUnknown(errors={"issues": ["An issue that was deleted."]})
    name = (entry.first_name, entry.last_name)
    if looking.weigh(work, layer, known, asked.suppressions, by=entry.by, now=now, name=name, values=entry.looked_up, before=before):
        raise IndividualBlocked
    organization_id = organization.id if organization else None
    same = [row for row in known.same if row.organization_id == organization_id]
    # A name without an organization is too many people's.
    if organization_id and any(_is_hidden(row, entry.component) for row in same):
        raise IndividualBlocked
    reasons: dict[str, list[str]] = {}
    rows: dict[str, Compared] = {}
    entered = PersonName("", entry.first_name, entry.last_name)
    for row in known.family:
        likely = are_names_alike(entered, PersonName("", row.first_name, row.last_name))
        near = (organization_id and row.organization_id == organization_id) or (entry.state and row.state == entry.state)
        if row.canonical_name == asked.question.canonical_name or (likely and near):
            rows[row.id] = row
            reasons[row.id] = ["name"]
    kinds: dict[str, set[str]] = {}
    for row in known.holders:
        rows.setdefault(row.id, row)
        kinds.setdefault(row.id, set()).add(asked.lookups[row.lookup])
    for individual_id, held in kinds.items():
        reasons.setdefault(individual_id, []).extend(sorted(held))
    found = [representations.likeness(row, reasons[row.id]) for row in rows.values() if not _is_hidden(row, entry.component)]
    if same and organization_id and not entry.given.get("duplicate_ok"):
        raise IndividualDuplicate(extra={"possible_duplicates": found})
    return found


def _is_hidden(row: Compared, component: str) -> bool:
    return row.frozen_at is not None or component in row.frozen_for


def _newcomer(
    entry: Registration, organization: Employer | None, layer: ContactLayer, keys: Mapping[str, bytes], *, now: datetime
) -> registration.Newcomer:
    given = entry.given
    points = [ContactPoint(entry.individual_id, entry.component, point["kind"], point["value"], point["source"]) for point in entry.contact_points]
    individual = Individual(
        id=entry.individual_id,
        salutation=given.get("salutation"),
        first_name=entry.first_name,
        last_name=entry.last_name,
        canonical_name=canonical_name(entry.first_name, entry.last_name),
        family_key=family_key(entry.last_name),
        title=given.get("title"),
        organization_id=organization.id if organization else None,
        organization_name=organization.name if organization else None,
        state=entry.state,
        interests=given.get("interests") or [],
        source=given.get("source"),
        declined=given.get("declined") or [],
        use_preferences=given.get("use_preferences") or [],
        preference_spans=spans_of([], given.get("use_preferences") or (), now=now),
        deputy_id=given.get("deputy"),
        owner_id=entry.owner_id,
        owner_component=entry.component,
        created_at=now,
        created_by=entry.owner_id,
        created_component=entry.component,
        updated_at=now,
        relationships=[{"component": entry.component, "since": now.astimezone(UTC).date().isoformat(), "last_contact_at": None}],
    )
    return registration.Newcomer(
        individual=individual,
        organization=organization,
        issues=entry.issues,
        points=layer.sealed(points, keys, by_user=entry.owner_id, now=now),
        notes=notes_of(entry.kept, individual_id=entry.individual_id, by=entry.by, author_id=entry.by.id, reason=entry.keep_reason, now=now),
    )


def _tell(work: UnitOfWork, entry: Registration, row: Individual, *, now: datetime) -> None:
    work.announce(IndividualRegistered(entry.individual_id, row.organization_id, entry.owner_id, entry.component, entry.state))
    if row.preference_spans:
        work.announce(PreferencesChanged(entry.individual_id, list(row.preference_spans), row.version))
    work.announce(RelationshipEstablished("individual", entry.individual_id, entry.component, now.date().isoformat()))
    work.record(
        "contacts:individual:create",
        subjects=[entry.individual_id],
        fields=[name for name in entry.given if name not in {"contact_points", "duplicate_ok"}] + [kind for kind, _ in entry.values],
    )
    if entry.kept:
        work.record("contacts:note:create", subjects=[entry.individual_id], fields=["notes"], rule="T15")
