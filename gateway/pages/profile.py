"""One's own settings: the time zone of pages."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from gateway.clients import query
from gateway.pages.frame import attempt, blueprint, checked, page, to
from gateway.pages.versions import meant, versions
from gateway.routes.directory import changed_profile
from services.access.contract import ProfileChangeSchema
from services.chassis.messages import Refusal, entity_tag
from services.lexicon import zones


@blueprint.get("/profile")
def profile() -> Response:
    """Show one's own settings."""
    return _profile_page()


@blueprint.post("/profile")
def changing_profile() -> Response:
    """Change the time zone in which pages show and take times (T29)."""

    def change() -> Response:
        body = checked(ProfileChangeSchema, {"time_zone": request.form.get("time_zone") or None})
        changed_profile(body, meant())
        return to("profile", done="changed")

    return attempt(change, _profile_page)


def _profile_page(refusal: Refusal | None = None) -> Response:
    shown = query("access", "read_profile")
    return page(
        "profile.html",
        profile=shown,
        version=versions(shown, entity_tag(shown), {"time_zone": "Time zone"}, refusal, here=request.method == "POST"),
        choices=_choices(),
        refusal=refusal,
    )


def _choices() -> dict[str, Any]:
    """Return the zones of the United States first, by what people call them, and then every other."""
    here = {name: f"{said} ({name})" if said != name else name for name, said in zones.NAMES.items()}
    return here | {name: zones.label(name) for name in sorted(zones.zones() - here.keys())}
