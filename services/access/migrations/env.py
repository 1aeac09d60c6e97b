"""What Alembic runs for access."""

from services.chassis.migrations import run_scripts

run_scripts()
