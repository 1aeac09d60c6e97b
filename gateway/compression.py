"""Compression of answers, save those in whose length another site could read a secret (BREACH).

An attacker needs a victim's browser to ask for pages that hold the victim's secrets beside the attacker's guesses.
A browser says which site made it ask (`Sec-Fetch-Site`). An answer is compressed if this site's own pages asked, or
the user did; or if the request bore its token itself, which no browser adds for another site.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_compress import Compress

from gateway.identity import bearer_token

_compress = Compress()


def init_compression(app: Flask) -> None:
    """Set what is compressed, and how."""
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_MIN_SIZE=1000,
        COMPRESS_MIMETYPES=["text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"],
    )
    _compress.init_app(app)


def compress_response(response: Response) -> Response:
    """Compress an answer, if its client takes that and no other site made the client ask.

    A record with an ETag stays as it is: a strong tag is of one form of the bytes (RFC 9110, 8.8.3.3), and clients send it
    back as the record's version.
    """
    if request.endpoint == "static":
        return _compress.after_request(response)
    is_ours = request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"} or bearer_token(request) is not None
    return _compress.after_request(response) if is_ours and "ETag" not in response.headers else response
