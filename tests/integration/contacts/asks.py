"""What Chloé may ask in two worlds: the API, pages, and whatever leads to somebody who is gone (P14)."""

from __future__ import annotations

import random

from tests.integration.contacts.two_worlds import AMINA, CHLOE, Ask, kind_of

#: Values that only one of the worlds has.
HIDDEN = ("956-555-0142", "dov.quillfeather@example.org", "956-555-0111", "ruth@example.net")
TWIN = {"last_name": "Twin", "duplicate_ok": True}
#: Of pages so many are forms that are sent.
_FORMS = 0.3


def a_request(chance: random.Random, people: list[str]) -> Ask:
    """Return one thing that Chloé may ask."""
    person, other = chance.choice(people), chance.choice(people)
    value = chance.choice([*HIDDEN, "956-555-0199", "somebody@example.com"])
    point = {"kind": kind_of(value), "value": value}
    at = f"/individuals/{person}"
    search = {
        "q": chance.choice(["dov", "quill", "ruth", "oyelaran", "hidden lane", ""]),
        "sort": chance.choice(["name", "-last_contacted_at", "created_at"]),
        "facets": "state,component",
        "limit": chance.choice([1, 2, 50]),
    }
    asked = {name: wanted for name, wanted in search.items() if wanted}
    return chance.choice(
        [
            Ask("GET", at),
            Ask("GET", f"{at}/history"),
            Ask("GET", f"{at}/contact-points?reason=outreach%20on%20the%20flood"),
            Ask("GET", f"{at}/notes?limit={chance.choice([1, 50])}"),
            Ask("POST", f"{at}/notes", {"json": {"text": chance.choice(["Met at the forum.", f"Call {HIDDEN[0]}."])}}),
            Ask("GET", "/tasks"),
            Ask("GET", f"/tasks?limit={chance.choice([1, 2, 200])}"),
            Ask("GET", f"/duplicates/{person}/{other}"),
            Ask("POST", f"/duplicates/{person}/{other}", {"json": {"decision": chance.choice(["same", "different", "propose"])}}),
            Ask("POST", f"{at}/contact-points/corrections", {"json": point}),
            Ask("POST", f"{at}/contact-points", {"json": point}),
            Ask("POST", "/individuals", {"json": {**TWIN, "contact_points": [point]}}),
            Ask("POST", "/individuals", {"json": {"first_name": "Ruth", "last_name": "Oyelaran", "state": "NM"}}),
            Ask("GET", "/stakeholders", {"query_string": asked}),
            Ask("POST", "/stakeholders/search", {"json": {"q": chance.choice([*HIDDEN, "956", "0142"]), "limit": 2}}),
            Ask("GET", "/individuals?state=NM&limit=1"),
            Ask("PATCH", at, {"json": {"title": "Clerk"}, "headers": {"If-Match": '"stale"'}}),
            Ask("DELETE", at, {"json": {"reason": "mistake"}, "headers": {"If-Match": '"stale"'}}),
            Ask("GET", "/reports/stakeholders-by-region"),
            Ask("GET", "/no-contact-requests"),
        ]
    )


def a_page(chance: random.Random, people: list[str]) -> Ask:
    """Return one page that Chloé may open, or one form that she may send."""
    person, other = chance.choice(people), chance.choice(people)
    value = chance.choice([*HIDDEN, "956-555-0199", "somebody@example.com"])
    words = chance.choice(["dov", "quill", "ruth", "oyelaran", "hidden+lane", "twin", ""])
    point = {"kind": kind_of(value), "value": value}
    paths = [
        f"/individuals/{person}",
        f"/search?q={words}",
        f"/search?q={words}&state=NM",
        "/",
        "/imports",
        f"/duplicates/{person}/{other}",
        "/interactions/new",
        f"/interactions/new?individual_ids={person}",
        "/requests/coordination",
        f"/requests/coordination/new?individual_id={person}",
        "/requests/no-contact",
        f"/individuals/{person}/erase",
        "/events",
        "/issues",
        "/reports",
        "/reports?state=NM",
        "/kept-texts",
        "/audit",
        "/profile",
    ]
    forms = [
        ("/search", {"q": value}),
        (f"/individuals/{person}/reveal", {"reason": "outreach on the flood"}),
        (f"/individuals/{person}/contact-points", point),
        (f"/individuals/{person}/corrections", point),
        (f"/individuals/{person}/notes", {"text": chance.choice(["Met at the forum.", f"Call {HIDDEN[0]}."])}),
        (f"/duplicates/{person}/{other}", {"decision": chance.choice(["same", "different"])}),
    ]
    if chance.random() < _FORMS:
        path, fields = chance.choice(forms)
        return Ask("POST", path, {"data": fields}, page=True)
    return Ask("GET", chance.choice(paths), page=True)


