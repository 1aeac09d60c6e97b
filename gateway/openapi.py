"""The OpenAPI document, which is made from the declared routes and their schemas."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import cast

import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Flask
from flask_smorest import Api
from marshmallow import Schema

from gateway import routes
from services.chassis.answers import COMPONENTS


class LiaisonApi(Api):
    """Uses flask-smorest for the document alone, without its error handlers and pages."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass


@functools.cache
def document() -> bytes:
    """Return the OpenAPI 3.1 document as JSON; it is made once in each process."""
    scratch = Flask(__name__)
    scratch.config.update(API_TITLE="Liaison", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = LiaisonApi(scratch, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_names())})
    api.spec.components.security_scheme("session", {"type": "http", "scheme": "bearer"})
    for blueprint in routes.BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=f"/api/v1{blueprint.url_prefix}")
    specification = api.spec.to_dict()
    specification["components"]["schemas"] |= COMPONENTS
    specification["security"] = [{"session": []}]
    return orjson.dumps(specification)


def _names() -> Callable[[type[Schema] | Schema | str], str]:
    """Return a resolver that gives each schema a unique name across the services."""
    taken: dict[str, type[Schema]] = {}

    def name(schema: type[Schema] | Schema | str) -> str:
        cls = cast(type[Schema], resolve_schema_cls(schema))
        wished = cls.__name__.removesuffix("Schema")
        if taken.setdefault(wished, cls) is cls:
            return wished
        service = cls.__module__.split(".")[1].title()
        return f"{service}{wished}"

    return name
