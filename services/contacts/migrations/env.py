"""What Alembic runs for contacts."""

from services.chassis.migrations import run_scripts

run_scripts()
