"""What Alembic runs for the key store."""

from services.chassis.migrations import run_scripts

run_scripts()
