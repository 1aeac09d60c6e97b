"""The OpenAPI document, and a page that shows it without scripts."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, render_template

from gateway.context import app_context
from gateway.refusals import rows

blueprint = Blueprint("docs", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Answer with the OpenAPI 3.1 document, which is made from the schemas in use."""
    return Response(app_context().document, content_type="application/json")


@blueprint.get("/docs")
def page() -> str:
    """Show every operation with its parameters and answers."""
    document = orjson.loads(app_context().document)
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, item in sorted(document["paths"].items())
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    return render_template("docs.html", operations=operations, document=document, refusals=rows())
