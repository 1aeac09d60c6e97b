"""Describe an individual to interactions, and what a caller may find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """The projection of an individual: ids and codes that contacts announced."""

    id: str
    owner_id: str | None = None
    deputy_id: str | None = None
    component: str | None = None
    frozen_request_id: str | None = None
    frozen_by: str | None = None
    #: Components that see the person as frozen, because they may be the person of a request (T26).
    frozen_for: Sequence[str] = ()

    def is_frozen_for(self, component: str | None) -> bool:
        """Return whether the person is frozen for this component: for everybody (T21), or for it only (T26)."""
        return self.frozen_request_id is not None or component in self.frozen_for


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may find: what is their own, and what is named here beyond it."""

    #: None: the caller is no user, and has nothing of their own.
    user_id: str | None
    component: str | None
    #: Every frozen individual, too.
    sees_frozen: bool = False
    #: The frozen individuals of this component, too.
    frozen_of: str | None = None
    #: The requests that this component has to answer, too.
    answers_for: str | None = None
    #: The requests that this component sent, too.
    follows_for: str | None = None
    #: What is left undone in this component, too.
    stands_for: str | None = None
    #: A request that this component sent, by its id, too.
    contributes_to: str | None = None
