"""The page of the user's own settings."""

from __future__ import annotations

from flask import Response, request

from gateway.clients import query
from gateway.pages.layout import blueprint, handle_form, page, redirect_to, validated
from gateway.pages.versions import compare_versions, submitted_etag
from gateway.routes.directory import save_profile
from services.access.contract import ProfileChangeSchema
from services.access.contract.answers import ProfileAnswer
from services.chassis.messages import Refusal, entity_tag
from services.lexicon import zones


@blueprint.get("/profile")
def profile() -> Response:
    """Show the settings."""
    return _profile_page()


@blueprint.post("/profile")
def changing_profile() -> Response:
    """Change the time zone in which pages show and take times (T29)."""

    def change() -> Response:
        body = validated(ProfileChangeSchema, {"time_zone": request.form.get("time_zone") or None})
        save_profile(body, submitted_etag())
        return redirect_to("profile", done="changed")

    return handle_form(change, _profile_page)


def _profile_page(refusal: Refusal | None = None) -> Response:
    shown: ProfileAnswer = query("access", "read_profile")
    return page(
        "profile.html",
        profile=shown,
        version=compare_versions(shown, entity_tag(shown), {"time_zone": "Time zone"}, refusal, here=request.method == "POST"),
        choices=_choices(),
        refusal=refusal,
    )


def _choices() -> dict[str, str]:
    """Return all time zones, those of the United States first and by their common names."""
    here = {name: f"{said} ({name})" if said != name else name for name, said in zones.NAMES.items()}
    return here | {name: zones.label(name) for name in sorted(zones.zones() - here.keys())}
