"""What Alembic runs for retention."""

from services.chassis.migrations import run_scripts

run_scripts()
