"""The field policy: published data (``rules``) and one decision over it (``decide``), deny by default."""

from services.lexicon.policy.decision import decide, go_together
from services.lexicon.policy.facts import Actor, Decision, Facts, Grant, Granted, Withheld
from services.lexicon.policy.rules import ACTIONS, CONTACT_LAYER, DIRECTORY_LAYER, FIELDS

__all__ = [
    "ACTIONS",
    "CONTACT_LAYER",
    "DIRECTORY_LAYER",
    "FIELDS",
    "Actor",
    "Decision",
    "Facts",
    "Grant",
    "Granted",
    "Withheld",
    "decide",
    "go_together",
]
