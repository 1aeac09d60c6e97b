"""The three statements of PIA section 2.4, word for word, and which version of them is in force."""

from __future__ import annotations

#: version → the statements as they were shown. A version, once acknowledged, is never edited.
STATEMENTS: dict[str, tuple[str, str, str]] = {
    "2.4-1": (
        "Information may be used only for DHS outreach purposes.",
        "Any unauthorized access may be subject to criminal and civil penalties;",
        (
            "Each participating agency is responsible for its own compliance in collecting, maintaining, and sharing "
            "information under the Privacy Act and any applicable regulations."
        ),
    ),
}
STATEMENTS_VERSION = "2.4-1"


def are_accepted(statements_version: str, *, accepted: bool) -> bool:
    """Whether this is the affirmative act of R105: the version in force, and yes."""
    return accepted is True and statements_version == STATEMENTS_VERSION
