"""The routes of `/api/v1`, one module for each subject; each is a line of declaration and one call."""

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

AREAS = (
    sessions.area,
    directory.components,
    directory.users,
    directory.profile,
    individuals.area,
    organizations.area,
    organizations.stakeholders,
    issues.area,
    engagement.interactions,
    engagement.events,
    engagement.requests,
    imports.area,
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
    tasks.area,
    duplicates.area,
    kept_texts.area,
    reports.area,
    audit.area,
    operations.area,
)

__all__ = ["AREAS", "count", "docs", "health"]
