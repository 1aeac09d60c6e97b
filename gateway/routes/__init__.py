"""The routes of `/api/v1`, one module per subject."""

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

BLUEPRINTS = (
    sessions.blueprint,
    directory.components,
    directory.users,
    directory.profile,
    individuals.blueprint,
    organizations.blueprint,
    organizations.stakeholders,
    issues.blueprint,
    engagement.interactions,
    engagement.events,
    engagement.requests,
    imports.blueprint,
    removal.requests,
    removal.erasures,
    removal.twins,
    removal.suppressions,
    removal.hits,
    removal.lookups,
    removal.frozen,
    removal.notices,
    removal.many_freezes,
    removal.destructions,
    removal.counts,
    tasks.blueprint,
    duplicates.blueprint,
    kept_texts.blueprint,
    reports.blueprint,
    audit.blueprint,
    operations.blueprint,
)

__all__ = ["AREAS", "count", "docs", "health"]