def a_talk(chance: random.Random, people: list[str]) -> Ask:
    """Return one thing of interactions that Chloé may ask."""
    person, other = chance.choice(people), chance.choice(people)
    text = chance.choice(["Told of the guidance.", f"Call {HIDDEN[0]}."])
    talk = {"held_at": "2026-11-20T10:00:00Z", "mode": chance.choice(["phone", "email"]), "individual_ids": [person]}
    promise = {"text": "Send the guidance", "due_on": "2027-01-10", "mode": "phone"}
    asked = {"individual_id": person, "message": text, "mode": chance.choice(["phone", "email"])}
    return chance.choice(
        [
            Ask("POST", "/interactions", {"json": {**talk, "outcome": text}}),
            Ask("POST", "/interactions", {"json": {**talk, "individual_ids": sorted({person, other}), "follow_ups": [promise]}}),
            Ask("GET", f"/interactions?individual_id={person}&limit={chance.choice([1, 50])}"),
            Ask("GET", "/interactions?mode=phone"),
            Ask("POST", "/coordination-requests", {"json": asked}),
            Ask("POST", "/coordination-requests", {"json": {**asked, "component": chance.choice(["ICE", "FEMA"])}}),
            Ask("GET", "/coordination-requests"),
            Ask("POST", "/events", {"json": {"name": "Roundtable", "starts_at": "2026-11-19T10:00:00Z", "individual_ids": [person]}}),
            Ask("GET", "/events"),
            Ask("GET", f"/stakeholders?engaged_on=immigration&limit={chance.choice([1, 50])}"),
            Ask("GET", "/issues"),
            *(Ask("GET", f"/reports/{name}") for name in ("spoken-to", "coverage-gaps")),
            Ask("GET", f"/individuals/{person}/history"),
            Ask("GET", "/users?component=ICE"),
            Ask("GET", "/components"),
            Ask("GET", "/profile"),
            Ask("GET", "/audit/entries"),
        ]
    )


def looks_at(person: str) -> list[Ask]:
    """Return every way in which somebody may come upon a person who is gone, or do something to them."""
    at = f"/individuals/{person}"
    point = {"json": {"kind": "cell", "value": "956-555-0188"}}
    stale = {"headers": {"If-Match": '"stale"'}}
    return [
        Ask("GET", at, page=True),
        Ask("POST", "/interactions", {"json": {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "individual_ids": [person]}}),
        Ask("POST", "/coordination-requests", {"json": {"individual_id": person, "message": "Who speaks to them?"}}),
        *(Ask("GET", f"{at}{part}") for part in ("", "/history", "/notes", "/contact-points?reason=outreach")),
        Ask("GET", at, by=AMINA),
        Ask("POST", f"{at}/notes", {"json": {"text": "Met at the forum."}}),
        Ask("POST", f"{at}/contact-points", point),
        Ask("POST", f"{at}/contact-points/corrections", point),
        Ask("PATCH", at, {"json": {"title": "Clerk"}, **stale}),
        Ask("DELETE", at, {"json": {"reason": "mistake"}, **stale}),
        Ask("PUT", f"{at}/owner", {"json": {"owner": CHLOE.id}}),
        Ask("POST", f"{at}/verifications", {"json": {"medium": "phone", "verified_at": "2026-11-22T10:00:00Z"}}),
        Ask("POST", "/no-contact-requests", {"json": {"individual_id": person, "medium": "phone", "received_on": "2026-11-22"}}),
        Ask("GET", "/reports/stakeholders-by-region"),
    ]
