"""Small worlds for tests: things with every field filled that does not matter to the test that asks for them."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from services.chassis.messages import new_id

#: A day like any other, for tests in which time stands still.
NOW = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def an_individual(**given: Any) -> dict[str, Any]:
    """Return the body of `POST /individuals` for somebody whom no other test knows."""
    n = next(_numbers)
    return {
        "first_name": "Ottoline",
        "last_name": f"Vantongeren{_letters(n)}",
        "title": "Head of Public Policy",
        "state": "TX",
        "source": "given_by_stakeholder",
        **given,
    }


def an_organization(**given: Any) -> dict[str, Any]:
    """Return the body of `POST /organizations` for an organization that no other test knows."""
    return {"name": f"Quillfeather Analytics {_letters(next(_numbers))}", "sector": "private_sector", "state": "TX", **given}


def an_issue(**given: Any) -> dict[str, Any]:
    """Return the body of `POST /issues`."""
    return {"name": f"Worksite enforcement {_letters(next(_numbers))}", "priority": "immigration", **given}


def an_interaction(*individual_ids: str, at: dt.datetime | None = None, **given: Any) -> dict[str, Any]:
    """Return the body of `POST /interactions`: a call, an hour ago."""
    held_at = at or dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    return {
        "held_at": held_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "mode": "phone",
        "individual_ids": list(individual_ids) or [new_id()],
        "outcome": "We promised an answer.",
        **given,
    }


def _letters(n: int) -> str:
    """Write a number in letters: canonical names drop digits."""
    text = ""
    while n:
        n, rest = divmod(n - 1, 26)
        text = chr(ord("a") + rest) + text
    return text
