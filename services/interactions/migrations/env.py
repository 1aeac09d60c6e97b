"""What Alembic runs for interactions."""

from services.chassis.migrations import run_scripts

run_scripts()
