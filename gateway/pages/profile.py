"""The page of the user's own settings."""

from __future__ import annotations

from flask import Response, request

from gateway.clients import query
from gateway.pages.layout import blueprint, form_view, page, redirect_to, validated
from gateway.pages.versions import compare_versions, submitted_etag
from gateway.routes.directory import save_profile
from services.access.contract import ProfileChangeSchema
from services.access.contract.answers import ProfileAnswer
from services.chassis.messages import Refusal, entity_tag
from services.lexicon import zones


@blueprint.get("/profile")
def profile(refusal: Refusal | None = None) -> Response:
    """Show the settings."""
    shown: ProfileAnswer = query("access", "read_profile")
    return page(
        "profile.html",
        profile=shown,
        version=compare_versions(shown, entity_tag(shown), {"time_zone": "Time zone"}, refusal),
        choices=_choices(),
        refusal=refusal,
    )


@form_view("/profile", profile)
def changing_profile() -> Response:
    """Change the time zone in which pages show and take times (T29)."""
    save_profile(validated(ProfileChangeSchema, {"time_zone": request.form.get("time_zone") or None}), submitted_etag())
    return redirect_to("profile", done="changed")


def _choices() -> dict[str, str]:
    """Return all time zones, those of the United States first and by their common names."""
    here = {name: f"{said} ({name})" if said != name else name for name, said in zones.NAMES.items()}
    return here | {name: zones.label(name) for name in sorted(zones.zones() - here.keys())}
