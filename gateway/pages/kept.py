"""What was typed into a form whose session ended: kept for whoever typed it, sealed, and given to nobody else.

A form bears its author and the token of its session, sealed by the gateway when it showed the page. When the form
arrives too late, what was typed is sealed with its author for this one browser, which carries it through signing in and
cannot read it. What another site sends, by a form or by a link, is never kept and never offered, whatever it copied.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import os
import re
import secrets
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app, g, request
from werkzeug.exceptions import HTTPException

from gateway.identity import form_token, is_form_token
from services.chassis.keyed import parts_of

#: Fields of a form that belong to the frame, not to what was typed.
OURS = frozenset({"csrf_token", "author", "kept", "onward"})
#: Fields that go with what was typed, but are nothing to read.
BESIDE = OURS | {"idempotency_key", "if_match", "seen_match"}
#: An id, or several.
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}([\s,]+[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})*", re.IGNORECASE)
DOORS = frozenset({"pages.signing_in", "pages.acknowledging", "pages.signing_out"})
#: Those through which a kept form is carried.
CARRYING = frozenset({"pages.signing_in", "pages.acknowledging"})


@dataclass(frozen=True, slots=True)
class Author:
    """Who typed something, and for which component."""

    user: str
    component: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not sent: its author, its address and its fields."""

    author: Author
    path: str
    fields: tuple[tuple[str, str], ...]


