"""Authorization of each use case by the field policy."""

from __future__ import annotations

from services.audit.contract.refusals import NotTheAuditor
from services.chassis.messages import Caller
from services.lexicon.policy import decide


def require_trail_reader(by: Caller) -> None:
    """Require somebody who may read the trail (T14).

    :raises NotTheAuditor: the caller may not.
    """
    if not decide(by, "read_trail"):
        raise NotTheAuditor


def require_reviewer(by: Caller) -> None:
    """Require somebody who may sign off a week's review (R127).

    :raises NotTheAuditor: the caller may not.
    """
    if not decide(by, "sign_review"):
        raise NotTheAuditor
