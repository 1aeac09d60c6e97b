"""Keeps values of the contact layer out of addresses (T31)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import request

from gateway.errors import ContactValueInAddress
from services.lexicon.searching import has_contact_value, has_street

#: Parameters with text that people type. Digits in the others are ids, days, positions and trace ids.
TYPED = frozenset({"q", "find", "name", "first_name", "last_name", "title", "interest", "organization", "city", "text"})
IDS = re.compile(r"[0-9a-fA-F-]{32,36}")


def reject_contact_values() -> None:
    """Refuse an address that contains a telephone number or an e-mail address.

    :raises ContactValueInAddress: naming the parameter, never the value.
    """
    if not request.query_string:
        return
    found = fields_with_contact_values((name, value) for name, values in request.args.lists() for value in values)
    if found:
        raise ContactValueInAddress(errors={name: ["Send it by POST /stakeholders/search."] for name in found})


def may_be_in_address(fields: Iterable[tuple[str, str]]) -> bool:
    """Tell whether typed fields may become an address. A street is not refused in one, but no address is made with it."""
    typed = list(fields)
    return not fields_with_contact_values(typed) and not any(has_street(value) for name, value in typed if name in TYPED)


def fields_with_contact_values(fields: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of the typed fields that contain a value of the contact layer."""
    return [name for name, value in fields if name in TYPED and not IDS.fullmatch(value) and has_contact_value(value)]