class Sealer:
    """Seals what a browser carries: it can neither be read nor made by anybody else."""

    def __init__(self, setting: str) -> None:
        """Take the secrets that keys are derived from, the one in use first; without any, one lives as long as the process."""
        self._materials = [part.encode() for part in parts_of(setting)] or [os.urandom(32)]

    @functools.cached_property
    def _ciphers(self) -> list[Any]:
        # Loaded with the first form: a gateway that only answers programs does without it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return [AESGCM(HKDF(SHA256(), 32, None, b"liaison kept forms").derive(each)) for each in self._materials]

    def seal(self, purpose: str, content: Any) -> str:
        """Return the content as text that only `unseal` reads."""
        nonce = os.urandom(12)
        sealed = self._ciphers[0].encrypt(nonce, zlib.compress(orjson.dumps(content)), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def keys(self, *parts: str) -> list[str]:
        """Return keys of their own for these parts, the one in use first."""
        said = "\0".join(("liaison", *parts)).encode()
        return [base64.b64encode(hmac.digest(each, said, "sha256")).decode() for each in self._materials]

    def unseal(self, purpose: str, text: str | None) -> Any:
        """Return what was sealed for this purpose; None for anything else."""
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b64decode((text or "").encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError, zlib.error):
                return orjson.loads(zlib.decompress(cipher.decrypt(sealed[:12], sealed[12:], purpose.encode())))
        return None


def author_mark() -> str:
    """Return the mark that a form of the present session bears; nothing where nobody is signed in.

    It is good together with the token of that session's forms alone: taken off a page, it marks no other form.
    """
    author = present_author()
    return _sealer().seal("author", [author.user, author.component, form_token(g.token)]) if author else ""


def present_author() -> Author | None:
    """Return who is signed in."""
    admission = g.get("admission")
    if admission is None:
        return None
    user = admission.session["user"]
    return Author(str(user["id"]), str(user["component"] or ""))


def kept() -> Kept | None:
    """Return the form that is to be kept: the one that just arrived too late, or the one carried through signing in."""
    return carried() or typed_too_late()


def carried() -> Kept | None:
    """Return the form that is carried through signing in, by the browser that it was sealed for."""
    if request.endpoint not in CARRYING or not is_same_origin():
        return None
    content = _sealer().unseal(f"kept {_visit_of_browser() or ''}", posted("kept"))
    return Kept(Author(*content["author"]), content["path"], tuple((name, value) for name, value in content["fields"])) if content else None


def typed_too_late() -> Kept | None:
    """Return the present form, if a page of ours showed it to its author."""
    if request.method != "POST" or is_upload() or request.endpoint in DOORS or not is_same_origin():
        return None
    if not str(request.endpoint).startswith("pages."):
        return None
    mark = _sealer().unseal("author", posted("author"))
    fields = tuple((name, value) for name, value in form_fields() if name not in OURS)
    if not mark or not any(value.strip() for name, value in fields if not _is_beside(name)):
        return None
    user, component, token = mark
    if not hmac.compare_digest(token.encode(), (posted("csrf_token") or "").encode()):
        return None
    return Kept(Author(user, component), request.path, fields)


def sealed(form: Kept | None) -> str:
    """Return a kept form as this browser carries it."""
    if form is None:
        return ""
    author = [form.author.user, form.author.component]
    return _sealer().seal(f"kept {visit()}", {"author": author, "path": form.path, "fields": form.fields})


def visit() -> str:
    """Return the mark of this browser, made with the first page that needs one; `page` hands it over."""
    mark: str = _visit_of_browser() or secrets.token_urlsafe(24)
    g.visit = mark
    return mark


def belongs_here(form: Kept | None) -> bool:
    """Tell whether the one signed in typed it, for the component that they are of now."""
    return form is not None and form.author == present_author()


def not_saved(form: Kept | None) -> list[tuple[str, str]]:
    """Return label and text of what was typed, for a page that has no form to show it in; ids say nothing to a person."""
    if form is None or not belongs_here(form):
        return []
    shown = [(name, value.strip()) for name, value in form.fields if not _is_beside(name)]
    return [(name.replace("_", " ").capitalize(), value) for name, value in shown if value and not IDS.fullmatch(value)]


def draft_key() -> str:
    """Return the key under which a browser keeps a page's unsent text: the user's, in pages that are shown to them.

    Behind a blank each stand former ones, under which it may have been kept.
    """
    author = present_author()
    return " ".join(_sealer().keys("draft", author.user, author.component)) if author else ""


def offered(name: str) -> str | None:
    """Return a field of the form that was sent, if a page of ours sent it: only that is shown again."""
    return posted(name) if is_ours() else None


def is_ours() -> bool:
    """Tell whether a page of ours sent the present form: the browser says so, or it bears the token of its session."""
    if is_same_origin():
        return True
    secret = g.get("token") or _visit_of_browser()
    return secret is not None and not is_upload() and is_form_token(secret, posted("csrf_token"))


def posted(name: str) -> str | None:
    """Return a field of the form that was sent; nothing when its body cannot be read."""
    try:
        return request.form.get(name)
    except HTTPException:
        return None


def form_fields() -> list[tuple[str, str]]:
    """Return the fields of the form that was sent; none when its body cannot be read."""
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def is_same_origin() -> bool:
    """Tell whether a page of ours sent this: another site's form arrives without our cookie, but it arrives."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    origin = request.headers.get("Origin")
    # With the cookie kept to HTTPS there is TLS before this server, whether or not a proxy says so.
    schemes = {request.scheme, "https"} if current_app.extensions["liaison"].settings.cookie_secure else {request.scheme}
    return origin in {f"{scheme}://{request.host}" for scheme in schemes}


def is_foreign() -> bool:
    """Tell whether another site had this asked: then the browser kept our strict cookies back, whichever it has.

    Under our referrer policy an old browser says `null` for our own forms too; that tells nothing.
    """
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if fetched is not None:
        return fetched in {"cross-site", "same-site"}
    return origin not in {None, "null"} and not is_same_origin()


def is_upload() -> bool:
    """Tell whether a file comes with the form; it is read as it comes."""
    return request.mimetype == "multipart/form-data"


def _is_beside(name: str) -> bool:
    return name in BESIDE or name.startswith("was_") or name.endswith(("_zone", "_fold"))


def _visit_of_browser() -> str | None:
    mark: str | None = g.get("visit") or current_app.extensions["liaison"].cookies.visit()
    return mark


def _sealer() -> Sealer:
    sealer: Sealer = current_app.extensions["liaison"].sealer
    return sealer
