"""The OpenAPI document, made from the declared routes and the schemas that they use."""

from __future__ import annotations

import functools
from typing import Any

import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Flask
from flask_smorest import Api

from gateway import routes


class LiaisonApi(Api):
    """flask-smorest as a maker of documents: errors and pages are our own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass


@functools.cache
def document() -> bytes:
    """Return OpenAPI 3.1 as JSON; made once, for it says the same in every process of one version."""
    scratch = Flask(__name__)
    scratch.config.update(API_TITLE="Liaison", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = LiaisonApi(scratch, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_names())})
    api.spec.components.security_scheme("session", {"type": "http", "scheme": "bearer"})
    for blueprint in routes.BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=f"/api/v1{blueprint.url_prefix}")
    specification = api.spec.to_dict()
    specification["security"] = [{"session": []}]
    return orjson.dumps(specification)


def _names() -> Any:
    """Return a resolver that gives each schema a name of its own, whichever service it comes from."""
    taken: dict[str, Any] = {}

    def name(schema: Any) -> str:
        cls: Any = resolve_schema_cls(schema)
        wished = str(cls.__name__).removesuffix("Schema")
        if taken.setdefault(wished, cls) is cls:
            return wished
        service = cls.__module__.split(".")[1].title()
        return f"{service}{wished}"

    return name
