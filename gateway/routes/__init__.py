"""The routes of `/api/v1`, one module per subject."""

from gateway.endpoints import ApiBlueprint
from gateway.routes import (
    audit,
    directory,
    duplicates,
    engagement,
    imports,
    individuals,
    issues,
    kept_texts,
    operations,
    organizations,
    removal,
    reports,
    sessions,
    tasks,
)
from gateway.routes.docs import blueprint as docs
from gateway.routes.health import blueprint as health
from gateway.routes.health import count

#: The blueprints of the API, in the order of the document.
BLUEPRINTS = tuple(
    each
    for module in (
        sessions,
        directory,
        individuals,
        organizations,
        issues,
        engagement,
        imports,
        removal,
        tasks,
        duplicates,
        kept_texts,
        reports,
        audit,
        operations,
    )
    for each in vars(module).values()
    if isinstance(each, ApiBlueprint)
)

__all__ = ["count", "docs", "health"]
