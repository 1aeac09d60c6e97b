"""The field policy: published data (``rules``) and one decision over it (``decide``), deny by default."""

from services.lexicon.policy.decision import decide, go_together
from services.lexicon.policy.facts import Decision, Facts, Grant, Granted, Withheld
from services.lexicon.policy.rules import ACTIONS, CONTACT_LAYER, FIELDS

__all__ = [
    "ACTIONS",
    "CONTACT_LAYER",
    "FIELDS",
    "Decision",
    "Facts",
    "Grant",
    "Granted",
    "Withheld",
    "decide",
    "go_together",
]
