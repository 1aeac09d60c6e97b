"""What contacts announces after a commit: ids and words of closed lists only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.messages import Announcement


@dataclass(frozen=True, slots=True)
class IndividualRegistered(Announcement):
    """There is a new individual."""

    name: ClassVar[str] = "contacts:individual:registered"

    individual_id: str
    organization_id: str | None
    owner_id: str
    component: str
    state: str | None


@dataclass(frozen=True, slots=True)
class IndividualsImported(Announcement):
    """There are new individuals, many at once, with one owner whose component has the relationship (R77-R79).

    `individuals` are [id, organization's id or null, state or null]; at most 500.
    """

    name: ClassVar[str] = "contacts:individuals:imported"

    individuals: list[list[str | None]]
    owner_id: str
    component: str


@dataclass(frozen=True, slots=True)
class OrganizationsImported(Announcement):
    """There are new organizations, many at once: [id, state or null]; at most 500."""

    name: ClassVar[str] = "contacts:organizations:imported"

    organizations: list[list[str | None]]


@dataclass(frozen=True, slots=True)
class IndividualChanged(Announcement):
    """An individual's directory layer changed; the contact layer is never announced (T17).

    Messages may overtake each other: for each individual the highest `revision` is the latest.
    """

    name: ClassVar[str] = "contacts:individual:changed"

    individual_id: str
    organization_id: str | None
    state: str | None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class PreferencesChanged(Announcement):
    """A person set how their information may be used, or withdrew that (R169); the highest `revision` counts.

    `spans` are all of theirs: [preference, since, until or null].
    """

    name: ClassVar[str] = "contacts:individual:preferences-changed"

    individual_id: str
    spans: list[list[str | None]]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RelationshipEstablished(Announcement):
    """A component has a relationship with a stakeholder from now on (R43, R44)."""

    name: ClassVar[str] = "contacts:relationship:established"
    #: It is for components' own systems, which an installation may have none of.
    may_go_unheard: ClassVar[bool] = True

    stakeholder_type: str
    stakeholder_id: str
    component: str
    since: str


@dataclass(frozen=True, slots=True)
class OwnerChanged(Announcement):
    """An individual was handed over, or their owner named a deputy (R45, T10); the highest `revision` counts."""

    name: ClassVar[str] = "contacts:individual:handed-over"

    individual_id: str
    owner_id: str
    component: str
    revision: int = 0
    deputy_id: str | None = None


@dataclass(frozen=True, slots=True)
class IndividualFrozen(Announcement):
    """An individual asked not to be contacted any more, and is frozen (T10, T21)."""

    name: ClassVar[str] = "contacts:individual:frozen"

    individual_id: str
    request_id: str
    medium: str
    received_on: str
    recorded_by: str
    recorded_by_component: str | None


@dataclass(frozen=True, slots=True)
class IndividualFrozenFor(Announcement):
    """These components, and no others, see an individual frozen as possibly somebody who asked not to be contacted (T26).

    No component when it was decided; the highest `revision` counts. Only services receive it: no component learns of another's.
    """

    name: ClassVar[str] = "contacts:individual:frozen-for"

    individual_id: str
    components: list[str]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class IndividualUnfrozen(Announcement):
    """The request for which an individual was frozen was withdrawn (T36)."""

    name: ClassVar[str] = "contacts:individual:unfrozen"

    individual_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class IndividualErased(Announcement):
    """An individual is gone from here; the other holders of a relationship learn that it happened (T16)."""

    name: ClassVar[str] = "contacts:individual:erased"

    individual_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class IndividualsErased(Announcement):
    """The individuals whom an import entered are gone with it, many at once: ids; at most 500 (N16)."""

    name: ClassVar[str] = "contacts:individuals:erased"

    individuals: list[str]
    cause: str
    import_id: str


@dataclass(frozen=True, slots=True)
class OrganizationRegistered(Announcement):
    """There is a new organization."""

    name: ClassVar[str] = "contacts:organization:registered"

    organization_id: str
    state: str | None
    sector: str | None


@dataclass(frozen=True, slots=True)
class OrganizationChanged(Announcement):
    """Something of an organization changed; the highest `revision` counts."""

    name: ClassVar[str] = "contacts:organization:changed"

    organization_id: str
    state: str | None
    sector: str | None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class OrganizationErased(Announcement):
    """An organization is gone from here."""

    name: ClassVar[str] = "contacts:organization:erased"

    organization_id: str
    cause: str
