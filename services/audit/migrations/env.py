"""Alembic's entry to the audit service's migrations."""

from services.audit.storage.tables import metadata
from services.chassis.migrations import run_scripts

run_scripts(metadata)
