"""What Alembic runs for audit."""

from services.chassis.migrations import run_scripts

run_scripts()
